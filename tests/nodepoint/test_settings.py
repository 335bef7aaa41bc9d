"""Every setting is explained in `.env.example` and docs/settings.md, and nothing else is."""

import ast
import functools
import itertools
import re
import tempfile
import unittest
from pathlib import Path

import environ

from nodepoint.production import deployment
from tests.nodepoint.faulty import faults

ROOT = Path(__file__).resolve().parents[2]
# Read before or beside nodepoint.env: the data folder says where the files with settings are.
READER = re.compile(r"(env|servers)\.(?!malformed)\w+")
OTHERS = {"NODEPOINT_DATA": "var", "SECRET_KEY": ""}


def calls() -> list[ast.Call]:
    """Every `env.text("NAME", …)` and `servers.email("NAME", …)` in the product."""
    found = []
    for file in sorted((ROOT / "nodepoint").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and READER.fullmatch(ast.unparse(node.func)) and node.args:
                found.append(node)
    return [call for call in found if isinstance(call.args[0], ast.Constant)]


@functools.cache
def settings() -> dict[str, str]:
    """Every setting with its default as it would be written in a file; empty where it is none or computed."""
    found = dict(OTHERS)
    for call in calls():
        default = call.args[1] if len(call.args) > 1 else ast.Constant("")
        value = default.value if isinstance(default, ast.Constant) else ""
        found[call.args[0].value] = str(value).lower() if isinstance(value, bool) else str(value)
    return {**found, **OTHERS}


def example() -> dict[str, str]:
    """The settings in `.env.example`."""
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def documented() -> dict[str, str]:
    """The settings in docs/settings.md with what stands in the column of defaults."""
    text = (ROOT / "docs" / "settings.md").read_text()
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| .+ \|$", text, re.MULTILINE))


def marked_in_documentation() -> set[str]:
    """What docs/settings.md says that a production has to set."""
    return set(
        re.findall(
            r"^\| `([A-Z_]+)` \| .*? \| \*\*Production:\*\* ",
            (ROOT / "docs" / "settings.md").read_text(),
            re.MULTILINE,
        )
    )


class SettingsTests(unittest.TestCase):
    maxDiff = None

    def test_there_are_settings(self) -> None:
        self.assertGreater(len(settings()), 50)

    def test_the_example_holds_each_setting_with_its_default(self) -> None:
        self.assertEqual(example(), settings())

    def test_the_documentation_holds_each_setting_with_its_default(self) -> None:
        nothing = {"–": "", "**required**": ""}
        found = {name: nothing.get(default, default.strip("`")) for name, default in documented().items()}
        self.assertEqual(found, settings())

    def test_each_setting_in_the_example_has_a_comment_line(self) -> None:
        lines = (ROOT / ".env.example").read_text().splitlines()
        for before, line in itertools.pairwise(lines):
            if re.match(r"#?[A-Z_]+=", line):
                self.assertRegex(before, r"^# .{10,}", line)

    def test_the_example_leaves_exactly_the_required_ones_and_those_of_production_to_be_filled_in(
        self,
    ) -> None:
        active = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
        required = {name for name, default in documented().items() if default == "**required**"}
        self.assertEqual(active, required | marked_in_documentation())

    def test_production_has_to_set_what_the_deployment_check_asks_for_by_default(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            found = faults(Path(folder), {}, deployment)
        asked = {message.split()[0].rstrip(":") for message in found}
        self.assertEqual(asked, marked_in_documentation())
        example = re.findall(
            r"^# Production: .*\n([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE
        )
        self.assertEqual(set(example), asked)

    def test_the_example_is_a_file_that_can_be_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "env"
            file.write_text(
                re.sub(r"^#([A-Z_]+=)", r"\1", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
            )
            own = type("Env", (environ.Env,), {"ENVIRON": {}})
            own.read_env(str(file))
        self.assertEqual(own.ENVIRON, example())

"""What the pages for operators say can be done: each block is run by a test, or says why it is not."""

import re
import shlex
import subprocess
import unittest
from pathlib import Path

from sites import checkup

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "operations").glob("*.md"))
BLOCK = re.compile(r"^(?P<before>[^\n]*)\n```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"<!-- run: ([a-z-]+) -->")
# Where each of them is run.
TESTED = {
    **dict.fromkeys(
        (
            "install-lab",
            "install-again",
            "order",
            "ssh-key",
            "backup",
            "restore",
            "restore-release",
        ),
        "tests/containers/test_operator.py",
    ),
    "status": "tests/containers/pages.py",
    **dict.fromkeys(("upgrade", "uninstall", "uninstall-data"), "tests/containers/test_operator.py"),
    "own-text": "tests/nodepoint/notices/test_letters.py",
    **dict.fromkeys(
        (
            "containers-files",
            "containers-certificate",
            "containers-build",
            "containers-rehearsal",
            "containers-start",
            "containers-restart",
            "containers-upgrade",
            "containers-backup",
            "containers-remove",
        ),
        "tests/containers/test_compose.py",
    ),
    **dict.fromkeys(("rows-out", "rows-in"), "tests/nodepoint/test_move_rows.py"),
}
# The options of each command (libpve-access-control 9.1.1: src/PVE/CLI/pveum.pm names the method behind each;
# `properties` in src/PVE/API2/{User,Role,ACL}.pm are its options; `pool` is pve-manager's PVE/API2/Pool.pm).
PVEUM = {
    "pool add": {"comment"},
    "user add": {
        "comment",
        "email",
        "enable",
        "expire",
        "firstname",
        "groups",
        "keys",
        "lastname",
        "password",
    },
    "user token add": {"comment", "expire", "privsep"},
    "user token delete": set(),
    "role add": {"privs"},
    "acl modify": {"groups", "propagate", "roles", "tokens", "users"},
}


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """(the line before it, its language, its text) of each fenced block."""
    return [found.group("before", "language", "text") for found in BLOCK.finditer(page.read_text())]


def command(name: str) -> str:
    """The text of the block that is marked `<!-- run: name -->`."""
    (text,) = [
        text for page in PAGES for before, _, text in blocks(page) if before == f"<!-- run: {name} -->"
    ]
    return text


class PageTests(unittest.TestCase):
    def test_each_page_that_is_named_in_code_is_there(self) -> None:
        named = subprocess.run(
            ("git", "grep", "-noE", r"docs/[a-z0-9/-]+\.md", "--", ":!docs", ":!*.md"),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        self.assertTrue(named)
        lost = [line for line in named if not (ROOT / line.rpartition(":")[2]).exists()]
        self.assertEqual(lost, [])

    def test_each_block_is_run_or_says_why_not(self) -> None:
        run = []
        for page in PAGES:
            for before, language, text in blocks(page):
                with self.subTest(page.name, block=text):
                    self.assertRegex(before, r"^<!-- (run: [a-z-]+|not run here: \w.+) -->$")
                    self.assertIn(language, {"sh", "ini", "yaml", "jinja"})
                run += RUN.findall(before)
        self.assertEqual(sorted(run), sorted(TESTED))

    def test_what_is_run_is_named_by_its_test(self) -> None:
        for name, file in TESTED.items():
            with self.subTest(name):
                used = re.search(rf"command\(.{name}.\)", (ROOT / file).read_text())
                self.assertTrue(used, f"{file} does not run it")

    def test_links_lead_somewhere(self) -> None:
        for page in PAGES:
            for target in re.findall(r"\]\((?!https?:)([^)#]*)", page.read_text()):
                with self.subTest(page.name, target=target):
                    self.assertTrue((page.parent / target).exists() if target else True)


class ProxmoxTests(unittest.TestCase):
    """The lines for Proxmox VE give what the doctor asks for, in options that there are."""

    def setUp(self) -> None:
        text = (ROOT / "docs" / "operations" / "systems.md").read_text()
        self.lines = [shlex.split(line) for line in text.splitlines() if line.startswith("pveum ")]

    def test_options_are_those_of_pveum(self) -> None:
        for words in self.lines:
            name = next(name for name in PVEUM if " ".join(words[1:]).startswith(name))
            with self.subTest(" ".join(words)):
                self.assertLessEqual({word[2:] for word in words if word.startswith("--")}, PVEUM[name])

    def test_they_give_all_that_the_doctor_asks_for(self) -> None:
        roles, given = {}, {}
        for words in self.lines:
            if words[1:3] == ["role", "add"]:
                roles[words[3]] = set(words[words.index("--privs") + 1].split())
            elif words[1:3] == ["acl", "modify"]:
                given.setdefault(words[3], set()).update(roles[words[words.index("--roles") + 1]])
        self.assertEqual(given["/pool/nodepoint"], checkup.ON_CONTAINERS | checkup.ON_POOL)
        self.assertEqual(given["/vms"], checkup.ON_ALL | checkup.FOR_ARCHIVES)
        self.assertEqual(given["/storage/backups"], checkup.ON_ARCHIVES)
        self.assertEqual(given["/storage/global-lvm"], checkup.ON_STORAGE)
        self.assertEqual(given["/storage/local"], checkup.ON_STORAGE)
        self.assertEqual(given["/sdn/zones/localnetwork/vmbr1"], {"SDN.Use"})
        self.assertEqual(given["/"], {"Sys.Audit", "Sys.Console"})


@unittest.skipUnless((ROOT / ".venv-docs" / "installed").exists(), "script/docs-tools has not been run here")
class SiteTests(unittest.TestCase):
    def test_the_site_is_built_and_every_link_in_it_leads_somewhere(self) -> None:
        done = subprocess.run([str(ROOT / "script" / "docs")], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((ROOT / "dist" / "docs" / "search" / "search_index.json").exists())

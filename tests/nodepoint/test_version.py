"""One place says which release this is, with git tags and without."""

import re
import tempfile
import unittest
from datetime import date
from pathlib import Path
from unittest import mock

from nodepoint import version

ROOT = Path(__file__).resolve().parents[2]
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
RELEASE = re.compile(r"v(\d+)\.(\d+)\.(\d+) \((\d{4}-\d{2}-\d{2})\)")


class VersionTests(unittest.TestCase):
    def of(self, noted: str | None) -> str:
        """What is told where script/install or the image has noted this."""
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(version, "ROOT", Path(folder)):
            (Path(folder) / "pyproject.toml").write_text('[project]\nversion = "2.0.0"\n')
            if noted is not None:
                (Path(folder) / version.NOTED).write_text(f"{noted}\n")
            return version.version.__wrapped__()

    def test_a_tag_is_told_as_it_is_and_a_commit_behind_what_is_stated(self) -> None:
        told = {
            "v2.0.0": "v2.0.0",
            "v2.0.0-3-gdb5d75b": "v2.0.0-3-gdb5d75b",
            "db5d75b": "2.0.0+db5d75b",
            "unknown": "2.0.0",
            "": "2.0.0",
            None: "2.0.0",
        }
        self.assertEqual({noted: self.of(noted) for noted in told}, told)

    def test_it_is_the_changelogs_last_release_or_the_next_one(self) -> None:
        unreleased, *dated = HEADING.findall((ROOT / "CHANGELOG.md").read_text())
        self.assertEqual(unreleased, "Unreleased")
        releases = [RELEASE.fullmatch(heading) for heading in dated]
        self.assertTrue(all(releases), dated)
        numbers = [tuple(map(int, found.groups()[:3])) for found in releases]
        days = [date.fromisoformat(found[4]) for found in releases]
        self.assertEqual((numbers, days), (sorted(numbers, reverse=True), sorted(days, reverse=True)))
        base, _, dev = version.stated().partition(".dev")
        stated = tuple(map(int, base.split(".")))
        if dev:
            self.assertGreater(stated, numbers[0])
        else:
            self.assertEqual(stated, numbers[0])

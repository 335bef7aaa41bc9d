"""script/extensions: each extension holds an up-to-date copy of the shared classes; zips come out alike."""

import hashlib
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from unittest import TestCase

ROOT = Path(__file__).resolve().parents[2]


def build(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script of a tree."""
    return subprocess.run(
        [root / "script" / "extensions", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


class CheckedInTests(TestCase):
    def test_the_copies_in_the_extensions_are_up_to_date(self) -> None:
        found = build(ROOT, "--check")
        self.assertEqual((found.returncode, found.stderr), (0, ""))


class BuildTests(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        shutil.copytree(ROOT / "extensions", self.root / "extensions")
        (self.root / "script").mkdir()
        shutil.copy2(ROOT / "script" / "extensions", self.root / "script")
        (self.root / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 1.2.3\n\n## 1.2.2\n")
        self.extension = self.root / "extensions" / "Servers" / "ProxmoxWP"

    def zips(self) -> dict[str, str]:
        """Name and digest of each zip."""
        found = sorted((self.root / "dist").glob("*.zip"))
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    def test_an_old_version_a_changed_copy_and_one_too_many_are_noticed_and_repaired(self) -> None:
        self.assertEqual(build(self.root, "--assemble").returncode, 0)
        self.assertEqual(build(self.root, "--check").returncode, 0)
        client, extra = self.extension / "Api" / "Client.php", self.extension / "Api" / "Old.php"
        good = client.read_text()
        client.write_text(good + "// mine\n")
        extra.write_text("<?php\n")
        (self.root / "CHANGELOG.md").write_text("## 1.3.0\n")
        found = build(self.root, "--check")
        self.assertEqual(found.returncode, 1)
        for name in ("ProxmoxWP/Api/Client.php", "ProxmoxWP/Api/Old.php", "ProxmoxWP/ProxmoxWP.php"):
            self.assertIn(name, found.stderr)
        build(self.root, "--assemble")
        self.assertEqual((client.read_text(), extra.exists()), (good, False))
        self.assertEqual(build(self.root, "--check").returncode, 0)

    def test_a_zip_holds_one_folder_with_everything_and_the_version_of_the_changelog(self) -> None:
        self.assertEqual(build(self.root).returncode, 0)
        self.assertEqual(list(self.zips()), ["DNS-1.2.3.zip", "ProxmoxWP-1.2.3.zip", "SSupport-1.2.3.zip"])
        with zipfile.ZipFile(self.root / "dist" / "ProxmoxWP-1.2.3.zip") as archive:
            names = set(archive.namelist())
            main = archive.read("ProxmoxWP/ProxmoxWP.php").decode()
            client = archive.read("ProxmoxWP/Api/Client.php").decode()
        self.assertIn("version: '1.2.3',", main)
        self.assertIn("namespace Paymenter\\Extensions\\Servers\\ProxmoxWP\\Api;", client)
        self.assertNotIn("Extensions\\Shared", client)
        files = (path for path in self.extension.rglob("*") if path.is_file())
        self.assertEqual(names, {path.relative_to(self.extension.parent).as_posix() for path in files})

    def test_the_same_sources_give_the_same_bytes_at_any_time_by_anyone(self) -> None:
        build(self.root)
        first = self.zips()
        for path in self.extension.rglob("*.php"):
            path.touch()
            path.chmod(0o600)
        build(self.root)
        self.assertEqual(self.zips(), first)

    def test_before_the_first_release_the_version_is_naught(self) -> None:
        (self.root / "CHANGELOG.md").write_text("## Unreleased\n")
        build(self.root)
        self.assertIn("SSupport-0.0.0.zip", self.zips())

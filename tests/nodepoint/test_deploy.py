"""What an operator is given: the service has as few rights as it can work with."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from nodepoint.env import WRONG_SETTINGS

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = DEPLOY / "nodepoint.service"
UNITS = sorted(DEPLOY.glob("*.service"))
MOST = 2.0  # of ten, as systemd-analyze counts exposure


class UnitTests(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_its_exposure_is_small(self) -> None:
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
        self.assertLessEqual(float(level), MOST, said)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_systemd_finds_nothing_to_say_about_any_unit(self) -> None:
        for unit in UNITS:
            with self.subTest(unit.name), tempfile.TemporaryDirectory() as folder:
                # The program of the installed unit is not on this machine.
                text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
                copy = Path(folder, unit.name)
                copy.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE))
                command = ["systemd-analyze", "verify", "--man=no", str(copy)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                ours = [line for line in done.stderr.splitlines() if unit.name in line]
                self.assertEqual((done.returncode, ours), (0, []), done.stderr)

    def unit(self) -> configparser.RawConfigParser:
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str
        unit.read(UNIT)
        return unit

    def test_it_gives_up_on_wrong_settings_alone(self) -> None:
        unit = self.unit()
        self.assertEqual(unit["Unit"]["StartLimitIntervalSec"], "0")
        self.assertEqual(unit["Service"]["Restart"], "always")
        self.assertEqual(unit["Service"]["RestartPreventExitStatus"], str(WRONG_SETTINGS))

    def test_it_writes_to_its_data_folder_alone(self) -> None:
        service = dict(self.unit()["Service"])
        self.assertEqual((service["ProtectSystem"], service["StateDirectory"]), ("strict", "nodepoint"))
        self.assertNotIn("ReadWritePaths", service)
        self.assertIn("NODEPOINT_DATA=/var/lib/nodepoint", service["Environment"])
        self.assertEqual(service["User"], "nodepoint")


class KeyTests(unittest.TestCase):
    """The command that a node ties our key to, with a `pct` that tells what it was asked."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        pct = Path(folder.name, "pct")
        pct.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
        pct.chmod(0o755)
        cls.path = f"{folder.name}:{os.environ['PATH']}"

    def ask(self, line: str) -> subprocess.CompletedProcess[str]:
        """What the client that sends this line gets."""
        return subprocess.run(
            ["perl", str(DEPLOY / "nodepoint-pct"), "900", "999"],
            env={"PATH": self.path, "SSH_ORIGINAL_COMMAND": line},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_what_the_product_asks_gets_through_word_by_word(self) -> None:
        for words in (
            ["exec", "900", "--keep-env", "0", "--", "bash", "-s", "install"],
            ["exec", "999", "--keep-env", "0", "--", "curl", "-H", "Host: it's.test", "http://127.0.0.1/"],
            ["exec", "999999999", "--keep-env", "0", "--", "true"],
            ["unlock", "950"],
        ):
            done = self.ask(shlex.join(["pct", *words]))
            self.assertEqual((done.returncode, done.stdout), (0, "".join(f"<{word}>" for word in words)))

    def test_everything_else_is_refused(self) -> None:
        for line in (
            "",
            "id",
            "pct exec 899 -- id",
            "pct exec 1000 -- id",
            "pct exec 900;id -- id",
            "pct destroy 900",
            "pct unlock 900 --force",
            "pct push 900 /etc/shadow /tmp/x",
            "/bin/sh -c 'pct exec 900 -- id'",
            "PATH=/tmp pct exec 900 -- id",
            "pct exec '900 --' id",
        ):
            with self.subTest(line):
                done = self.ask(line)
                self.assertEqual((done.returncode, done.stdout), (126, ""))
                self.assertIn("refused", done.stderr)

    def test_a_second_command_in_the_line_is_a_word_of_the_first(self) -> None:
        self.assertEqual(self.ask("pct exec 900 -- true; id").stdout, "<exec><900><--><true;><id>")


class ImageTests(unittest.TestCase):
    """What a reviewer of images looks for; docs/operations/containers.md tells what was run."""

    def setUp(self) -> None:
        text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
        self.lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    def test_it_runs_without_root_and_tells_how_it_is(self) -> None:
        last = self.lines[max(i for i, line in enumerate(self.lines) if line.startswith("FROM")) :]
        self.assertIn("USER 10001:10001", last)
        after = last[last.index("USER 10001:10001") :]
        self.assertFalse([line for line in after if line.startswith(("RUN", "COPY", "ADD"))])
        self.assertTrue([line for line in last if line.startswith("HEALTHCHECK")])
        # The compiler stays behind.
        self.assertNotIn("gcc", "".join(last))

    def test_what_is_installed_is_pinned_and_leaves_no_lists(self) -> None:
        for line in self.lines:
            self.assertFalse(line.startswith("ADD"), line)
            if "apt-get install" in line:
                self.assertIn("--no-install-recommends", line)
                self.assertIn("rm -rf /var/lib/apt/lists/*", line)
            if "pip install" in line:
                self.assertIn("--require-hashes", line)

    def test_secrets_do_not_get_into_it(self) -> None:
        ignored = (DEPLOY.parent / ".containerignore").read_text().split()
        self.assertLessEqual({".env", ".git", ".install*", "deploy/tls", "var"}, set(ignored))

    def test_the_service_has_no_more_rights_than_the_unit(self) -> None:
        app = self.services["app"]
        self.assertEqual((app["read_only"], app["cap_drop"]), (True, ["ALL"]))
        self.assertIn("no-new-privileges:true", app["security_opt"])
        # Whoever shares another's network is cut off when that one is started again (seen with podman 4.3.1).
        self.assertFalse([name for name, service in self.services.items() if "network_mode" in service])
        for name, service in self.services.items():
            self.assertNotIn("privileged", service, name)
            self.assertRegex(service["image"], r":[\w.]+\}$", name)  # a tag, not whatever is newest
            self.assertNotIn("ports", service if name != "front" else {}, name)  # none is open but this

    def test_what_it_mounts_is_there(self) -> None:
        mounted = [volume for service in self.services.values() for volume in service.get("volumes", ())]
        files = {volume.split(":")[0] for volume in mounted if volume.startswith("./")}
        self.assertIn("./nginx.conf", files)
        for file in files - {"./tls/nodepoint.pem", "./tls/nodepoint.key"}:  # the operator's
            self.assertTrue((DEPLOY / file).exists(), file)

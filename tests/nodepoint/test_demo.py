"""The demo as a person starts it: real processes on free ports, with a lab that takes no time."""

import fcntl
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
from io import StringIO
from pathlib import Path

from nodepoint.management.local import given_environment
from nodepoint.management.screen import Screen

ROOT = Path(__file__).resolve().parents[2]
ON_MARIADB = os.environ.get("DATABASE_URL", "").startswith("mysql")


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@unittest.skipIf(ON_MARIADB, "a demo runs on SQLite, whatever the tests run on")
class DemoTestCase(unittest.TestCase):
    """Demos on a data folder of their own."""

    def setUp(self) -> None:
        self.data = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.port = free_port()

    def demo(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = given_environment()
        env.pop("DATABASE_URL", None)
        env |= {"NODEPOINT_DATA": str(self.data), "NODEPOINT_PORT": str(self.port), "LAB_SPEED": "0"}
        command = [sys.executable, str(ROOT / "manage.py"), "demo", *arguments]
        return subprocess.run(command, env=env | variables, capture_output=True, text=True, timeout=120)

    def processes(self) -> list[str]:
        """Command lines of processes that work on our data folder."""
        mark = f"NODEPOINT_DATA={self.data}\0".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # ended meanwhile, or another user's
        return found

    def assert_refused(self, run: subprocess.CompletedProcess[str], sentence: str) -> None:
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr, f"demo: {sentence}\n")
        self.assertEqual(self.processes(), [])


class OrderTests(DemoTestCase):
    def test_a_failed_order_is_told_and_the_next_run_gets_live_with_the_same_credentials(self) -> None:
        failed = self.demo("--exit", PROXMOX_TEMPLATE="local:vztmpl/gone.tar.zst")
        self.assertEqual(failed.returncode, 1, failed.stderr)
        self.assertIn("The order did not succeed: ", failed.stdout)
        self.assertEqual(self.processes(), [])
        file = self.data / "demo.json"
        before = json.loads(file.read_text())
        names = {"url", "token", "admin_url", "admin_user", "admin_password", "lab_url"}
        self.assertEqual(set(before), names)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)

        live = self.demo("--exit")
        self.assertEqual(live.returncode, 0, live.stdout + live.stderr)
        self.assertIn("100 %  The site is live", live.stdout)
        self.assertIn("https://demo.nodepoint.eu is live", live.stdout)
        self.assertEqual(self.processes(), [])
        self.assertEqual(json.loads(file.read_text()), before)


class RefusalTests(DemoTestCase):
    def test_a_port_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", self.port)):
            self.assert_refused(self.demo(), f"Port {self.port} is in use; NODEPOINT_PORT names another one.")

    def test_a_data_folder_in_use(self) -> None:
        with (self.data / "demo.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assert_refused(
                self.demo(), f"A demo is running on {self.data} already; NODEPOINT_DATA names another folder."
            )

    def test_a_child_that_does_not_start(self) -> None:
        (self.data / "lab").mkdir()
        with (self.data / "lab" / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            run = self.demo("--exit", DATABASE_URL=f"sqlite:///{self.data}/test.sqlite3")
        log = self.data / "log" / "lab.log"
        reason = f"which ends: The lab could not start: another lab runs on {self.data}/lab"
        self.assert_refused(run, f"lab does not start; see {log}, {reason}")

    def test_a_senseless_speed(self) -> None:
        self.assert_refused(self.demo(LAB_SPEED="fast"), "LAB_SPEED must be a number from 0 on, not 'fast'.")


class ScreenTests(unittest.TestCase):
    job = {"state": "running", "step": "Installing WordPress", "eta_seconds": 40}

    def test_without_a_terminal_a_bar_is_written_when_it_changes(self) -> None:
        out = StringIO()
        screen = Screen(out)
        for percent, eta in ((40, 9), (40, 8), (50, 7)):
            screen.bar(self.job | {"percent": percent, "eta_seconds": eta})
        self.assertEqual(
            out.getvalue().splitlines(),
            [
                f"[{'#' * 12}{'.' * 18}]  40 %  Installing WordPress",
                f"[{'#' * 15}{'.' * 15}]  50 %  Installing WordPress",
            ],
        )

    def test_on_a_terminal_the_bar_is_redrawn_in_place(self) -> None:
        out = StringIO()
        out.isatty = lambda: True
        screen = Screen(out)
        screen.bar(self.job | {"percent": 40})
        screen.bar(self.job | {"percent": 50})
        screen.say("done")
        self.assertEqual(out.getvalue().count("\r"), 2)
        self.assertEqual(out.getvalue().count("\n"), 2)
        self.assertIn("about 40 s left", out.getvalue())
        self.assertTrue(out.getvalue().endswith("\ndone\n"))

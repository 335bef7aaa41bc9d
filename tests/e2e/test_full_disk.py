"""A full disk: /health says so, and calls that only read work. A real one, of a few megabytes."""

import os
import subprocess
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import requests
from django.conf import settings

from nodepoint.management.commands.serve import manage, web
from nodepoint.management.local import listen
from nodepoint.supervisor import Supervisor


class FullDiskTests(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(self.folder)]
        if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
            self.skipTest("a file system can be mounted by root only")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.folder)], check=True)
        self.env = os.environ | {
            "NODEPOINT_DATA": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.folder}/db.sqlite3",
            "LOG_LEVEL": "ERROR",
            "WEB_PROCESSES": "1",
        }
        supervisor = Supervisor(report=lambda line: None, grace=5, cwd=settings.BASE_DIR)
        self.supervisor = self.enterContext(supervisor)
        self.supervisor.call(manage("migrate", "--noinput", "--verbosity=0"), self.env)
        create = manage("create_token", "x", "--scopes", "sites,support")
        self.token = self.supervisor.call(create, self.env).strip()
        listener = self.enterContext(listen("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        (child, *_) = web(listener, grace=4)
        # Its output would stand on the full disk.
        self.supervisor.start(replace(child, env=self.env, log=Path("/dev/null")))

    def fill(self) -> None:
        """Until not a byte is left."""
        with (self.folder / "rubbish").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:  # it is full
                return

    def call(self, method: str, path: str, **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, self.url + path, headers=headers, timeout=30, **options)

    def test_health_says_so_and_reading_works(self) -> None:
        self.assertEqual(self.call("GET", "/health").status_code, 200)
        self.fill()
        health = self.call("GET", "/health")
        self.assertEqual((health.status_code, health.json()["code"]), (503, "unavailable"))
        self.assertIn("disk", health.json()["error"])
        for path in ("/plans", "/whoami", "/schema"):
            answer = self.call("GET", path)
            self.assertEqual(answer.status_code, 200, (path, answer.text[:200]))
        order = {"service_id": "A", "email": "a@example.com", "firstname": "A", "lastname": ""}
        refused = self.call("POST", "/support/create", json=order)
        self.assertEqual((refused.status_code, refused.json()["code"]), (503, "unavailable"))
        (self.folder / "rubbish").unlink()
        self.assertEqual(self.call("GET", "/health").status_code, 200)
        self.assertEqual(self.call("POST", "/support/create", json=order).status_code, 200)

"""Real processes against the test database: the lab and the worker command, kept alive by the real
supervisor."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import requests
from django.conf import settings
from django.db import connection
from django.test import SimpleTestCase, override_settings

from nodepoint.supervisor import Child, Supervisor
from sites import connections
from tests.base import MigratedRows, typed


def database_url() -> str:
    """The test database as child processes reach it."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    host = f"{config['HOST']}:{config['PORT']}" if config["PORT"] else config["HOST"] or "localhost"
    socket = config["OPTIONS"].get("unix_socket", "")
    user = f"{quote(config['USER'])}:{quote(config['PASSWORD'])}" if config["PASSWORD"] else config["USER"]
    return f"mysql://{user}@{host}/{config['NAME']}" + (f"?unix_socket={socket}" if socket else "")


class Processes(SimpleTestCase):
    """A lab at `speed`, and whatever a test starts beside it, each a process group of its own."""

    speed = 0.02
    said_in = "worker.log"  # what a failure quotes

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.supervisor = self.enterContext(
            Supervisor(report=lambda line: None, grace=5, cwd=settings.BASE_DIR)
        )
        self.start_lab()
        connections.forget()

    def start_lab(self) -> None:
        """Start the lab and use it from here, too."""
        argv = [sys.executable, "-m", "lab", "--data", str(self.folder / "lab"), "--speed", str(self.speed)]
        self.supervisor.start(Child("lab", argv, os.environ, self.folder / "lab.log", ends_last=True))
        file = self.folder / "lab" / "lab.json"
        self.until(file.exists, 30)
        description = json.loads(file.read_text())
        self.lab_url, self.lab_settings = description["lab_url"], description["settings"]
        self.enterContext(override_settings(**typed(self.lab_settings)))

    def group(self, name: str) -> list[int]:
        """The process ids of a child's group, its leader first."""
        leader = self.supervisor.pid(name)
        members = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.getpgid(int(entry.name)) == leader:
                    members.append(int(entry.name))
            except ProcessLookupError:  # it has ended since the folder was listed
                continue
        return sorted(members)

    def until(self, condition: Callable[[], object], seconds: float) -> None:
        """Look after the processes until `condition()` is true; a failure when that takes too long."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                log = self.folder / self.said_in
                tail = log.read_text()[-3000:] if log.exists() else ""
                self.fail(f"Not within {seconds} s. {self.said_in} ends: {tail}")
            self.supervisor.tick(0.1)

    def state(self) -> dict:
        """What the simulated systems hold now."""
        return requests.get(f"{self.lab_url}/_lab/state", timeout=10).json()


class ProcessTestCase(Processes, MigratedRows):
    """A lab and a worker on the test database."""

    def start_worker(self, **environment: str) -> None:
        """Start the worker command on the test database."""
        env = os.environ | self.lab_settings | environment
        env |= {
            "NODEPOINT_DATA": str(self.folder),
            "DATABASE_URL": database_url(),
            "EMAIL_URL": "dummymail://",
        }
        argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"]
        self.supervisor.start(Child("worker", argv, env, self.folder / "worker.log"))

"""Hosts of one installation on a MariaDB of their own: real processes as in production, `serve` with web
server and workers."""

import os
import time
from collections import Counter
from collections.abc import Callable

import requests

from nodepoint.management.commands.serve import manage
from nodepoint.supervisor import Child
from tests.e2e.base import Processes
from tests.e2e.mariadb import MariaDb, free_port

PATIENCE = 120.0  # seconds of a test, on a busy machine


class HostsTestCase(Processes):
    """Hosts of one installation: each a `serve` with a port and a data folder of its own."""

    speed = 0.1

    def setUp(self) -> None:
        super().setUp()
        self.mariadb = MariaDb()
        self.addCleanup(self.mariadb.remove)
        self.urls: dict[str, str] = {}

    def environment(self, name: str, port: int = 0, database: int | None = None) -> dict[str, str]:
        """The settings of a host; `database`: the port through which it reaches MariaDB."""
        own = {
            "NODEPOINT_DATA": str(self.folder / name),
            "NODEPOINT_BIND": "127.0.0.1",
            "NODEPOINT_PORT": str(port or free_port()),
            "SECRET_KEY": "a key that all hosts of this installation share, and no other",
            "DATABASE_URL": self.mariadb.url(database),
            "QUEUE_BROKER": "orm",
            "WEB_PROCESSES": "1",
            "EMAIL_URL": "dummymail://",
            "STAFF_EMAIL": "",
        }
        return os.environ | self.lab_settings | own

    def start_host(self, name: str, *options: str, database: int | None = None) -> None:
        """Start `serve` with these options."""
        port = free_port()
        self.urls[name] = f"http://127.0.0.1:{port}"
        self.said_in = f"{name}.log"
        environment = self.environment(name, port, database)
        self.supervisor.start(Child(name, manage("serve", *options), environment, self.folder / self.said_in))

    def issue_token(self) -> None:
        """A token for the calls of this test."""
        words = manage("create_token", "test", "--scopes", "sites", "--rate", "0")
        token = self.supervisor.call(words, self.environment("command")).strip()
        self.headers = {"Authorization": f"Bearer {token}"}

    def health(self, name: str) -> int:
        """The status of GET /health; 0 without an answer."""
        try:
            return requests.get(f"{self.urls[name]}/health", timeout=25).status_code
        except requests.RequestException:
            return 0

    def seconds_until(self, condition: Callable[[], bool]) -> float:
        """How long it took until it was true; a failure after PATIENCE."""
        began = time.monotonic()
        self.until(condition, PATIENCE)
        return time.monotonic() - began

    def back(self, name: str) -> None:
        """Wait until the host answers as ever."""
        self.until(lambda: self.health(name) == 200, PATIENCE)

    def order(self, name: str, service: str) -> None:
        """Order a site; a premium one, that is with HA, now and then."""
        body = {
            "service_id": service,
            "email": f"{service}@example.com",
            "plan": "premium" if service.endswith("0") else "basic",
            "public_ip": "203.0.113.10",
        }
        answer = requests.post(f"{self.urls[name]}/create-site", json=body, headers=self.headers, timeout=25)
        self.assertEqual(answer.status_code, 200, answer.text)

    def states(self, name: str, services: list[str]) -> Counter[str]:
        """How many sites are in which state, as the host sees it."""
        answers = [
            requests.get(
                f"{self.urls[name]}/status", params={"service_id": one}, headers=self.headers, timeout=25
            ).json()
            for one in services
        ]
        return Counter(answer.get("status", answer.get("error")) for answer in answers)

    def assert_each_is_there_once(self, services: list[str]) -> None:
        """One container, record and proxy host for each order, and nothing else."""
        state = self.state()
        marks = [container["description"].splitlines()[0] for container in state["proxmox"]["containers"]]
        self.assertEqual(sorted(mark.split(":")[2] for mark in marks), sorted(services))
        for container in state["proxmox"]["containers"]:
            self.assertEqual((container["status"], container["snapshots"]), ("running", ["initial"]))
        records = [record["comment"] for record in state["cloudflare"]["records"]]
        hosts = [host["meta"]["nodepoint"] for host in state["npm"]["proxy_hosts"]]
        self.assertEqual((sorted(records), sorted(hosts)), (sorted(marks), sorted(marks)))

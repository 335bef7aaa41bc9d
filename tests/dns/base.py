"""What tests of DNS share: a lab whose zones are delegated to us, and jobs that run while a request waits for
them."""

from typing import Any
from unittest import mock

from dns import connections
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from tests.base import LabTestCase

OURS = ["ns1.nodepoint.eu", "ns2.nodepoint.eu"]


class DnsTestCase(LabTestCase):
    """Customer 42 is whoever a call does not name another."""

    def setUp(self) -> None:
        super().setUp()
        connections.forget()
        self.real_wait = queue.wait_for
        self.enterContext(mock.patch.object(queue, "wait_for", self.worked_off))

    def worked_off(self, job_id: str, seconds: float, pause: float = 0.1) -> Job:
        """Instead of waiting for workers: all jobs are run to their end, unless nothing is to be waited
        for."""
        if seconds > 0:
            self.run_jobs()
        return Job.objects.get(pk=job_id)

    def delegate(self, *names: str, servers: list[str] = OURS) -> None:
        """The zones above refer to these servers."""
        for name in names:
            self.lab.dns.set(name, "NS", servers)

    def call(self, path: str, user: Any = 42, accept: str | None = "application/json", **body: Any):
        """POST /customdomain/<path>."""
        headers = {"Accept": accept} if accept else {}
        return self.post(f"/customdomain/{path}", {"user_id": user, **body}, **headers)

    def refused(self, status: int, code: str, path: str, **body: Any) -> str:
        """The sentence of a call that has to end so."""
        answer = self.call(path, **body)
        self.assertEqual((answer.status_code, answer.json().get("code")), (status, code), answer.content)
        return answer.json()["error"]

    def done(self, path: str, **body: Any) -> dict[str, Any]:
        """The body of a call that has to succeed."""
        answer = self.call(path, **body)
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertTrue(answer.json()["success"])
        self.assertNotIn("state", answer.json())
        return answer.json()

    def add_zone(self, name: str, user: Any = 42) -> dict[str, Any]:
        """A delegated zone, made; as getdata shows it."""
        self.delegate(name)
        self.done("add/zone", user=user, domain=name)
        return self.zone(name, user)

    def zones(self, user: Any = 42) -> dict[str, dict[str, Any]]:
        """The customer's zones by name, as getdata shows them."""
        return {item["zone"]["name"]: item["zone"] for item in self.done("getdata", user=user)["zones"]}

    def zone(self, name: str, user: Any = 42) -> dict[str, Any]:
        """One of them."""
        return self.zones(user)[name]

    def panel(self) -> dict[str, Any]:
        """What ISPConfig holds."""
        return self.state()["ispconfig"]

    def in_panel(self, name: str) -> dict[str, Any] | None:
        """The zone at ISPConfig, with its records."""
        return next((zone for zone in self.panel()["zones"] if zone["origin"] == f"{name}."), None)

    def requests(self) -> int:
        """Calls that ISPConfig got so far."""
        return self.lab.requests["ispconfig"]


def said(zone: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Type, name and data of all records of a zone that getdata shows."""
    return {(record["type"], record["name"], record["data"]) for record in zone["records"].values()}

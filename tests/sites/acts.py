"""What the tests of a site's further life share: calls that wait for their job, and a look at the site's four
places."""

from typing import Any
from unittest import mock

from django.test import Client
from django.utils import timezone

from nodepoint.jobs import queue
from sites.models import Site


class ActsMixin:
    """Calls of the API whose jobs are carried out while the caller waits for them."""

    def act(self, path: str, service_id: str = "1001", **body: Any):
        """POST for a service; its job, and what follows from it, ends before the answer."""
        wait_for = queue.wait_for
        self.clock.time = timezone.now()

        def carried_out(job_id: str, seconds: float, pause: float = 0.1):
            self.run_jobs()
            return wait_for(job_id, 0)

        with mock.patch("nodepoint.jobs.queue.wait_for", carried_out):
            return self.post(path, {"service_id": service_id, **body})

    def ask(self, path: str, service_id: str = "1001", **body: Any):
        """POST for a service without waiting: its job is still to be carried out."""
        self.clock.time = timezone.now()
        return self.post(path, {"service_id": service_id, **body}, Prefer="respond-async")

    def ask_from_thread(self, path: str, service_id: str = "1001", **body: Any):
        """`ask` with a client of its own: the test's is not made for threads."""
        headers = self.headers(Prefer="respond-async")
        values = {"service_id": service_id, **body}
        return Client().post(path, values, content_type="application/json", headers=headers)

    def assert_answer(self, answer, **fields: Any) -> None:
        """200 with exactly these fields beside `success`."""
        self.assertEqual((answer.status_code, answer.json()), (200, {"success": True, **fields}))

    def assert_refused(self, answer, status: int, code: str) -> dict[str, Any]:
        """A refusal in the common form; returns its body."""
        body = answer.json()
        self.assertEqual((answer.status_code, body["code"], body["success"]), (status, code, False), body)
        return body

    def places(self, site: Site) -> dict[str, Any]:
        """What of a site can be on or off: container, autostart, HA (None: not managed), proxy hosts."""
        state = self.state()
        sid = f"ct:{site.vmid}"
        hosts = [h for h in state["npm"]["proxy_hosts"] if h["forward_host"] == site.private_ip]
        return {
            "container": self.container(site.vmid)["status"],
            "onboot": self.config(site.vmid).get("onboot", 0),
            "ha": next((ha["state"] for ha in state["proxmox"]["ha"] if ha["sid"] == sid), None),
            "traffic": [bool(host["enabled"]) for host in hosts],
        }


RUNNING = {"container": "running", "onboot": 1, "ha": None, "traffic": [True]}
STOPPED = {**RUNNING, "container": "stopped"}
SUSPENDED = {"container": "stopped", "onboot": 0, "ha": None, "traffic": [False]}

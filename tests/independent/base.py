"""The product against the independent Proxmox VE: its API, the nodes' SSH and the TLS front are ours;
Cloudflare, Nginx Proxy Manager, ISPConfig and DNS are those of the lab. Time is the test's own: it moves when
the jobs wait."""

import io
import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any
from unittest import mock

import requests
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

import lab
from dns import connections as dns_connections
from nodepoint.api.models import Token
from nodepoint.jobs import experience, queue
from nodepoint.jobs.models import Job
from nodepoint.jobs.testing import MovedClock, run_until_idle
from sites import connections, live
from sites.models import Site
from tests.base import ApiMixin, typed
from tests.independent.pve import ssh, tls
from tests.independent.pve.cluster import TEMPLATE, Cluster, Guest
from tests.independent.pve.front import ADDRESS, Front
from tests.independent.pve.server import SECRET, TOKEN, USER, ApiServer

ORDER = {"service_id": "1001", "email": "Jane.Doe@example.com", "plan": "basic", "public_ip": "203.0.113.10"}
GATEWAY, NAMESERVER = "192.168.1.1", "192.168.1.2"
SETTINGS = {
    "SITE_NAMESERVERS": f"{GATEWAY},{NAMESERVER}",
    "PROXY_LAN_IPS": ADDRESS,
    "PROXMOX_USER": USER,
    "PROXMOX_TOKEN_NAME": TOKEN,
    "PROXMOX_TOKEN_VALUE": SECRET,
    "PROXMOX_NODES": "node1,node2,node3",
    "PROXMOX_HOME_NODE": "node1",
    "PROXMOX_TEMPLATE": f"local:vztmpl/{TEMPLATE}",
    "PROXMOX_POOL": "nodepoint",
    "PROXMOX_BRIDGE": "vmbr1",
    "SSH_USER": "root",
}


class IndependentCase(ApiMixin, TestCase):
    """A fresh cluster of the class's `version` for each test; one server for all of them.

    With a `plan` all tests begin with the same live site, `self.site`, that was made once for the class. The
    lab is the class's then, so that such tests leave the site's name and proxy host as they are.
    """

    version = "9.2"
    plan = ""
    storage = "global-lvm"
    site: Site
    api: ApiServer
    nodes: list[ssh.Node]

    @classmethod
    def setUpClass(cls) -> None:
        logging.disable(logging.CRITICAL)
        cls.addClassCleanup(logging.disable, logging.NOTSET)
        cls.api = ApiServer()
        cls.addClassCleanup(cls.api.close)
        cls.nodes = [ssh.Node(name, cls.api) for name in ("node1", "node2", "node3")]
        for node in cls.nodes:
            cls.addClassCleanup(node.close)
        super().setUpClass()

    @classmethod
    def setUpTestData(cls) -> None:
        if cls.plan:
            stage = cls("live_site")
            stage.client = cls.client_class()
            with ExitStack() as end:
                stage.begin(end, cls._new_lab(cls.addClassCleanup))
                _, stage.secret = Token.issue("stage", ["sites"], rate_per_minute=0)
                cls.site = stage.live_site(plan=cls.plan)
                cls.lab, cls.began, cls.kept = stage.lab, stage.clock.time, stage.cluster.kept()

    def setUp(self) -> None:
        if self.plan:
            self.begin(self._resources(), type(self).lab)
            self.clock.time = self.began
            self.cluster.take(self.kept)
        else:
            self.begin(self._resources(), self._new_lab(self.addCleanup))
        super().setUp()

    def _resources(self) -> ExitStack:
        return self.enterContext(ExitStack())

    @staticmethod
    def _new_lab(cleanup: Callable[..., Any]) -> lab.Lab:
        running = lab.start(speed=0.0)
        cleanup(running.stop)
        return running

    def begin(self, end: ExitStack, running: lab.Lab) -> None:
        """Clock, cluster and front, and the settings that lead to all of them, until the `end`."""
        self.lab, self.clock = running, MovedClock()
        end.enter_context(mock.patch("django.utils.timezone.now", self.clock.now))
        self.cluster = Cluster(self.version, lambda: self.clock.time.timestamp())
        self.api.reset(self.cluster)
        self.front = Front(self._served, lambda: self.cluster)
        end.callback(self.front.close)
        known_hosts, key = ssh.files(self.nodes)
        ours = {
            "PROXMOX_HOST": f"127.0.0.1:{self.api.port}",
            "PROXMOX_VERIFY_TLS": tls.ca_file(),
            "SSH_NODE_HOSTS": ",".join(f"{node.name}=127.0.0.1:{node.port}" for node in self.nodes),
            "SSH_KNOWN_HOSTS": known_hosts,
            "SSH_KEY_FILE": key,
            "PROXY_CHECK_ADDRESS": self.front.address,
            "PROXMOX_STORAGE": self.storage,
        }
        end.enter_context(override_settings(**typed({**self.lab.settings, **SETTINGS, **ours})))
        for module in (connections, dns_connections, experience, live):
            module.forget()
        end.callback(connections.forget)

    def _served(self) -> dict[str, str]:
        """What nginx would have of NPM's proxy hosts."""
        hosts = [host for host in self.state()["npm"]["proxy_hosts"] if host["enabled"]]
        return {name: host["forward_host"] for host in hosts for name in host["domain_names"]}

    def state(self) -> dict[str, Any]:
        """What the lab's systems hold."""
        return requests.get(f"{self.lab.url}/_lab/state", timeout=10).json()

    def public_dns(self, name: str, kind: str, *values: str) -> None:
        """What public DNS answers."""
        body = {"name": name, "type": kind, "values": values}
        requests.post(f"{self.lab.url}/_lab/dns", json=body, timeout=10).raise_for_status()

    # Acts

    def run_jobs(self, **options: Any) -> int:
        """All steps until nothing is left to do."""
        return run_until_idle(self.clock, **options)

    def run_for(self, seconds: float) -> None:
        """Let so much time pass at most."""
        end = self.clock.time + timedelta(seconds=seconds)
        run_until_idle(self.clock, until=end, most=5000)
        self.clock.time = max(self.clock.time, end)

    def act(self, path: str, service_id: str = "1001", **body: Any):
        """POST for a service; its job, and what follows from it, ends before the answer."""
        wait_for = queue.wait_for

        def carried_out(job_id: str, seconds: float, pause: float = 0.1):
            self.run_jobs()
            return wait_for(job_id, 0)

        with mock.patch("nodepoint.jobs.queue.wait_for", carried_out):
            return self.post(path, {"service_id": service_id, **body})

    def good(self, path: str, service_id: str = "1001", **body: Any) -> dict[str, Any]:
        """`act` that must succeed; returns the answer."""
        answer = self.act(path, service_id, **body)
        self.assertEqual(answer.status_code, 200, f"{path}: {answer.content.decode()}\n{self.tale()}")
        self.assertTrue(answer.json()["success"])
        return answer.json()

    def order(self, **changes: Any) -> Site:
        """An order that was accepted, with its job still to be carried out."""
        answer = self.post("/create-site", {**ORDER, **changes})
        self.assertEqual(answer.status_code, 200, answer.content)
        return Site.objects.get(live_key=changes.get("service_id", "1001"))

    def live_site(self, **changes: Any) -> Site:
        """A site that went through its whole provisioning."""
        site = self.order(**changes)
        self.run_jobs()
        return self.assert_live(site)

    # Looks

    def guest(self, site: Site) -> Guest:
        """The site's container."""
        site.refresh_from_db()
        return self.cluster.guests[site.vmid]

    def job(self, kind: str) -> Job:
        """The newest job of that kind."""
        return Job.objects.filter(kind=kind).latest("created_at")

    def tale(self) -> str:
        """How all jobs went, for messages of failed assertions."""
        lines = []
        for job in Job.objects.order_by("created_at"):
            lines.append(f"{job.kind} {job.state} {job.error} | {job.detail} | {job.warning}")
            lines += [
                f"  {s.name} {s.state} {s.tries}/{s.calls} {s.error} | {s.detail}" for s in job.steps.all()
            ]
        return "\n".join(lines)

    def assert_live(self, site: Site) -> Site:
        """It is live, everywhere."""
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.LIVE, self.tale())
        self.assertTrue(self.guest(site).running)
        return site

    def assert_all_succeeded(self) -> None:
        """No job of whatever kind failed or hangs."""
        self.assertEqual(Job.objects.exclude(state=Job.State.SUCCEEDED).count(), 0, self.tale())

    def assert_no_difference(self) -> None:
        """`manage.py reconcile` finds nothing, and Proxmox was asked for nothing that is not played."""
        found = self.differences()
        self.assertIn("; 0 found.", found)
        strange = [r for r in self.api.requests if r.status in (400, 501) and r.path != "/cluster/nextid"]
        self.assertEqual(strange, [])

    def differences(self) -> str:
        """What `reconcile` prints; it changes nothing."""
        self.clock.move(60)  # what the cluster hears of its guests is up to ten seconds old
        output = io.StringIO()
        with suppress(CommandError):  # its exit code where there are any
            call_command("reconcile", stdout=output)
        return output.getvalue()

    def assert_nothing_left(self) -> None:
        """No system holds anything of a site."""
        state = self.state()
        self.assertEqual(self.cluster.guests, {})
        self.assertEqual(self.cluster.ha.resources, {})
        self.assertEqual(self.cluster.pools, {})
        self.assertEqual((state["cloudflare"]["records"], state["npm"]["proxy_hosts"]), ([], []))

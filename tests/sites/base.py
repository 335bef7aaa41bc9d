"""What the tests of sites share: orders, the journey of a site, and a record of every remote call."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest import mock

from django.db import connections
from django.test import Client, SimpleTestCase
from django.utils import timezone

from nodepoint.clients.errors import SYSTEMS
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.testing import MovedClock, run_until_idle
from sites.connections import cloudflare
from sites.models import Site
from tests.base import LabTestCase, LabTransactionTestCase
from tests.sites.faults import Act

ORDER = {"service_id": "1001", "email": "Jane.Doe@example.com", "plan": "basic", "public_ip": "203.0.113.10"}

# What names the system at fault in a sentence for customers; WordPress is one of ours.
NAMES_A_SYSTEM = "|".join([*SYSTEMS.values(), "WordPress"])
ADDRESS = r"\d+\.\d+\.\d+\.\d+|https?:|node\d|/|[0-9a-f]{16}"


class SiteMixin(SimpleTestCase):
    """Orders by the API, jobs by hand. `calls`: every remote call as (system, "METHOD path")."""

    calls: list[tuple[str, str]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        logging.disable(logging.CRITICAL)  # thousands of lines that nobody reads, written at the tests' cost
        cls.addClassCleanup(logging.disable, logging.NOTSET)

    def setUp(self) -> None:
        super().setUp()
        self.calls = []
        self.clock = MovedClock()
        take = self.lab.faults.take

        def note(system: str, call: str, *args: Any, **options: Any) -> Any:
            if not call.startswith(("INSTALL", "CONTENT")):
                self.calls.append((system, call))
            return take(system, call, *args, **options)

        self.enterContext(mock.patch.object(self.lab.faults, "take", note))

    def order(self, **changes: Any):
        """POST /create-site with a good order, changed."""
        return self.post("/create-site", {**ORDER, **changes})

    def create(self, **changes: Any) -> Site:
        """An order that was accepted. The API goes by the real time, so the moved clock begins there anew."""
        self.clock.time = timezone.now()
        answer = self.order(**changes)
        self.assertEqual(answer.status_code, 200, answer.content)
        return Site.objects.get(live_key=str(changes.get("service_id", "1001")))

    def live_site(self, **changes: Any) -> Site:
        """A site that went through its whole provisioning."""
        site = self.create(**changes)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.LIVE, self.tale(site))
        return site

    def delete(self, service_id: str = "1001"):
        """POST /delete-site, by the real time as well."""
        self.clock.time = timezone.now()
        return self.post("/delete-site", {"service_id": service_id})

    def run_jobs(self, **options: Any) -> int:
        """Call all steps by the test's one clock until nothing is left to do."""
        return run_until_idle(self.clock, **options)

    def run_calls(self, count: int) -> int:
        """Call `count` steps by the test's clock; returns how many there were to call."""
        try:
            return run_until_idle(self.clock, most=count)
        except AssertionError:  # there are more
            return count

    def run_until(self, site: Site, name: str, kind: str = "sites.provision", **values: Any) -> None:
        """Call one step after the other until the named one has these values."""
        for _ in range(200):
            step = self.step(site, name, kind)
            if all(getattr(step, field) == value for field, value in values.items()):
                return
            self.run_calls(1)
        raise AssertionError(f"{name} never had {values}: {self.tale(site)}")

    def post_from_thread(self, path: str, body: Any):
        """POST with a client of its own: the test's is not made for threads."""
        return Client().post(path, body, content_type="application/json", headers=self.headers())

    def run_for(self, seconds: float) -> None:
        """Let `seconds` pass at most."""
        end = self.clock.time + timedelta(seconds=seconds)
        run_until_idle(self.clock, until=end, most=5000)
        self.clock.time = max(self.clock.time, end)

    def refuse_one_after_the_other(self, faulty: list[Act], kind: str = "refuse") -> Iterator[Act]:
        """Let all these calls fail; yield each after five minutes of holding all up. Then it is mended."""
        left = list(faulty)
        while left:
            for act in left:
                self.fault(act.system, kind, act.match, 10_000, seconds=0.02)
            self.run_for(300)
            met = [fault["match"] for fault in self.lab.faults.view() if fault["count"] < 10_000]
            self.assertEqual(len(met), 1, f"held up by {met}, to come: {[act.match for act in left]}")
            (held_up,) = [act for act in left if act.match == met[0]]
            yield held_up
            left.remove(held_up)
            self.clear_faults()
        self.run_jobs()

    def job(self, site: Site, kind: str = "sites.provision") -> Job:
        """The site's job of that kind."""
        return Job.objects.get(subject=site.key, kind=kind)

    def step(self, site: Site, name: str, kind: str = "sites.provision") -> JobStep:
        """A step of that job."""
        return self.job(site, kind).steps.get(name=name)

    def tale(self, site: Site) -> str:
        """How it went, for messages of failed assertions."""
        lines = []
        for job in Job.objects.filter(subject=site.key).order_by("created_at"):
            lines.append(f"{job.kind} {job.state} {job.error} | {job.detail} | {job.warning}")
            lines += [
                f"  {s.name} {s.state} {s.tries}/{s.calls} {s.error} | {s.detail}" for s in job.steps.all()
            ]
        return "\n".join(lines)

    def container(self, vmid: int) -> dict[str, Any]:
        """A container as it stands in the lab."""
        return next(c for c in self.state()["proxmox"]["containers"] if c["vmid"] == vmid)

    def config(self, vmid: int) -> dict[str, Any]:
        """Its configuration file in the lab."""
        return dict(self.lab.proxmox.cluster.containers[vmid].config)

    def creations(self) -> int:
        """How many containers were ever begun."""
        return sum(task["type"] == "vzcreate" for task in self.state()["proxmox"]["tasks"])

    def count(self, system: str, call: str = "") -> int:
        """How many remote calls of a system held `call`."""
        return sum(where == system and call in what for where, what in self.calls)

    def counts(self) -> Counter[str]:
        """Remote calls by system."""
        return Counter(system for system, _ in self.calls)

    def leftovers(self) -> dict[str, list]:
        """Everything that was made in the lab, certificates of single sites included."""
        shared = str(self.lab.settings["NPM_CERTIFICATE"])
        certificates = [c for c in self.state()["npm"]["certificates"] if str(c["id"]) != shared]
        return {**super().leftovers(), "certificates": certificates}

    def assert_readable(self, sentence: str) -> None:
        """A sentence for customers: it names a system and holds no address."""
        self.assertRegex(sentence, NAMES_A_SYSTEM)
        self.assertNotRegex(sentence.lower(), ADDRESS)
        self.assertTrue(sentence.endswith("."), sentence)

    def assert_undone(self, site: Site) -> None:
        """The order was undone: nothing is left anywhere, customer and staff can read why."""
        site.refresh_from_db()
        job = self.job(site)
        self.assertEqual((site.state, job.state), ("failed", "rolled_back"), self.tale(site))
        self.assertEqual((site.vmid, site.private_ip, site.subdomain, site.live_key), (None,) * 4)
        self.assert_nothing_left()
        self.assert_readable(job.error)
        self.assertTrue(job.detail)

    def assert_live(self, site: Site) -> None:
        """One whole site, and nothing beside it."""
        site.refresh_from_db()
        self.assertEqual((site.state, self.job(site).state), ("live", "succeeded"), self.tale(site))
        left = self.leftovers()
        self.assertEqual([c["vmid"] for c in left["containers"]], [site.vmid], self.tale(site))
        self.assertEqual([r["content"] for r in left["records"]], [site.public_ip])
        self.assertEqual([h["forward_host"] for h in left["proxy_hosts"]], [site.private_ip])


class SiteTestCase(SiteMixin, LabTestCase):
    """One thread, rolled back at the end."""


class SiteTransactionTestCase(SiteMixin, LabTransactionTestCase):
    """Real transactions, for tests with threads."""


def make_foreign(test: SiteMixin, vmid: int, user: str = "root@pam", **more: str) -> None:
    """A container that somebody else makes in the cluster. `more` of its configuration."""
    config = {"hostname": "theirs", "rootfs": "global-lvm:8", "description": "Do not touch", **more}
    values = {"vmid": vmid, "ostemplate": test.lab.settings["PROXMOX_TEMPLATE"], **config}
    with test.lab.lock:
        test.lab.proxmox.cluster.lifecycle.create("node2", user, time.time(), values)


def foreign_record(
    name: str, type: str = "A", content: str = "198.51.100.7", comment: str = "by hand"
) -> str:
    """A record that somebody else made for this name; returns its id."""
    return cloudflare().create_record(type, name, content, comment=comment).id


def at_once(calls: list[Callable[[], Any]], threads: int | None = None) -> list[Any]:
    """What these calls return, made at once by as many threads, or by `threads` that take one by one."""
    barrier = threading.Barrier(threads or len(calls))
    waiting = iter(calls)
    lock = threading.Lock()
    answers: list[Any] = []

    def work() -> None:
        try:
            barrier.wait(10)
            while True:
                with lock:
                    call = next(waiting, None)
                if call is None:
                    return
                answer = call()
                with lock:
                    answers.append(answer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(barrier.parties) as pool:
        for end in [pool.submit(work) for _ in range(barrier.parties)]:
            end.result(60)
    return answers

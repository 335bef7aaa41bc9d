"""A system or node that does not answer is asked now and then by one, not by everybody all the time: who
needs it waits without a thread, everybody else goes on, and staff see what is not asked."""

from datetime import timedelta

from django.utils import timezone

from nodepoint.board import unasked
from nodepoint.board.models import Unasked
from nodepoint.clients import breaker
from nodepoint.clients.errors import NotFound, TimedOut, Unreachable
from nodepoint.jobs import experience
from nodepoint.jobs.models import Job, JobStep
from sites.connections import proxmox
from tests.sites.base import SiteTestCase

ORDERS = 8
OUTAGE = 600  # seconds


class SilentSystemTests(SiteTestCase):
    def asked(self, system: str) -> int:
        return self.state()["requests"].get(system, 0)

    def test_orders_wait_for_a_silent_proxy_and_hardly_ask_it(self) -> None:
        for number in range(ORDERS):
            self.order(service_id=f"{2000 + number}", email=f"site{number}@example.com")
        self.fault("npm", "hang", count=1_000_000, seconds=0.01)
        before = self.asked("npm")
        self.run_jobs(until=self.clock.now() + timedelta(seconds=OUTAGE))

        jobs = Job.objects.filter(kind="sites.provision")
        self.assertEqual({job.state for job in jobs}, {Job.State.WAITING})
        # Three tries to find it out, with their retries on the wire, then one each half a minute.
        self.assertLess(self.asked("npm") - before, 3 * (breaker.FAILURES + OUTAGE / breaker.PAUSES[-1] + 4))
        waiting = JobStep.objects.get(job=jobs[0], name="proxy_host")
        self.assertIn("not asked: no answer since", waiting.detail)
        self.assertEqual(waiting.error, "Nginx Proxy Manager could not be reached.")
        self.assertEqual(len(self.state()["proxmox"]["containers"]), ORDERS)
        self.staff_see_it()

        self.clear_faults()
        self.run_jobs(until=self.clock.now() + timedelta(seconds=300))
        self.assertEqual({job.state for job in jobs.all()}, {Job.State.SUCCEEDED})
        self.assertEqual(len(self.state()["npm"]["proxy_hosts"]), ORDERS)
        experience.forget()
        self.assertLess(
            experience.of("sites.provision").get("proxy_host", 0.0), 5
        )  # the outage taught nothing
        unasked.write()
        self.assertFalse(Unasked.objects.exists())

    def staff_see_it(self) -> None:
        unasked.write()
        (silent,) = unasked.now()
        self.assertEqual((silent.name, silent.processes), ("Nginx Proxy Manager", 1))
        self.assertRegex(
            silent.detail, r"It has not answered since \d\d:\d\d; (next try in \d+ s|it is tried now)\."
        )
        metrics = self.get("/metrics").content.decode()
        self.assertIn('nodepoint_unasked{part="",system="npm"} 1.0', metrics)
        Unasked.objects.update(noted_at=timezone.now() - unasked.KNOWN * 2)
        self.assertEqual(unasked.now(), [], "of a process that is gone")

    def test_a_silent_node_is_left_alone_and_the_others_answer(self) -> None:
        time = timezone.now().timestamp()
        self.enterContext(breaker.timed_by(lambda: time))
        self.fault("proxmox", "hang", "nodes/node1/", count=1000, seconds=0.01)
        for _ in range(breaker.FAILURES):
            with self.assertRaises(TimedOut):
                proxmox().set_config("node1", 950, memory=512)
        before = self.asked("proxmox")
        with self.assertRaisesRegex(Unreachable, "not asked: no answer of node1"):
            proxmox().config("node1", 950)
        self.assertEqual(self.asked("proxmox"), before)
        with self.assertRaises(NotFound):
            proxmox().config("node2", 950)
        proxmox().resources()

        self.clear_faults()
        time += breaker.PAUSES[0]
        with self.assertRaises(NotFound):
            proxmox().config("node1", 950)
        self.assertEqual(breaker.silences(), [])

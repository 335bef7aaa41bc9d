"""Processes are killed in the middle of a burst of orders: every order still ends live, and nothing is made
twice."""

import os
import random
import signal
from collections import Counter

from nodepoint.jobs.models import Job
from sites import services
from sites.models import Site
from tests.e2e.base import ProcessTestCase

ORDERS = 10
KILLS = 8


class KilledWorkersTests(ProcessTestCase):
    speed = 0.05

    def order(self, count: int) -> None:
        for number in range(count):
            services.create_site(
                service_id=f"burst-{number}",
                email=f"burst{number}@example.com",
                plan="premium" if number % 3 == 0 else "basic",
                public_ip="203.0.113.10",
            )

    def kill_somebody(self, name: str) -> None:
        """SIGKILL for one process of the group, whichever it is."""
        members = self.group(name)
        if members:
            os.kill(random.choice(members), signal.SIGKILL)

    def ended(self) -> bool:
        return not Job.objects.filter(state__in=Job.ALIVE).exists()

    def test_a_burst_survives_kills_of_any_process_of_the_worker(self) -> None:
        self.start_worker(JOB_STALL_SECONDS="6")
        self.order(ORDERS)
        for _ in range(KILLS):
            self.supervisor.tick(random.uniform(0.3, 1.5))
            self.kill_somebody("worker")
        self.until(self.ended, 120)
        self.assert_all_live_once()

    def test_a_burst_survives_kills_of_the_infrastructures_entrance(self) -> None:
        self.start_worker()
        self.order(4)
        for _ in range(3):
            self.supervisor.tick(random.uniform(0.5, 1.5))
            self.kill_somebody("lab")
        self.until(self.ended, 120)
        self.assert_all_live_once()

    def assert_all_live_once(self) -> None:
        orders = Site.objects.all()
        self.assertEqual(Counter(site.state for site in orders), {"live": orders.count()})
        state = self.state()
        marks = [container["description"] for container in state["proxmox"]["containers"]]
        self.assertEqual(sorted(marks), sorted(site.owner_mark for site in orders))
        for container in state["proxmox"]["containers"]:
            self.assertEqual((container["status"], container["snapshots"]), ("running", ["initial"]))
        records = [record["comment"] for record in state["cloudflare"]["records"]]
        self.assertEqual(sorted(records), sorted(marks))
        hosts = [host["meta"]["nodepoint"] for host in state["npm"]["proxy_hosts"]]
        self.assertEqual(sorted(hosts), sorted(marks))

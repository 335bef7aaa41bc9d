"""Redis goes away while sites are ordered, and comes back: the worker works again, and is still watched."""

import os
import shutil
import subprocess
from unittest import skipUnless

from django.utils import timezone

from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job
from sites import services
from sites.models import Site
from tests.e2e.base import ProcessTestCase

# Debian's redis-tools holds the server too, under this name: it starts no service.
REDIS = shutil.which("redis-check-rdb", path=os.environ["PATH"] + ":/usr/bin")


@skipUnless(REDIS, "redis-tools is not installed")
class BrokerAwayTests(ProcessTestCase):
    def start_redis(self) -> None:
        """Redis on a socket of this test's own."""
        options = [
            "--port",
            "0",
            "--unixsocket",
            str(self.folder / "redis.sock"),
            "--save",
            "",
            "--dir",
            self.folder,
        ]
        log = (self.folder / "redis.log").open("ab")
        self.enterContext(log)
        self.redis = subprocess.Popen(["redis-server", *map(str, options)], executable=REDIS, stdout=log)
        self.addCleanup(self.redis.wait)
        self.addCleanup(self.redis.kill)
        self.until((self.folder / "redis.sock").exists, 10)

    def order(self, name: str) -> None:
        services.create_site(
            service_id=name, email=f"{name}@example.com", plan="basic", public_ip="203.0.113.10"
        )

    def live(self, name: str) -> bool:
        return Site.objects.get(service_id=name).state == Site.State.LIVE

    def workers(self) -> int:
        return limits.taken(queue.WORKER, timezone.now())

    def test_an_outage_leaves_a_worker_that_works_and_is_watched(self) -> None:
        self.start_redis()
        self.start_worker(QUEUE_BROKER=f"unix://{self.folder}/redis.sock", JOB_STALL_SECONDS="5")
        self.order("before")
        self.until(lambda: self.live("before"), 60)
        leader = self.supervisor.pid("worker")
        self.redis.kill()
        self.redis.wait()
        self.order("meanwhile")
        self.supervisor.tick(8)  # longer than the time after which a stall ends the worker
        self.assertEqual((self.workers(), self.supervisor.pid("worker")), (1, leader))
        (self.folder / "redis.sock").unlink(missing_ok=True)
        self.start_redis()
        self.order("after")
        self.until(lambda: self.live("meanwhile") and self.live("after"), 90)
        self.assertEqual(self.workers(), 1)
        self.assertFalse(Job.objects.filter(state__in=[Job.State.FAILED, Job.State.ROLLED_BACK]).exists())

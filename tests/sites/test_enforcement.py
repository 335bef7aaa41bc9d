"""The periodic check: a suspended site that runs all the same is stopped again."""

import time
from datetime import timedelta

from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from nodepoint.jobs.cluster import _plan_housekeeping
from nodepoint.jobs.models import Job
from sites import live, services
from sites.models import ClusterReading, Site
from tests.sites.acts import RUNNING, SUSPENDED, ActsMixin
from tests.sites.base import SiteTestCase


class EnforcementTests(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()

    def suspended(self, ago: float = 60) -> None:
        """The site was suspended `ago` seconds ago."""
        self.act("/suspend")
        moment = timezone.now() - timedelta(seconds=ago)
        Site.objects.filter(pk=self.site.pk).update(power_verified_at=moment)

    def start_behind_our_back(self) -> None:
        """As a rebooted node or an operator would."""
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            cluster.power.fork_start(cluster.containers[900], "root@pam", time.time())
        self.lab.world.settle()
        self.assertEqual(self.container(900)["status"], "running")

    def enforce(self) -> int:
        """One check by a reading of now."""
        ClusterReading.objects.update(tried_at=None)
        live.forget()
        return services.enforce_suspensions()

    def suspensions(self) -> int:
        return Job.objects.filter(kind="sites.suspend").count()

    def test_it_is_stopped_again(self):
        self.suspended()
        self.start_behind_our_back()
        self.assertEqual(self.enforce(), 1)
        self.run_jobs()
        self.assertEqual(self.places(self.site), SUSPENDED)
        self.assertEqual(self.suspensions(), 2)

    def test_nothing_is_done_where_all_is_well(self):
        self.suspended()
        self.calls.clear()
        self.assertEqual(self.enforce(), 0)
        self.assertEqual(len(self.calls), 1, "one reading for all sites")
        self.assertEqual(self.suspensions(), 1)

    def test_sites_that_are_not_suspended_are_none_of_its_business(self):
        self.calls.clear()
        self.assertEqual(self.enforce(), 0)
        self.assertEqual(self.calls, [])
        self.assertEqual(self.places(self.site), RUNNING)

    def test_a_reading_older_than_our_own_look_is_not_believed(self):
        self.suspended(ago=2)
        self.start_behind_our_back()
        self.assertEqual(self.enforce(), 0)

    def test_a_job_that_goes_on_is_left_to_it(self):
        self.suspended()
        self.start_behind_our_back()
        self.assertEqual([self.enforce(), self.enforce()], [1, 0])
        self.assertEqual(self.suspensions(), 2)

    def test_without_an_answer_of_proxmox_nothing_is_concluded(self):
        self.suspended()
        self.start_behind_our_back()
        self.fault("proxmox", "refuse", "cluster/resources", count=100)
        self.assertEqual(self.enforce(), 0)

    def test_the_workers_call_it_every_few_minutes(self):
        _plan_housekeeping()
        schedule = Schedule.objects.get(name="sites.tasks.enforce_suspensions")
        self.assertEqual(
            (schedule.schedule_type, schedule.minutes, schedule.repeats), (Schedule.MINUTES, 3, -1)
        )
        self.suspended()
        self.start_behind_our_back()
        ClusterReading.objects.update(tried_at=None)
        live.forget()
        self.assertEqual(import_string(schedule.func)(), 1)

"""The periodic check: a suspended site that runs all the same is stopped again."""

import time
from datetime import timedelta
from unittest import mock

from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from nodepoint.jobs.cluster import _plan_housekeeping
from nodepoint.jobs.models import Job
from sites import enforcement, live
from sites.connections import npm, proxmox
from sites.models import ClusterReading, Site
from tests.factories import SiteFactory
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
        return enforcement.enforce_suspensions()

    def asked(self) -> list[str]:
        """What was read, without tokens of the proxy manager."""
        reads = [what.partition("?")[0] for _, what in self.calls if what.startswith("GET")]
        ends = ("cluster/resources", "ha/status/current", "proxy-hosts")
        return [
            next((end for end in ends if what.endswith(end)), "/".join(what.rsplit("/", 3)[1:]) or "a page")
            for what in reads
        ]

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
        self.assertEqual(
            self.asked(),
            ["cluster/resources", "ha/status/current", "proxy-hosts", "a page", "a page", "lxc/900/config"],
            "one call for all sites and each place, a few pages of the proxy and configurations",
        )
        self.assertEqual(self.suspensions(), 1)

    def test_autostart_that_somebody_switched_on_is_switched_off(self):
        self.suspended()
        self.lab.proxmox.cluster.containers[900].config["onboot"] = 1
        self.assertEqual(self.enforce(), 1)
        self.run_jobs()
        self.assertEqual(self.places(self.site), SUSPENDED)

    def test_a_proxy_host_that_somebody_switched_on_is_switched_off(self):
        self.suspended()
        npm().enable_proxy_host(self.state()["npm"]["proxy_hosts"][0]["id"])
        self.assertEqual(self.enforce(), 1)
        self.run_jobs()
        self.assertEqual(self.places(self.site), SUSPENDED)

    def test_what_ha_was_told_to_start_is_stopped(self):
        self.act("/wp/upgrade", plan="premium")
        self.suspended()
        proxmox().set_ha_resource(900, "started")
        self.assertEqual(self.enforce(), 1)
        self.run_jobs()
        self.assertEqual(self.places(self.site), {**SUSPENDED, "ha": "stopped"})

    def test_configurations_are_read_a_few_at_a_time_and_all_have_their_turn(self):
        self.suspended()
        plan = self.site.plan
        for number in range(5):
            facts = {"suspended_at": timezone.now(), "state": "live", "node": "node1", "plan": plan}
            SiteFactory(vmid=910 + number, private_ip=f"192.168.1.{110 + number}", **facts)
        looked_at = set()
        with mock.patch.object(enforcement, "CONFIGURATIONS", 2):
            for turn in range(3):
                self.calls.clear()
                moment = timezone.now() + timedelta(minutes=turn * enforcement.MINUTES)
                with mock.patch("sites.enforcement.timezone.now", return_value=moment):
                    self.enforce()
                read = {what for what in self.asked() if what.endswith("/config")}
                self.assertEqual(len(read), 2)
                looked_at |= read
        self.assertEqual(len(looked_at), 6)

    def test_a_foreign_container_at_the_number_is_left_alone(self):
        self.suspended()
        self.lab.proxmox.cluster.containers[900].config.update(description="someone else's", onboot=1)
        self.assertEqual(self.enforce(), 0)

    def test_a_system_that_is_away_does_not_hide_what_the_others_tell(self):
        self.suspended()
        self.start_behind_our_back()
        self.fault("npm", "refuse", count=100)
        self.fault("proxmox", "refuse", "ha/status", count=100)
        self.assertEqual(self.enforce(), 1)

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

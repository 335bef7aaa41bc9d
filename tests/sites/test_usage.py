"""Disk and traffic of sites: measured by the cluster, told once, kept while a container is stopped."""

from datetime import UTC, datetime, timedelta

from django.core import mail
from django.test import SimpleTestCase

from nodepoint.jobs.models import Job
from nodepoint.notices.models import Notice
from sites import thresholds, usage, watch
from sites.clients.proxmox import Guest
from sites.measured import disk_percent
from sites.models import Site, SiteUsage
from tests.base import on_one_database
from tests.factories import SiteFactory
from tests.sites.base import SiteTestCase

GB, MB = 1024**3, 1024**2
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)


def guest(site: Site, percent: float = 10, netin: int = 0, netout: int = 0, status: str = "running") -> Guest:
    """What the cluster says of the site's container, whose disk has 20 GB."""
    rest = {"name": "", "lock": "", "tags": frozenset(), "pool": "", "hastate": "", "template": False}
    figures = {"cpu": 0.0, "maxcpu": 1.0, "mem": 0, "maxmem": 0, "uptime": 1, "maxdisk": 20 * GB}
    disk = int(20 * GB * percent / 100)
    more = {"disk": disk, "netin": netin, "netout": netout}
    return Guest(vmid=site.vmid, node="node1", type="lxc", status=status, **rest, **figures, **more)


@on_one_database
class ThresholdTests(SimpleTestCase):
    def test_what_is_told_at_each_figure(self):
        for percent, before, after in (
            (79, 0, 0),
            (80, 0, 80),
            (89, 80, 80),
            (90, 80, 90),
            (100, 0, 95),
            (88, 90, 90),  # not well below yet: 90 is not told again
            (85, 90, 80),
            (79, 90, 80),
            (75, 90, 0),
            (10, 95, 0),
            (91, 95, 95),
            (90, 95, 90),
        ):
            with self.subTest(percent=percent, before=before):
                self.assertEqual(thresholds.told(percent, before), after)

    def test_the_sentence_says_what_helps(self):
        self.assertIsNone(thresholds.warning(None))
        self.assertIsNone(thresholds.warning(79))
        for percent in (80, 95, 100):
            said = thresholds.warning(percent)
            self.assertTrue(said.startswith(f"{percent} % of the disk is in use."), said)
            self.assertIn("larger disk", said)
        self.assertIn("nothing can be saved", thresholds.warning(95))

    def test_a_figure_is_rounded_up_and_none_where_there_is_none(self):
        figures = [disk_percent(1, 100), disk_percent(999, 1000), disk_percent(0, 1000), disk_percent(5, 0)]
        self.assertEqual(figures, [1, 100, None, None])


class UsageTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = SiteFactory(service_id="1001")
        self.now = NOON

    def look(self, minutes: int = 10, **figures) -> SiteUsage:
        self.now += timedelta(minutes=minutes)
        usage.note([guest(self.site, **figures)], self.now)
        return SiteUsage.objects.get(pk=self.site.pk)

    def status(self) -> dict:
        return self.get("/status?service_id=1001").json()["usage"]

    def told(self) -> int:
        return Notice.objects.filter(kind="notices.disk_fills").count()

    def test_the_customer_is_told_once_of_each_threshold(self):
        for percent, count in (
            (79, 0),
            (80, 1),
            (85, 1),
            (91, 2),
            (89, 2),
            (96, 3),
            (100, 3),
            (70, 3),
            (81, 4),
        ):
            self.look(percent=percent)
            self.assertEqual(self.told(), count, percent)
        Job.objects.filter(kind="notices.disk_fills").exclude(pk=Job.objects.latest("created_at").pk).delete()
        self.run_jobs()
        (message,) = mail.outbox
        self.assertEqual((message.to, "81 %" in message.subject), ([self.site.email], True))
        self.assertIn("larger disk", message.body)

    def test_a_letter_about_room_that_is_there_again_is_not_sent(self):
        self.look(percent=96)
        self.look(percent=30)
        self.run_jobs()
        self.assertEqual(mail.outbox, [])

    def test_a_stopped_container_keeps_its_last_figure(self):
        self.look(percent=93)
        self.look(percent=0, status="stopped")
        usage.note([], self.now)
        self.assertEqual(SiteUsage.objects.get().disk_percent, 93)
        found = self.status()
        self.assertEqual(found["disk_percent"], 93)
        self.assertIn("93 %", found["disk_warning"])

    def test_before_the_first_look_nothing_is_said(self):
        nothing = {"disk_percent": None, "disk_warning": None, "traffic_in_mb": 0, "traffic_out_mb": 0}
        self.assertEqual(self.status(), nothing)

    def test_traffic_comes_together_over_restarts_and_begins_anew_each_month(self):
        self.look(netin=500 * MB, netout=10 * MB)  # from before we looked
        self.look(netin=600 * MB, netout=30 * MB)
        found = self.look(netin=50 * MB, netout=5 * MB)  # restarted
        self.assertEqual((found.in_bytes // MB, found.out_bytes // MB), (150, 25))
        self.now = datetime(2036, 12, 1, 12, tzinfo=UTC)  # not the month in which this is run
        found = self.look(netin=60 * MB, netout=5 * MB)
        self.assertEqual((found.month, found.in_bytes // MB, found.out_bytes), ("2036-12", 10, 0))
        self.assertEqual(self.status()["traffic_in_mb"], 0, "that is not this month")

    def test_rows_are_written_where_something_is_new_or_they_are_old(self):
        self.look(percent=10)
        with self.assertNumQueries(2):
            usage.note([guest(self.site, percent=10)], self.now + timedelta(minutes=2))
        self.assertEqual(self.look(2, percent=11).disk_percent, 11)

    def test_sites_that_are_no_more_and_strangers_are_left_out(self):
        other = SiteFactory(deleting=True)
        stranger = SiteFactory.build(vmid=99)
        usage.note([guest(other, percent=99), guest(stranger, percent=99)], self.now)
        self.assertFalse(SiteUsage.objects.exists())


@on_one_database
class WatchTests(SiteTestCase):
    def test_a_full_disk_is_named_where_it_keeps_from_logging_in(self):
        site = self.live_site()
        with self.lab.lock:
            self.lab.guest.break_site(site.vmid, "php")
        for percent, words in ((98, "plugin or theme"), (99, "The disk of this site is full")):
            usage.note([guest(site, percent=percent)], NOON + timedelta(hours=percent))
            answer = self.post("/action/login", {"service_id": "1001"})
            self.assertEqual(answer.status_code, 409)
            self.assertIn(words, answer.json()["error"])

    def test_the_look_at_the_cluster_measures_what_runs(self):
        site = self.live_site()
        self.assertEqual(watch.look(), 0)
        row = SiteUsage.objects.get(pk=site.pk)
        listed = next(one for one in watch.proxmox().resources() if one.vmid == site.vmid)
        self.assertEqual(row.disk_percent, disk_percent(listed.disk, listed.maxdisk))
        self.assertGreater(row.disk_percent, 0)

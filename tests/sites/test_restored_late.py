"""The database came back from a dump, and NodePoint was started on it before anybody ran `restored`."""

from datetime import timedelta

from django.db.models.signals import pre_save
from django.utils import timezone

from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from sites.models import Occupancy, Site, Template
from sites.services.template import build_template
from tests.base import on_one_database
from tests.sites.test_restored import RestoredCase


@on_one_database
class OrderedAgainTests(RestoredCase):
    """The service of a site that the rows have lost is ordered once more."""

    def setUp(self) -> None:
        super().setUp()
        self.live_site(service_id="old", email="old@example.com")
        self.dump()
        self.lost = self.live_site()
        self.place = self.places()["1001"]
        self.come_back()
        Occupancy.objects.all().delete()  # no dump comes back within the time for which a look holds
        self.stood = self.standing()

    def ordered_again(self) -> Site:
        """An order with the number, and so with the marks, of the lost site. On MariaDB numbers go on behind
        rows that were rolled back, which after a dump they do not."""
        pre_save.connect(self.same_number, sender=Site)
        self.addCleanup(pre_save.disconnect, self.same_number, sender=Site)
        site = self.create()
        self.assertEqual(site.pk, self.lost.pk)
        return site

    def same_number(self, instance: Site, **_: object) -> None:
        if instance._state.adding:
            instance.pk = self.lost.pk

    def test_the_order_waits_for_staff_and_becomes_the_site_that_stands(self) -> None:
        site = self.ordered_again()
        self.run_for(3600)
        step = self.step(site, "place")
        self.assertIn("stands already", step.error, self.tale(site))
        self.assertIn("it is this service's: container 901", step.detail)
        self.assertEqual(self.standing(), self.stood)
        self.restored()
        self.restored("--release")
        self.run_jobs()
        self.assertEqual(self.places()["1001"], self.place)
        self.assertEqual((self.standing(), self.job(site).state), (self.stood, "succeeded"))

    def test_where_the_container_cannot_be_seen_its_proxy_host_is_left_to_it(self) -> None:
        self.control("node", node=self.place[1], up=False)
        site = self.ordered_again()
        Site.objects.filter(pk=site.pk).update(private_ip="192.168.1.150")
        self.run_for(600)
        self.assertIn("stands already", self.step(site, "proxy_host").error, self.tale(site))
        standing = self.standing()
        for thing in ("npm proxy_hosts", "cloudflare records"):
            self.assertEqual(standing[thing], self.stood[thing])

    def test_one_with_another_number_waits_too_and_ends_for_the_site_that_stands(self) -> None:
        hasty = Site.objects.create(**self.row(self.lost.pk, "hasty"))
        again = self.create()
        hasty.delete()
        self.assertNotEqual(again.pk, self.lost.pk)
        self.run_for(600)
        self.assertIn("stands already", self.step(again, "place").error)
        said = self.restored()
        self.assertIn("It was ordered once more before this command was run", said)
        self.assertEqual(self.places()["1001"], self.place)
        again.refresh_from_db()
        self.assertEqual((again.state, self.job(again).state), ("deleted", Job.State.CANCELLED))
        self.restored("--release")
        self.run_jobs()
        self.assertEqual(self.standing(), self.stood)

    def test_a_place_that_another_order_was_given_is_told_and_kept_by_it_until_it_is_deleted(self) -> None:
        Site.objects.create(**self.row(self.lost.pk + 1, "other"), vmid=self.lost.vmid)
        self.assertIn("its place was given to other, of which nothing stands yet", self.restored())
        self.assertEqual(self.standing(), self.stood)

    def test_after_the_release_it_goes_on_although_something_unadopted_stands(self) -> None:
        site = self.create()
        self.run_for(60)
        Restoration.objects.create(released_at=timezone.now())
        self.clock.time = timezone.now()
        self.run_for(120)
        self.assertEqual(self.step(site, "place").state, "done", self.tale(site))


@on_one_database
class StartedEarlyTests(RestoredCase):
    def setUp(self) -> None:
        super().setUp()
        self.live_site(service_id="old", email="old@example.com")
        self.dump()
        lost = self.live_site()
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[lost.vmid].snapshots["initial"]["snaptime"] -= 3600
        self.come_back()

    def test_a_worker_that_was_up_since_is_told(self) -> None:
        limits.take(queue.WORKER, 1, "worker", timezone.now(), 5)
        Job.objects.update(created_at=timezone.now() - timedelta(hours=2), finished_at=None)
        self.assertRegex(self.restored(), "ran +nodepoint +until .* was started on this database")
        row = Restoration.objects.get()
        self.assertLess(row.dumped_at, timezone.now() - timedelta(minutes=59))

    def test_nobody_was_up_and_nothing_is_told(self) -> None:
        long_ago = timezone.now() - timedelta(hours=2)
        Job.objects.update(created_at=long_ago, finished_at=long_ago)
        for job in Job.objects.all():
            job.steps.update(claimed_at=None)
        self.assertNotIn("was started on this database", self.restored())


@on_one_database
class TemplatesTests(RestoredCase):
    def test_golden_templates_of_after_the_dump_are_listed_with_the_containers_of_their_builds(self) -> None:
        self.live_site()
        self.dump()
        self.live_site(service_id="new", email="new@example.com")
        archive, _ = build_template()
        self.run_jobs()
        archive.refresh_from_db()
        building, job = build_template()
        while not job.steps.filter(name="container", state="done").exists():
            self.run_calls(1)
        self.come_back()
        stood, said = self.standing(), self.restored()
        self.assertIn(f"template {archive.volid}  No row knows this golden template", said)
        self.assertIn(f"container {building.vmid} of {building.owner_mark}", said)
        self.assertEqual((Template.objects.count(), self.standing()), (0, stood))

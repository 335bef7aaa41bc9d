"""Minor releases of WordPress and security updates of the system: with a snapshot before, a look after, and
the way back."""

from datetime import timedelta

from django.core import mail
from django.test import SimpleTestCase, override_settings
from django.utils import timezone

from lab import health
from nodepoint.jobs.models import Job
from sites import answers, inside
from sites.clients.console import Output
from sites.models import Backup, Site, SiteHealth
from sites.services import updates
from tests.base import on_one_database
from tests.factories import SiteFactory
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase

STAFF = ["staff@example.com"]


@on_one_database
class AnswerTests(SimpleTestCase):
    def test_what_a_status_file_says(self):
        for text, wanted in (
            ("", None),
            ("run other\nupdated 6.9 6.9.1\ndone 0\n", None),
            ("run a1\n", None),
            ("run a1\nupdated 6.9 6.9.1\n", None),
            ("run a1\nupdated 6.9 6.9.1\ndone 0\n", answers.UpdateEnd(words="updated 6.9 6.9.1")),
            ("run a1\nnone 6.9\ndone 0\n", answers.UpdateEnd(words="none 6.9")),
            ("run a1\nupgraded 12\ndone 0\n", answers.UpdateEnd(words="upgraded 12")),
            ("run a1\nfailed update 70 no room\ndone 70\n", answers.UpdateEnd("failed update 70 no room")),
            ("run a1\nupdated <b> 6.9\ndone 0\n", answers.UpdateEnd(answers.NO_STATUS)),
            ("run a1\nmore\nnone 6.9\ndone 0\n", answers.UpdateEnd(answers.NO_STATUS)),
            ("run a1\ndone 0\n", answers.UpdateEnd(answers.NO_STATUS)),
        ):
            with self.subTest(text):
                self.assertEqual(answers.end_of_update(Output(0, text, "", False), "a1"), wanted)


@override_settings(STAFF_EMAIL=STAFF)
@on_one_database
class UpdateTests(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()
        self.waits("6.9.1")
        mail.outbox.clear()

    def waits(self, version: str = "", security: str = "") -> None:
        """The daily look sees a release that waits, and security updates."""
        said = [line for line in health.WELL if not (security and line.startswith("pending"))]
        said += [f"minor {version}"] if version else []
        said += ["pending 9 4", f"security {security}"] if security else []
        with self.lab.lock:
            self.lab.guest.feel(self.site.vmid, *said)
        SiteHealth.objects.update(tried_at=timezone.now() - timedelta(days=2))
        inside.look()

    def update(self) -> Job:
        self.assertEqual(updates.update_sites(), 1)
        self.clock.time = timezone.now()
        self.run_jobs()
        return Job.objects.filter(kind="sites.update").latest("created_at")

    def version(self) -> str:
        SiteHealth.objects.update(tried_at=timezone.now() - timedelta(days=2))
        inside.look()
        return SiteHealth.objects.get().facts["wordpress"]

    def test_a_release_that_waits_is_put_in_once_behind_a_snapshot(self):
        job = self.update()
        self.assertEqual((job.state, job.warning), ("succeeded", ""), self.tale(self.site))
        self.assertIn("before", self.container(self.site.vmid)["snapshots"])
        self.assertEqual((updates.update_sites(), self.version(), mail.outbox), (0, "6.9.1", []))
        self.waits("6.9.2")
        self.assertEqual(self.update().state, "succeeded")

    def test_a_site_that_does_not_answer_afterwards_goes_back(self):
        with self.lab.lock:
            self.lab.guest.breaks(self.site.vmid, "php")
        job = self.update()
        self.assertIn("goes back", job.warning)
        back = Job.objects.get(kind="sites.rollback")
        self.assertEqual((back.state, back.data["backup"]), ("succeeded", "before"), self.tale(self.site))
        self.assertEqual((self.version(), Site.objects.get().power), ("6.9", "running"))
        self.assertEqual([message.to for message in mail.outbox], [STAFF])
        self.assertEqual(updates.update_sites(), 0, "this release is not tried again here")

    def test_security_updates_of_the_system_alike_each_once_and_both_behind_one_snapshot(self):
        self.waits("6.9.1", security="0123456789abcdef")
        job = self.update()
        self.assertEqual((job.state, job.warning), ("succeeded", ""), self.tale(self.site))
        said = dict(job.steps.values_list("name", "detail"))
        self.assertEqual((said["system"], said["updated"]), ("upgraded 4", "updated 6.9 6.9.1"))
        self.assertEqual(sum(call.startswith("POST") for _, call in self.calls if "/snapshot" in call), 2)
        self.assertEqual(self.version(), "6.9.1")
        self.waits(security="0123456789abcdef")
        self.assertEqual(updates.update_sites(), 0, "these were tried")
        self.waits(security="0123456789abcde0")
        self.fault("ssh", "error", "UPDATE")
        job = self.update()
        self.assertEqual(job.data["wordpress"], False)
        self.assertIn("The system could not be updated", job.warning)

    def test_the_snapshot_that_a_customer_may_want_is_not_replaced_for_a_day(self):
        self.act("/action/mkbak")
        self.act("/action/rollback", bak=Backup.objects.get().name)
        self.waits("6.9.1")
        self.assertEqual(updates.update_sites(), 0)
        Backup.objects.filter(name="before").update(created_at=timezone.now() - timedelta(days=2))
        self.assertEqual(self.update().warning, "")
        self.assertEqual(Backup.objects.get(name="before").job_id, self.job(self.site, "sites.update").pk)

    def test_what_a_rollback_took_back_is_put_in_again_after_the_next_look(self):
        self.act("/action/mkbak")
        self.update()
        self.act("/action/rollback", bak=Backup.objects.get(kind="customer").name)
        self.assertEqual(inside.look(self.clock.time), 1)
        self.assertEqual(
            (SiteHealth.objects.get().minor, SiteHealth.objects.get().tried_version), ("6.9.1", "")
        )

    def test_what_was_broken_before_is_no_reason_to_go_back(self):
        with self.lab.lock:
            self.lab.guest.break_site(self.site.vmid, "php")
        self.assertEqual(self.update().warning, "")
        self.assertFalse(Job.objects.filter(kind="sites.rollback").exists())

    def test_an_upgrader_that_fails_leaves_the_site_as_it_answers(self):
        self.fault("ssh", "error", "UPDATE")
        job = self.update()
        self.assertIn("could not be updated", job.warning)
        self.assertFalse(Job.objects.filter(kind="sites.rollback").exists())
        self.assertEqual([message.to for message in mail.outbox], [STAFF])

    def test_nobody_is_refused_because_of_it_and_it_waits_for_others(self):
        self.ask("/action/mkbak")
        self.assertEqual(updates.update_sites(), 0)
        self.run_jobs()
        self.assertEqual(updates.update_sites(), 1)
        self.assertEqual(self.act("/action/mkbak").status_code, 200)

    def test_few_at_once_and_none_after_several_have_failed(self):
        SiteHealth.objects.all().delete()
        for site in SiteFactory.create_batch(5):
            SiteHealth.objects.create(site=site, tried_at=timezone.now(), minor="6.9.1")
        SiteHealth.objects.create(
            site=SiteFactory(suspended_at=timezone.now()), tried_at=timezone.now(), minor="1"
        )
        self.assertEqual((updates.update_sites(), updates.update_sites()), (3, 0))
        begun = Job.objects.filter(kind="sites.update")
        begun.update(state="succeeded", active_key=None, warning="It went back.")
        self.assertEqual(updates.update_sites(), 0)
        begun.update(created_at=timezone.now() - timedelta(days=2))
        self.assertEqual(updates.update_sites(), 2)

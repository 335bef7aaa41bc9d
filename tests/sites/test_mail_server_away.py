"""A mail server that is away for a day: whatever happens to sites goes on as ever, and each e-mail comes once
when it is back, in its order, unless it makes no sense any more."""

import socket

from django.test import override_settings

from nodepoint.board import troubles
from nodepoint.jobs.models import Job, JobStep
from nodepoint.notices.models import STAFF, Notice
from sites.flows.notices import GONE, SITE_LIVE, SITE_RESET
from sites.models import Backup, Site
from tests.nodepoint.notices.server import MailServer
from tests.sites.acts import RUNNING, SUSPENDED, ActsMixin
from tests.sites.base import SiteTestCase

DJANGOS = "django.core.mail.backends.smtp.EmailBackend"
DAY = 24 * 3600


class MailServerAwayTests(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.enterContext(MailServer())
        closed = self.enterContext(socket.socket())
        closed.bind(("127.0.0.1", 0))
        self.reached_at(closed.getsockname()[1])

    def reached_at(self, port: int) -> None:
        """Have the mail server looked for at this port."""
        settings = {"EMAIL_BACKEND": DJANGOS, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port}
        self.enterContext(override_settings(**settings, STAFF_EMAIL=["staff@example.com"]))

    def went_well(self, path: str, service_id: str = "1001", **body: str) -> None:
        """An act whose job succeeds within some minutes."""
        job_id = self.ask(path, service_id, **body).json()["job"]["id"]
        self.run_for(300)
        job = Job.objects.get(pk=job_id)
        self.assertEqual((job.state, job.warning), ("succeeded", ""), f"{path}: {job.error} {job.detail}")

    def ordered(self, service_id: str) -> Site:
        """A site that went live."""
        site = self.create(service_id=service_id, email=f"jane{service_id}@example.com")
        self.run_for(600)
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.LIVE, self.tale(site))
        return site

    def sending(self, site: Site, kind: str) -> list[JobStep]:
        """The steps that send the notices of a kind about a site, the oldest first."""
        rows = Notice.objects.filter(about=site.key, kind=kind).order_by("created_at")
        return [JobStep.objects.get(job__subject=row.key) for row in rows]

    def whole_life(self) -> Site:
        """From the order through every act that is no deletion; the site is reset twice."""
        site = self.ordered("1001")
        for path, places in (("/suspend", SUSPENDED), ("/unsuspend", RUNNING)):
            self.went_well(path)
            self.assertEqual(self.places(site), places)
        self.went_well("/action/mkbak")
        self.assertEqual(Backup.objects.filter(site=site, state=Backup.State.READY).count(), 1)
        self.went_well("/wp/upgrade/", plan="premium")
        self.assertEqual(self.container(site.vmid)["memory"], 8192)
        for _ in range(2):
            self.went_well("/action/reset")
        return site

    def test_sites_live_on_and_each_mail_comes_once_when_it_is_back(self) -> None:
        site = self.whole_life()
        gone = self.ordered("1002")
        self.went_well("/delete-site", "1002")
        again = self.ordered("1002")
        self.fault("cloudflare", "refuse", "POST ", count=1000)
        self.create(service_id="1003")
        self.run_for(3600)
        self.clock.move(DAY)
        self.run_for(1)
        self.assertEqual((self.server.connections, Site.objects.get(pk=gone.pk).state), (0, "deleted"))
        self.assertEqual(len(troubles.unsent(self.clock.now())), 5, "the board tells of what is left")

        # The order of the letters must not be that in which they happen to be due.
        first, second = self.sending(site, SITE_RESET)
        JobStep.objects.filter(pk=second.pk).update(due_at=self.clock.now())
        self.reached_at(self.server.port)
        self.run_jobs()
        self.clock.move(5 * DAY)
        self.run_jobs()

        letters = [(one["To"], one["Subject"]) for one in self.server.taken]
        to_staff = ("staff@example.com", "[NodePoint] Create site did not succeed: 1003")
        self.assertEqual(letters.count(to_staff), 1)
        says = "Your WordPress site {} {}".format
        self.assertEqual(
            [subject for to, subject in letters if to == "jane1001@example.com"],
            [says(site.hostname, "is ready"), says(site.hostname, "was reset")],
        )
        self.assertIn(("jane1002@example.com", says(again.hostname, "is ready")), letters)
        self.assertIn(("Jane.Doe@example.com", "Your WordPress site is not ready yet"), letters)
        self.assertEqual(len(letters), 5)
        (dropped,) = self.sending(gone, SITE_LIVE)
        self.assertEqual((dropped.state, dropped.detail), ("done", GONE))
        first.refresh_from_db()
        self.assertIn("a later e-mail says the same", first.detail)
        # Of the site that is gone, of which no archive was kept either, the first reset, and the suspension
        # that is over, with its end.
        self.assertEqual(Notice.objects.exclude(kind=STAFF).filter(sent_at=None).count(), 5)
        self.assertEqual(
            set(Job.objects.filter(kind__startswith="notices.").values_list("state")), {("succeeded",)}
        )
        self.assertEqual(troubles.unsent(self.clock.now()).count(), 0)

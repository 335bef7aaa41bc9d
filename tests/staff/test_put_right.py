"""One difference: how bad it is, its page with the button of its cure, and how it goes off the board."""

from datetime import timedelta

from django.utils import timezone

from nodepoint.audit.models import Entry
from nodepoint.board import findings
from nodepoint.board.models import Finding
from nodepoint.board.registry import Group
from nodepoint.jobs.models import Job
from sites.connections import cloudflare
from sites.models import Site
from tests.staff.base import make_staff
from tests.staff.test_drift import DriftTestCase


class PutRightTests(DriftTestCase):
    def difference(self) -> Finding:
        """The site's record is gone, and the hourly comparison has found it."""
        self.lose_the_record()
        (row,) = self.compare()
        return row

    def page(self, row: Finding) -> str:
        return self.client.get(f"/admin/board/finding/{row.pk}/change/").content.decode()

    def do(self, row: Finding, **given: str):
        return self.client.post(f"/admin/board/finding/{row.pk}/act/put_right/", {"reason": "", **given})

    def board(self) -> dict[str, bool]:
        """The groups of the board, and whether they are of the worse sort."""
        return {title: group.failing for title, group in self.groups().items()}

    def groups(self) -> dict[str, Group]:
        """Those about what we drive; nobody works and checks here."""
        groups = self.client.get("/admin/").context["groups"]
        return {group.title: group for group in groups if group.title not in ("Workers", "Checks")}

    def test_what_is_gone_is_looked_at_now_and_what_differs_today(self) -> None:
        self.difference()
        cloudflare().create_record(
            "A", self.site.hostname, "203.0.113.99", comment=self.site.owner_mark
        )  # now it differs
        self.assertTrue(self.board()["Things that are gone"])
        self.compare()
        found = self.board()
        self.assertNotIn("Things that are gone", found)
        self.assertFalse(found["Differences"])

    def test_its_page_has_the_button_and_leads_to_the_job(self) -> None:
        row = self.difference()
        self.assertIn("/act/put_right/", self.page(row))
        answer = self.do(row, reason="Deleted by mistake")
        job = Job.objects.get(kind="sites.repair")
        self.assertRedirects(answer, f"/admin/jobs/job/{job.pk}/change/", fetch_redirect_response=False)
        self.assertEqual(
            (job.actor, Entry.objects.get(job_id=job.pk).reason), ("staff olga", "Deleted by mistake")
        )
        self.run_jobs()
        (record,) = cloudflare().find_records(self.site.hostname)
        self.assertEqual(record.content, self.site.public_ip)

    def test_it_is_off_the_board_once_put_right_and_back_when_that_did_not_help(self) -> None:
        row = self.difference()
        self.do(row)
        self.assertIn("Things that are gone", self.board(), "its job has not ended")
        self.run_jobs()
        self.assertEqual(self.board(), {})
        self.assertIn(
            "missing", self.client.get("/admin/board/finding/").content.decode(), "the list has all"
        )
        Finding.objects.update(last_seen=timezone.now() + timedelta(minutes=5))  # a look after the repair
        self.assertIn("Things that are gone", self.board())

    def test_other_jobs_of_its_site_are_no_cure(self) -> None:
        self.difference()
        Job.objects.create(
            kind="sites.backup", subject=self.site.key, state="succeeded", finished_at=timezone.now()
        )
        self.assertEqual(findings.standing().count(), 1)

    def test_the_site_page_says_what_was_found(self) -> None:
        self.difference()
        text = self.client.get(f"/admin/sites/site/{self.site.pk}/change/").content.decode()
        self.assertIn(f"Cloudflare: record {self.site.hostname} missing.", text)

    def test_where_no_job_can_help_the_page_says_so(self) -> None:
        row = self.difference()
        Finding.objects.update(mendable=False)
        self.assertIn("No job can put this right", self.page(row))
        self.assertNotIn("/act/put_right/", self.page(row))

    def test_what_is_busy_is_refused_in_a_sentence(self) -> None:
        row = self.difference()
        self.do(row)
        answer = self.client.post(
            f"/admin/board/finding/{row.pk}/act/put_right/", {"reason": ""}, follow=True
        )
        self.assertContains(answer, "something else goes on there")

    def test_support_sees_it_and_can_do_nothing(self) -> None:
        row = self.difference()
        self.client.force_login(make_staff("sam", "support"))
        self.assertNotIn("/act/put_right/", self.page(row))
        self.assertEqual(self.do(row).status_code, 403)
        self.assertFalse(Job.objects.filter(kind="sites.repair").exists())

    def test_what_is_left_over_leads_to_its_own_page(self) -> None:
        Site.objects.update(state=Site.State.DELETED, ended_at=timezone.now() - timedelta(days=3))
        Finding.objects.create(
            look="x",
            digest="x",
            kind=Finding.Kind.ORPHAN,
            system="npm",
            thing="proxy host 7",
            subject=self.site.key,
            label="1001",
        )
        self.assertIn("Differences", self.board())
        (trouble,) = self.groups()["Differences"].troubles
        self.assertIn("/admin/board/finding/", trouble.url)

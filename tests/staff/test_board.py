"""The first page: whether to worry, about what, and where it is put right."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone

from nodepoint.api.models import Token
from nodepoint.audit.models import Entry
from nodepoint.board.models import Dismissal, Finding, SystemState
from nodepoint.jobs.models import Job, JobStep, Lease
from sites.models import Site
from tests.factories import SiteFactory
from tests.staff.operations import BOARD, BoardTestCase, ago, make_job, make_notice

DISMISS = "/admin/board/systemstate/dismiss/"
FLIGHT = "/admin/board/systemstate/in-flight/"


class VerdictTests(BoardTestCase):
    def test_nothing_wrong_is_said_in_one_sentence(self) -> None:
        page = self.board()
        self.assertEqual(page.context["groups"], [])
        self.assertContains(page, "All is well. Nothing needs you.")
        self.assertContains(page, 'data-state="well"')

    def test_what_customers_feel_comes_before_what_can_wait(self) -> None:
        Token.issue("Old portal", ["sites"], days=3)
        make_job(state=Job.State.ROLLED_BACK, error="Cloudflare could not be reached.")
        page = self.board()
        self.assertEqual([group.title for group in page.context["groups"]], ["Failed jobs", "Tokens"])
        self.assertContains(page, "Look at this now: failed jobs (1).")

    def test_what_can_wait_alone_is_no_alarm(self) -> None:
        Token.issue("Old portal", ["sites"], days=3)
        self.assertContains(self.board(), "Nothing is on fire. To be looked at today: tokens (1).")

    def test_customers_texts_are_shown_and_never_run(self) -> None:
        evil = '<script>alert("x")</script>'
        make_job(state=Job.State.FAILED, error=evil, data={"service_id": evil})
        make_job("sites.site:2", state=Job.State.RUNNING, data={"service_id": evil})
        page = self.board()
        self.assertNotContains(page, evil)
        self.assertContains(page, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;")

    def test_the_part_that_is_asked_for_again_says_the_same(self) -> None:
        make_job(state=Job.State.FAILED, error="It is broken.")
        part = self.client.get("/admin/board/systemstate/needs/")
        self.assertContains(part, "Look at this now: failed jobs (1).")
        self.assertNotContains(part, "<html")


class JobTroubleTests(BoardTestCase):
    def test_a_failed_job_leads_to_its_page(self) -> None:
        job = make_job(state=Job.State.ROLLED_BACK, error="Cloudflare could not be reached.")
        trouble = self.trouble("Failed jobs")
        self.assertEqual(trouble.title, "Suspend site: S1")
        self.assertEqual(trouble.detail, "Cloudflare could not be reached.")
        self.assertIn(job.pk, trouble.url)
        self.assert_opens(trouble.url)

    def test_a_later_success_of_the_same_subject_makes_it_good(self) -> None:
        make_job(state=Job.State.FAILED, created_at=ago(hours=2))
        make_job("sites.site:2")
        self.assertIn("Failed jobs", self.groups())
        make_job(created_at=ago(hours=1))
        self.assertNotIn("Failed jobs", self.groups())

    def test_an_order_that_was_repeated_is_history(self) -> None:
        site = SiteFactory(failed=True, service_id="7")
        make_job(site.key, "sites.provision", state=Job.State.ROLLED_BACK)
        self.assertIn("Failed jobs", self.groups())
        SiteFactory(service_id="7")
        self.assertNotIn("Failed jobs", self.groups())

    def test_a_failed_order_whose_service_was_deleted_is_history(self) -> None:
        site = SiteFactory(failed=True)
        make_job(site.key, "sites.provision", state=Job.State.ROLLED_BACK)
        Site.objects.update(state=Site.State.DELETED)
        self.assertEqual(self.groups(), {})

    def test_what_failed_a_week_ago_is_history(self) -> None:
        make_job(state=Job.State.FAILED, finished_at=ago(days=8))
        self.assertEqual(self.groups(), {})

    def test_a_job_that_waits_for_long_is_stuck_and_says_why(self) -> None:
        job = make_job(state=Job.State.WAITING, started_at=ago(minutes=5))
        JobStep.objects.filter(job=job, position=0).update(
            state=JobStep.State.WAITING, error="Proxmox VE could not be reached."
        )
        self.assertEqual(self.groups(), {})
        Job.objects.update(started_at=ago(minutes=11))
        trouble = self.trouble("Jobs stuck or being undone")
        self.assertIn("Proxmox VE could not be reached.", trouble.detail)
        self.assert_opens(trouble.url)

    def test_an_undo_is_shown_at_once(self) -> None:
        make_job(state=Job.State.ROLLING_BACK, error="Nginx Proxy Manager refused.")
        trouble = self.trouble("Jobs stuck or being undone")
        self.assertIn("It is being undone: Nginx Proxy Manager refused.", trouble.detail)

    def test_a_job_in_line_for_half_an_hour_and_one_that_alarmed_are_stuck(self) -> None:
        make_job(state=Job.State.QUEUED, created_at=ago(minutes=31))
        make_job("sites.site:2", state=Job.State.RUNNING, alarmed_at=ago(minutes=1))
        self.assertEqual(self.groups()["Jobs stuck or being undone"].total, 2)

    def test_an_extra_that_failed_beside_a_success_is_told(self) -> None:
        job = make_job(kind="sites.provision")
        JobStep.objects.filter(job=job, name="snapshot").update(
            state=JobStep.State.FAILED, error="Proxmox VE refused the request."
        )
        trouble = self.trouble("Failed e-mails and extras")
        self.assertIn("S1", trouble.title)
        self.assertEqual(trouble.detail, "Proxmox VE refused the request.")

    def test_mail_to_staff_that_does_not_get_through_is_told_after_some_minutes(self) -> None:
        notice = make_notice(state=Job.State.WAITING, created_at=ago(minutes=5))
        self.assertEqual(self.groups(), {})
        Job.objects.filter(pk=notice.pk).update(created_at=ago(minutes=11))
        self.assertIn("E-mail to staff is not sent", self.trouble("Failed e-mails and extras").title)

    def test_a_group_shows_five_and_counts_all(self) -> None:
        for number in range(8):
            make_job(f"sites.site:{number}", state=Job.State.FAILED)
        group = self.groups()["Failed jobs"]
        self.assertEqual((len(group.troubles), group.total, group.more), (5, 8, 3))
        listed = self.client.get(group.url).context["cl"]
        self.assertEqual(listed.result_count, 8, "the list behind the link shows the same jobs")


class PlatformTroubleTests(BoardTestCase):
    def test_no_worker_is_the_first_thing_to_know(self) -> None:
        Lease.objects.all().delete()
        self.assertEqual(self.trouble("Workers").title, "No worker is running")

    def test_steps_that_nobody_takes_up_are_told(self) -> None:
        job = make_job(state=Job.State.RUNNING)
        JobStep.objects.filter(job=job, position=0).update(due_at=ago(minutes=3))
        self.assertEqual(self.trouble("Workers").title, "Workers are too slow")

    def test_a_system_that_is_down_is_named_with_what_it_said(self) -> None:
        error = "Nginx Proxy Manager could not be reached."
        SystemState.objects.filter(name="npm").update(ok=False, error=error, since=ago(hours=1))
        trouble = self.trouble("Systems down")
        self.assertEqual(trouble.title, "Nginx Proxy Manager does not work")
        self.assertEqual(trouble.detail, error)
        self.assert_opens(trouble.url)

    def test_a_board_that_may_be_out_of_date_says_so(self) -> None:
        SystemState.objects.update(checked_at=ago(minutes=11))
        self.assertEqual(self.trouble("Checks").title, "Systems are not checked")

    def test_tokens_are_told_two_weeks_before_and_after_their_end(self) -> None:
        for name, days in (("soon", 13), ("later", 15), ("revoked", 1)):
            Token.issue(name, ["sites"], days=days)
        Token.objects.get(name="revoked").revoke()
        Token.issue("ended", ["sites"], days=-1)
        Token.issue("long ago", ["sites"], days=-15)
        titles = [trouble.title for trouble in self.groups()["Tokens"].troubles]
        self.assertEqual(titles, ["The token ended has expired", "The token soon expires soon"])

    @override_settings(SITE_IP_RANGE="192.168.1.100-192.168.1.109", SITE_GATEWAY="192.168.1.100")
    def test_a_full_range_is_an_alarm_and_a_nearly_full_one_a_hint(self) -> None:
        for last in range(101, 104):
            SiteFactory(private_ip=f"192.168.1.{last}")
        self.assertEqual(self.groups(), {})
        SiteFactory(private_ip="192.168.1.104")
        self.assertEqual(self.trouble("Addresses").title, "Few addresses are free")
        for last in range(105, 110):
            SiteFactory(private_ip=f"192.168.1.{last}")
        trouble = self.trouble("Addresses")
        self.assertEqual(trouble.title, "No address is free: orders are refused")
        self.assertTrue(self.groups()["Addresses"].failing)
        self.assert_opens(trouble.url)

    def test_findings_lead_to_the_site_or_to_themselves(self) -> None:
        site = SiteFactory()
        for number, (kind, group) in enumerate(
            (
                (Finding.Kind.DIFFERS, "Differences"),
                (Finding.Kind.RUNS, "Suspended but running"),
                (Finding.Kind.EXPIRES, "Certificates"),
            )
        ):
            row = {"look": "x", "digest": str(number), "system": "npm", "thing": "it", "label": "S"}
            finding = Finding.objects.create(kind=kind, subject=site.key if number else "", **row)
            with self.subTest(kind):
                url = self.trouble(group).url
                wanted = f"sites/site/{site.pk}/" if number else f"board/finding/{finding.pk}/"
                self.assertIn(wanted, url)
                if not number:
                    self.assert_opens(url)


class DismissTests(BoardTestCase):
    def test_an_operator_takes_a_trouble_off_the_board_and_the_log_keeps_why(self) -> None:
        job = make_job(state=Job.State.FAILED)
        self.assertContains(self.board(), f'value="job:{job.pk}"')
        answer = self.client.post(DISMISS, {"key": f"job:{job.pk}", "reason": "Customer left"})
        self.assertRedirects(answer, BOARD)
        self.assertEqual(self.groups(), {})
        entry = Entry.objects.get(act="board.dismiss")
        self.assertEqual((entry.actor, entry.reason, entry.job_id), ("olga", "Customer left", job.pk))
        self.client.post(DISMISS, {"key": f"job:{job.pk}"})
        self.assertEqual(Entry.objects.filter(act="board.dismiss").count(), 1)

    def test_a_failed_step_and_a_notice_can_be_taken_off_too(self) -> None:
        job, notice = make_job(), make_notice(state=Job.State.FAILED)
        step = job.steps.first()
        JobStep.objects.filter(pk=step.pk).update(state=JobStep.State.FAILED)
        for key in (f"step:{step.pk}", f"job:{notice.pk}"):
            self.assertIn("Failed e-mails and extras", self.groups())
            self.client.post(DISMISS, {"key": key})
        self.assertEqual(self.groups(), {})

    def test_support_sees_it_and_cannot_take_it_off(self) -> None:
        job = make_job(state=Job.State.FAILED)
        self.log_in_as("support")
        page = self.board()
        self.assertContains(page, "Look at this now")
        self.assertNotContains(page, "Take it off the board")
        self.assertEqual(self.client.post(DISMISS, {"key": f"job:{job.pk}"}).status_code, 403)
        self.assertFalse(Dismissal.objects.exists())

    def test_a_link_does_nothing_and_a_made_up_key_is_404(self) -> None:
        job = make_job(state=Job.State.FAILED)
        self.client.get(DISMISS, {"key": f"job:{job.pk}"})
        for key in (f"job:{'0' * 32}", "step:99999999", "finding:1", "job:' OR 1"):
            self.assertEqual(self.client.post(DISMISS, {"key": key}).status_code, 404, key)
        self.assertFalse(Dismissal.objects.exists())


class InFlightTests(BoardTestCase):
    def test_it_tells_how_far_each_job_is(self) -> None:
        job = make_job(state=Job.State.RUNNING)
        JobStep.objects.filter(job=job, position=0).update(
            state=JobStep.State.DONE, usual_seconds=60, finished_at=timezone.now()
        )
        (line,) = self.client.get(FLIGHT).json()["jobs"]
        self.assertEqual((line["id"], line["title"], line["about"]), (job.pk, "Suspend site", "S1"))
        self.assertGreater(line["percent"], 50)
        self.assertEqual(line["state"], "Running")
        self.assert_opens(line["url"])

    def test_twenty_are_shown_and_the_rest_is_a_number(self) -> None:
        for number in range(23):
            make_job(f"sites.site:{number}", state=Job.State.RUNNING)
        make_job("sites.site:99")
        make_notice(state=Job.State.RUNNING)
        answer = self.client.get(FLIGHT).json()
        self.assertEqual((len(answer["jobs"]), answer["more"]), (20, 3))

    def test_a_job_of_another_release_does_not_break_the_page(self) -> None:
        make_job(state=Job.State.RUNNING)
        Job.objects.update(kind="sites.of_tomorrow")
        (line,) = self.client.get(FLIGHT).json()["jobs"]
        self.assertEqual((line["percent"], line["step"]), (0, "It is of another release."))
        self.board()

    def test_nobody_sees_it_without_the_permission(self) -> None:
        self.client.force_login(User.objects.create_user("nobody", is_staff=True))
        self.assertEqual(self.client.get(FLIGHT).status_code, 403)
        page = self.board()
        self.assertNotContains(page, "Jobs in flight")
        self.assertEqual((page.context["groups"], page.context["pictures"]), ([], []))
        self.client.logout()
        self.assertEqual(self.client.get(FLIGHT).status_code, 302)


class PageTests(BoardTestCase):
    def fill(self, count: int) -> None:
        """Every kind of trouble, so many times."""
        for number in range(count):
            site = SiteFactory()
            make_job(site.key, state=Job.State.FAILED)
            make_job(f"{site.key}0", state=Job.State.ROLLING_BACK)
            spared = make_job(f"{site.key}1")
            spared.steps.update(state=JobStep.State.FAILED)
            make_notice(state=Job.State.FAILED)
            Token.issue(f"t{number}", ["sites"], days=1)
            for kind in Finding.Kind.values:
                row = {"look": "x", "digest": f"{site.pk}{kind}", "system": "npm", "thing": "it"}
                Finding.objects.create(kind=kind, subject=site.key, **row)
        Lease.objects.update(until=timezone.now() + timedelta(hours=1))

    def test_its_queries_do_not_grow_with_the_rows(self) -> None:
        self.fill(21)
        few = self.queries_of(BOARD)
        self.fill(9)
        self.assertEqual(self.queries_of(BOARD), few)
        self.assertLessEqual(few, 54)

    def test_the_parts_that_are_polled_are_cheap(self) -> None:
        self.fill(6)
        with self.assertNumQueries(7):
            self.client.get(FLIGHT)

    def test_every_picture_has_its_table(self) -> None:
        SiteFactory()
        page = self.board()
        titles = [drawn["picture"].title for drawn in page.context["pictures"]]
        self.assertEqual(
            titles,
            [
                "Orders and success by day",
                "Time to live, by step",
                "API calls of the last 24 hours",
                "Capacity of the nodes",
                "Addresses and VMIDs",
            ],
        )
        self.assertEqual(page.content.count(b"<canvas"), page.content.count(b"The same as a table"))

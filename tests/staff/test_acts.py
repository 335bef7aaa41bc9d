"""Acts on sites: who may do what, what stands on the page before, what is written down, refusals."""

from django.contrib.sessions.models import Session
from django.test import Client
from django.utils.html import escape

from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from sites.admin.acts import ACTS
from sites.models import CustomDomain, Platform, Site
from sites.services.legality import RULES, Facts, legal_acts
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTransactionTestCase, at_once
from tests.staff.acts import ActsCase
from tests.staff.base import make_staff

INSIDE = {"options", "safe_mode_on", "safe_mode_off"}
PERMITTED_TO_SUPPORT = {"start", "stop", "restart", "login", "back_up", "archive", *INSIDE}


class PermissionTests(ActsCase):
    def offered(self, site: Site) -> set[str]:
        page = self.client.get(f"/admin/sites/site/{site.pk}/change/").content.decode()
        return {act.name for act in ACTS if f'"{self.url(site, act.name)}' in page}

    def test_support_is_offered_what_does_no_harm(self) -> None:
        site = self.live_site()
        self.act("/action/mkbak")
        self.read_anew()
        everything = self.offered(site)
        self.assertEqual(everything, set(legal_acts(Facts(site))))
        self.client.force_login(make_staff("sam", "support"))
        self.assertEqual(self.offered(site), everything & PERMITTED_TO_SUPPORT)

    def test_a_post_without_permission_is_403_whatever_is_offered(self) -> None:
        site = self.live_site()
        self.client.force_login(make_staff("sam", "support"))
        for act in RULES:
            with self.subTest(act=act):
                for method in (self.client.get, self.client.post):
                    status = method(self.url(site, act), self.fields(site, act)).status_code
                    self.assertEqual(status == 403, act not in PERMITTED_TO_SUPPORT, status)
        self.assertFalse(Job.objects.filter(kind__in=["sites.terminate", "sites.suspend", "sites.reset"]))
        site.refresh_from_db()
        self.assertEqual((site.state, site.backup_quota), ("live", None))

    def test_nor_may_support_adopt_pause_or_steer(self) -> None:
        site = self.create()
        self.client.force_login(make_staff("sam", "support"))
        job = self.job(site)
        paths = [
            "/admin/sites/site/adopt-container/",
            "/admin/sites/platform/1/act/pause_orders/",
            *(
                f"/admin/jobs/job/{job.pk}/act/{move}/"
                for move in ("retry", "skip", "cancel", "give_up", "ask_again")
            ),
        ]
        for path in paths:
            self.assertEqual(self.client.post(path, {"reason": "x"}).status_code, 403, path)
        self.assertIsNone(Platform.current().orders_paused_at)

    def test_who_may_not_look_may_not_act(self) -> None:
        site = self.live_site()
        self.client.force_login(make_staff("nobody"))
        for path in (
            f"/admin/sites/site/{site.pk}/change/",
            f"/admin/sites/site/{site.pk}/live/",
            self.url(site, "stop"),
        ):
            self.assertEqual(self.client.get(path).status_code, 403, path)
        self.client.logout()
        for path in (f"/admin/sites/site/{site.pk}/live/", self.url(site, "stop")):
            self.assertEqual(self.client.post(path).status_code, 302, path)

    def test_a_forged_post_is_refused(self) -> None:
        site = self.live_site()
        strict = self.client_class(enforce_csrf_checks=True)
        strict.force_login(self.staff)
        self.assertEqual(self.press(site, "stop", strict).status_code, 403)


class PageBeforeTests(ActsCase):
    def test_a_get_says_what_will_happen_and_does_nothing(self) -> None:
        site = self.live_site()
        jobs, entries = Job.objects.count(), Entry.objects.count()
        self.read_anew()
        for act in ACTS:
            if act.name in legal_acts(Facts(site)):
                page = self.client.get(self.url(site, act.name))
                self.assertContains(page, escape(act.question))
                self.assertContains(page, "Service 1001")
                self.assertContains(page, 'name="reason"')
        self.assertEqual((Job.objects.count(), Entry.objects.count()), (jobs, entries))

    def test_what_is_deleted_is_named(self) -> None:
        site = self.live_site()
        CustomDomain.objects.create(site=site, domain="www.example.org", status="active")
        page = self.client.get(self.url(site, "delete"))
        for named in (site.hostname, "www.example.org", f"container {site.vmid} on {site.node}"):
            self.assertContains(page, named)

    def test_what_cannot_be_taken_back_is_typed(self) -> None:
        site = self.live_site()
        for typed in ("", "100", "1001 "[:3]):
            answer = self.press(site, "delete", typed=typed)
            self.assertEqual(answer.status_code, 200)
        site.refresh_from_db()
        self.assertIsNone(site.deletion_requested_at)
        self.assertEqual(self.press(site, "delete").status_code, 302)
        site.refresh_from_db()
        self.assertIsNotNone(site.deletion_requested_at)

    def test_a_reason_where_one_is_needed_and_no_control_characters(self) -> None:
        site = self.live_site()
        self.assertContains(self.press(site, "delete", reason=""), "This field is required.")
        self.assertContains(self.press(site, "stop", reason="a\x0bb"), "Control characters")
        self.assertContains(self.press(site, "stop", reason="x" * 201), "at most 200")
        self.assertFalse(Job.objects.filter(kind="sites.stop").exists())

    def test_a_backup_is_chosen_by_the_button_beside_it(self) -> None:
        site = self.live_site()
        self.act("/action/mkbak")
        name = site.backups.get().name
        page = self.client.get(f"/admin/sites/site/{site.pk}/change/").content.decode()
        self.assertIn(f"{self.url(site, 'roll_back')}?backup={name}", page)
        page = self.client.get(f"{self.url(site, 'roll_back')}?backup={name}")
        self.assertContains(page, f'<option value="{name}" selected>')
        self.assertContains(page, f"since {name} is lost")

    def test_what_is_not_possible_any_more_leads_back_with_a_word(self) -> None:
        site = self.live_site()
        self.delete()
        answer = self.client.get(self.url(site, "stop"), follow=True)
        self.assertRedirects(answer, f"/admin/sites/site/{site.pk}/change/")
        self.assertContains(answer, "Stop: this is not possible any more.")

    def test_a_row_or_an_act_that_is_not_there_is_not_found(self) -> None:
        site = self.live_site()
        for path in (
            "/admin/sites/site/999/act/stop/",
            "/admin/sites/site/x/act/stop/",
            self.url(site, "explode"),
        ):
            self.assertEqual(self.client.post(path, {}).status_code, 404, path)


class TraceTests(ActsCase):
    def test_the_log_says_who_why_and_from_where(self) -> None:
        site = self.live_site()
        self.client.post(self.url(site, "stop"), self.fields(site, "stop"), REMOTE_ADDR="192.0.2.77")
        entry = Entry.objects.filter(subject=site.key).first()
        self.assertEqual(
            (entry.act, entry.kind, entry.actor, entry.address, entry.reason, entry.label),
            ("sites.stop", "staff", "anna", "192.0.2.77", "a customer called", "1001"),
        )
        job = Job.objects.get(kind="sites.stop")
        self.assertEqual((entry.job_id, job.actor), (job.pk, "staff anna"))
        page = self.client.get(f"/admin/sites/site/{site.pk}/change/")
        for shown in ("Stop site", "a customer called", "192.0.2.77", "anna"):
            self.assertContains(page, shown)

    def test_a_login_link_is_shown_once_and_kept_nowhere(self) -> None:
        site = self.live_site()
        answer = self.press(site, "login")
        self.assertContains(
            answer, f"https://{site.hostname}/wp-admin/admin-post.php?action=nodepoint_login#"
        )
        token = answer.content.decode().partition("nodepoint_login#")[2][:64]
        self.assertIn("no-store", answer["Cache-Control"])
        self.assertEqual(answer["Referrer-Policy"], "no-referrer")
        entry = Entry.objects.get(subject=site.key, act="sites.login")
        self.assertEqual((entry.actor, entry.reason), ("anna", "a customer called"))
        for model in (Entry, Job, Session):
            for row in model.objects.values():
                self.assertNotIn(token, str(row))
        page = self.client.get(f"/admin/sites/site/{site.pk}/change/")
        self.assertNotContains(page, token)


class RefusalTests(ActsCase):
    def test_a_refusal_is_shown_as_a_message(self) -> None:
        site = self.live_site()
        self.ask("/action/mkbak")
        answer = self.client.post(self.url(site, "stop"), self.fields(site, "stop"), follow=True)
        self.assertContains(answer, "Make backup is still running.")
        self.assertFalse(Job.objects.filter(kind="sites.stop").exists())

    def test_a_system_that_is_away_is_named(self) -> None:
        site = self.live_site()
        self.fault("ssh", "refuse", count=100)
        (sentence,) = self.said(self.press(site, "login"))
        self.assertIn("The SSH service of the node", sentence)

    def test_twice_is_once(self) -> None:
        site = self.live_site()
        first, second = self.press(site, "back_up"), self.press(site, "back_up")
        self.assertEqual(Job.objects.filter(kind="sites.backup").count(), 1)
        self.assertEqual([first.status_code, second.status_code], [302, 302])
        for _ in range(2):
            self.press(site, "delete")
        self.assertEqual(Job.objects.filter(kind="sites.terminate").count(), 1)

    def test_a_page_of_an_older_order_does_not_act_on_the_newer_site(self) -> None:
        old = self.live_site()
        self.delete()
        self.run_jobs()
        new = self.live_site()
        for act in ("stop", "suspend", "delete", "upgrade", "back_up"):
            answer = self.press(old, act)
            self.assertNotIn("below", " ".join(self.said(answer)))
        self.assertEqual(
            set(Job.objects.filter(subject=new.key).values_list("kind", flat=True)), {"sites.provision"}
        )


class AtOnceTests(ActsMixin, SiteTransactionTestCase):
    def test_two_members_of_staff_at_the_same_moment(self) -> None:
        site = self.live_site()
        staff = [make_staff(name, "operator") for name in ("anna", "ben")]
        clients = [Client(), Client()]
        for client, user in zip(clients, staff, strict=True):
            client.force_login(user)

        def press(client: Client, act: str):
            return client.post(f"/admin/sites/site/{site.pk}/act/{act}/", {"reason": "x", "typed": "1001"})

        at_once([lambda c=client: press(c, "back_up") for client in clients])
        self.assertEqual(Job.objects.filter(kind="sites.backup").count(), 1)
        self.run_jobs()
        at_once([lambda c=client: press(c, "delete") for client in clients])
        self.assertEqual(Job.objects.filter(kind="sites.terminate").count(), 1)

"""Guessing passwords is slow, whoever guesses and whatever he says about himself."""

from datetime import timedelta
from unittest import mock

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import override_settings
from django.utils import timezone

from nodepoint.audit.models import Entry
from nodepoint.jobs.registry import periodic_tasks
from nodepoint.staff.tasks import clear_sessions
from tests.staff.base import PASSWORD, StaffTestCase, make_staff

LIMIT = 5


class LoginTests(StaffTestCase):
    def setUp(self) -> None:
        self.anna = make_staff("anna", "support")

    def fail(self, times: int, name: str = "anna", **extra: str) -> list[int]:
        """The statuses of that many wrong passwords."""
        return [self.log_in(name, "wrong", **extra).status_code for _ in range(times)]

    def later(self, **span: float):
        """The clock of logins that much later."""
        return mock.patch("axes.handlers.proxy.now", lambda: timezone.now() + timedelta(**span))

    def test_name_and_password_lead_to_the_page_that_was_asked_for(self) -> None:
        answer = self.log_in("anna", path="/admin/sites/site/")
        self.assertRedirects(answer, "/admin/sites/site/", fetch_redirect_response=False)
        self.assertEqual(self.client.get("/admin/").status_code, 200)

    def test_a_login_stands_in_the_log_of_acts(self) -> None:
        self.log_in("anna", REMOTE_ADDR="192.0.2.7")
        entry = self.last_entry()
        facts = (entry.act, entry.kind, entry.actor, entry.address, entry.label)
        self.assertEqual(facts, ("staff.log_in", "staff", "anna", "192.0.2.7", "anna"))

    def test_after_five_failures_even_the_right_password_is_refused(self) -> None:
        self.assertEqual(self.fail(LIMIT), [200] * (LIMIT - 1) + [429])
        answer = self.log_in("anna")
        self.assertEqual(answer.status_code, 429)
        self.assertContains(answer, "Try again in 15 minutes", status_code=429)
        self.assertLessEqual(int(answer["Retry-After"]), 900)
        self.assertGreater(int(answer["Retry-After"]), 890)
        self.assertNotIn("_auth_user_id", self.client.session)

    def test_the_pause_ends_after_a_quarter_of_an_hour_though_one_tried_meanwhile(self) -> None:
        self.fail(LIMIT)
        with self.later(minutes=14):
            self.assertEqual(self.log_in("anna").status_code, 429)
        with self.later(minutes=15, seconds=1):
            self.assertEqual(self.log_in("anna").status_code, 302)

    def test_a_login_forgets_earlier_failures(self) -> None:
        self.fail(LIMIT - 1)
        self.log_in("anna")
        self.client.logout()
        self.assertEqual(self.fail(LIMIT - 1), [200] * (LIMIT - 1))

    def test_another_browser_is_the_same_guesser(self) -> None:
        for number in range(LIMIT):
            self.fail(1, HTTP_USER_AGENT=f"browser {number}")
        self.assertEqual(self.log_in("anna", HTTP_USER_AGENT="another").status_code, 429)

    def test_the_real_person_elsewhere_is_let_in(self) -> None:
        self.fail(LIMIT, REMOTE_ADDR="192.0.2.66")
        self.assertEqual(self.log_in("anna", REMOTE_ADDR="192.0.2.7").status_code, 302)

    def test_an_unknown_name_is_refused_alike(self) -> None:
        self.assertEqual(self.fail(LIMIT + 1, "nobody"), [200] * (LIMIT - 1) + [429, 429])

    @override_settings(BEHIND_TLS=True)
    def test_behind_tls_the_address_is_the_one_that_the_proxy_wrote(self) -> None:
        for number in range(LIMIT):  # what stands before it anybody could have written
            self.fail(1, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 192.0.2.66")
        self.assertEqual(self.log_in("anna", HTTP_X_FORWARDED_FOR="192.0.2.66").status_code, 429)
        self.assertEqual(self.log_in("anna", HTTP_X_FORWARDED_FOR="192.0.2.66, 192.0.2.7").status_code, 302)

    def test_whoever_is_no_trusted_proxy_cannot_say_that_he_is_elsewhere(self) -> None:
        sender = {"REMOTE_ADDR": "203.0.113.9"}
        for number in range(LIMIT):
            self.fail(1, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}", **sender)
        self.assertEqual(self.log_in("anna", HTTP_X_FORWARDED_FOR="192.0.2.7", **sender).status_code, 429)

    def test_no_password_is_kept_of_a_failure(self) -> None:
        self.log_in("anna", "almost right")
        attempt = AccessAttempt.objects.get()
        self.assertNotIn("almost right", f"{attempt.post_data}{attempt.get_data}")

    def test_an_administrator_unlocks(self) -> None:
        self.fail(LIMIT, REMOTE_ADDR="192.0.2.7")
        self.client.force_login(make_staff("bob", "administrator"))
        page = "/admin/axes/accessattempt/"
        self.assertContains(self.client.get(page), "192.0.2.7")
        chosen = {"action": "unlock", "_selected_action": [AccessAttempt.objects.get().pk]}
        self.client.post(page, chosen)
        entry = Entry.objects.get(act="axes.unlock_accessattempt")
        self.assertEqual((entry.label, entry.actor, entry.before["failures"]), ("anna", "bob", LIMIT))
        self.client.logout()
        self.assertEqual(self.log_in("anna", REMOTE_ADDR="192.0.2.7").status_code, 302)

    def test_nobody_else_unlocks(self) -> None:
        self.fail(LIMIT)
        for role in ("support", "operator"):
            self.client.force_login(make_staff(role, role))
            self.assertEqual(self.client.get("/admin/axes/accessattempt/").status_code, 403)

    def test_a_next_page_elsewhere_is_not_gone_to(self) -> None:
        answer = self.log_in("anna", path="https://evil.example/")
        self.assertNotIn("evil", answer["Location"])

    def test_without_a_next_page_it_leads_to_the_board(self) -> None:
        answer = self.client.post("/admin/login/", {"username": "anna", "password": PASSWORD})
        self.assertRedirects(answer, "/admin/", fetch_redirect_response=False)

    def test_a_session_ends_after_its_hours(self) -> None:
        self.log_in("anna")
        self.assertEqual(self.client.cookies["sessionid"]["max-age"], settings.SESSION_COOKIE_AGE)
        self.assertEqual(settings.SESSION_COOKIE_AGE, 12 * 3600)
        self.assertTrue(self.client.cookies["sessionid"]["httponly"])
        self.assertEqual(self.client.cookies["sessionid"]["samesite"], "Lax")

    def test_sessions_that_have_ended_are_cleared(self) -> None:
        self.log_in("anna")
        self.assertIn("nodepoint.staff.tasks.clear_sessions", periodic_tasks())
        self.assertEqual(clear_sessions(), 0)
        Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        self.assertEqual((clear_sessions(), Session.objects.count()), (1, 0))

    def test_ones_own_new_password_is_written_down(self) -> None:
        self.log_in("anna")
        new = "another horse battery"
        data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        self.assertEqual(self.client.post("/admin/password_change/", data).status_code, 302)
        entry = self.last_entry()
        self.assertEqual((entry.act, entry.actor, entry.after), ("staff.change_password", "anna", {}))

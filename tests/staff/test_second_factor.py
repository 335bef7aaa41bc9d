"""The code after the password: asked for, used up, slowed down, replaced when the phone is lost."""

import os
import re
from datetime import timedelta
from io import StringIO
from unittest import mock

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from nodepoint import env
from nodepoint.audit.models import Entry
from nodepoint.staff import second_factor
from tests.staff.base import StaffTestCase, code_of, make_staff

PAGE = "/admin/second-factor/"
CODE = re.compile(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}")


class SecondFactorTestCase(StaffTestCase):
    def setUp(self) -> None:
        self.anna = make_staff("anna", "support")

    def enrol(self, user: User) -> tuple[TOTPDevice, list[str]]:
        """A device set up half a minute ago, so that its present code is still good."""
        device, codes = second_factor.enrol(
            user, key := second_factor.new_key(), code_of(second_factor.draft(user, key), steps=-1)
        )
        return device, codes

    def give(self, code: str, path: str = "/admin/"):
        """A code on the page that asks for it."""
        return self.client.post("/admin/code/", {"code": code, "next": path})

    def logged_in(self) -> bool:
        """Whether the admin lets this client in."""
        return self.client.get("/admin/support/supportkey/").status_code == 200


class CodeTests(SecondFactorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.device, self.codes = self.enrol(self.anna)

    def wrong(self) -> str:
        """Six digits that are no code now."""
        near = {code_of(self.device, steps=steps) for steps in range(-3, 4)}
        return next(text for text in (f"{number:06d}" for number in range(10)) if text not in near)

    def test_the_password_alone_opens_nothing(self) -> None:
        answer = self.log_in("anna", path="/admin/sites/site/")
        self.assertRedirects(answer, "/admin/code/?next=%2Fadmin%2Fsites%2Fsite%2F")
        self.assertNotIn("_auth_user_id", self.client.session)
        self.assertFalse(self.logged_in())

    def test_the_code_leads_to_the_page_that_was_asked_for(self) -> None:
        self.log_in("anna")
        answer = self.give(code_of(self.device), "/admin/sites/site/")
        self.assertRedirects(answer, "/admin/sites/site/", fetch_redirect_response=False)
        self.assertTrue(self.logged_in())
        self.assertEqual(Entry.objects.get(act="staff.log_in").after, {"second_factor": "App"})

    def test_a_code_may_be_written_with_a_space(self) -> None:
        self.log_in("anna")
        code = code_of(self.device)
        self.assertEqual(self.give(f" {code[:3]} {code[3:]} ").status_code, 302)

    def test_a_code_works_once(self) -> None:
        code = code_of(self.device)
        self.log_in("anna")
        self.give(code)
        other = Client()
        self.client = other
        self.log_in("anna")
        self.assertContains(self.give(code), "wrong or was used before")
        self.assertFalse(self.logged_in())

    def test_after_a_wrong_code_there_is_a_pause_even_for_the_right_one(self) -> None:
        self.log_in("anna")
        self.assertContains(self.give(self.wrong()), "wrong or was used before")
        self.assertContains(self.give(code_of(self.device)), "Try again in 1 second.")
        code, later = code_of(self.device), timezone.now() + timedelta(seconds=2)
        with mock.patch("django_otp.models.timezone.now", lambda: later):
            self.assertEqual(self.give(code).status_code, 302)

    def test_pauses_grow_wherever_the_guesses_come_from(self) -> None:
        self.device.throttling_failure_count = 8
        self.device.throttling_failure_timestamp = timezone.now()
        self.device.save()
        self.log_in("anna", REMOTE_ADDR="192.0.2.9")
        self.assertContains(self.give(code_of(self.device)), "Try again in 3 minutes.")

    def test_wrong_codes_count_like_wrong_passwords(self) -> None:
        self.log_in("anna")
        statuses = []
        for seconds in (0, 2, 5, 10, 20):
            later = timezone.now() + timedelta(seconds=seconds)
            with mock.patch("django_otp.models.timezone.now", lambda later=later: later):
                statuses.append(self.give(self.wrong()).status_code)
        self.assertEqual(statuses, [200] * 4 + [429])
        self.assertEqual(self.give(code_of(self.device)).status_code, 429)
        self.assertEqual(self.log_in("anna").status_code, 429)

    def test_the_password_counts_for_ten_minutes(self) -> None:
        self.log_in("anna")
        late = timezone.now().timestamp() + 601
        with mock.patch("nodepoint.staff.login.time.time", lambda: late):
            self.assertRedirects(
                self.give(code_of(self.device)), "/admin/login/", fetch_redirect_response=False
            )
        self.assertFalse(self.logged_in())

    def test_a_new_password_voids_the_first_step(self) -> None:
        self.log_in("anna")
        self.anna.set_password("something else entirely")
        self.anna.save()
        self.give(code_of(self.device))
        self.assertFalse(self.logged_in())

    def test_anothers_code_does_not_fit(self) -> None:
        other, codes = self.enrol(make_staff("bob", "support"))
        self.log_in("anna")
        self.give(code_of(other))
        later = timezone.now() + timedelta(seconds=5)
        with mock.patch("django_otp.models.timezone.now", lambda: later):
            self.give(codes[0])
        self.assertFalse(self.logged_in())

    def test_a_recovery_code_logs_in_once(self) -> None:
        self.log_in("anna")
        self.assertEqual(self.give(self.codes[3].upper()).status_code, 302)
        self.assertTrue(self.logged_in())
        entry = Entry.objects.get(act="staff.use_recovery_code")
        self.assertEqual((entry.label, entry.after), ("anna", {"codes_left": 9}))
        self.client = Client()
        self.log_in("anna")
        self.give(self.codes[3])
        self.assertFalse(self.logged_in())

    def test_recovery_codes_are_kept_as_hashes(self) -> None:
        kept = set(StaticToken.objects.values_list("token", flat=True))
        self.assertEqual(len(kept), 10)
        self.assertFalse(kept & {code.replace("-", "") for code in self.codes})

    def test_the_last_codes_are_warned_of(self) -> None:
        for token in list(StaticToken.objects.all())[: len(self.codes) - 3]:
            token.delete()
        self.log_in("anna")
        self.give(code_of(self.device))
        self.assertContains(self.client.get("/admin/support/supportkey/"), "Only 3 recovery codes are left")

    def test_a_session_from_before_the_device_is_asked_for_a_code(self) -> None:
        self.client.force_login(self.anna)
        answer = self.client.get("/admin/sites/site/")
        self.assertRedirects(answer, "/admin/code/?next=%2Fadmin%2Fsites%2Fsite%2F")
        self.assertEqual(self.client.get("/docs").status_code, 302)
        self.assertEqual(self.client.post(PAGE, {"code": self.wrong()}).status_code, 200)
        code, later = code_of(self.device), timezone.now() + timedelta(seconds=2)
        with mock.patch("django_otp.models.timezone.now", lambda: later):
            self.assertEqual(self.give(code).status_code, 302)
        self.assertTrue(self.logged_in())

    def test_nobody_in_particular_is_sent_to_the_login(self) -> None:
        self.assertRedirects(self.client.get("/admin/code/"), "/admin/login/", fetch_redirect_response=False)

    def test_a_next_page_elsewhere_is_not_gone_to(self) -> None:
        self.log_in("anna")
        answer = self.give(code_of(self.device), "https://evil.example/")
        self.assertRedirects(answer, "/admin/", fetch_redirect_response=False)


class EnrolmentTests(SecondFactorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.anna)

    def key(self) -> TOTPDevice:
        """What the app knows after it has read the QR code."""
        return second_factor.draft(self.anna, self.client.session["staff_new_key"])

    def set_up(self) -> str:
        """The page with the recovery codes."""
        self.client.get(PAGE)
        answer = self.client.post(PAGE, {"code": code_of(self.key())})
        self.assertEqual(answer.status_code, 200)
        return answer.content.decode()

    def test_the_page_shows_the_secret_to_cameras_and_people(self) -> None:
        page = self.client.get(PAGE)
        secret = self.key().config_url.partition("secret=")[2][:4]
        self.assertContains(page, "<svg")
        self.assertContains(page, secret)
        self.assertIn("no-store", page["Cache-Control"])
        self.assertNotContains(page, "style=")

    def test_nothing_is_kept_before_a_code_has_shown_that_the_app_has_it(self) -> None:
        self.client.get(PAGE)
        self.assertContains(self.client.post(PAGE, {"code": "000000"}), "should show another code")
        self.assertEqual(TOTPDevice.objects.count() + StaticDevice.objects.count(), 0)

    def test_ten_recovery_codes_are_shown_once(self) -> None:
        codes = CODE.findall(self.set_up())
        self.assertEqual(len(set(codes)), 10)
        self.assertNotRegex(self.client.get(PAGE).content.decode(), CODE)
        self.assertTrue(self.logged_in())
        entry = Entry.objects.get(act="staff.enrol_second_factor")
        self.assertEqual((entry.actor, entry.label), ("anna", "anna"))
        self.assertNotIn(codes[0], str([entry.before, entry.after]))

    def test_new_recovery_codes_void_the_old_ones(self) -> None:
        old = CODE.findall(self.set_up())
        answer = self.client.post(PAGE, {"code": code_of(self.key_of_anna(), steps=1), "act": "codes"})
        new = CODE.findall(answer.content.decode())
        self.assertEqual(len(new), 10)
        self.assertFalse(set(old) & set(new))
        with self.assertRaises(second_factor.WrongCode):
            second_factor.verify(self.anna, old[0])

    def test_taking_it_away_takes_a_code(self) -> None:
        codes = CODE.findall(self.set_up())
        self.client.post(PAGE, {"code": "", "act": "remove"})
        self.assertTrue(TOTPDevice.objects.exists())
        self.client.post(PAGE, {"code": codes[0], "act": "remove"})
        self.assertFalse(TOTPDevice.objects.exists() or StaticDevice.objects.exists())
        self.assertTrue(self.logged_in())

    def key_of_anna(self) -> TOTPDevice:
        """The device that is set up."""
        return TOTPDevice.objects.get(user=self.anna)

    @override_settings(STAFF_TWO_FACTOR="required")
    def test_where_it_is_required_nothing_else_can_be_done_without(self) -> None:
        for path in ("/admin/", "/admin/support/supportkey/", "/admin/password_change/", "/docs", "/schema"):
            with self.subTest(path=path):
                self.assertRedirects(
                    self.client.get(path),
                    f"{PAGE}?next={path.replace('/', '%2F')}",
                    fetch_redirect_response=False,
                )
        answer = self.client.post("/admin/support/supportkey/", {"action": "export_chosen"})
        self.assertEqual((answer.status_code, answer["Location"]), (302, f"{PAGE}?"))
        self.assertEqual(self.client.get(PAGE).status_code, 200)
        self.set_up()
        self.assertTrue(self.logged_in())

    def test_a_setting_that_cannot_be_understood_stops_everything(self) -> None:
        with mock.patch.dict(os.environ, {"STAFF_TWO_FACTOR": "Required"}):
            self.assertEqual(env.choice("STAFF_TWO_FACTOR", "optional", "required"), "required")
        with mock.patch.dict(os.environ, {"STAFF_TWO_FACTOR": "yes"}):
            message = "STAFF_TWO_FACTOR must be optional or required, not 'yes'"
            with self.assertRaisesMessage(ImproperlyConfigured, message):
                env.choice("STAFF_TWO_FACTOR", "optional", "required")

    @override_settings(STAFF_TWO_FACTOR="required")
    def test_who_lacks_it_can_log_out(self) -> None:
        self.assertEqual(self.client.post("/admin/logout/").status_code, 200)


class LostPhoneTests(SecondFactorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.device, self.codes = self.enrol(self.anna)

    def remove(self, by: User, user: User):
        """The button on the user's page, confirmed."""
        self.client.force_login(by)
        return self.client.post(f"/admin/auth/user/{user.pk}/remove_second_factor/")

    def test_an_administrator_takes_it_away(self) -> None:
        answer = self.remove(make_staff("bob", "administrator"), self.anna)
        self.assertEqual(answer.status_code, 302)
        entry = self.last_entry()
        self.assertEqual((entry.act, entry.label, entry.actor), ("staff.remove_second_factor", "anna", "bob"))
        self.client = Client()
        self.assertEqual(self.log_in("anna")["Location"], "/admin/")

    def test_looking_at_the_question_takes_nothing_away(self) -> None:
        self.client.force_login(make_staff("bob", "administrator"))
        answer = self.client.get(f"/admin/auth/user/{self.anna.pk}/remove_second_factor/")
        self.assertContains(answer, "Take away the second factor of anna?")
        self.assertTrue(TOTPDevice.objects.exists())

    def test_others_cannot(self) -> None:
        for role in ("support", "operator"):
            self.assertIn(self.remove(make_staff(role, role), self.anna).status_code, (302, 403))
            self.assertTrue(TOTPDevice.objects.filter(user=self.anna).exists())

    def test_that_of_a_superuser_only_by_a_superuser(self) -> None:
        root = make_staff("root", superuser=True)
        self.enrol(root)
        self.assertEqual(self.remove(make_staff("bob", "administrator"), root).status_code, 403)
        self.assertTrue(TOTPDevice.objects.filter(user=root).exists())

    def test_a_command_helps_where_nobody_is_left(self) -> None:
        out = StringIO()
        call_command("remove_second_factor", "anna", stdout=out)
        self.assertIn("anna logs in with the password alone", out.getvalue())
        self.assertEqual(self.last_entry().actor, "manage.py remove_second_factor")
        for name in ("anna", "nobody"):
            with self.assertRaises(CommandError):
                call_command("remove_second_factor", name)

    def test_sessions_that_were_proved_by_it_go_on_without_until_there_is_a_new_one(self) -> None:
        self.log_in("anna")
        self.give(code_of(self.device))
        second_factor.remove(self.anna)
        self.assertTrue(self.logged_in())
        self.enrol(self.anna)
        self.assertFalse(self.logged_in())

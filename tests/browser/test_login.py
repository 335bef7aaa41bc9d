"""Logging in with two factors as a person does, and pages that want nothing which their policy forbids."""

import re
from base64 import b32decode

from django.contrib import admin
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from nodepoint.api.models import Token
from nodepoint.staff import second_factor
from tests.browser.chromium import BrowserTestCase
from tests.staff.base import PASSWORD, code_of, make_staff


class LoginTests(BrowserTestCase):
    def log_in(self, name: str) -> None:
        """Name and password, by the keyboard alone."""
        self.go("/admin/")
        self.find("#id_username").send_keys(name, Keys.TAB)
        self.browser.switch_to.active_element.send_keys(PASSWORD)
        self.submit("#login-form button[type=submit]")

    def test_a_second_factor_is_set_up_and_asked_for_at_the_next_login(self) -> None:
        anna = make_staff("anna", superuser=True)
        with self.settings(STAFF_TWO_FACTOR="required"):
            self.log_in("anna")
            self.assertTrue(self.path().startswith("/admin/second-factor/"))
            self.assertTrue(self.find(".staff-qr svg").is_displayed())
            key = self.find("code").text.replace(" ", "")
            device = second_factor.draft(anna, _hex(key))
            self.find("#id_code").send_keys(code_of(device, steps=-1))
            self.submit("#code-form button[type=submit]")
            codes = re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", self.find("body").text)
            self.assertEqual(len(codes), 10)
            self.assertEqual(self.console(), [])
            self.browser.delete_all_cookies()
            self.log_in("anna")
            self.assertTrue(self.path().startswith("/admin/code/"))
            self.find("#id_code").send_keys(code_of(TOTPDevice.objects.get(user=anna)))
            self.submit("#code-form button[type=submit]")
            self.assertEqual(self.path(), "/admin/")
            self.assertEqual(self.console(), [])

    def test_everybody_can_use_the_pages_of_logging_in(self) -> None:
        anna = make_staff("anna", superuser=True)
        self.go("/admin/login/")
        self.assertEqual(self.barriers(), [])
        self.log_in("anna")
        for page in ("second_factor", "audit_entry_changelist", "auth_user_changelist", "password_change"):
            with self.subTest(page=page):
                self.go(reverse(f"admin:{page}"))
                self.assertEqual(self.barriers(), [])
        second_factor.enrol(anna, key := second_factor.new_key(), code_of(second_factor.draft(anna, key)))
        self.go("/admin/")
        self.assertTrue(self.path().startswith("/admin/code/"))
        self.assertEqual(self.barriers(), [])

    def test_no_page_wants_what_its_policy_forbids(self) -> None:
        make_staff("root", superuser=True)
        self.log_in("root")
        self.assertEqual(self.console(), [])
        for model in admin.site._registry:
            name = f"{model._meta.app_label}_{model._meta.model_name}"
            with self.subTest(page=name):
                self.go(reverse(f"admin:{name}_changelist"))
                self.assertEqual(self.console(), [])
        for page in ("api_token_add", "sites_plan_add", "auth_user_add", "password_change", "second_factor"):
            with self.subTest(page=page):
                self.go(reverse(f"admin:{page}"))
                self.assertEqual(self.console(), [])
        self.go("/docs")
        self.assertEqual(self.console(), [])

    def test_the_theme_is_at_work_under_the_policy(self) -> None:
        """Choosing a row shows the strip of actions, which Alpine opens and gives its width."""
        make_staff("root", superuser=True)
        self.log_in("root")
        Token.issue("Paymenter", ["sites"])
        self.go("/admin/api/token/")
        self.assertFalse(self.find("#changelist-actions").is_displayed())
        self.browser.find_elements(By.CSS_SELECTOR, "input.action-select")[0].click()
        self.until(lambda: self.find("#changelist-actions").is_displayed())
        self.assertGreater(self.find("#changelist-actions").size["width"], 200)
        self.assertEqual(self.console(), [])


def _hex(base32: str) -> str:
    return b32decode(base32).hex()

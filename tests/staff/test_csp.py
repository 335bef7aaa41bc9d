"""What browsers are told about our answers."""

import re
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.core.checks import run_checks
from django.test import TestCase, override_settings
from unfold.settings import CONFIG_DEFAULTS
from unfold.utils import convert_color

from tests.base import ApiMixin
from tests.staff.base import StaffTestCase, make_staff

INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)[^>]*>|\son\w+\s*=|javascript:|<style\b|\sstyle\s*=", re.IGNORECASE
)
FOLDERS = ("templates", "nodepoint", "sites", "dns", "support")


def policy(response) -> dict[str, str]:
    """The content security policy of an answer, by directive."""
    parts = [part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";")]
    return {name: words for name, _, words in parts}


class ApiTests(ApiMixin, TestCase):
    def test_answers_of_the_api_may_load_nothing(self) -> None:
        for answer in (
            self.get("/whoami"),
            self.client.get("/whoami"),
            self.get("/nowhere"),
            self.get("/health"),
        ):
            self.assertEqual(policy(answer)["default-src"], "'none'")
            self.assertEqual(policy(answer)["frame-ancestors"], "'none'")
            self.assertEqual(
                set(policy(answer)), {"default-src", "base-uri", "form-action", "frame-ancestors"}
            )
            self.assertIn("camera=()", answer["Permissions-Policy"])
            self.assertEqual(answer["Referrer-Policy"], "same-origin")
            self.assertEqual(answer["Cross-Origin-Opener-Policy"], "same-origin")
            self.assertEqual(answer["X-Content-Type-Options"], "nosniff")

    def test_the_docs_may_have_their_one_block_of_styles(self) -> None:
        answer = self.get("/docs")
        found = policy(answer)
        self.assertEqual(found["default-src"], "'none'")
        nonce = re.fullmatch(r"'nonce-(.+)'", found["style-src"])
        self.assertIn(f'<style nonce="{nonce[1]}">', answer.content.decode())
        self.assertNotIn("<script", answer.content.decode())
        self.assertNotEqual(found["style-src"], policy(self.get("/docs/"))["style-src"])


class AdminTests(StaffTestCase):
    def test_the_admin_loads_from_here_and_is_framed_by_nobody(self) -> None:
        self.client.force_login(make_staff("anna", superuser=True))
        for path in ("/admin/login/", "/admin/sites/plan/", "/admin/nowhere/"):
            found = policy(self.client.get(path))
            self.assertEqual(found["default-src"], "'none'")
            self.assertEqual(found["frame-ancestors"], "'none'")
            self.assertNotIn("unsafe-inline", found["style-src"])
            self.assertNotIn("unsafe-inline", found["script-src"])
            self.assertFalse(re.search(r"https?:|\*", " ".join(found.values())))

    def test_pages_hold_no_scripts_handlers_or_styles_of_their_own(self) -> None:
        self.client.force_login(make_staff("anna", superuser=True))
        for path in ("/admin/login/", "/admin/second-factor/", "/admin/sites/plan/", "/admin/audit/entry/"):
            page = self.client.get(path).content.decode()
            self.assertEqual(
                re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\son(?:click|load)=", page), [], path
            )

    def test_templates_of_ours_hold_none_either(self) -> None:
        files = [file for name in FOLDERS for file in (settings.BASE_DIR / name).rglob("*.html")]
        self.assertGreater(len(files), 5)
        for file in files:
            if file.parent.name == "mails":  # read by mail programs, which load no stylesheet
                continue
            found = INLINE.findall(file.read_text().replace('<style nonce="{{ request.csp_nonce }}">', ""))
            # The proxy's nginx answers with that one, not we: one block of styles, nothing else.
            self.assertEqual(found, ["<style"] if file.name == "away.html" else [], file.name)

    def test_the_stylesheet_of_colours_is_the_themes(self) -> None:
        """Unfold would write them into the page; after an upgrade this file has to follow."""
        file = Path(import_module("nodepoint").__file__).parent / "static" / "nodepoint" / "theme.css"
        found = dict(re.findall(r"--color-([\w-]+): (.+);", file.read_text()))
        wanted = {
            f"{name}-{weight}": convert_color(value)
            for name, weights in CONFIG_DEFAULTS["COLORS"].items()
            for weight, value in weights.items()
        }
        self.assertEqual(found, wanted)
        self.client.force_login(make_staff("anna", superuser=True))
        self.assertContains(self.client.get("/admin/sites/plan/"), "nodepoint/theme.css")


class DeploymentTests(TestCase):
    @override_settings(
        BEHIND_TLS=True,
        DEBUG=False,
        SECRET_KEY="".join(map(chr, range(48, 122))),
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_SECURE=True,
        SECURE_HSTS_SECONDS=31_536_000,
        SECURE_HSTS_INCLUDE_SUBDOMAINS=True,
        SECURE_HSTS_PRELOAD=True,
        SILENCED_SYSTEM_CHECKS=["models.W037", "security.W008"],
    )
    def test_behind_tls_django_and_its_guests_find_nothing_to_warn_of(self) -> None:
        found = [one for one in run_checks(include_deployment_checks=True) if not one.is_silenced()]
        ours = [one for one in found if str(one.id).startswith("nodepoint.")]  # this machine's settings
        self.assertEqual([one for one in found if one not in ours], [])

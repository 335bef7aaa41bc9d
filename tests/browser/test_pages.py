"""The pages of sites and jobs in a real browser: they move by themselves and keep nobody out."""

from django.conf import settings
from django.db import connection
from django.test import Client
from selenium.webdriver.common.keys import Keys

from nodepoint.jobs.models import Job
from sites.models import Site
from tests.base import ApiMixin, LabMixin, MigratedRows
from tests.browser.chromium import BrowserTestCase
from tests.nodepoint.jobs.base import _database_in_a_file
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteMixin
from tests.staff.base import make_staff


class PagesTests(ActsMixin, SiteMixin, ApiMixin, LabMixin, MigratedRows, BrowserTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        if connection.vendor == "sqlite":  # the server's threads need connections of their own
            cls.enterClassContext(_database_in_a_file())
        super().setUpClass()

    def log_in(self, role: str) -> None:
        """A session of a member of staff in this role."""
        client = Client()
        client.force_login(make_staff(role, role))
        cookie = {
            "name": settings.SESSION_COOKIE_NAME,
            "value": client.cookies["sessionid"].value,
            "path": "/",
        }
        self.browser.add_cookie(cookie)

    def shows(self, part: str, text: str) -> bool:
        """Whether a part of the page says so now."""
        return text.lower() in self.find(f"[data-live-part={part}]").text.lower()

    def site_page(self, site: Site) -> str:
        return f"/admin/sites/site/{site.pk}/change/"

    def confirm(self, **fields: str) -> None:
        """Fill in the page before an act, and do it."""
        for name, value in fields.items():
            self.find(f"[name={name}]").send_keys(value)
        self.submit("form[data-once] button[type=submit]")

    def test_a_site_becomes_live_before_ones_eyes(self) -> None:
        self.log_in("operator")
        site = self.create()
        self.go(self.site_page(site))
        self.browser.execute_script("window.notReloaded = true")
        self.assertTrue(self.shows("now", "provisioning"))
        self.find("[data-live-part=acts] a[href*='act/delete']").send_keys(Keys.NULL)
        self.run_until(site, "wordpress", state="running")
        self.until(lambda: self.shows("job", "Installing WordPress"))
        self.until(
            lambda: (
                self.find("[data-live-say]").get_attribute("textContent")
                == "Create site: Installing WordPress."
            )
        )
        self.assertTrue(self.browser.find_elements("css selector", "progress"))
        self.run_jobs()
        self.until(lambda: self.shows("now", "running"), 30)
        self.until(
            lambda: self.browser.find_elements("css selector", "[data-live-part=acts] a[href*='act/stop']")
        )
        self.assertTrue(self.browser.execute_script("return window.notReloaded"))
        focused = self.browser.switch_to.active_element.get_attribute("href") or ""
        self.assertIn("act/delete", focused)  # the focus stayed, though the buttons around it changed
        self.assertEqual(self.console(), [])

    def test_a_failed_order_is_asked_for_again_from_its_job(self) -> None:
        self.log_in("operator")
        site = self.create()
        self.fault("npm", "error", count=100_000)
        self.run_for(400)
        self.clear_faults()
        self.run_jobs()
        self.go(f"/admin/jobs/job/{self.job(site).pk}/change/")
        self.assertIn("Nginx Proxy Manager failed with an internal error.", self.find("#content").text)
        self.submit("[data-live-part=acts] a[href*='act/ask_again']")
        self.confirm(reason="the proxy is mended")
        self.run_jobs()
        self.until(lambda: self.shows("job", "succeeded"))
        self.assertEqual(Site.objects.get(live_key="1001").state, "live")

    def test_a_backup_is_gone_back_to(self) -> None:
        self.log_in("operator")
        site = self.live_site()
        self.act("/action/mkbak")
        self.go(self.site_page(site))
        self.submit("[data-live-part=backups] a[href*='act/roll_back']")
        self.assertIn(f"since {site.backups.get().name} is lost", self.find("#content").text)
        self.confirm(reason="the customer broke his theme")
        self.run_jobs()
        self.until(lambda: self.shows("job", "succeeded"))
        self.assertEqual(Job.objects.get(kind="sites.rollback").state, Job.State.SUCCEEDED)
        self.until(lambda: self.shows("entries", "the customer broke his theme"))
        self.assertEqual(self.console(), [])

    def test_support_cannot_delete(self) -> None:
        self.log_in("support")
        site = self.live_site()
        self.go(self.site_page(site))
        self.assertTrue(self.shows("acts", "Restart"))
        for act in ("delete", "suspend", "reset", "overrule"):
            self.assertFalse(self.browser.find_elements("css selector", f"a[href*='act/{act}']"))
        self.go(f"/admin/sites/site/{site.pk}/act/delete/")
        self.assertIn("Not allowed", self.browser.title)

    def test_nobody_is_kept_out_on_a_desk_or_a_phone_by_day_or_night(self) -> None:
        self.log_in("operator")
        site = self.live_site()
        self.act("/action/mkbak")
        self.fault("npm", "drop_before", count=100_000)
        self.ask("/action/toggle")
        self.run_for(60)
        job = Job.objects.get(kind="sites.toggle")
        pages = [
            self.site_page(site),
            f"/admin/sites/site/{site.pk}/act/delete/",
            f"/admin/sites/site/{site.pk}/act/overrule/",
            f"/admin/jobs/job/{job.pk}/change/",
            f"/admin/jobs/job/{job.pk}/act/cancel/",
            "/admin/sites/site/adopt-container/",
            "/admin/sites/platform/1/change/",
        ]
        for width, scheme in ((1400, "light"), (360, "dark")):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
            self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            feature = {"name": "prefers-color-scheme", "value": scheme}
            self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            for page in pages:
                with self.subTest(page=page, width=width):
                    self.go(page)
                    self.assertEqual(self.barriers(), [])
                    wide = "return document.documentElement.scrollWidth > window.innerWidth"
                    self.assertFalse(self.browser.execute_script(wide))
                    self.assertEqual(self.console(), [])

"""The first page in a real browser: it moves by itself, and keeps nobody out."""

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from selenium.webdriver.common.by import By

from nodepoint.board import tasks
from nodepoint.jobs import limits, queue
from tests.base import ApiMixin, LabMixin, MigratedRows
from tests.browser.chromium import BrowserTestCase
from tests.nodepoint.jobs.base import _database_in_a_file
from tests.sites.base import SiteMixin
from tests.staff.base import make_staff


class BoardInBrowserTests(SiteMixin, ApiMixin, LabMixin, MigratedRows, BrowserTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        if connection.vendor == "sqlite":  # the server's threads need connections of their own
            cls.enterClassContext(_database_in_a_file())
        super().setUpClass()

    def setUp(self) -> None:
        super().setUp()
        client = Client()
        client.force_login(make_staff("olga", "operator"))
        session = client.cookies["sessionid"].value
        self.browser.add_cookie({"name": settings.SESSION_COOKIE_NAME, "value": session, "path": "/"})
        limits.take(queue.WORKER, 1, "worker", timezone.now(), 3600)
        tasks.check_systems()

    def text(self, css: str) -> str:
        return self.find(css).text

    def test_the_board_moves_before_ones_eyes(self) -> None:
        self.go("/admin/")
        self.browser.execute_script("window.notReloaded = true")
        self.assertIn("All is well. Nothing needs you.", self.text("#np-needs"))
        self.assertIn("No job is running.", self.text("#np-flight"))
        site = self.create()
        self.until(lambda: "Create site: 1001" in self.text("#np-flight"))
        self.run_until(site, "wordpress", state="running")
        self.until(lambda: "Installing WordPress" in self.text("#np-flight"))
        self.run_jobs()
        self.until(lambda: "No job is running." in self.text("#np-flight"))
        said = self.find("#np-flight-said").get_attribute("textContent")
        self.assertEqual(said, "A job has ended.")

        self.fault("npm", "refuse", "proxy-hosts", count=100)
        self.create(service_id="1002", email="other@example.com")
        self.until(lambda: "Create site: 1002" in self.text("#np-flight"))
        self.run_jobs()
        self.until(lambda: "Look at this now: failed jobs (1)." in self.text("#np-needs"))
        self.assertTrue(self.browser.execute_script("return window.notReloaded"))
        self.assertEqual(self.console(), [])

        self.find("#np-needs li a").click()
        self.until(lambda: "/admin/jobs/job/" in self.path())
        self.assertIn("Nginx Proxy Manager refused", self.text("#content"))

    def test_a_trouble_is_taken_off_by_keyboard_and_mouse_alike(self) -> None:
        self.fault("npm", "refuse", "proxy-hosts", count=100)
        self.create()
        self.run_jobs()
        self.go("/admin/")
        self.find("#np-needs summary").send_keys("\n")
        self.find("#np-needs input[name=reason]").send_keys("nobody wants it any more")
        self.submit("#np-needs details button")
        self.assertIn("It is off the board.", self.text("body"))
        self.assertIn("All is well. Nothing needs you.", self.text("#np-needs"))

    def test_the_search_box_leads_to_the_site(self) -> None:
        site = self.live_site()
        self.go("/admin/")
        self.find("#np-find").send_keys(site.private_ip)
        self.submit(".np-search button")
        self.assertEqual(self.path(), f"/admin/sites/site/{site.pk}/change/")

    def test_nobody_is_kept_out_on_a_desk_or_a_phone_by_day_or_night(self) -> None:
        self.live_site()
        self.fault("npm", "refuse", "proxy-hosts", count=100)
        self.create(service_id="1002", email="other@example.com")
        self.run_jobs()
        tasks.count_days()
        pages = ("/admin/", "/admin/sites/site/", "/admin/jobs/job/", "/admin/board/finding/")
        pages += ("/admin/sites/site/addresses/", "/admin/board/systemstate/search/?s=10")
        for theme in ("light", "dark"):
            self.go("/admin/")
            self.browser.execute_script(f"localStorage.setItem('adminTheme', JSON.stringify('{theme}'))")
            for path in pages:
                with self.subTest(path, theme=theme):
                    self.go(path)
                    self.assertEqual(self.barriers(), [])
                    self.assertEqual(self.wide(path), [])
                    self.assertEqual(self.console(), [])

    def wide(self, path: str) -> list[str]:
        """What is wider than a phone."""
        phone = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        try:
            self.go(path)
            width = self.browser.execute_script("return document.documentElement.scrollWidth")
            return [] if width <= 360 else [f"{path}: {width} px"]
        finally:
            self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def test_every_picture_is_drawn_from_our_own_files(self) -> None:
        self.live_site()
        tasks.count_days()
        self.go("/admin/")
        drawn = self.browser.find_elements(By.CSS_SELECTOR, ".np-chart canvas")
        self.assertGreaterEqual(len(drawn), 3)
        for canvas in drawn:
            self.assertGreater(canvas.size["height"], 100)
        foreign = self.browser.execute_script(
            "return performance.getEntriesByType('resource').map(e => e.name)"
            ".filter(name => !name.startsWith(location.origin) && !name.startsWith('data:'))"
        )
        self.assertEqual(foreign, [])
        self.assertEqual(self.console(), [])

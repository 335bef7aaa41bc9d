"""What the browser's tests share: the lab, jobs, members of staff who are logged in, what they do and see."""

import base64
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job
from nodepoint.jobs.runner import Runner
from sites.models import Site
from tests.base import ApiMixin, LabMixin, MigratedRows
from tests.browser.chromium import BrowserTestCase
from tests.sites.acts import ActsMixin
from tests.sites.domains import DomainMixin
from tests.staff.base import make_staff
from tests.staff.passing_time import PassingTimeMixin

PICTURES = os.environ.get("NODEPOINT_PICTURES", "")  # a folder for the screenshots of docs/staff.md
DESKTOP, PHONE = (1200, 800), (360, 740)
BOARD = "/admin/"


class StaffBrowserTestCase(
    ActsMixin, DomainMixin, PassingTimeMixin, ApiMixin, LabMixin, MigratedRows, BrowserTestCase
):
    """Somebody of the staff before a platform on which all is well. After each test the browser's console is
    looked at: no page may have an error, or want what its policy forbids."""

    role: ClassVar[str] = "operator"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if PICTURES:
            Path(settings.BASE_DIR, PICTURES).mkdir(parents=True, exist_ok=True)

    def setUp(self) -> None:
        super().setUp()
        self.clicks = 0
        self.screen(*DESKTOP)
        self.in_the_dark(False)
        limits.take(queue.WORKER, 1, "worker", timezone.now(), 3600)
        if self.role:
            self.enter_as(self.role)

    def tearDown(self) -> None:
        self.assertEqual(self.console(), [], "the browser's console")
        self.browser.get("about:blank")  # no page asks any more while the tables are emptied
        super().tearDown()

    # Who and where

    def enter_as(self, role: str, name: str = "") -> None:
        """Be a member of staff in a role, without the login pages."""
        client = Client()
        client.force_login(make_staff(name or f"{role[0]}{'liva' if role == 'operator' else 'am'}", role))
        morsel = client.cookies[settings.SESSION_COOKIE_NAME]
        self.browser.get(f"{self.live_server_url}/health")
        self.browser.delete_all_cookies()
        self.browser.add_cookie({"name": morsel.key, "value": morsel.value})

    def screen(self, width: int, height: int) -> None:
        """The size of the window in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def in_the_dark(self, dark: bool) -> None:
        """Whether the system asks for dark colours; the theme follows it."""
        value = "dark" if dark else "light"
        features = [
            {"name": "prefers-color-scheme", "value": value},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def site_page(self, site: Site) -> str:
        """Its address."""
        return f"/admin/sites/site/{site.pk}/change/"

    def job_page(self, job: Job) -> str:
        """Its address."""
        return f"/admin/jobs/job/{job.pk}/change/"

    # What is seen

    def text(self, css: str = "#main") -> str:
        """What stands on the page, in one line."""
        return " ".join(self.find(css).text.split())

    def shows(self, *words: str, css: str = "#main") -> None:
        """All of these stand there, soon."""
        for word in words:
            try:
                self.until(lambda word=word: word in self.text(css))
            except Exception as error:
                raise AssertionError(f"{word!r} is not in: {self.text(css)}") from error

    def shows_not(self, *words: str, css: str = "#main") -> None:
        """None of these stands there."""
        text = self.text(css)
        self.assertEqual([word for word in words if word in text], [], text)

    def verdict(self) -> tuple[str, str]:
        """The board's first sentence, and how bad it is."""
        found = self.find(".np-verdict")
        return found.get_attribute("data-state"), found.find_element(By.TAG_NAME, "h2").text

    def named(self, name: str, css: str = "#main a, #main button, #main summary") -> WebElement:
        """The first visible link or button that is called so or, where none is, whose text holds this."""

        def look() -> WebElement | None:
            texts = {one: one.text for one in self.browser.find_elements(By.CSS_SELECTOR, css)}
            fits = [one for one, text in texts.items() if text == name]
            fits += [one for one, text in texts.items() if name in text]
            return next((one for one in fits if one.is_displayed()), None)

        try:
            return self.until(look)
        except Exception as error:
            raise AssertionError(f"Nothing named {name!r} on {self.path()}: {self.text()}") from error

    # What is done

    def click(self, name: str) -> None:
        """Click on a link or button of a page and wait for the next page."""
        self.clicks += 1
        before = self.browser.find_element(By.TAG_NAME, "html")
        self.named(name).click()
        self.until(lambda: self.browser.find_element(By.TAG_NAME, "html") != before)
        self.until(lambda: self.browser.execute_script("return document.readyState") == "complete")

    def fill(self, **fields: str) -> None:
        """Type into the fields of the page's form."""
        for name, value in fields.items():
            field = self.find(f"[name={name}]")
            field.clear()
            field.send_keys(value)

    def picture(self, name: str) -> None:
        """A screenshot for docs/staff.md, if such are wanted."""
        if PICTURES:
            shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
            Path(settings.BASE_DIR, PICTURES, f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    # What goes on behind the pages

    @contextmanager
    def workers(self) -> Iterator[None]:
        """A runner works meanwhile, in real time."""
        runner, over = Runner(3), threading.Event()

        def work() -> None:
            while not over.is_set():
                runner.slice(0.3)
            connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            runner.close()

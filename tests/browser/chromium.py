"""A real browser on a real server: Chromium, driven by Selenium, whose console is read after each page."""

import shutil
import unittest
from collections.abc import Callable
from typing import Any

from axe_core_python.selenium import Axe
from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1400,1000",
)
MEANT = ("favicon.ico",)  # what Chromium asks for by itself


@unittest.skipUnless(CHROMIUM and DRIVER, "needs chromium and chromedriver")
class BrowserTestCase(StaticLiveServerTestCase):
    """One browser for all tests of a class; each begins without cookies."""

    browser: webdriver.Chrome

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ARGUMENTS:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.browser = webdriver.Chrome(options=options, service=Service(DRIVER))
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self) -> None:
        super().setUp()
        self.browser.get(f"{self.live_server_url}/health")
        self.browser.delete_all_cookies()
        self.console()

    def go(self, path: str) -> None:
        """Load a page, and wait until the theme's scripts are at work."""
        self.browser.get(self.live_server_url + path)
        self.until(lambda: self.browser.execute_script("return document.readyState") == "complete")

    def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait for something to come true, and return it. What a page that moves by itself has just replaced
        is looked for again."""
        gone = [StaleElementReferenceException]
        wait = WebDriverWait(self.browser, seconds, poll_frequency=0.05, ignored_exceptions=gone)
        return wait.until(lambda _: condition())

    def find(self, css: str) -> WebElement:
        """The first element."""
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def submit(self, css: str) -> None:
        """Press a button and wait until its page has gone."""
        button = self.find(css)
        button.click()
        self.until(lambda: _is_gone(button))
        self.until(lambda: self.browser.execute_script("return document.readyState") == "complete")

    def barriers(self) -> list[str]:
        """What axe finds on the page that keeps people out: rule, element and reason of each serious or
        critical finding."""
        found = Axe().run(self.browser)["violations"]
        return [
            f"{rule['id']}: {node['html'][:200]} ({node['failureSummary'][:200]})"
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    def path(self) -> str:
        """Where the browser is."""
        return self.browser.current_url.removeprefix(self.live_server_url)

    def console(self) -> list[str]:
        """What stands in the console since the last look, warnings and worse."""
        entries = [one for one in self.browser.get_log("browser") if one["level"] in ("WARNING", "SEVERE")]
        return [one["message"] for one in entries if not any(name in one["message"] for name in MEANT)]


def _is_gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    return False

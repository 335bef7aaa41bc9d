"""The pages of what was told to whom, in a real browser: light and dark, on a phone and on a desk."""

from datetime import time

from django.utils import timezone

from nodepoint.board.models import Alert
from nodepoint.board.registry import Level
from nodepoint.notices.models import Notice, Preferences
from tests.browser.base import PHONE, StaffBrowserTestCase

WIDE = (1440, 900)
LIST = "/admin/notices/notice/"
PREVIEW = "/admin/notices/preferences/mails/site_live/de/"


class NoticesTests(StaffBrowserTestCase):
    def test_nobody_is_kept_out_and_nothing_scrolls_sideways(self) -> None:
        self.live_site()
        row = Notice.objects.get()
        Preferences.objects.update(
            quiet_from=time(22), quiet_until=time(7), portal_url="https://my.example.com"
        )
        alert = Alert.objects.create(
            key="k",
            group="Systems down",
            title="Proxmox VE does not work",
            detail="595 No route to host",
            url="/admin/board/systemstate/",
            level=Level.FAILING,
            told_at=timezone.now(),
        )
        pages = {
            "deliveries": LIST,
            "delivery": f"{LIST}{row.pk}/change/",
            "alerts": "/admin/board/alert/",
            "alert": f"/admin/board/alert/{alert.pk}/change/",
            "how-people-are-told": "/admin/notices/preferences/1/change/",
            "mail": PREVIEW,
        }
        for width, height in (WIDE, PHONE):
            for dark in (False, True):
                self.screen(width, height)
                self.in_the_dark(dark)
                for name, path in pages.items():
                    with self.subTest(page=name, width=width, dark=dark):
                        self.go(path)
                        if name == "mail" and (width, height) == WIDE and not dark:
                            self.picture("mail-preview")
                        wide = self.browser.execute_script(
                            "return document.documentElement.scrollWidth - window.innerWidth"
                        )
                        self.assertLessEqual(wide, 0)
                        self.assertEqual(self.barriers(), [])
                        self.assertEqual(self.console(), [])

    def test_the_html_part_is_seen_in_its_frame_and_runs_nothing(self) -> None:
        self.go(PREVIEW)
        self.shows("Ihre WordPress-Website ist bereit")
        self.browser.switch_to.frame(self.find("iframe"))
        self.assertIn("Passwort festlegen", self.find("body").text)
        self.assertEqual(
            self.find("td[bgcolor]").value_of_css_property("background-color"), "rgba(29, 78, 216, 1)"
        )
        self.browser.switch_to.default_content()

    def test_one_is_sent_again_by_a_button(self) -> None:
        self.live_site()
        self.go(f"{LIST}{Notice.objects.get().pk}/change/")
        self.click("Send again")
        self.shows("has it already, and gets another one")
        self.submit("form[data-once] button[type=submit]")
        self.shows("It is being sent.", css="body")
        self.assertEqual(Notice.objects.count(), 2)

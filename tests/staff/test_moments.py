"""Times on the pages of staff."""

from datetime import UTC, datetime, timedelta

from django.contrib import admin
from django.test import SimpleTestCase, TestCase, override_settings
from django.utils import timezone

from nodepoint.admin import StaffAdmin
from nodepoint.moments import moment, stamp, words
from tests.factories import SiteFactory
from tests.staff.base import make_staff

NOW = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)


class WordsTests(SimpleTestCase):
    def test_how_long_ago_and_how_long_until(self) -> None:
        cases = {
            0: "just now",
            59: "just now",
            60: "1 min ago",
            3599: "59 min ago",
            7200: "2 h ago",
            86400: "1 day ago",
            29 * 86400: "29 days ago",
            40 * 86400: "2026-10-21",
            -30: "in a moment",
            -150: "in 2 min",
            -3 * 86400: "in 3 days",
        }
        for seconds, said in cases.items():
            with self.subTest(seconds):
                self.assertEqual(words(NOW - timedelta(seconds=seconds), NOW), said)

    @override_settings(TIME_ZONE="Europe/Berlin")
    def test_the_moment_has_its_zone(self) -> None:
        with timezone.override("Europe/Berlin"):
            self.assertIn('title="2026-11-30 23:00:00 CET"', moment(NOW))
            self.assertIn(">2026-11-30 23:00:00</time>", stamp(NOW))
        self.assertEqual((moment(None), stamp(None)), ("–", "–"))


class ListTests(TestCase):
    def test_lists_say_how_long_ago_and_are_sorted_by_the_moment(self) -> None:
        SiteFactory(created_at=timezone.now() - timedelta(hours=3))
        self.client.force_login(make_staff("olga", "operator"))
        page = self.client.get("/admin/sites/site/")
        self.assertContains(page, ">3 h ago</time>")
        self.assertNotContains(page, "p.m.")

    def test_every_page_of_a_model_is_made_so(self) -> None:
        others = [type(page) for page in admin.site._registry.values() if not isinstance(page, StaffAdmin)]
        self.assertEqual(others, [])

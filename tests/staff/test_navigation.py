"""The sidebar: one place is marked as where one is."""

from django.test import RequestFactory, SimpleTestCase

from nodepoint.board.navigation import sidebar


class SidebarTests(SimpleTestCase):
    def marked(self, path: str) -> list[str]:
        groups = sidebar(RequestFactory().get(path))
        return [item["title"] for group in groups for item in group["items"] if item["active"]]

    def test_the_nearest_page_is_marked_and_no_other(self) -> None:
        for path, title in (
            ("/admin/", "Board"),
            ("/admin/sites/site/", "Sites"),
            ("/admin/sites/site/7/change/", "Sites"),
            ("/admin/sites/site/addresses/", "Addresses"),
            ("/admin/jobs/job/abc/change/", "Jobs"),
        ):
            self.assertEqual(self.marked(path), [title], path)

    def test_elsewhere_none_is(self) -> None:
        self.assertEqual(self.marked("/admin/password_change/"), [])

"""The pool for staff: what they see of it, and what they can do."""

from django.test import override_settings

from nodepoint.audit.models import Entry
from sites.models import Spare
from tests.base import on_one_database
from tests.sites.pool import PoolCase
from tests.staff.base import make_staff

LIST = "/admin/sites/spare/"


@on_one_database
class ReadyContainersTests(PoolCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_staff("anna", "operator"))

    def press(self, path: str, **given: str) -> str:
        """What the page says that an act leads to."""
        return self.client.post(path, {"reason": "a test", **given}, follow=True).content.decode()

    def test_fill_drain_and_destroy(self) -> None:
        self.assertIn("Begun: 1.", self.press(f"{LIST}fill-pool/"))
        self.run_jobs()
        self.assertIn("Nothing is missing", self.press(f"{LIST}fill-pool/"))
        (first,) = self.ready()
        page = self.client.get(LIST).content.decode()
        for word in (first.build_id, "node1", str(first.vmid), "Fill", "Drain"):
            self.assertIn(word, page)
        self.assertIn("It is being destroyed.", self.press(f"{LIST}{first.pk}/act/destroy/"))
        self.run_jobs()
        first.refresh_from_db()
        self.assertEqual((first.state, first.reason), ("gone", "Staff had it destroyed. a test"))
        self.fill()
        self.assertIn("Being destroyed: 1.", self.press(f"{LIST}drain-pool/"))
        with override_settings(POOL_SIZE=0):
            self.run_jobs()
            self.assertIn("POOL_SIZE is 0", self.press(f"{LIST}fill-pool/"))
        self.assert_nothing_left()
        self.assertTrue(Entry.objects.filter(act="sites.pool_destroy", reason="a test").exists())

    def test_fill_does_not_wait_for_the_next_try(self) -> None:
        self.fault("ssh", "error", "INSTALL 900 database", 3)
        self.fill()
        self.assertEqual(Spare.objects.get().state, "failed")
        self.assertIn("The next try is at", self.client.get("/admin/").content.decode())
        self.assertIn("Begun: 1.", self.press(f"{LIST}fill-pool/"))
        self.run_jobs()
        self.assertEqual(len(self.ready()), 1)

    def test_what_an_order_has_is_offered_to_nobody(self) -> None:
        spare = self.spare()
        site = self.create()
        self.assertNotIn("act/destroy", self.client.get(f"{LIST}{spare.pk}/change/").content.decode())
        self.assertIn("not waiting any more", self.press(f"{LIST}{spare.pk}/act/destroy/"))
        self.assertIn(site.service_id, self.client.get(LIST).content.decode())

    def test_support_looks_and_touches_nothing(self) -> None:
        spare = self.spare()
        self.client.force_login(make_staff("sam", "support"))
        self.assertEqual(self.client.get(LIST).status_code, 200)
        for path in (f"{LIST}fill-pool/", f"{LIST}drain-pool/", f"{LIST}{spare.pk}/act/destroy/"):
            self.assertEqual(self.client.post(path, {"reason": "x"}).status_code, 403, path)
        self.assertEqual(self.ready(), [spare])

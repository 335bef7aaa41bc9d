"""A database that came back from a dump as staff see it: the board, the page of the platform, the button."""

from django.core import mail

from nodepoint import restoration
from nodepoint.audit.models import Entry
from nodepoint.models import Restoration
from sites.errors import OrdersHeld
from sites.models import Platform, Site
from sites.services import overrides
from tests.staff.acts import ActsCase
from tests.staff.overrides import BY

PAGE = "/admin/sites/platform/1/"


class RestoredPageTests(ActsCase):
    def test_from_the_board_to_the_release(self) -> None:
        site = self.live_site()
        Site.objects.filter(pk=site.pk).delete()
        restoration.find("manage.py restored")
        self.assertContains(self.client.get("/admin/"), "The database came back from a dump")
        page = self.client.get(f"{PAGE}change/")
        for text in ("container 900", "tell them on its page", "Release the restored database"):
            self.assertContains(page, text)
        self.assertNotContains(page, "Take new orders")
        with self.assertRaises(OrdersHeld):
            overrides.resume_orders(**BY)
        self.assertContains(
            self.client.post(f"{PAGE}act/release_restored/", {"reason": ""}), "This field is required."
        )
        self.client.post(f"{PAGE}act/release_restored/", {"reason": "all looked at"})
        self.assertFalse(Restoration.is_open())
        self.assertIsNone(Platform.current().orders_paused_at)
        entry = Entry.objects.get(act="restored.release")
        self.assertEqual((entry.actor, entry.reason), ("anna", "all looked at"))
        self.assertNotContains(self.client.get("/admin/"), "came back from a dump")

    def test_orders_that_staff_had_paused_stay_so(self) -> None:
        self.live_site()
        overrides.pause_orders(**BY, reason="cluster upgrade")
        Site.objects.all().delete()
        restoration.find("manage.py restored")
        restoration.release("staff anna")
        self.assertIsNotNone(Platform.current().orders_paused_at)

    def test_whose_an_adopted_site_is_staff_tell(self) -> None:
        self.live_site()
        Site.objects.all().delete()
        restoration.find("manage.py restored")
        site = Site.objects.get()
        self.assertEqual((site.email, site.subdomain), ("", "janedoe"))
        letters = len(mail.outbox)
        self.act("/action/reset")
        self.run_jobs()
        self.assertEqual(len(mail.outbox), letters, "there is nobody to tell")
        self.assertContains(self.press(site, "owner", email="no address"), "Enter a valid email address.")
        self.press(site, "owner", email="jane@example.com", user_id="42")
        site.refresh_from_db()
        self.assertEqual((site.email, site.user_id, site.subdomain), ("jane@example.com", "42", "janedoe"))
        self.assertEqual(Entry.objects.get(act="sites.owner").before, {"user_id": "", "email": ""})

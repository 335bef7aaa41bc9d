"""What staff order themselves: a site, and a support key."""

from sites.models import Site
from support.models import SupportKey
from tests.sites.base import SiteTestCase
from tests.staff.base import make_staff

SITE = {
    "service_id": "hand-1",
    "email": "jane@example.com",
    "plan": "basic",
    "public_ip": "203.0.113.10",
    "reason": "by telephone",
}
KEY = {"service_id": "hand-1", "email": "jane@example.com", "firstname": "Jane", "lastname": ""}


class MakeTests(SiteTestCase):
    orders, keys = "/admin/sites/site/order-site/", "/admin/support/supportkey/make-key/"

    def be(self, role: str) -> None:
        self.client.force_login(make_staff(f"a-{role}", role))

    def test_an_operator_orders_a_site(self):
        self.be("operator")
        self.assertContains(self.client.get("/admin/sites/site/"), "Order a site")
        self.assertContains(self.client.get(self.orders), "203.0.113.10")
        answer = self.client.post(self.orders, SITE)
        site = Site.objects.get()
        self.assertRedirects(answer, f"/admin/sites/site/{site.pk}/change/", fetch_redirect_response=False)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.service_id), ("live", "hand-1"), self.tale(site))

    def test_a_service_that_has_a_site_is_refused_with_a_sentence(self):
        self.be("operator")
        self.client.post(self.orders, SITE)
        answer = self.client.post(self.orders, SITE, follow=True)
        self.assertContains(answer, "exists already")
        self.assertEqual(Site.objects.count(), 1)

    def test_what_is_no_order_changes_nothing(self):
        self.be("operator")
        for wrong in (
            {"service_id": "-x"},
            {"email": "x"},
            {"plan": "gold"},
            {"public_ip": "::1"},
            {"reason": ""},
        ):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.client.post(self.orders, {**SITE, **wrong}).status_code, 200)
        self.assertFalse(Site.objects.exists())

    def test_an_operator_makes_a_key(self):
        self.be("operator")
        self.assertContains(self.client.get("/admin/support/supportkey/"), "Make a key")
        answer = self.client.post(self.keys, KEY, follow=True)
        self.assertContains(answer, SupportKey.objects.get(service_id="hand-1").support_key)
        self.client.post(self.keys, KEY)
        self.client.post(self.keys, {**KEY, "service_id": "hand-2", "firstname": "\x07"})
        self.assertEqual(SupportKey.objects.count(), 1)

    def test_support_can_do_neither(self):
        self.be("support")
        for page, form in ((self.orders, SITE), (self.keys, KEY)):
            self.assertEqual(self.client.get(page).status_code, 403)
            self.assertEqual(self.client.post(page, form).status_code, 403)
        self.assertNotContains(self.client.get("/admin/sites/site/"), "Order a site")
        self.assertFalse(Site.objects.exists() or SupportKey.objects.exists())

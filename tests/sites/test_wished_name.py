"""A subdomain that a customer wishes: asked about before the order, and given with it."""

from django.test import SimpleTestCase, TestCase

from sites import naming, services
from sites.models import TakenName
from tests.base import ApiMixin
from tests.factories import SiteFactory

ORDER = {"email": "jane.doe@example.com", "plan": "basic", "public_ip": "203.0.113.10"}


class FormTests(SimpleTestCase):
    def test_what_is_a_subdomain(self) -> None:
        for text, name in ((" My-Shop ", "my-shop"), ("a", "a"), ("7", "7"), ("a" * 40, "a" * 40)):
            self.assertEqual(naming.subdomain(text), name)

    def test_what_is_none(self) -> None:
        for text in ("", "-a", "a-", "a.b", "a_b", "ä", "xn--a", "a" * 41, "a b", "<b>", "a\nb"):
            with self.subTest(text=text), self.assertRaises(naming.BadName):
                naming.subdomain(text)


class AskTests(ApiMixin, TestCase):
    def ask(self, name: str) -> dict:
        return self.get(f"/subdomain?name={name}").json()

    def test_a_free_one(self) -> None:
        self.assertEqual(
            self.ask("My-Shop"), {"success": True, "name": "my-shop", "free": True, "reason": None}
        )

    def test_those_that_cannot_be_had_and_why(self) -> None:
        SiteFactory(subdomain="janes")
        TakenName.objects.create(subdomain="strange")
        for name in ("janes", "JANES", "strange", "www", "admin"):
            with self.subTest(name=name):
                answer = self.ask(name)
                self.assertIs(answer["free"], False)
                self.assertEqual(answer["reason"], f"{name.lower()}.nodepoint.eu is taken already.")
        answer = self.ask("a.b")
        self.assertIs(answer["free"], False)
        self.assertIn("Use 1 to 40", answer["reason"])
        self.assertEqual(self.get("/subdomain").json()["code"], "validation")

    def test_the_wish_of_an_order(self) -> None:
        site, _ = services.create_site(service_id="1", subdomain="janes", **ORDER)
        self.assertEqual(site.subdomain, "janes")
        other, _ = services.create_site(service_id="2", subdomain="janes", **ORDER)
        self.assertRegex(other.subdomain, r"^janes-[a-z0-9]{4}$", "taken since it was asked about")
        reserved, _ = services.create_site(service_id="3", subdomain="admin", **ORDER)
        self.assertRegex(reserved.subdomain, r"^admin-[a-z0-9]{4}$")

    def test_an_order_takes_the_form_of_a_name_and_no_wish(self) -> None:
        for wish, name in (("Janes", "janes"), ("", "janedoe"), (None, r"janedoe-\w{4}")):
            body = {**ORDER, "service_id": f"s{name[:4]}{wish}", "subdomain": wish}
            self.assertRegex(self.post("/create-site", body).json()["subdomain"], f"^{name}$")
        refused = self.post("/create-site", {**ORDER, "service_id": "9", "subdomain": "a.b"})
        self.assertEqual((refused.status_code, list(refused.json()["fields"])), (400, ["subdomain"]))

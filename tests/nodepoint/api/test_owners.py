"""POST /service/owner."""

from nodepoint.audit.models import Entry
from sites.models import Site
from support.models import SupportKey
from tests.factories import SiteFactory
from tests.support.base import ORDER, SupportTestCase, issue

BODY = {"service_id": "1001", "user_id": 8, "email": "new@example.com"}


class OwnerTests(SupportTestCase):
    def tell(self, *scopes: str, **changes: object):
        self.secret = issue("portal", *scopes)
        return self.post("/service/owner", {**BODY, **changes})

    def test_a_site_is_the_new_owners_and_keeps_its_name(self) -> None:
        site = SiteFactory(service_id="1001", user_id="7", email="jane@example.com")
        for _ in range(2):
            answer = self.tell("sites")
            self.assertEqual(
                answer.json(),
                {"success": True, "service_id": "1001", "user_id": "8", "email": "new@example.com"},
            )
        now = Site.objects.get(pk=site.pk)
        self.assertEqual((now.user_id, now.email), ("8", "new@example.com"))
        self.assertEqual((now.subdomain, now.private_ip), (site.subdomain, site.private_ip))
        self.assertEqual(Entry.objects.filter(act="sites.owner").count(), 1)

    def test_a_support_key_is_found_by_the_new_address_and_stays_the_same(self) -> None:
        row = self.create()
        self.assertEqual(self.tell("support").status_code, 200)
        now = SupportKey.objects.get(pk=row.pk)
        self.assertEqual(
            (now.email, now.support_key, now.status), ("new@example.com", row.support_key, "ACTIVE")
        )
        terms = set(now.terms.values_list("text", flat=True))
        self.assertIn("new@example.com", terms)
        self.assertNotIn(ORDER["email"], terms)

    def test_a_token_reaches_what_its_scopes_reach(self) -> None:
        SiteFactory(service_id="1001", email="jane@example.com")
        self.assert_error(self.tell("dns", "metrics"), 403, "forbidden")
        self.assert_error(self.tell("support"), 404, "not_found")
        self.assertEqual(Site.objects.get().email, "jane@example.com")
        self.assertEqual(self.tell("sites", "support").status_code, 200)

    def test_bad_input_gets_a_sentence_and_changes_nothing(self) -> None:
        site = SiteFactory(service_id="1001", email="jane@example.com")
        for field, value in (("user_id", "seven"), ("user_id", ""), ("email", "no"), ("service_id", "a b")):
            with self.subTest(field=field, value=value):
                self.assert_error(self.tell("sites", **{field: value}), 400, "validation", field)
        self.assertEqual(Site.objects.get(pk=site.pk).email, "jane@example.com")

    def test_a_site_that_is_being_deleted_has_no_new_owner(self) -> None:
        SiteFactory(service_id="1001", deleting=True)
        self.assert_error(self.tell("sites"), 409, "wrong_state")

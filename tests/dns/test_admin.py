"""What staff see, and the template that they edit."""

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.urls import reverse

from dns import parents
from dns.models import Customer, TemplateRecord, Zone
from tests.dns.base import DnsTestCase


class AdminTests(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_zone("example.com")
        self.staff = get_user_model().objects.create_superuser(
            "staff", "staff@example.com", "a-long-password"
        )
        self.client.force_login(self.staff)

    def page(self, name: str, *arguments, **query) -> str:
        answer = self.client.get(reverse(f"admin:dns_{name}", args=arguments), query)
        self.assertEqual(answer.status_code, 200)
        return answer.content.decode()

    def test_zones_and_customers_are_found(self) -> None:
        self.assertIn("example.com", self.page("zone_changelist", q="example"))
        self.assertNotIn(">example.com<", self.page("zone_changelist", q="nothing"))
        customer = Customer.objects.get(user_id="42")
        row = reverse("admin:dns_customer_change", args=[customer.pk])
        self.assertIn(row, self.page("customer_changelist", q="example.com"))
        self.page("zone_change", Zone.objects.get().pk)
        self.page("customer_change", Customer.objects.get().pk)
        self.page("templaterecord_changelist")

    def test_nobody_edits_zones_by_hand(self) -> None:
        for name in ("zone_add", "customer_add"):
            self.assertEqual(self.client.get(reverse(f"admin:dns_{name}")).status_code, 403)
        delete = reverse("admin:dns_zone_delete", args=[Zone.objects.get().pk])
        self.assertEqual(self.client.post(delete, {"post": "yes"}).status_code, 403)

    def test_the_list_takes_few_queries(self) -> None:
        for number in range(20):
            Zone.objects.create(customer=Customer.objects.get(), name=f"z{number}.com", state="deleted")
        self.page("zone_changelist")
        with self.assertNumQueries(7):
            self.page("zone_changelist")

    def do(self, act: str, **given) -> str:
        """What the page says after an act on the zone."""
        address = reverse("admin:dns_zone_act", args=[Zone.objects.get().pk, act])
        self.assertEqual(self.client.get(address, given).status_code, 200)
        return self.client.post(address, given, follow=True).content.decode()

    def test_a_zone_file_is_tried_and_taken_and_a_change_is_undone(self) -> None:
        given = {"zonefile": "mail A 192.0.2.25\n", "mode": "add"}
        said = self.do("import-records", **given, dry_run="on")
        self.assertIn("Nothing was done. It would be: add 1.", said)
        self.assertNotIn("mail.example.com.", said)
        self.assertIn("line 1: ", self.do("import-records", zonefile="x y z", mode="add", dry_run="on"))
        self.assertIn("mail.example.com.", self.do("import-records", **given))
        (change,) = Zone.objects.get().changes.all()
        self.assertEqual(change.by, "staff staff")
        self.assertIn(f"change_id={change.pk}", self.page("zone_change", Zone.objects.get().pk))
        self.do("undo-change", change_id=change.pk)
        self.assertNotIn(
            "mail.example.com.", [one["name"] for one in self.zone("example.com")["records"].values()]
        )

    def test_the_page_says_what_the_zone_above_does(self) -> None:
        self.assertIn("not known", self.page("zone_change", Zone.objects.get().pk))
        parents.look()
        said = self.page("zone_change", Zone.objects.get().pk)
        self.assertIn("refers to ns1.nodepoint.eu, ns2.nodepoint.eu; no DS", said)


class TemplateTests(DnsTestCase):
    def test_a_row_that_no_zone_could_hold_is_refused(self) -> None:
        for row in (
            {"type": "A", "name": "x", "content": "no address"},
            {"type": "A", "name": "a_b", "content": "192.0.2.1"},
            {"type": "MX", "name": "@", "content": "mail.example.net"},
            {"type": "CNAME", "name": "www", "content": "example.net"},
            {"type": "CNAME", "name": "@", "content": "example.net"},
            {"type": "A", "name": "@", "content": "proxysrv"},
            {"type": "TXT", "name": "x", "content": "a\nb"},
            {"type": "A", "name": "x", "content": "192.0.2.1", "ttl": 5},
        ):
            with self.subTest(**row), self.assertRaises(ValidationError):
                TemplateRecord(**row).full_clean()
        TemplateRecord(type="MX", name="@", content="10 mail.example.net").full_clean()

    def test_a_row_that_got_in_by_another_way_does_not_spoil_a_zone(self) -> None:
        TemplateRecord.objects.create(type="CNAME", name="www", content="example.net")
        TemplateRecord.objects.create(type="A", name="bad_name", content="192.0.2.1")
        self.assertEqual(len(self.add_zone("example.com")["records"]), 4)

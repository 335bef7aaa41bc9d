"""Zones and records in the admin: shown as ISPConfig holds them, changed by the customers' own services."""

from unittest import mock

from dns import acts
from dns.models import Zone
from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from tests.dns.base import DnsTestCase
from tests.staff.base import make_staff

RECORD = {"type": "A", "name": "shop", "content": "192.0.2.7", "priority": "", "ttl": "600", "reason": ""}


class ZonePageTests(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_zone("example.com")
        self.zone = Zone.objects.get()
        self.client.force_login(make_staff("olga", "operator"))

    def page(self):
        answer = self.client.get(f"/admin/dns/zone/{self.zone.pk}/change/")
        self.assertEqual(answer.status_code, 200)
        return answer

    def records(self) -> dict[tuple[str, str], dict]:
        """What the page shows, by name and type."""
        rows = self.page().context["records"]
        return {(row["held"].entry.name, row["held"].entry.type): row for row in rows}

    def act(self, act: str, /, **data: str):
        return self.client.post(f"/admin/dns/zone/{self.zone.pk}/act/{act}/", data, follow=True)

    def number(self, name: str, type: str = "A") -> str:
        return str(self.records()[name, type]["held"].id)

    def test_the_page_shows_the_records(self) -> None:
        found = self.records()
        self.assertIn(("example.com.", "A"), found)
        self.assertTrue(found["example.com.", "NS"]["protected"])
        self.assertEqual(found["example.com.", "NS"]["links"], [])
        self.assertEqual(
            [link["label"] for link in found["example.com.", "A"]["links"]], ["Change", "Delete"]
        )

    def test_an_operator_adds_changes_and_deletes_a_record(self) -> None:
        self.assertContains(self.act("add-record", **RECORD), "The record is there.")
        number = self.number("shop.example.com.")
        form = self.client.get(f"/admin/dns/zone/{self.zone.pk}/act/change-record/?rc_id={number}")
        self.assertContains(form, 'value="shop.example.com."')
        self.assertContains(form, "192.0.2.7")
        answer = self.act("change-record", **{**RECORD, "content": "192.0.2.8", "rc_id": number})
        self.assertContains(answer, "The record is changed.")
        self.assertEqual(self.records()["shop.example.com.", "A"]["held"].entry.data, "192.0.2.8")
        self.assertContains(self.act("delete-record", rc_id=number, reason="test"), "The record is gone.")
        self.assertNotIn(("shop.example.com.", "A"), self.records())
        entry = Entry.objects.get(act="dns.delete_record")
        self.assertEqual((entry.actor, entry.reason), ("olga", "test"))
        self.assertEqual(Job.objects.filter(actor="staff olga").count(), 3)

    def test_the_rules_for_customers_hold_for_staff(self) -> None:
        cname = {**RECORD, "type": "CNAME", "name": "www", "content": "example.net."}
        self.assertContains(self.act("add-record", **cname), "can have one CNAME and nothing else")
        self.assertContains(
            self.act("add-record", **{**RECORD, "content": "no address"}), "Use an IPv4 address"
        )
        number = self.number("example.com.", "NS")
        self.assertContains(self.act("delete-record", rc_id=number), "are ours and cannot be changed")
        self.assertContains(self.act("delete-record", rc_id="99999"), "There is no such record in this zone.")

    def test_the_page_is_there_while_ispconfig_is_not(self) -> None:
        self.fault("ispconfig", "refuse", count=50)
        page = self.page()
        self.assertContains(page, "ISPConfig")
        self.assertEqual(page.context["records"], [])
        self.assertTrue(page.context["trouble"])

    def test_what_customers_wrote_is_shown_and_never_run(self) -> None:
        evil = '"><script>alert(1)</script>'
        self.act("add-record", **{**RECORD, "type": "TXT", "content": evil})
        page = self.page()
        self.assertContains(page, "&lt;script&gt;alert(1)")
        self.assertNotContains(page, "<script>alert(1)")

    def test_support_looks_and_changes_nothing(self) -> None:
        self.client.force_login(make_staff("sam", "support"))
        page = self.page()
        self.assertEqual(page.context["zone_buttons"], [])
        self.assertNotContains(page, "act/change-record")
        for name in ("add-record", "change-record", "delete-record", "delete-zone"):
            self.assertEqual(self.act(name, **RECORD, rc_id="1").status_code, 403, name)
        self.assertEqual(self.client.post("/admin/dns/zone/new/", {}).status_code, 403)
        self.assertFalse(Job.objects.exclude(kind="dns.create_zone").exists())

    def test_an_operator_deletes_a_zone_and_says_why(self) -> None:
        self.assertContains(self.act("delete-zone", reason=""), "This field is required.")
        self.assertContains(self.act("delete-zone", reason="Asked by the customer"), "is being deleted")
        self.run_jobs()
        self.zone.refresh_from_db()
        self.assertEqual(self.zone.state, Zone.State.DELETED)
        self.assertEqual(self.page().context["trouble"], "This zone is gone.")

    def test_an_operator_adds_a_zone_for_a_user(self) -> None:
        given = {"user_id": "42", "domain": "example.net", "email": "", "reason": ""}
        self.assertContains(
            self.client.post("/admin/dns/zone/new/", given, follow=True), "does not lead here yet"
        )
        self.delegate("example.net")
        answer = self.client.post("/admin/dns/zone/new/", given)
        zone = Zone.objects.get(name="example.net")
        self.assertRedirects(answer, f"/admin/dns/zone/{zone.pk}/change/", fetch_redirect_response=False)
        self.assertEqual(zone.customer.user_id, "42")

    def test_the_reading_of_a_page_is_bounded(self) -> None:
        with mock.patch.object(acts, "LOOK_SECONDS", 0.3):
            self.fault("ispconfig", "hang", count=50, seconds=2)
            self.assertTrue(self.page().context["trouble"])

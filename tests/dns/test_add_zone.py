"""POST /customdomain/add/zone."""

from django.test import override_settings

from dns import marks
from dns.clients.ispconfig import first_serial
from dns.models import Customer, TemplateRecord, Zone
from nodepoint.jobs.models import Job
from tests.dns.base import OURS, DnsTestCase, said

DEFAULTS = {
    ("NS", "example.com.", "ns1.nodepoint.eu."),
    ("NS", "example.com.", "ns2.nodepoint.eu."),
    ("A", "example.com.", "203.0.113.10"),
    ("A", "www.example.com.", "203.0.113.10"),
}


class AddZoneTests(DnsTestCase):
    def test_a_delegated_domain_becomes_a_served_zone(self) -> None:
        zone = self.add_zone("example.com")
        self.assertEqual(said(zone), DEFAULTS)
        self.assertEqual((zone["status"], sorted(zone["nameservers"])), ("active", OURS))
        there = self.in_panel("example.com")
        self.assertEqual((there["active"], there["ns"]), ("Y", "ns1.nodepoint.eu."))
        self.assertEqual(there["mbox"], "hostmaster.nodepoint.eu.")
        self.assertGreater(int(there["serial"]), first_serial(), "published without a raised serial")
        self.assertEqual(self.lab.dns.resolve("www.example.com", "A"), ["203.0.113.10"])
        client = self.panel()["clients"][0]
        self.assertEqual(
            (client["customer_no"], client["username"]), (marks.number("42"), marks.username("42"))
        )
        row = Zone.objects.get(name="example.com")
        self.assertEqual((row.state, str(row.ispconfig_id)), (Zone.State.ACTIVE, zone["id"]))

    def test_the_second_zone_uses_the_same_client(self) -> None:
        self.add_zone("example.com")
        self.add_zone("example.org")
        self.assertEqual(len(self.panel()["clients"]), 1)
        self.assertEqual(set(self.zones()), {"example.com", "example.org"})

    def test_every_form_of_a_name_means_the_same_zone(self) -> None:
        self.delegate("xn--bcher-kva.example")
        self.done("add/zone", domain=" Bücher.Example. ")
        self.assertEqual(set(self.zones()), {"xn--bcher-kva.example"})
        self.refused(409, "exists", "add/zone", domain="xn--bcher-kva.example")

    def test_names_that_are_none_are_refused_and_ispconfig_is_not_asked(self) -> None:
        for name in (
            "",
            "com",
            "a_b.com",
            "-a.com",
            "a-.com",
            "a..com",
            "a b.com",
            "x" * 64 + ".com",
            "1.2.3.4",
            "*.example.com",
            "a.com\n.b",
            "a.com/b",
            "http://a.com",
            ".a.com",
            "a" * 250 + ".com",
        ):
            with self.subTest(name=name):
                self.refused(400, "validation", "add/zone", domain=name)
        self.assertEqual(self.requests(), 0)

    def test_public_suffixes_and_the_platform_s_own_names_are_nobody_s(self) -> None:
        for name in ("co.uk", "github.io", "nodepoint.eu", "shop.nodepoint.eu", "ns1.nodepoint.eu"):
            with self.subTest(name=name):
                self.delegate(name)
                self.refused(409, "taken", "add/zone", domain=name)
        self.assertEqual(self.requests(), 0)

    def test_a_zone_exists_once(self) -> None:
        self.add_zone("example.com")
        self.refused(409, "exists", "add/zone", domain="EXAMPLE.com")

    def test_nobody_gets_another_s_zone_nor_one_above_or_below_it(self) -> None:
        self.add_zone("shop.example.com", user=1)
        for name in ("shop.example.com", "example.com", "a.b.shop.example.com"):
            with self.subTest(name=name):
                self.delegate(name)
                sentence = self.refused(409, "taken", "add/zone", user=2, domain=name)
                self.assertNotIn("1", sentence)
        self.delegate("myshop.example.com")
        self.done("add/zone", user=2, domain="myshop.example.com")
        self.done("add/zone", user=1, domain="a.b.shop.example.com")

    def test_what_only_ispconfig_knows_is_taken_too(self) -> None:
        self.foreign_zone("example.com.")
        for name in ("example.com", "sub.example.com"):
            self.delegate(name)
            self.refused(409, "taken", "add/zone", domain=name)
        self.foreign_zone("deep.below.example.net.")
        self.delegate("example.net")
        self.refused(409, "taken", "add/zone", domain="example.net")
        self.assertFalse(Zone.objects.exists())

    def foreign_zone(self, origin: str) -> None:
        zone = {"server_id": 1, "origin": origin, "ns": "ns1.x.net.", "mbox": "h.x.net.", "active": "Y"}
        times = dict.fromkeys(("refresh", "retry", "expire", "minimum", "ttl"), 3600)
        with self.lab.lock:
            self.lab.ispconfig.panel.dns_zone_add(0, zone | times)

    def test_the_template_decides_what_a_zone_begins_with(self) -> None:
        TemplateRecord.objects.all().delete()
        TemplateRecord.objects.create(type="MX", name="@", content="mail.nodepoint.eu", priority=10, ttl=7200)
        zone = self.add_zone("example.com")
        record = next(r for r in zone["records"].values() if r["type"] == "MX")
        self.assertEqual(
            (record["data"], record["priority"], record["ttl"]), ("mail.nodepoint.eu.", 10, 7200)
        )
        self.assertFalse(any(r["type"] == "A" for r in zone["records"].values()))

    def test_customers_that_ispconfig_has_from_before_keep_their_zones(self) -> None:
        self.add_zone("example.com")
        Zone.objects.all().delete()
        Customer.objects.all().delete()
        self.assertEqual(set(self.zones()), {"example.com"})
        self.add_zone("example.org")
        self.assertEqual(len(self.panel()["clients"]), 1)

    def rename(self, number: str) -> None:
        """The one client has this number in the panel."""
        panel = self.lab.ispconfig.panel
        with self.lab.lock:
            (client,) = panel.clients.rows()
            panel.clients.update(int(client["client_id"]), {"customer_no": number})

    def test_a_client_of_before_installations_were_told_apart_is_ours(self) -> None:
        self.add_zone("example.com")
        for row in (Zone, Customer):
            row.objects.all().delete()
        self.rename("P42")
        self.assertEqual(set(self.zones()), {"example.com"})
        self.add_zone("example.org")
        self.assertEqual(len(self.panel()["clients"]), 1)

    def test_a_client_of_another_installation_is_foreign_and_so_are_its_zones(self) -> None:
        self.add_zone("example.com")
        with override_settings(INSTALLATION_ID="other"):
            for row in (Zone, Customer):
                row.objects.all().delete()
            self.assertEqual(self.zones(), {})
            self.refused(409, "taken", "add/zone", domain="example.com")
            self.add_zone("example.org")
            self.assertEqual(set(self.zones()), {"example.org"})
        names = [(client["customer_no"], client["username"]) for client in self.panel()["clients"]]
        self.assertEqual(names[0], (marks.number("42"), marks.username("42")))
        self.assertEqual(names[1], ("nodepoint:other:P42", "np_other_p42"))

    def test_answers_at_once_when_asked_to(self) -> None:
        self.delegate("example.com")
        answer = self.post(
            "/customdomain/add/zone",
            {"user_id": "42", "domain": "example.com"},
            Accept="application/json",
            Prefer="respond-async",
        )
        self.assertEqual((answer.status_code, answer.json()["state"]), (200, "running"), answer.content)
        self.assertEqual(answer.json()["job"]["kind"], "dns.create_zone")
        self.assertEqual(Job.objects.get().state, Job.State.RUNNING)
        self.refused(409, "exists", "add/zone", domain="example.com")
        self.refused(
            409, "busy", "add/record", zone="example.com", type="a", name="x", ttl=60, ip="192.0.2.1"
        )
        self.run_jobs()
        self.assertEqual(said(self.zone("example.com")), DEFAULTS)

"""What may stand beside, below and above what in one zone, and what a zone below it hides."""

from django.test import SimpleTestCase

from dns import rules
from dns.connections import ispconfig
from dns.errors import (
    ApexAlias,
    CnameConflict,
    Delegated,
    InDeeperZone,
    NullMxConflict,
    Redirected,
    WouldHide,
)
from dns.models import Zone
from dns.records import Entry, Held
from nodepoint.api.errors import ApiError
from tests.base import on_one_database
from tests.dns.base import DnsTestCase

ORIGIN = "example.com."
TARGETS = {"A": "192.0.2.1", "AAAA": "2001:db8::1", "TXT": "x", "MX": "mail.example.net."}


def entry(text: str) -> Entry:
    """`A www`, `NS sub ns1.sub.example.com.`; @ is the domain itself."""
    type, name, *data = text.split()
    whole = ORIGIN if name == "@" else f"{name}.{ORIGIN}"
    return Entry(type, whole, data[0] if data else TARGETS.get(type, "other.example.net."), 300)


def held(*texts: str) -> list[Held]:
    return [Held(number, entry(text), True) for number, text in enumerate(texts, 1)]


GLUED = ("NS sub ns1.sub.example.com.", "NS sub ns.other.net.")
# what is there, what is to be added, what refuses it
TABLE: tuple[tuple[tuple[str, ...], str, type[ApiError] | None], ...] = (
    (("ALIAS www",), "A www", CnameConflict),
    (("A www",), "ALIAS www", CnameConflict),
    (("ALIAS www",), "CNAME www", CnameConflict),
    ((), "ALIAS @", ApexAlias),
    (("MX @", "MX sub"), "MX @ mx2.example.net.", None),
    (("MX @",), "MX @ .", NullMxConflict),
    (("MX @ .",), "MX @", NullMxConflict),
    (("MX @", "A sub"), "MX sub .", None),
    (("MX @ .",), "A @", None),
    (("DNAME sub",), "A sub", None),
    (("DNAME sub",), "A www.sub", Redirected),
    (("DNAME sub",), "TXT a.b.sub", Redirected),
    (("DNAME sub",), "A notsub", None),
    (("DNAME @",), "A www", Redirected),
    (("DNAME @",), "TXT @", None),
    (("NS sub",), "NS sub ns2.other.net.", None),
    (("NS sub",), "DS sub", None),
    (("NS sub",), "A sub", Delegated),
    (("NS sub",), "TXT www.sub", Delegated),
    (("NS sub",), "NS deep.sub", Delegated),
    (("NS sub",), "A notsub", None),
    (("NS sub sub.example.com.",), "A sub", None),
    (GLUED, "A ns1.sub", None),
    (GLUED, "AAAA ns1.sub", None),
    (GLUED, "TXT ns1.sub", Delegated),
    (GLUED, "A ns2.sub", Delegated),
    (("NS @",), "A www", None),
    (("A www.sub",), "NS sub", WouldHide),
    (("A sub",), "NS sub", WouldHide),
    (("A ns1.sub",), "NS sub ns1.sub.example.com.", None),
    (("A ns1.sub", "TXT ns1.sub"), "NS sub ns1.sub.example.com.", WouldHide),
    (("A ns2.sub", "NS sub"), "NS sub ns3.other.net.", None),
    (("A www.sub",), "DNAME sub", WouldHide),
    (("A sub",), "DNAME sub", None),
)
DEEPER = (
    ("A sub", InDeeperZone),
    ("TXT a.sub", InDeeperZone),
    ("NS sub", None),
    ("NS a.sub", InDeeperZone),
    ("A notsub", None),
    ("A @", None),
)


@on_one_database
class TableTests(SimpleTestCase):
    def assert_said(self, error: type[ApiError] | None, there: list[Held], added: Entry, **options) -> None:
        try:
            rules.may_add(added, ORIGIN, there, **options)
            found = None
        except ApiError as refusal:
            found = type(refusal)
            self.assertNotRegex(refusal.sentence, "[<>]")
        self.assertEqual(found, error)

    def test_what_hides_or_stops_what(self) -> None:
        for there, added, error in TABLE:
            with self.subTest(there=there, added=added):
                self.assert_said(error, held(*there), entry(added))

    def test_a_zone_below_answers_for_its_names(self) -> None:
        for added, error in DEEPER:
            with self.subTest(added):
                self.assert_said(error, [], entry(added), deeper=["sub.example.com."])

    def test_a_changed_delegation_hides_nothing_more_than_before(self) -> None:
        there = held("NS sub", "A www.sub")
        rules.may_change(1, entry("NS sub ns9.other.net."), ORIGIN, there)
        with self.assertRaises(WouldHide):
            rules.may_change(3, entry("NS a"), ORIGIN, held("A www.a", "A x", "NS b"))

    def test_a_zone_of_its_own_takes_its_delegation_along_and_nothing_else(self) -> None:
        rules.may_be_cut_off(f"sub.{ORIGIN}", held("NS sub ns1.sub.example.com.", "A ns1.sub", "A notsub"))
        with self.assertRaises(WouldHide) as refused:
            rules.may_be_cut_off(f"sub.{ORIGIN}", held(*(f"A h{number}.sub" for number in range(7))))
        self.assertEqual(
            refused.exception.sentence,
            "The zone sub.example.com would keep records from being answered that are there: "
            + ", ".join(f"A h{number}.sub.example.com" for number in range(5))
            + " and 2 more. Please delete them first.",
        )


@on_one_database
class CallTests(DnsTestCase):
    """The same over the wire."""

    def setUp(self) -> None:
        super().setUp()
        self.zone_id = int(self.add_zone("example.com")["id"])
        self.client_id = Zone.objects.get().customer.client_id

    def by_staff(self, type: str, name: str, data: str) -> int:
        """A record that staff have made in the panel, of a type that customers cannot add."""
        params = {"server_id": 1, "zone": self.zone_id, "type": type, "name": name, "data": data, "ttl": 300}
        params |= {"active": "Y", "stamp": "2026-01-01 00:00:00", "serial": 0, "aux": 0}
        with self.lab.lock:
            return int(self.lab.ispconfig.panel.record_add("CNAME", self.client_id, params, False))

    def add(self, **body) -> dict:
        return self.done("add/record", zone_id=self.zone_id, ttl=300, **body)["record"]

    def refusal(self, **body) -> str:
        return self.refused(409, "wrong_state", "add/record", zone_id=self.zone_id, ttl=300, **body)

    def test_staffs_own_types_count(self) -> None:
        self.by_staff("ALIAS", "shop", "shops.example.net.")
        self.by_staff("DNAME", "old", "example.net.")
        self.assertIn("one CNAME", self.refusal(type="a", name="shop", ip="192.0.2.1"))
        self.assertIn("A DNAME record", self.refusal(type="a", name="x.old", ip="192.0.2.1"))

    def test_a_delegation(self) -> None:
        self.add(type="a", name="www.sub", ip="192.0.2.1")
        sentence = self.refusal(type="ns", name="sub", ns="ns1.sub")
        self.assertIn("A www.sub.example.com. Please delete them first.", sentence)
        self.add(type="ns", name="team", ns="ns1.team.example.com")
        self.add(type="a", name="ns1.team", ip="192.0.2.1")
        self.assertIn(
            "NS records of team.example.com", self.refusal(type="a", name="www.team", ip="192.0.2.1")
        )

    def test_a_zone_below_of_the_same_customer(self) -> None:
        self.add(type="a", name="www.sub", ip="192.0.2.1")
        self.delegate("sub.example.com")
        sentence = self.refused(409, "wrong_state", "add/zone", domain="sub.example.com")
        self.assertIn("A www.sub.example.com. Please delete them first.", sentence)
        self.assertEqual(Zone.objects.count(), 1)
        rc_id = next(r["id"] for r in self.zone("example.com")["records"].values() if "sub" in r["name"])
        self.done("delete/record", zone_id=self.zone_id, rc_id=rc_id)
        self.add_zone("sub.example.com")
        self.assertIn("stands by itself", self.refusal(type="a", name="www.sub", ip="192.0.2.1"))
        self.add(type="ns", name="sub", ns="ns1.nodepoint.eu")

    def test_a_zone_above_begins_without_what_the_one_below_would_hide(self) -> None:
        self.done("delete/zone", domain="example.com")
        self.add_zone("www.example.com")
        zone = self.add_zone("example.com")
        self.assertNotIn("www.example.com.", {record["name"] for record in zone["records"].values()})

    def test_a_zone_below_of_somebody_else_is_not_said_to_be_anybodys(self) -> None:
        self.add_zone("other.org", user=43)
        other = Zone.objects.get(name="other.org")
        ispconfig().create_zone(other.customer.client_id, "sub.example.com.", "ns1.x.", "a.b.", 2026010101)
        sentence = self.refusal(type="a", name="www.sub", ip="192.0.2.1")
        self.assertNotIn("43", sentence)
        self.assertIn("The name www.sub.example.com lies in the zone sub.example.com", sentence)

    def test_the_job_looks_again(self) -> None:
        body = {
            "user_id": 42,
            "zone_id": self.zone_id,
            "type": "a",
            "name": "a.old",
            "ttl": 60,
            "ip": "192.0.2.1",
        }
        self.post("/customdomain/add/record", body, Accept="*/*", Prefer="wait=0")
        self.by_staff("DNAME", "old", "example.net.")
        self.run_jobs()
        self.assertFalse(
            any(row["name"] == "a.old.example.com." for row in self.in_panel("example.com")["records"])
        )

"""The second name server: copies of its own, which only a later serial replaces."""

from dnslib import RCODE, DNSRecord

from lab.secondary import ADDRESS, Secondary
from tests.lab.ispconfig_case import IspconfigCase

NAME = "www.example.com"
HIGH, LOW = 2026010150, 2026010101


class SecondaryTests(IspconfigCase):
    def setUp(self) -> None:
        self.secondary = Secondary(self.lab)
        self.addCleanup(self.secondary.stop)

    def make(self, client: int, serial: int, text: str) -> int:
        """The zone with one text; returns its id."""
        id = self.zone(client, "example.com.", serial=serial)
        self.record(client, id, False, type="NS", name="example.com.", data="ns1.nodepoint.eu.")
        self.record(client, id, False, type="TXT", name="www", data=text)
        return id

    def answer(self) -> tuple[str, list[str]]:
        query = DNSRecord.question(NAME, "TXT")
        found = DNSRecord.parse(query.send(ADDRESS, self.lab.dns.port, timeout=10))
        return RCODE[found.header.rcode], [str(one.rdata) for one in found.rr]

    def test_a_serial_that_goes_backwards_is_not_taken_and_a_zone_that_is_gone_is_kept(self) -> None:
        client = self.client("S1")
        self.assertEqual(self.answer(), ("REFUSED", []))
        first = self.make(client, HIGH, "old")
        self.assertEqual(self.answer(), ("NOERROR", ['"old"']))
        self.call("dns_zone_delete", primary_id=first)
        self.assertEqual(self.lab.dns.resolve(NAME, "TXT"), [])
        self.assertEqual(self.answer(), ("NOERROR", ['"old"']))
        second = self.make(client, LOW, "new")
        self.assertEqual(self.lab.dns.resolve(NAME, "TXT"), ["new"])
        self.assertEqual(self.answer(), ("NOERROR", ['"old"']))
        self.assertEqual(
            self.secondary.log[-1],
            f"zone example.com/IN: serial number ({LOW}) received from primary < ours ({HIGH})",
        )
        self.call("dns_zone_update", client_id=0, primary_id=second, params={"serial": HIGH + 1})
        self.assertEqual(self.answer(), ("NOERROR", ['"new"']))

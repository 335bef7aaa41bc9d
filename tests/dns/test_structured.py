"""SRV, CAA, TLSA and SSHFP: what is taken and what is refused, by the RFC of each type."""

from typing import Any

from django.test import SimpleTestCase

from dns import records
from dns.clients.ispconfig import Record
from dns.errors import BadField
from dns.records import Entry, held
from tests.dns.base import DnsTestCase

SHA1, SHA256, SHA512 = "AB" * 20, "0c" * 32, "0c" * 64
HTTPS = "_443._tcp.www"
# Type, name, what is written in the fields or as a content, and the data that it stands for.
GOOD: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("SRV", "_sip._tcp", {"content": "10 20 5060 sip.example.net."}, "20 5060 sip.example.net."),
    ("SRV", "_sip._tcp", {"content": "20 5060 sip", "priority": 10}, "20 5060 sip.example.com."),
    ("SRV", "_imap._tcp.sub", {"content": "10 0 0 ."}, "0 0 ."),
    (
        "SRV",
        "_SIP._Tls",
        {"priority": 10, "weight": 0, "port": 65535, "target": "@"},
        "0 65535 example.com.",
    ),
    ("CAA", "@", {"content": '0 issue "letsencrypt.org"'}, '0 issue "letsencrypt.org"'),
    ("CAA", "www", {"content": "128 IssueWild ;"}, '128 issuewild ";"'),
    (
        "CAA",
        "@",
        {"flags": 0, "tag": "issue", "value": "letsencrypt.org; validationmethods=dns-01; a=b"},
        '0 issue "letsencrypt.org; validationmethods=dns-01; a=b"',
    ),
    ("CAA", "@", {"content": "0 iodef mailto:sec@example.com"}, '0 iodef "mailto:sec@example.com"'),
    (
        "CAA",
        "@",
        {"flags": 0, "tag": "contactemail", "value": "a@example.com"},
        '0 contactemail "a@example.com"',
    ),
    ("TLSA", HTTPS, {"content": f"3 1 1 {SHA256}"}, f"3 1 1 {SHA256}"),
    ("TLSA", "_25._tcp.example.com.", {"content": f"2 0 2 {SHA512[:60]} {SHA512[60:]}"}, f"2 0 2 {SHA512}"),
    (
        "TLSA",
        "_53._udp.ns",
        {
            "certificate_usage": 1,
            "selector": 0,
            "matching_type": 0,
            "certificate_association_data": "30:82:AA",
        },
        "1 0 0 3082aa",
    ),
    ("SSHFP", "host", {"content": f"4 2 {SHA256}"}, f"4 2 {SHA256}"),
    ("SSHFP", "*", {"algorithm": 1, "fp_type": 1, "fingerprint": SHA1}, f"1 1 {SHA1.lower()}"),
)
# Type, name, what is written, and the field that is named in the refusal.
BAD: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("SRV", "sip", {"content": "10 20 5060 sip"}, "name"),
    ("SRV", "_sip", {"content": "10 20 5060 sip"}, "name"),
    ("SRV", "_sip.tcp", {"content": "10 20 5060 sip"}, "name"),
    ("SRV", "*._tcp", {"content": "10 20 5060 sip"}, "name"),
    ("SRV", "_sip._tcp", {"content": "20 5060 sip"}, "content"),
    ("SRV", "_sip._tcp", {"content": "1 2 3 4 5"}, "content"),
    ("SRV", "_sip._tcp", {"content": "65536 0 1 sip"}, "priority"),
    ("SRV", "_sip._tcp", {"content": "1 65536 1 sip"}, "weight"),
    ("SRV", "_sip._tcp", {"content": "1 0 65536 sip"}, "port"),
    ("SRV", "_sip._tcp", {"content": "1 0 -1 sip"}, "port"),
    ("SRV", "_sip._tcp", {"content": "1 0 ٣ sip"}, "port"),
    ("SRV", "_sip._tcp", {"content": "1 0 1 192.0.2.1"}, "target"),
    ("SRV", "_sip._tcp", {"content": f"1 0 1 {'a' * 60}.example."}, "target"),
    ("SRV", "_sip._tcp", {"priority": 1, "weight": 1, "port": 1}, "target"),
    ("SRV", "_sip._tcp", {"weight": 1, "port": 1, "target": "sip"}, "priority"),
    ("CAA", "*", {"content": "0 issue ca.example"}, "name"),
    ("CAA", "@", {"content": "0 issue"}, "content"),
    ("CAA", "@", {"content": "1 issue ca.example"}, "flags"),
    ("CAA", "@", {"content": "256 issue ca.example"}, "flags"),
    ("CAA", "@", {"content": "0 issues ca.example"}, "tag"),
    ("CAA", "@", {"content": '0 issue "https://letsencrypt.org"'}, "value"),
    ("CAA", "@", {"content": '0 issue "ca.example validationmethods"'}, "value"),
    ("CAA", "@", {"content": '0 issue "ca.example; novalue"'}, "value"),
    ("CAA", "@", {"content": "0 iodef sec@example.com"}, "value"),
    ("CAA", "@", {"flags": 0, "tag": "iodef", "value": 'mailto:a@b" ; x'}, "value"),
    ("CAA", "@", {"flags": 0, "tag": "iodef", "value": "mailto:a@b\nx"}, "value"),
    ("CAA", "@", {"flags": 0, "tag": "issue", "value": "é.example"}, "value"),
    ("TLSA", "www", {"content": f"3 1 1 {SHA256}"}, "name"),
    ("TLSA", "_0._tcp", {"content": f"3 1 1 {SHA256}"}, "name"),
    ("TLSA", "_65536._tcp", {"content": f"3 1 1 {SHA256}"}, "name"),
    ("TLSA", "_443._sctp.www", {"content": f"3 1 1 {SHA256}"}, "name"),
    ("TLSA", "_443._tcp._x", {"content": f"3 1 1 {SHA256}"}, "name"),
    ("TLSA", HTTPS, {"content": f"4 1 1 {SHA256}"}, "certificate_usage"),
    ("TLSA", HTTPS, {"content": f"3 2 1 {SHA256}"}, "selector"),
    ("TLSA", HTTPS, {"content": f"3 1 3 {SHA256}"}, "matching_type"),
    ("TLSA", HTTPS, {"content": f"3 1 1 {SHA512}"}, "certificate_association_data"),
    ("TLSA", HTTPS, {"content": "3 1 0 abc"}, "certificate_association_data"),
    ("TLSA", HTTPS, {"content": f"3 1 0 {'ab' * 2049}"}, "certificate_association_data"),
    ("SSHFP", "host", {"content": f"5 2 {SHA256}"}, "algorithm"),
    ("SSHFP", "host", {"content": f"4 3 {SHA256}"}, "fp_type"),
    ("SSHFP", "host", {"content": f"4 1 {SHA256}"}, "fingerprint"),
    ("SSHFP", "host", {"content": "4 2 xyz"}, "fingerprint"),
    ("SSHFP", "host_x", {"content": f"4 2 {SHA256}"}, "name"),
)


def read(type: str, name: str, values: dict[str, Any]) -> Entry:
    return records.parse({"type": type, "name": name, "ttl": 300, **values}, "example.com", "203.0.113.10")


class TableTests(SimpleTestCase):
    def test_what_is_taken(self) -> None:
        for type, name, values, data in GOOD:
            with self.subTest(type=type, **values):
                entry = read(type, name, values)
                self.assertEqual((entry.data, entry.priority), (data, 10 if type == "SRV" else None))

    def test_what_was_taken_reads_the_same_from_the_panel_and_as_it_is_shown(self) -> None:
        for type, name, values, data in GOOD:
            with self.subTest(type=type, **values):
                entry = read(type, name, values)
                fields = entry.stored("example.com.")
                row = Record(id=1, zone_id=1, group_id=1, active=True, **fields)
                self.assertEqual(held(row, "example.com.").entry, entry)
                again = {"content": data, "priority": entry.priority}
                self.assertEqual(read(type, entry.name, again), entry)

    def test_what_is_refused(self) -> None:
        for type, name, values, field in BAD:
            with self.subTest(type=type, name=name, **values):
                with self.assertRaises(BadField) as caught:
                    read(type, name, values)
                self.assertEqual(list(caught.exception.extra["fields"]), [field])

    def test_what_staff_wrote_in_the_panel_is_read_in_one_form(self) -> None:
        for type, stored, data in (
            ("SRV", "0 5060 sip", "0 5060 sip.example.com."),
            ("SRV", "nonsense", "nonsense"),
            ("CAA", "0  ISSUE letsencrypt.org", '0 issue "letsencrypt.org"'),
            ("CAA", "what ever", "what ever"),
            ("TLSA", f"3 1 1 {SHA256.upper()}", f"3 1 1 {SHA256}"),
            ("SSHFP", "4 2 AB CD", "4 2 abcd"),
        ):
            with self.subTest(stored):
                row = Record(1, 1, 1, "x", type, stored, 0, 300, True)
                self.assertEqual(held(row, "example.com.").entry.data, data)


class CallTests(DnsTestCase):
    def test_they_are_added_changed_and_published(self) -> None:
        zone = self.add_zone("example.com")["id"]
        for type, name, values, data in GOOD:
            with self.subTest(type=type, **values):
                body = {"type": type.lower(), "name": name, "ttl": 300, "zone_id": zone, **values}
                record = self.done("add/record", **body)["record"]
                self.assertEqual((record["data"], record["priority"]), (data, 10 if type == "SRV" else None))
                self.assertEqual(self.done("getdata")["zones"][0]["zone"]["records"][record["id"]], record)
                public = self.lab.dns.resolve(record["name"].rstrip("."), type)
                said = f"10 {data}" if type == "SRV" else data
                self.assertIn(said.removesuffix(".") or ".", [one.removesuffix(".") for one in public])
        records = self.zone("example.com")["records"].values()
        sshfp = next(one for one in records if one["name"] == "host.example.com.")
        body = {"type": "sshfp", "name": "host", "ttl": 300, "content": f"1 1 {SHA1}"}
        changed = self.done("update/record", zone_id=zone, rc_id=sshfp["id"], **body)["record"]
        self.assertEqual(changed["data"], f"1 1 {SHA1.lower()}")

    def test_the_refusal_of_a_cname_for_the_domain_says_what_to_do(self) -> None:
        zone = self.add_zone("example.com")["id"]
        body = {"type": "cname", "name": "@", "target": "x.example.net", "ttl": 300, "zone_id": zone}
        self.assertIn("PROXYSRV", self.refused(409, "wrong_state", "add/record", **body))

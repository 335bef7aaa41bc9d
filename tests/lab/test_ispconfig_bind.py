"""What becomes of the panel's rows: names as PHP converts them, zone files as named-checkzone takes them,
answers as BIND gives them.

Facts: PHP 8.2.36 with ICU 72.1, BIND 9.18.49, and ISPConfig 3.2.5+ run with its server part (docs/lab.md).
"""

import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

from dnslib import QTYPE, DNSRecord

from lab.ispconfig import idn, master, zonefile
from tests.lab.ispconfig_case import RECORD, ZONE, IspconfigCase

CHECK = shutil.which("named-checkzone", path="/usr/sbin:/usr/bin:/sbin:/bin")
FACTS = json.loads((Path(__file__).parent / "idn_facts.json").read_text())["facts"]
NS = ("", "NS", "ns1.nodepoint.eu.")
CLASH, SINGLE = "CNAME and other data", "multiple RRs of singleton type"

# Why the zone stays as it was ("": it does not), and name, type and data (aux first, if any) of its rows.
CHECKED: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("", (("www", "A", "192.0.2.1"), ("www", "A", "192.0.2.1"))),
    (CLASH, (("www", "A", "192.0.2.1"), ("www", "CNAME", "x.example."))),
    (CLASH, (("www", "CNAME", "x.example."), ("www", "TXT", "x"))),
    (CLASH, (("", "CNAME", "x.example."),)),
    (CLASH, (("www", "A", "192.0.2.1"), ("www", "ALIAS", "x.example."))),
    (CLASH, (("d", "DNAME", "x.example."), ("d", "CNAME", "y.example."))),
    (SINGLE, (("www", "CNAME", "x.example."), ("www", "CNAME", "y.example."))),
    (SINGLE, (("d", "DNAME", "x.example."), ("d", "DNAME", "y.example."))),
    ("", (("www", "CNAME", "x.example."), ("www", "CNAME", "x.example."))),
    ("", (("d", "DNAME", "x.example."), ("d", "A", "192.0.2.1"), ("a.d", "A", "192.0.2.1"))),
    ("", (("sub", "NS", "ns.z.example."), ("www.sub", "A", "192.0.2.1"), ("sub", "TXT", "x"))),
    ("invalid NS owner name (wildcard)", (("*.w", "NS", "ns.x.example."),)),
    ("label too long", (("a" * 64, "AAAA", "2001:db8::1"),)),
    ("empty label", (("a..b", "AAAA", "2001:db8::1"),)),
    ("empty label", ((".a", "AAAA", "2001:db8::1"),)),
    ("", (("www.other.example.", "A", "192.0.2.1"),)),
    ("out of range", (("", "MX", "70000 mail.x.example."),)),
    ("", (("", "MX", "0 ."),)),
    ("", (("", "MX", "10 192.0.2.1."), ("", "MX", "10 nothing"))),
    ("", (("t", "TXT", "a;b (c) #"), ("t", "TXT", "x" * 2000), ("t", "TXT", "é" * 300))),
    ("", (("t", "TXT", '"hello world"'), ("t", "TXT", '"a;b"'))),
    (
        "",
        (("t", "TXT", "\\195\\188ber"), ("t", "TXT", "\\240\\159\\152\\128"), ("t", "TXT", 'a\\"b\\\\c\\;')),
    ),
    ("unbalanced quotes", (("t", "TXT", "abc\\"),)),
    ("unbalanced quotes", (("t", "TXT", 'a"b'),)),
    ("unbalanced quotes", (("t", "TXT", "a\nb"),)),
    ("syntax error", (("t", "TXT", "a" * 254 + '\\"'),)),
    ("syntax error", (("t", "TXT", "a\\300b"),)),
    ("syntax error", (("t", "TXT", "a\\25"),)),
    ("syntax error", (("t", "TXT", "a" * 253 + "\\195\\188"),)),
    ("", (("_s._tcp", "SRV", "10 5 5060 sip.x."), ("", "CAA", '0 issue "letsencrypt.org"'))),
    ("not a valid number", (("_s._tcp", "SRV", "10 5 sip.x."),)),
    ("not a valid number", (("", "CAA", "issue x"),)),
    ("bad hex encoding", (("_443._tcp", "TLSA", "3 1 1 abc"),)),
    ("unexpected end of input", (("h", "SSHFP", "4 2 aabb"),)),
    ("", (("_443._tcp", "TLSA", "3 1 1 abcd"), ("p", "PTR", "x."), ("h", "SSHFP", "4 2 " + "ab" * 32))),
    ("", (("k", "DNSKEY", "rubbish"), ("n", "NULL", "rubbish"))),
)


class NameTests(unittest.TestCase):
    def test_names_become_what_php_makes_of_them(self) -> None:
        for name, seen in FACTS:
            with self.subTest(name=name):
                self.assertEqual(idn.to_ascii(name) or False, seen)

    def test_what_php_does_not_take_is_stored_as_nothing(self) -> None:
        for name, stored in (
            ("ab--cd", ""),
            ("a..b", ""),
            ("1..2", "1..2"),
            ("1" * 64, "1" * 64),
            ("www\n", "www\n"),
        ):
            with self.subTest(name=name):
                self.assertEqual(idn.encoded(name), stored)


class CheckTests(unittest.TestCase):
    """The lab's reading of a zone file, and named-checkzone's."""

    def rows(self, *rows: tuple[str, str, str]) -> list[dict[str, str]]:
        found = []
        for name, type, data in rows:
            aux, rest = data.split(" ", 1) if type in zonefile.WITH_AUX else ("0", data)
            found.append({"name": name, "type": type, "data": rest, "aux": aux, "ttl": "3600", "active": "Y"})
        return found

    def read(self, rows: list[dict[str, str]]) -> list[master.Rr] | master.Refused:
        zone = {name: str(value) for name, value in ZONE.items()} | {"origin": "z.example."}
        lines = [zonefile.line(row) for row in zonefile.written(rows)]
        return master.read("z.example.", "pri.z.example", zonefile.head(zone), lines)

    def checked(self, rows: list[dict[str, str]]) -> str:
        """named-checkzone's own words."""
        zone = {name: str(value) for name, value in ZONE.items()} | {"origin": "z.example."}
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(zonefile.render(zone, rows))
            command = [str(CHECK), "z.example.", file.name]
            found = subprocess.run(command, capture_output=True, timeout=20)
        return "" if found.returncode == 0 else found.stdout.decode(errors="replace")

    def test_one_bad_record_spoils_the_zone(self) -> None:
        for reason, rows in CHECKED:
            found = self.read(self.rows(NS, *rows))
            with self.subTest(rows=rows):
                lines = found.lines if isinstance(found, master.Refused) else ()
                self.assertEqual(bool(lines), bool(reason))
                self.assertTrue(
                    not reason or any(line.endswith(f"failed: {reason}") for line in lines), lines
                )

    def test_a_zone_needs_name_servers_with_addresses(self) -> None:
        for rows, reason in (
            ([], "has no NS records"),
            ([("", "NS", "ns1")], "NS 'ns1.z.example' has no address records (A or AAAA)"),
        ):
            found = self.read(self.rows(("www", "A", "192.0.2.1"), *rows))
            self.assertEqual(getattr(found, "lines", ())[0], f"zone z.example/IN: {reason}")

    @unittest.skipIf(CHECK is None, "named-checkzone is missing: install bind9-utils")
    def test_named_checkzone_says_the_same(self) -> None:
        for reason, rows in CHECKED:
            with self.subTest(rows=rows):
                said = self.checked(self.rows(NS, *rows))
                self.assertEqual(bool(said), bool(reason), said)
                self.assertIn(f"failed: {reason}" if reason else "", said)


class ServedTests(IspconfigCase):
    """The panel over its API, the answers over DNS."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.owner = cls().client("P1")

    def made(self, origin: str, *rows: tuple[str, str, str], **fields: Any) -> int:
        """A zone with a name server and these rows: name, type, data."""
        id = self.zone(self.owner, origin, **fields)
        for name, type, data in (NS, *rows):
            self.record(self.owner, id, type=type, name=name, data=data)
        return id

    def ask(self, name: str, type: str, rd: int = 0) -> DNSRecord:
        query = DNSRecord.question(name, type)
        query.header.rd = rd
        return DNSRecord.parse(query.send("127.0.0.1", self.lab.dns.port, tcp=True, timeout=5))

    def answers(self, name: str, type: str) -> list[str]:
        found = [rr for rr in self.ask(name, type).rr if QTYPE[rr.rtype] == type]
        return [b"".join(rr.rdata.data).decode() if type == "TXT" else str(rr.rdata) for rr in found]

    def serial(self, name: str) -> int:
        (soa,) = self.ask(name, "SOA").rr
        return soa.rdata.times[0]

    def test_a_name_that_php_does_not_take_lands_on_the_domain_itself(self) -> None:
        id = self.made("gone.example.", ("ab--cd", "A", "192.0.2.9"), ("ab--cd", "AAAA", "2001:db8::9"))
        self.assertEqual(self.answers("gone.example", "A"), ["192.0.2.9"])
        self.assertEqual(self.answers("ab--cd.gone.example", "AAAA"), ["2001:db8::9"])
        target = {**RECORD, "zone": id, "type": "CNAME", "data": "r3---sn-x.example."}
        self.assertIn("data_error_empty", self.fault("dns_cname_add", client_id=self.owner, params=target))

    def test_the_tables_know_three_bytes_of_a_character(self) -> None:
        id = self.made(
            "astral.example.", ("t", "TXT", "hi \U0001f600!"), ("u", "TXT", "\\240\\159\\152\\128")
        )
        rows = {row["name"]: row["data"] for row in self.call("dns_rr_get_all_by_zone", zone_id=id)}
        self.assertEqual(rows["t"], "hi ????!")
        self.assertEqual(self.answers("u.astral.example", "TXT"), ["\U0001f600"])

    def test_one_bad_record_keeps_the_old_zone_and_says_so_in_the_log(self) -> None:
        id = self.made("stays.example.", ("www", "A", "192.0.2.1"))
        before = self.serial("stays.example")
        bad = self.record(self.owner, id, type="CNAME", name="www", data="x.example.")
        self.record(self.owner, id, name="later")
        self.assertEqual(self.answers("later.stays.example", "A"), [])
        self.assertEqual(self.serial("stays.example"), before)
        self.assertGreater(int(self.call("dns_zone_get", primary_id=id)["serial"]), before)
        newest = self.call("sys_datalog_get_by_tstamp", tstamp=1)[0]
        self.assertIn("www.stays.example: CNAME and other data", newest["error"])
        self.assertEqual(self.call("dns_a_delete", primary_id=bad, update_serial=True), 1)
        self.assertEqual(self.answers("later.stays.example", "A"), ["192.0.2.1"])
        self.assertIsNone(self.call("sys_datalog_get_by_tstamp", tstamp=1)[0]["error"])

    def test_without_its_cron_job_nothing_goes_live(self) -> None:
        id = self.made("cron.example.")
        self.lab.ispconfig.served.stopped = True
        self.addCleanup(setattr, self.lab.ispconfig.served, "stopped", False)
        self.record(self.owner, id)
        self.assertEqual(self.answers("www.cron.example", "A"), [])
        self.assertEqual(self.call("monitor_jobqueue_count", server_id=0), "2")
        self.lab.ispconfig.served.stopped = False
        self.assertEqual(self.answers("www.cron.example", "A"), ["192.0.2.1"])
        self.assertEqual(self.call("monitor_jobqueue_count", server_id=0), "0")

    def test_what_is_below_a_delegation_a_dname_or_a_deeper_zone_is_not_answered(self) -> None:
        self.made(
            "cut.example.",
            ("sub", "NS", "ns.sub.cut.example."),
            ("ns.sub", "A", "192.0.2.5"),
            ("www.sub", "A", "192.0.2.1"),
            ("sub", "TXT", "x"),
            ("d", "DNAME", "x.example."),
            ("a.d", "A", "192.0.2.1"),
            ("d", "A", "192.0.2.2"),
            ("old.deeper", "A", "192.0.2.7"),
        )
        self.made("deeper.cut.example.", ("here", "A", "192.0.2.9"))
        self.assertEqual(self.answers("sub.cut.example", "NS"), ["ns.sub.cut.example."])
        for name, type in (
            ("ns.sub", "A"),
            ("www.sub", "A"),
            ("sub", "TXT"),
            ("a.d", "A"),
            ("old.deeper", "A"),
        ):
            with self.subTest(name=name):
                self.assertEqual(self.answers(f"{name}.cut.example", type), [])
        self.assertEqual(self.answers("a.d.cut.example", "CNAME"), ["a.x.example."])
        self.assertEqual(self.answers("d.cut.example", "A"), ["192.0.2.2"])
        self.assertEqual(self.answers("here.deeper.cut.example", "A"), ["192.0.2.9"])

    def test_a_set_has_the_ttl_of_its_first_record(self) -> None:
        id = self.made("ttl.example.")
        for ttl, name, data in ((60, "v", "192.0.2.1"), (3600, "x", "192.0.2.1"), (3600, "v", "192.0.2.2")):
            self.record(self.owner, id, name=name, data=data, ttl=ttl)
        self.assertEqual([rr.ttl for rr in self.ask("v.ttl.example", "A").rr], [60, 60])

    def test_outer_quotes_vanish_and_what_follows_a_semicolon_with_them(self) -> None:
        self.made("quoted.example.", ("q", "TXT", '"hello world"'), ("s", "TXT", '"a;b"'))
        self.assertEqual(self.answers("q.quoted.example", "TXT"), ["helloworld"])
        self.assertEqual(self.answers("s.quoted.example", "TXT"), ["a"])

    def test_aux_stands_before_the_data_of_mx_and_srv(self) -> None:
        id = self.made("aux.example.")
        self.record(self.owner, id, type="SRV", name="_s._tcp", data="5 5060 sip.x.", aux=7)
        self.record(self.owner, id, type="MX", name="", data=".", aux=0)
        self.assertEqual(self.answers("_s._tcp.aux.example", "SRV"), ["7 5 5060 sip.x."])
        self.assertEqual(self.answers("aux.example", "MX"), ["0 ."])

    def test_a_row_of_any_type_goes_with_the_rights_for_a(self) -> None:
        id = self.made("types.example.")
        rows = [
            ("k", "DNSKEY", "257 3 13 abcd"),
            ("l", "LOC", "52 22 23.000 N 4 53 32.000 E"),
            ("s", "SSHFP", "4 2 aabb"),
        ]
        with self.lab.lock:
            for name, type, data in rows:
                row = {**RECORD, "zone": id, "type": type, "name": name, "data": data}
                self.lab.ispconfig.panel.record_add("TXT", self.owner, row, False)
        self.assertEqual(
            self.raw("dns_dnskey_delete", {"session_id": self.session}).json()["code"], "invalid_method"
        )
        self.addCleanup(self.lab.ispconfig.sessions.denied.clear)
        self.lab.ispconfig.sessions.untick("dns_loc")
        found = {row["type"]: int(row["id"]) for row in self.call("dns_rr_get_all_by_zone", zone_id=id)}
        self.assertIn("permissions", self.fault("dns_loc_delete", primary_id=found["LOC"]))
        for type in ("DNSKEY", "LOC", "SSHFP"):
            self.assertEqual(self.call("dns_a_delete", primary_id=found[type], update_serial=True), 1)

    def test_a_set_status_reaches_no_name_server(self) -> None:
        id = self.made("status.example.", ("www", "A", "192.0.2.1"))
        self.call("dns_zone_set_status", primary_id=id, status="inactive")
        self.assertEqual(self.answers("www.status.example", "A"), ["192.0.2.1"])

    def test_zones_of_a_client_that_is_gone_stand_and_are_served(self) -> None:
        client = self.client("P77")
        id = self.zone(client, "left.example.")
        self.record(client, id, type="NS", name="", data="ns1.nodepoint.eu.")
        self.record(client, id)
        group = self.call("dns_zone_get", primary_id=id)["sys_groupid"]
        self.call("client_delete", client_id=client)
        kept = self.call("dns_zone_get", primary_id=id) or {}
        self.assertEqual(kept.get("sys_groupid"), group)
        self.assertEqual(self.answers("www.left.example", "A"), ["192.0.2.1"])
        self.assertNotEqual(self.call("client_get_groupid", client_id=self.client("P77")), int(group))

    def test_after_99_changes_the_serial_runs_into_the_date(self) -> None:
        id = self.made("busy.example.")
        today = int(self.call("dns_zone_get", primary_id=id)["serial"]) // 100
        self.call("dns_zone_update", client_id=0, primary_id=id, params={"serial": today * 100 + 99})
        self.record(self.owner, id)
        self.assertEqual(int(self.call("dns_zone_get", primary_id=id)["serial"]), (today + 1) * 100)

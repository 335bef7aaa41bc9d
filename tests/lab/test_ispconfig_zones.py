"""Zones and records of the simulated ISPConfig, and what becomes public of them."""

import contextlib
from collections.abc import Iterator

import requests
from dnslib import QTYPE, DNSRecord

from tests.lab.ispconfig_case import RECORD, ZONE, IspconfigCase


class ZoneTests(IspconfigCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.one, cls.two = cls().client("P1"), cls().client("P2")

    def test_what_is_stored_of_a_zone(self) -> None:
        id = self.zone(self.one, "Stored.example.", active=True)
        row = self.call("dns_zone_get", primary_id=id)
        self.assertEqual((row["origin"], row["active"], row["ttl"]), ("stored.example.", "N", "3600"))
        missing = {name: value for name, value in ZONE.items() if name in ("server_id", "ns", "mbox")}
        message = self.fault("dns_zone_add", client_id=self.one, params={**missing, "origin": "a.example."})
        self.assertTrue(message.startswith("refresh_range_error<br />\r\nretry_range_error"))

    def test_names_that_pass_and_names_that_do_not(self) -> None:
        for origin in ("nodot.example", "example.12.", "nl.example.\n", "a--b.example.", "☃.example."):
            self.zone(self.one, origin)
        # A leading dot passed with the ICU of the recordings, and does not with 72.1.
        bad = ("", "localhost.", "a_b.com.", ".dot.example.", "a..b.com.", "-bad-.org.", "ab--c.com.")
        for origin in (*bad, "x" * 64 + ".com."):
            params = {**ZONE, "origin": origin}
            self.assertIn("origin_error", self.fault("dns_zone_add", client_id=self.one, params=params))

    def test_one_zone_of_a_name_in_the_whole_panel(self) -> None:
        self.zone(self.one, "unique.example.")
        params = {**ZONE, "origin": "UNIQUE.example."}
        self.assertEqual(
            self.fault("dns_zone_add", client_id=self.two, params=params), "origin_error_unique<br />\r\n"
        )
        self.assertEqual(self.fault("dns_zone_add", client_id=999, params=ZONE), "Invalid client_id 999")

    def test_a_client_id_takes_over(self) -> None:
        id = self.zone(self.one, "moved.example.")
        owner = self.call("dns_zone_get", primary_id=id)["sys_groupid"]
        self.assertEqual(self.call("dns_zone_update", client_id=0, primary_id=id, params={"ttl": 60}), 1)
        self.assertEqual(self.call("dns_zone_update", client_id=0, primary_id=id, params={"ttl": 60}), 0)
        self.assertEqual(self.call("dns_zone_get", primary_id=id)["sys_groupid"], owner)
        self.call("dns_zone_update", client_id=self.two, primary_id=id, params={"ttl": 61})
        self.assertNotEqual(self.call("dns_zone_get", primary_id=id)["sys_groupid"], owner)
        self.assertIn(
            "origin_error_empty", self.fault("dns_zone_update", client_id=0, primary_id=9999, params={})
        )

    def test_the_serial(self) -> None:
        id = self.zone(self.one, "serial.example.", serial=0)
        self.record(self.one, id)
        first = int(self.call("dns_zone_get", primary_id=id)["serial"])
        self.assertEqual(first % 100, 1)
        self.record(self.one, id, serial=False)
        self.record(self.one, id)
        self.assertEqual(int(self.call("dns_zone_get", primary_id=id)["serial"]), first + 1)

    def test_nobody_looks_whether_records_make_sense(self) -> None:
        id = self.zone(self.one, "careless.example.")
        self.record(self.one, id)
        self.record(self.one, id)
        self.record(self.one, id, type="CNAME", data="X.example.")
        self.record(self.one, id, type="MX", data="192.0.2.1", aux=70000)
        self.record(self.one, 99999, serial=False)
        self.record(self.two, id, name="a" * 64, type="TXT", data="a\nb")
        rows = self.call("dns_rr_get_all_by_zone", zone_id=id)
        self.assertEqual([row["name"] for row in rows], ["www", "www", "www", "www", ""])
        self.assertEqual((rows[2]["data"], rows[3]["aux"]), ("x.example.", "70000"))
        self.assertEqual(self.call("dns_rr_get_all_by_zone", primary_id=id), [])

    def test_forms_of_records(self) -> None:
        id = self.zone(self.one, "forms.example.")
        for type, changes, key in (
            ("A", {"name": "@"}, "name_error_regex"),
            ("A", {"name": "_x"}, "name_error_regex"),
            ("A", {"data": "203.0.113.010"}, "ip_error_wrong"),
            ("AAAA", {}, "ip_error_wrong"),
            ("CNAME", {"data": "@"}, "data_error_regex"),
            ("MX", {"data": "a_b.example."}, "data_error_regex"),
            ("NS", {"name": "*", "data": "x."}, "name_error_regex"),
            ("TXT", {"data": ""}, "data_error_empty"),
            ("A", {"ttl": 59}, "ttl_range_error"),
        ):
            params = {**RECORD, "zone": id, "type": type, **changes}
            with self.subTest(type=type, **changes):
                self.assertIn(key, self.fault(f"dns_{type.lower()}_add", client_id=self.one, params=params))
        for left_out in ("stamp", "type"):
            params = {name: value for name, value in {**RECORD, "zone": id}.items() if name != left_out}
            self.assertIn("Data truncated", self.fault("dns_a_add", client_id=self.one, params=params))

    def test_a_missing_zone_is_a_page_and_the_record_is_there(self) -> None:
        params = {**RECORD, "zone": 77777, "name": "orphan"}
        body = {"session_id": self.session, "client_id": self.one, "params": params, "update_serial": True}
        answer = self.raw("dns_a_add", body)
        self.assertIn("Primary ID fehlt!", answer.text)
        self.assertEqual(len(self.call("dns_a_get", primary_id={"zone": 77777, "name": "orphan"})), 1)

    def test_deleting(self) -> None:
        id = self.zone(self.one, "gone.example.")
        record = self.record(self.one, id)
        self.assertEqual(self.call("dns_mx_delete", primary_id=record, update_serial=True), 1)
        self.assertEqual(self.call("dns_a_delete", primary_id=record, update_serial=False), 0)
        again = self.raw(
            "dns_a_delete", {"session_id": self.session, "primary_id": record, "update_serial": True}
        )
        self.assertIn("Primary ID fehlt!", again.text)
        self.record(self.one, id)
        self.assertEqual(self.call("dns_zone_delete", primary_id=id), 1)
        self.assertEqual(self.call("dns_zone_delete", primary_id=id), 0)
        self.assertEqual(len(self.call("dns_rr_get_all_by_zone", zone_id=id)), 1)

    def test_filters_and_pages(self) -> None:
        group = self.call("client_get_groupid", client_id=self.client("P80"))
        owner = int(self.call("client_get", client_id={"customer_no": "P80"})[0]["client_id"])
        ids = [self.zone(owner, f"z{number}.paged.example.") for number in range(5)]
        page = {"sys_groupid": group, "#OFFSET#": 2, "#LIMIT#": 2}
        self.assertEqual([int(row["id"]) for row in self.call("dns_zone_get", primary_id=page)], ids[2:4])
        like = self.call("dns_zone_get", primary_id={"origin": "%.paged.example."})
        self.assertEqual(len(like), 5)
        self.assertEqual(self.call("dns_zone_get", primary_id="example.com."), [])


class PublicTests(IspconfigCase):
    def test_active_zones_are_public(self) -> None:
        owner = self.client("P1")
        id = self.zone(owner, "public.example.")
        self.record(owner, id, type="NS", name="", data="ns1.nodepoint.eu.")
        self.record(owner, id, type="TXT", name="t", data='say \\"hi\\"')
        self.record(owner, id, type="MX", name="", data="mail", aux=5)
        self.assertEqual(self.lab.dns.resolve("t.public.example", "TXT"), ['say "hi"'])
        self.assertEqual(self.lab.dns.resolve("public.example", "MX"), ["5 mail.public.example"])
        self.call("dns_zone_update", client_id=0, primary_id=id, params={"active": "N"})
        self.assertEqual(self.lab.dns.resolve("t.public.example", "TXT"), [])

    def test_a_zone_is_served_with_its_serial_as_it_was_when_its_file_was_taken_last(self) -> None:
        owner = self.client("P7")
        id = self.zone(owner, "serial.example.")
        self.assertEqual(self.serial("serial.example"), None, "a zone without records is skipped")
        self.record(owner, id, type="NS", name="", data="ns1.nodepoint.eu.")
        first = self.serial("serial.example")
        self.assertEqual(first, int(self.call("dns_zone_get", primary_id=id)["serial"]))
        params = {**RECORD, "zone": id, "type": "ALIAS", "data": "x.example.net."}
        alias = self.call("dns_cname_add", client_id=owner, params=params, update_serial=True)
        self.assertGreater(self.serial("serial.example"), first)
        first = self.serial("serial.example")
        bad = self.record(owner, id, name="www")
        self.assertEqual(self.serial("serial.example"), first, "the file before stays")
        self.assertEqual(self.lab.dns.resolve("www.serial.example", "A"), [])
        log = self.call("sys_datalog_get_by_tstamp", tstamp=1)
        entry = next(row for row in log if row["error"] and row["dbtable"] == "dns_soa")
        self.assertEqual(entry["dbidx"], f"id:{id}")
        self.assertIn("www.serial.example: CNAME and other data", entry["error"])
        self.assertTrue(entry["error"].endswith("zone serial.example/IN: not loaded due to errors."))
        self.call("dns_a_delete", primary_id=alias, update_serial=True)
        self.assertGreater(self.serial("serial.example"), first)
        self.assertEqual(self.lab.dns.resolve("www.serial.example", "A"), ["192.0.2.1"])
        self.call("dns_a_delete", primary_id=bad, update_serial=True)

    def test_the_change_log_needs_the_server_functions(self) -> None:
        with self.denied("server_get"):
            self.assertIn("permissions", self.fault("sys_datalog_get_by_tstamp", tstamp=1))

    @contextlib.contextmanager
    def denied(self, function: str) -> Iterator[None]:
        self.lab.ispconfig.sessions.denied.add(function)
        try:
            yield
        finally:
            self.lab.ispconfig.sessions.denied.discard(function)

    def serial(self, zone: str) -> int | None:
        """The serial that the name server answers with for itself."""
        query = DNSRecord.question(zone, "SOA")
        query.header.rd = 0
        answer = DNSRecord.parse(query.send("127.0.0.1", self.lab.dns.port, timeout=2))
        self.assertTrue(answer.header.aa)
        return next((rr.rdata.times[0] for rr in answer.rr if rr.rtype == QTYPE.SOA), None)

    def test_the_zone_file(self) -> None:
        owner = self.client("P9")
        id = self.zone(owner, "file.example.")
        self.record(owner, id, type="TXT", name="t", data="a" * 256)
        self.record(owner, id, name="off", active="N")
        with self.lab.lock:
            lines = self.lab.ispconfig.zone_file("file.example.").decode().splitlines()
        self.assertEqual(lines[2:], [f't 3600 TXT "{"a" * 255}" "a"'])

    def test_the_state_shows_no_secrets(self) -> None:
        state = requests.get(f"{self.lab.url}/_lab/state", timeout=5).json()
        for client in state["ispconfig"]["clients"]:
            self.assertFalse({"password", "id_rsa"} & set(client))
        self.assertGreater(state["requests"]["ispconfig"], 0)

"""The simulated ISPConfig: as strict about forms, and as careless about everything else, as 3.2.12."""

import contextlib
import tempfile
import threading
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from dnslib import QTYPE, DNSRecord

import lab

CLIENT = {
    "contact_name": "Ada",
    "customer_no": "P1",
    "email": "Ada@Example.com",
    "username": "np_p1",
    "language": "en",
    "password": "Abcdef1!",
    "web_php_options": "no",
    "ssh_chroot": "no",
    "limit_cron_type": "url",
}
ZONE = {
    "server_id": 1,
    "origin": "example.com.",
    "ns": "ns1.nodepoint.eu.",
    "mbox": "hostmaster.nodepoint.eu.",
    "serial": 2026010101,
    "refresh": 7200,
    "retry": 540,
    "expire": 604800,
    "minimum": 3600,
    "ttl": 3600,
    "active": "Y",
}
RECORD = {
    "server_id": 1,
    "name": "www",
    "type": "A",
    "data": "192.0.2.1",
    "aux": 0,
    "ttl": 3600,
    "active": "Y",
    "stamp": "2026-01-01 00:00:00",
}


class IspconfigCase(unittest.TestCase):
    """One lab for the class, one session."""

    lab: lab.Lab

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = lab.start()
        cls.addClassCleanup(cls.lab.stop)
        cls.http = requests.Session()
        cls.addClassCleanup(cls.http.close)
        cls.http.trust_env = False
        cls.http.verify = cls.lab.settings["ISPCONFIG_VERIFY_TLS"]
        cls.url = f"{cls.lab.settings['ISPCONFIG_URL']}/remote/json.php"
        cls.session = cls.login()["response"]

    @classmethod
    def login(cls, password: str = "") -> dict[str, Any]:
        body = {"username": "nodepoint", "password": password or cls.lab.settings["ISPCONFIG_PASSWORD"]}
        return cls.http.post(f"{cls.url}?login", json=body, timeout=5).json()

    def raw(self, function: str, body: Any) -> requests.Response:
        return self.http.post(f"{self.url}?{function}", json=body, timeout=5)

    def call(self, function: str, /, **arguments: Any) -> Any:
        """The value of a function that succeeds."""
        answer = self.raw(function, {"session_id": self.session, **arguments}).json()
        self.assertEqual(answer["code"], "ok", answer)
        return answer["response"]

    def fault(self, function: str, /, **arguments: Any) -> str:
        answer = self.raw(function, {"session_id": self.session, **arguments}).json()
        self.assertEqual((answer["code"], answer["response"]), ("remote_fault", False), answer)
        return answer["message"]

    def client(self, number: str) -> int:
        fields = {**CLIENT, "customer_no": number, "username": f"np_{number}"}
        return int(self.call("client_add", reseller_id=0, params=fields))

    def zone(self, client_id: int, origin: str, **fields: Any) -> int:
        return int(
            self.call("dns_zone_add", client_id=client_id, params={**ZONE, "origin": origin, **fields})
        )

    def record(self, client_id: int, zone: int, serial: bool = True, **fields: Any) -> int:
        type = fields.get("type", "A").lower()
        params = {**RECORD, "zone": zone, **fields}
        return int(self.call(f"dns_{type}_add", client_id=client_id, params=params, update_serial=serial))


class EnvelopeTests(IspconfigCase):
    def test_everything_is_200_and_an_envelope(self) -> None:
        for function, body, code, message in (
            ("dns_nonsense_add", {}, "invalid_method", "Method dns_nonsense_add does not exist"),
            ("DNS_ZONE_GET", {}, "invalid_method", "Method DNS_ZONE_GET does not exist"),
            ("dns_zone_get", "x", "invalid_data", "The JSON data sent to the api is invalid"),
            ("dns_zone_get", {"primary_id": 1}, "remote_fault", "The SessionID is empty."),
            ("dns_zone_get", {"session_id": 7}, "remote_fault", "Wrong SessionID datatype."),
            ("login", {}, "remote_fault", "The login username is empty."),
        ):
            answer = self.raw(function, body)
            with self.subTest(function=function, body=body):
                self.assertEqual(answer.status_code, 200)
                self.assertEqual(answer.json(), {"code": code, "message": message, "response": False})
        self.assertEqual(self.http.get(f"{self.url}?dns_zone_get", timeout=5).json()["code"], "invalid_data")

    def test_faults_in_its_own_form(self) -> None:
        self.addCleanup(self.lab.faults.clear)
        self.lab.faults.add("ispconfig", "error", match="dns_zone_get")
        answer = self.raw("dns_zone_get", {"session_id": self.session})
        self.assertEqual((answer.status_code, answer.content), (500, b""))
        self.lab.faults.add("ispconfig", "refuse", match="dns_zone_get")
        self.assertIn("do not have the permissions", self.fault("dns_zone_get", primary_id=-1))
        self.assertEqual(self.call("dns_zone_get", primary_id={"origin": "none."}), [])


class SessionTests(IspconfigCase):
    def test_ten_failures_shut_everybody_out(self) -> None:
        sessions = self.lab.ispconfig.sessions
        self.addCleanup(setattr, sessions, "failures", 0)
        sessions.failures = 0
        for _ in range(9):
            self.login("wrong")
        self.assertEqual(self.login()["code"], "ok")
        for _ in range(10):
            message = self.raw("dns_zone_get", {"session_id": "gone"}).json()["message"]
            self.assertEqual(message, "The Session is expired or does not exist.")
        self.assertEqual(self.login()["message"], "The login failure limit has been reached.")
        self.assertEqual(self.fault("dns_zone_get"), "The Session failure limit has been reached.")
        sessions.failed_at -= 301
        self.assertEqual(self.login()["code"], "ok")

    def test_sessions_end_and_permissions_are_asked_for(self) -> None:
        session = self.login()["response"]
        self.lab.ispconfig.sessions.denied.add("dns_zone_add")
        self.addCleanup(self.lab.ispconfig.sessions.denied.clear)
        self.assertIn("permissions", self.fault("dns_zone_add"))
        self.assertIs(self.raw("logout", {"session_id": session}).json()["response"], True)
        self.assertIn("expired", self.raw("dns_zone_get", {"session_id": session}).json()["message"])


class ClientTests(IspconfigCase):
    def test_forms_and_uniqueness(self) -> None:
        self.client("P1")
        for changes, message in (
            ({}, "customer_no_error_unique<br />\r\nusername_error_unique<br>\r\nDuplicate username<br />"),
            (
                {"customer_no": "P2", "username": "p 2", "email": "x"},
                "username_error_regex<br />\r\nemail_error_isemail<br />\r\n",
            ),
            (
                {"customer_no": "P2", "username": "admin"},
                "username_error_unique<br>\r\nDuplicate username<br />",
            ),
        ):
            params = {**CLIENT, "username": "np_P1", **changes}
            self.assertEqual(self.fault("client_add", reseller_id=0, params=params), message)
        weak = {**CLIENT, "customer_no": "P3", "username": "p3", "password": "abc"}
        self.assertIn("The chosen password", self.fault("client_add", reseller_id=0, params=weak))
        lax = {**CLIENT, "customer_no": "P3", "username": "p3", "limit_cron_type": ""}
        self.assertIn("INSERT INTO", self.fault("client_add", reseller_id=0, params=lax))

    def test_nothing_keeps_parallel_calls_from_making_several(self) -> None:
        made: list[bool] = []

        for _ in range(8):
            threads = [threading.Thread(target=self._add_901, args=(made,)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if made.count(True) > 1:
                break
            for row in self.call("client_get", client_id={"customer_no": "P901"}):
                self.call("client_delete", client_id=int(row["client_id"]))
            made.clear()
        self.assertGreater(made.count(True), 1)

    def _add_901(self, made: list[bool]) -> None:
        params = {**CLIENT, "customer_no": "P901", "username": "np_p901"}
        with requests.Session() as session:
            session.trust_env, session.verify = False, self.http.verify
            body = {"session_id": self.session, "reseller_id": 0, "params": params}
            made.append(session.post(f"{self.url}?client_add", json=body, timeout=5).json()["code"] == "ok")

    def test_reads(self) -> None:
        id = self.client("P70")
        self.assertEqual(self.call("client_get", client_id=id)["customer_no"], "P70")
        self.assertEqual(len(self.call("client_get", client_id={"customer_no": "p70"})), 1)
        self.assertEqual(self.call("client_get", client_id={"no_such_column": "x"}), [])
        self.assertIsNone(self.call("client_get", client_id=9999))
        self.assertEqual(self.fault("client_get", client_id=0), "The ID has to be > 0 or -1.")
        self.assertIn("There is no group", self.fault("client_get_groupid", client_id=9999))


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


class PersistenceTests(unittest.TestCase):
    def test_it_comes_back_as_it_was(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            first = lab.start(Path(folder))
            panel = first.ispconfig.panel
            with first.lock:
                id = panel.dns_zone_add(0, ZONE)
                panel.record_add("A", 0, {**RECORD, "zone": int(id)}, True)
                before = first.ispconfig.state_view()
            settings = first.settings
            first.stop()
            second = lab.start(Path(folder))
            self.addCleanup(second.stop)
            with second.lock:
                self.assertEqual(second.ispconfig.state_view(), before)
                self.assertEqual(second.ispconfig.panel.dns_zone_add(0, {**ZONE, "origin": "b.com."}), "2")
            self.assertEqual(second.settings, settings)

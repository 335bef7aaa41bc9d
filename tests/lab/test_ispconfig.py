"""The simulated ISPConfig: as strict about forms, and as careless about everything else, as 3.2.12."""

import tempfile
import threading
import unittest
from pathlib import Path

import requests

import lab
from tests.lab.ispconfig_case import CLIENT, RECORD, ZONE, IspconfigCase


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

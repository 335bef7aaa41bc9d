"""What ISPConfig says, by a double: texts as 3.2.12 gives them, and answers that are no answers."""

import json
import unittest
from typing import Any

from dns.clients.ispconfig import Ispconfig
from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    ClientError,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)
from tests.clients.double import Request, double, unused_address

SQL = "Data truncated for column 'type' at row 1 INSERT INTO `client` (`password`) VALUES ('$6$geheim')"
FAULTS = (
    ("You do not have the permissions to access this function.", Refused),
    ("The Session failure limit has been reached.", Busy),
    ("There is no user account for this customer number.", NotFound),
    ("Invalid client_id 9999", NotFound),
    ("origin_error_unique<br />\r\n", Conflict),
    ("Duplicate entry 'example.com.' for key 'origin' INSERT INTO `dns_soa`", Conflict),
    ("customer_no_error_unique<br />\r\nusername_error_unique<br>\r\nDuplicate username<br />", Conflict),
    ("data_error_empty<br />\r\nip_error_wrong<br />\r\nttl_range_error<br />\r\n", Refused),
    ("The chosen password does not match the security guidelines. It has to be", Refused),
    ("The ID has to be > 0 or -1.", Refused),
    (SQL, BadAnswer),
    ("You have an error in your SQL syntax; near 'AND 1' at line 1 DELETE FROM dns_rr WHERE id =", BadAnswer),
)
LOGIN_FAULTS = (
    ("The login failed. Username or password wrong.", Refused),
    ("The login is not allowed from 127.0.0.6", Refused),
    ("The login failure limit has been reached.", Busy),
    ("This ISPConfig installation is currently under maintenance. We should be back shortly.", Busy),
)
PAGES = (
    (200, b"<div class='alert alert-danger clear'><li>Primary ID fehlt!</li></div>"),
    (200, b"Remote API is disabled in security settings."),
    (200, b""),
    (200, b"[]"),
    (200, b'{"message": "x"}'),
    (200, b'{"code": "invalid_method", "message": "Method x does not exist", "response": false}'),
    (500, b""),
    (502, b"<html>"),
    (404, b'{"code": "ok", "response": []}'),
)


class Base(unittest.TestCase):
    """A client of a double; `self.calls` are the functions that were called, `self.bodies` what they got."""

    def client(self, answer: Any, timeout: float = 5.0) -> Ispconfig:
        self.calls: list[str] = []
        self.bodies: list[dict[str, Any]] = []

        def reply(request: Request) -> None:
            function = request.path.partition("?")[2].split("=")[0]
            self.calls.append(function)
            self.bodies.append(json.loads(request.body))
            answer(request, function)

        self.server = self.enterContext(double(reply))
        return Ispconfig(self.server.url, "nodepoint", "rather-secret", 1, timeout=timeout)

    def failure(self, answer: Any) -> ClientError:
        with self.assertRaises(ClientError) as caught:
            self.client(answer).find_zone("example.com.")
        return caught.exception


def ok(request: Request, value: Any = None) -> None:
    request.reply(200, {"code": "ok", "message": "", "response": value})


def fault(request: Request, message: str) -> None:
    request.reply(200, {"code": "remote_fault", "message": message, "response": False})


def logged_in(answer: Any) -> Any:
    """Answers of whoever has logged in."""

    def reply(request: Request, function: str) -> None:
        if function == "login":
            ok(request, "r0123456789abcdef")
        else:
            answer(request, function)

    return reply


class MappingTests(Base):
    def test_every_fault_has_its_error(self) -> None:
        for message, kind in FAULTS:
            error = self.failure(logged_in(lambda request, _, m=message: fault(request, m)))
            with self.subTest(message=message):
                self.assertIs(type(error), kind)
                self.assertEqual(error.system, "ispconfig")

    def test_statements_and_secrets_are_not_told(self) -> None:
        error = self.failure(logged_in(lambda request, _: fault(request, SQL)))
        self.assertIn("Data truncated", error.vendor)
        self.assertNotIn("geheim", error.vendor)
        error = self.failure(logged_in(lambda request, _: fault(request, request.body)))
        self.assertNotIn("r0123456789abcdef", f"{error} {error.vendor}")
        error = self.failure(lambda request, _: fault(request, request.body))
        self.assertNotIn("rather-secret", f"{error} {error.vendor}")

    def test_pages_instead_of_answers(self) -> None:
        for status, page in PAGES:
            error = self.failure(logged_in(lambda request, _, s=status, p=page: request.reply(s, p)))
            with self.subTest(page=page):
                self.assertIs(type(error), BadAnswer)
                self.assertTrue(error.unknown_outcome)

    def test_answers_that_make_no_sense(self) -> None:
        for value in (
            None,
            False,
            {},
            "x",
            [{"id": "1"}],
            [{"id": "x", "origin": "example.com.", "sys_groupid": "1"}],
        ):
            error = self.failure(logged_in(lambda request, _, v=value: ok(request, v)))
            with self.subTest(value=value):
                self.assertIs(type(error), BadAnswer)
        for value in (None, False, 0, "", [], "x"):
            client = self.client(logged_in(lambda request, _, v=value: ok(request, v)))
            with self.subTest(value=value), self.assertRaises(BadAnswer):
                client.create_zone(1, "example.com.", "ns1.x.", "h.x.", 1)

    def test_nobody_listens(self) -> None:
        with self.assertRaises(Unreachable):
            Ispconfig(f"http://{unused_address()}", "u", "secret", 1, timeout=1).verify()


class SessionTests(Base):
    def test_one_login_serves_many_calls(self) -> None:
        client = self.client(logged_in(lambda request, _: ok(request, [])))
        for _ in range(5):
            client.verify()
        self.assertEqual(self.calls.count("login"), 1)
        self.assertEqual(self.bodies[1]["session_id"], "r0123456789abcdef")

    def test_a_lost_session_is_renewed_and_the_call_repeated_once(self) -> None:
        for message in ("The Session is expired or does not exist.", "Session IP mismatch."):
            client = self.client(
                logged_in(
                    lambda request, _, m=message: (
                        fault(request, m) if len(self.calls) == 2 else ok(request, "7")
                    )
                )
            )
            self.assertEqual(client.create_zone(1, "example.com.", "ns1.x.", "h.x.", 1), 7)
            self.assertEqual(self.calls, ["login", "dns_zone_add", "login", "dns_zone_add"])
        error = self.failure(logged_in(lambda request, _, m=message: fault(request, m)))
        self.assertIsInstance(error, Refused)
        self.assertEqual(self.calls.count("login"), 2)

    def test_refused_credentials_are_not_tried_again(self) -> None:
        for message, kind in LOGIN_FAULTS:
            client = self.client(lambda request, _, m=message: fault(request, m))
            for _ in range(12):
                with self.assertRaises(kind):
                    client.verify()
            self.assertEqual(self.calls, ["login"])

    def test_readings_are_repeated_once_when_the_connection_drops_and_writes_never(self) -> None:
        client = self.client(logged_in(lambda request, _: request.drop()))
        with self.assertRaises(TimedOut):
            client.find_zone("example.com.")
        self.assertEqual(self.calls.count("dns_zone_get"), 2)
        with self.assertRaises(TimedOut):
            client.create_zone(1, "example.com.", "ns1.x.", "h.x.", 1)
        self.assertEqual(self.calls.count("dns_zone_add"), 1)

    def test_the_address_may_be_that_of_the_panel_or_of_its_api(self) -> None:
        self.client(logged_in(lambda request, _: ok(request, []))).verify()
        self.assertEqual(self.server.seen[0], "POST /remote/json.php?login=")
        whole = Ispconfig(f"{self.server.url}/api/json.php", "u", "secret", 1)
        whole.verify()
        self.assertEqual(self.server.seen[-2], "POST /api/json.php?login=")


class RequestTests(Base):
    def test_what_would_widen_a_search_is_sorted_out(self) -> None:
        rows = [
            {"id": str(n), "origin": origin, "sys_groupid": "2", "active": "Y", "serial": "1"}
            for n, origin in enumerate(
                ("example.com.x.", "EXAMPLE.com.", "a.example.com.", "aexample.com."), 1
            )
        ]
        client = self.client(logged_in(lambda request, _: ok(request, rows)))
        self.assertEqual(client.find_zone("example.com.").id, 2)
        self.assertEqual([zone.id for zone in client.zones_below("example.com.")], [3])

    def test_ids_are_numbers_and_flags_are_letters(self) -> None:
        client = self.client(logged_in(lambda request, _: ok(request, "9")))
        client.create_record(3, 5, type="A", name="x", data="192.0.2.1", ttl=60, priority=0)
        body = self.bodies[-1]
        self.assertEqual((body["client_id"], body["params"]["zone"], body["update_serial"]), (3, 5, True))
        self.assertEqual((body["params"]["active"], body["params"]["server_id"]), ("Y", 1))
        self.assertRegex(body["params"]["stamp"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        client.set_zone_active(5, False, 7)
        self.assertEqual(self.bodies[-1]["params"], {"active": "N", "serial": 7})
        self.assertEqual(self.bodies[-1]["client_id"], 0)

    def test_all_pages_are_read(self) -> None:
        from unittest import mock

        row = {"id": "1", "origin": "x.y.", "sys_groupid": "2", "active": "N", "serial": "1"}

        def answer(request: Request, _: str) -> None:
            filter = json.loads(request.body)["primary_id"]
            ok(
                request,
                [{**row, "id": str(n)} for n in range(1, 6)][filter["#OFFSET#"] :][: filter["#LIMIT#"]],
            )

        with mock.patch("dns.clients.ispconfig.PAGE", 2):
            found = self.client(logged_in(answer)).zones_of(2)
        self.assertEqual([zone.id for zone in found], [1, 2, 3, 4, 5])

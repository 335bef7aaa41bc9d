"""Answers of ISPConfig that contradict what was asked, come twice, come late, or are of another version: a
named error, and nobody gets what is another's."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from dns.clients.ispconfig import Ispconfig
from nodepoint.clients.errors import BadAnswer, Refused, TimedOut
from tests.clients.double import Request
from tests.clients.test_ispconfig_errors import Base, logged_in, ok

RECORD = {
    "id": "5",
    "zone": "3",
    "sys_groupid": "7",
    "name": "www",
    "type": "A",
    "data": "192.0.2.1",
    "aux": "0",
    "ttl": "300",
    "active": "Y",
    "serial": "0",
}
ZONE = {"id": "3", "origin": "example.com.", "sys_groupid": "7", "active": "Y", "serial": "2026010101"}
FAILED = {"dbtable": "dns_soa", "dbidx": "id:3", "error": "not loaded due to errors."}


def without(row: dict[str, str], column: str) -> dict[str, str]:
    """The row as a version without that column has it."""
    return {name: value for name, value in row.items() if name != column}


Ask = Callable[[Ispconfig], Any]
ASKED: dict[str, Ask] = {
    "record": lambda client: client.record(5),
    "zone": lambda client: client.zone(3),
    "zone_records": lambda client: client.zone_records(3),
    "records_of": lambda client: client.records_of(7),
    "zones_of": lambda client: client.zones_of(7),
    "find_zone": lambda client: client.find_zone("example.com."),
    "find_clients": lambda client: client.find_clients("P7"),
}
# What is asked, and an answer that cannot be one.
WRONG: tuple[tuple[str, Any], ...] = (
    ("record", {**RECORD, "id": "6"}),
    ("record", [RECORD]),
    ("record", []),
    ("record", False),
    ("record", without(RECORD, "aux")),
    ("record", {**RECORD, "ttl": "soon"}),
    ("zone", {**ZONE, "id": "4"}),
    ("zone", {**ZONE, "origin": None}),
    ("zone", without(ZONE, "sys_groupid")),
    ("zone_records", [RECORD, {**RECORD, "id": "6", "zone": "4"}]),  # a filter that is not heeded
    ("zone_records", {"5": RECORD}),
    ("zone_records", False),
    ("zone_records", [None]),
    ("records_of", [{**RECORD, "sys_groupid": "8"}]),
    ("zones_of", [ZONE, {**ZONE, "id": "4", "sys_groupid": "8"}]),
    ("zones_of", "none"),
    ("find_zone", [without(ZONE, "serial")]),
    ("find_clients", [{"client_id": "x", "customer_no": "P7", "username": "np_p7"}]),
)
# What is asked, an answer of another form, and how many things that is.
UNDERSTOOD: tuple[tuple[str, Any, int], ...] = (
    ("zone_records", [RECORD, RECORD], 1),
    ("zone_records", [{**RECORD, "id": 5, "zone": 3, "ttl": 300, "aux": 0, "sys_groupid": 7}], 1),
    ("zone_records", [without(RECORD, "serial"), {**RECORD, "id": "6", "data": None}], 2),
    ("zones_of", [ZONE, ZONE], 1),
    ("zones_of", [{**ZONE, "rendered_zone": None, "dnssec_wanted": "N"}], 1),
    ("find_clients", [{"client_id": "1", "customer_no": "P70", "username": "x"}], 0),
)


class ContradictionTests(Base):
    def asked(self, what: str, value: Any) -> Any:
        return ASKED[what](self.client(logged_in(lambda request, _: ok(request, value))))

    def test_what_was_not_asked_for_is_a_bad_answer(self) -> None:
        for what, value in WRONG:
            with self.subTest(what=what, value=value), self.assertRaises(BadAnswer) as caught:
                self.asked(what, value)
            self.assertEqual(caught.exception.system, "ispconfig")

    def test_what_comes_twice_or_in_another_form_is_understood(self) -> None:
        for what, value, many in UNDERSTOOD:
            with self.subTest(what=what, value=value):
                self.assertEqual(len(self.asked(what, value)), many)

    def test_what_is_gone_is_nothing(self) -> None:
        self.assertIsNone(self.asked("record", None))
        self.assertIsNone(self.asked("zone", None))

    def test_an_id_that_is_none_is_a_bad_answer(self) -> None:
        fields = {"type": "A", "name": "x", "data": "192.0.2.1", "ttl": 60, "priority": 0}
        for value in (True, False, None, 0, "-1", [], "x", {"id": 5}):
            client = self.client(logged_in(lambda request, _, v=value: ok(request, v)))
            with self.subTest(value=value), self.assertRaises(BadAnswer):
                client.create_record(1, 3, **fields)

    def test_failed_changes_of_which_nothing_is_known_are_refused_or_left_out(self) -> None:
        since = datetime(2026, 1, 1, tzinfo=UTC)
        for value, many in ((None, 0), ([], 0), ([{**FAILED, "error": None}], 0), ([FAILED, FAILED], 2)):
            client = self.client(logged_in(lambda request, _, v=value: ok(request, v)))
            self.assertEqual(len(client.failed_changes(since)), many)
        for value in ([{**FAILED, "dbidx": None}], [{"error": "x"}], "x"):
            client = self.client(logged_in(lambda request, _, v=value: ok(request, v)))
            with self.subTest(value=value), self.assertRaises(BadAnswer):
                client.failed_changes(since)

    def test_a_late_answer_of_a_write_is_an_unknown_outcome(self) -> None:
        def late(request: Request, function: str) -> None:
            time.sleep(0.4)
            ok(request, "9")

        client = self.client(logged_in(late), timeout=0.2)
        with self.assertRaises(TimedOut) as caught:
            client.create_zone(1, "example.com.", "ns1.x.", "h.x.", 1)
        self.assertTrue(caught.exception.unknown_outcome)

    def test_a_function_that_an_older_version_does_not_have_is_named(self) -> None:
        def older(request: Request, function: str) -> None:
            message = f"Method {function} does not exist"
            request.reply(200, {"code": "invalid_method", "message": message, "response": False})

        with self.assertRaises(BadAnswer) as caught:
            self.client(logged_in(older)).record(5)
        self.assertIn("dns_a_get", caught.exception.vendor)
        self.assertNotIsInstance(caught.exception, Refused)

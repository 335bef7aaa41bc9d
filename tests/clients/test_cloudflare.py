"""Cloudflare against the simulated zone."""

from functools import partial

from nodepoint.clients.errors import (
    BadAnswer,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
)
from tests.clients.base import LabTestCase

IP = "203.0.113.10"


class CloudflareTests(LabTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.client = cls.cloudflare()

    def test_a_record_is_made_found_changed_and_deleted(self) -> None:
        made = self.client.create_record("A", "one.nodepoint.eu", IP, comment="nodepoint:1")
        self.assertEqual(
            (made.type, made.name, made.content, made.ttl, made.proxied, made.comment),
            ("A", "one.nodepoint.eu", IP, 300, False, "nodepoint:1"),
        )
        self.assertEqual(self.client.find_records("ONE.nodepoint.eu", "A"), [made])
        self.assertEqual(self.client.find_records("one.nodepoint.eu", "AAAA"), [])
        changed = self.client.update_record(made.id, content="203.0.113.11")
        self.assertEqual(
            (changed.id, changed.content, changed.comment), (made.id, "203.0.113.11", "nodepoint:1")
        )
        self.client.delete_record(made.id)
        self.client.delete_record(made.id)
        self.assertEqual(self.client.find_records("one.nodepoint.eu"), [])
        with self.assert_fails(NotFound):
            self.client.update_record(made.id, ttl=600)

    def test_an_identical_record_is_a_conflict_but_another_address_is_not(self) -> None:
        self.client.create_record("A", "two.nodepoint.eu", IP)
        with self.assert_fails(Conflict):
            self.client.create_record("A", "two.nodepoint.eu", IP)
        self.client.create_record("A", "two.nodepoint.eu", "203.0.113.12")
        self.assertEqual(len(self.client.find_records("two.nodepoint.eu", "A")), 2)

    def test_a_cname_in_the_way_is_a_conflict(self) -> None:
        self.client.create_record("CNAME", "three.nodepoint.eu", "elsewhere.example")
        with self.assert_fails(Conflict):
            self.client.create_record("A", "three.nodepoint.eu", IP)

    def test_what_the_zone_does_not_take_is_refused(self) -> None:
        with self.assert_fails(Refused):
            self.client.create_record("A", "four.nodepoint.eu", "300.1.1.1")
        with self.assert_fails(Refused):
            self.client.create_record("A", "four.nodepoint.eu", IP, ttl=2)
        with self.assert_fails(Refused):
            self.client.create_record("A", "four.nodepoint.eu", IP, comment="x" * 101)

    def test_records_are_listed_by_their_mark(self) -> None:
        ours = {
            self.client.create_record("A", f"m{n}.nodepoint.eu", IP, comment=f"mark:{n}").id for n in range(3)
        }
        theirs = self.client.create_record("A", "m9.nodepoint.eu", IP, comment="by hand").id
        self.assertEqual({record.id for record in self.client.list_records("mark:")}, ours)
        self.assertLess(ours | {theirs}, {record.id for record in self.client.list_records()} | {"x"})

    def test_a_wrong_token_or_zone_is_refused(self) -> None:
        self.client.verify()
        with self.assert_fails(Refused):
            self.cloudflare(CLOUDFLARE_API_TOKEN="another-token-0123456789").verify()
        with self.assert_fails(Refused):
            self.cloudflare(CLOUDFLARE_ZONE_ID="nodepoint.eu").verify()

    def test_each_fault_has_its_error(self) -> None:
        for kind, expected in (
            ("error", BadAnswer),
            ("refuse", Refused),
            ("drop_before", TimedOut),
            ("drop_after", TimedOut),
        ):
            self.lab.faults.add("cloudflare", kind, match="POST")
            with self.subTest(kind=kind), self.assert_fails(expected):
                self.client.create_record("A", f"{kind.replace('_', '-')}.nodepoint.eu", IP)
        self.assertEqual(len(self.client.find_records("drop-after.nodepoint.eu")), 1)
        self.assertEqual(self.client.find_records("drop-before.nodepoint.eu"), [])

    def test_every_method_gives_up_in_time(self) -> None:
        hasty = self.cloudflare(timeout=0.25)
        calls = {
            "verify": hasty.verify,
            "find_records": partial(hasty.find_records, "a.nodepoint.eu"),
            "list_records": hasty.list_records,
            "create_record": partial(hasty.create_record, "A", "a.nodepoint.eu", IP),
            "update_record": partial(hasty.update_record, "ab" * 16, ttl=600),
            "delete_record": partial(hasty.delete_record, "ab" * 16),
        }
        self.assertEqual(set(calls), {name for name in dir(hasty) if not name.startswith("_")})
        self.lab.faults.add("cloudflare", "hang", count=len(calls), seconds=2)
        self.assert_all_time_out(calls, within=1.0)

"""Every write is read back: what ISPConfig stored otherwise is taken back, and the customer is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from dns.clients.ispconfig import Ispconfig
from dns.models import TemplateRecord
from nodepoint.clients.errors import BadAnswer, Refused, Unreachable
from nodepoint.jobs.models import Job
from tests.dns.base import DnsTestCase, said

NOT_KEPT = "would not keep this record"


class Killed(BaseException):
    """The worker was killed."""


class ReadBackTests(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.zone_id = self.add_zone("example.com")["id"]
        self.before = said(self.zone("example.com"))

    @contextmanager
    def stored_otherwise(self, **columns: Any) -> Iterator[None]:
        """The panel stores these values, whatever it was sent."""
        panel = self.lab.ispconfig.panel
        panel.alters = lambda row: {**row, **columns}
        try:
            yield
        finally:
            panel.alters = None

    def add(self, **fields: Any) -> dict[str, Any]:
        body = {"zone_id": self.zone_id, "type": "a", "name": "x", "ttl": 300, "ip": "192.0.2.7", **fields}
        return self.done("add/record", **body)["record"]

    def test_a_record_that_is_stored_otherwise_is_removed_and_refused(self) -> None:
        for columns in ({"name": ""}, {"data": "192.0.2.8"}, {"ttl": 60}, {"active": "N"}):
            with self.subTest(**columns), self.stored_otherwise(**columns):
                body = {"zone_id": self.zone_id, "type": "a", "name": "x", "ttl": 300, "ip": "192.0.2.7"}
                self.assertIn(NOT_KEPT, self.refused(400, "validation", "add/record", **body))
            self.assertEqual(said(self.zone("example.com")), self.before)
            self.assertEqual(len(list(self.lab.ispconfig.panel.records.rows())), len(self.before))

    def test_a_change_that_is_stored_otherwise_is_put_back_and_refused(self) -> None:
        record = self.add()
        body = {"zone_id": self.zone_id, "rc_id": record["id"], "type": "a", "name": "y", "ttl": 60}
        panel = self.lab.ispconfig.panel
        panel.alters = lambda row: {**row, "name": ""} if "y" in row["name"] else row
        self.addCleanup(setattr, panel, "alters", None)
        sentence = self.refused(400, "validation", "update/record", ip="192.0.2.9", **body)
        self.assertIn(NOT_KEPT, sentence)
        self.assertEqual(self.zone("example.com")["records"][record["id"]], record)

    def test_what_cannot_be_read_back_is_seen_in_the_list_of_the_zone(self) -> None:
        for error in (Unreachable, BadAnswer, Refused):  # the last one: the function's group is not ticked
            with self.subTest(error), mock.patch.object(Ispconfig, "record", side_effect=error("ispconfig")):
                record = self.add()
                self.assertEqual(len(self.zone("example.com")["records"]), len(self.before) + 1)
                self.done("delete/record", zone_id=self.zone_id, rc_id=record["id"])
                self.assertEqual(said(self.zone("example.com")), self.before)

    def test_what_nobody_can_look_for_any_more_fails_with_the_word_that_it_was_written(self) -> None:
        def gone(client: Ispconfig, id: int) -> Any:
            self.fault("ispconfig", "refuse", count=100_000)
            raise Unreachable("ispconfig")

        fields = {"zone_id": self.zone_id, "type": "a", "name": "x", "ttl": 300, "ip": "192.0.2.7"}
        self.post("/customdomain/add/record", {"user_id": 42, **fields}, Prefer="wait=0")
        with mock.patch.object(Ispconfig, "record", gone):
            self.run_jobs()
        job = Job.objects.get(kind="dns.add_record")
        self.assertEqual(job.state, "failed")
        self.assertTrue(
            job.error.startswith("It was written, and could not be read back. ISPConfig"), job.error
        )
        self.clear_faults()
        self.assertEqual(len(self.zone("example.com")["records"]), len(self.before) + 1)

    def test_one_that_was_not_looked_at_any_more_is_found_by_its_mark(self) -> None:
        real = Ispconfig.record

        def deadly(client: Ispconfig, id: int) -> Any:
            mock.patch.stopall()
            raise Killed

        with self.stored_otherwise(name=""):
            fields = {"zone_id": self.zone_id, "type": "a", "name": "x", "ttl": 300, "ip": "192.0.2.7"}
            self.post("/customdomain/add/record", {"user_id": 42, **fields}, Prefer="wait=0")
            with mock.patch.object(Ispconfig, "record", deadly), self.assertRaises(Killed):
                self.run_jobs()
            self.assertIs(Ispconfig.record, real)
            self.run_jobs()
        self.assertEqual(said(self.zone("example.com")), self.before)

    def test_a_zone_whose_records_are_stored_otherwise_is_undone(self) -> None:
        TemplateRecord.objects.all().delete()
        self.delegate("other.example")
        with self.stored_otherwise(name="x"):
            sentence = self.refused(400, "validation", "add/zone", domain="other.example")
        self.assertIn("NS other.example.", sentence)
        self.assertIsNone(self.in_panel("other.example"))
        self.assertTrue(Job.objects.filter(kind="notices.staff").exists())  # no customer's own doing


class SetTests(DnsTestCase):
    def test_the_latest_ttl_counts_for_all_records_of_a_name_and_type(self) -> None:
        id = self.add_zone("example.com")["id"]
        body = {"zone_id": id, "type": "a", "name": "x"}
        first = self.done("add/record", **body, ttl=300, ip="192.0.2.1")["record"]["id"]
        other = self.done("add/record", **body | {"type": "txt"}, ttl=900, txt="x")["record"]["id"]
        second = self.done("add/record", **body, ttl=600, ip="192.0.2.2")["record"]["id"]
        self.assertEqual(self.ttls(first, second, other), [600, 600, 900])
        self.done("update/record", **body, rc_id=first, ttl=60, ip="192.0.2.1")
        self.assertEqual(self.ttls(first, second, other), [60, 60, 900])
        self.assertEqual(sorted(self.lab.dns.resolve("x.example.com", "A")), ["192.0.2.1", "192.0.2.2"])

    def ttls(self, *ids: str) -> list[int]:
        records = self.zone("example.com")["records"]
        return [records[id]["ttl"] for id in ids]


class StaffRowsTests(DnsTestCase):
    def test_a_zone_with_rows_of_any_type_is_shown_and_goes(self) -> None:
        id = self.add_zone("example.com")["id"]
        zone = self.in_panel("example.com")
        row = {**zone["records"][0], "zone": id, "ttl": "3600"}
        panel = self.lab.ispconfig.panel
        rows = (
            ("SRV", "_s._tcp", "5 5060 sip.x.", 7),
            ("CAA", "", '0 issue "ca.example"', 0),
            ("DNSKEY", "k", "rubbish", 0),
        )
        with self.lab.lock:
            for type, name, data, aux in rows:
                values = {**row, "type": type, "name": name, "data": data, "aux": aux}
                panel.record_add("TXT", int(panel.client_get_all()[0]), values, False)
        shown = {record["type"]: record for record in self.zone("example.com")["records"].values()}
        self.assertEqual((shown["SRV"]["priority"], shown["SRV"]["data"]), (7, "5 5060 sip.x."))
        self.assertEqual(shown["CAA"]["name"], "example.com.")
        self.done("delete/record", zone_id=id, rc_id=shown["CAA"]["id"])
        for group in ("dns_srv", "dns_caa", "dns_ns", "dns_txt"):
            self.lab.ispconfig.sessions.untick(group)
        self.addCleanup(self.lab.ispconfig.sessions.denied.clear)
        self.done("delete/zone", domain="example.com")
        self.assertIsNone(self.in_panel("example.com"))
        self.assertEqual(list(panel.records.rows()), [])

"""POST /customdomain/add/record."""

from unittest import mock

from dns import rules
from nodepoint.jobs.models import Job
from tests.dns.base import DnsTestCase, said


class AddRecordTests(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.zone_id = self.add_zone("example.com")["id"]

    def add(self, **values):
        return self.done("add/record", **{"zone_id": self.zone_id, "ttl": 300, **values})["record"]

    def test_every_type_is_added_and_published(self) -> None:
        for values, shown in (
            ({"type": "a", "name": "api", "ip": "192.0.2.1"}, ("A", "api.example.com.", "192.0.2.1", None)),
            (
                {"type": "aaaa", "name": "@", "ip": "2001:DB8::1"},
                ("AAAA", "example.com.", "2001:db8::1", None),
            ),
            (
                {"type": "Cname", "name": "blog", "target": "x.example.net"},
                ("CNAME", "blog.example.com.", "x.example.net.", None),
            ),
            (
                {"type": "mx", "name": "@", "exchange": "mail", "priority": 5},
                ("MX", "example.com.", "mail.example.com.", 5),
            ),
            (
                {"type": "ns", "name": "sub", "ns": "ns.other.net"},
                ("NS", "sub.example.com.", "ns.other.net.", None),
            ),
            (
                {"type": "txt", "name": "_dmarc", "txt": 'say "hi"'},
                ("TXT", "_dmarc.example.com.", 'say "hi"', None),
            ),
            (
                {"type": "a", "name": "proxy", "content": "PROXYSRV"},
                ("A", "proxy.example.com.", "203.0.113.10", None),
            ),
        ):
            with self.subTest(**values):
                before = int(self.in_panel("example.com")["serial"])
                record = self.add(**values)
                self.assertEqual((record["type"], record["name"], record["data"], record["priority"]), shown)
                self.assertEqual((record["ttl"], record["active"]), (300, "y"))
                self.assertEqual(self.zone("example.com")["records"][record["id"]], record)
                self.assertGreater(int(self.in_panel("example.com")["serial"]), before)
                self.assertEqual(
                    self.lab.dns.resolve(shown[1], shown[0]),
                    [f"{shown[3]} {shown[2].rstrip('.')}" if shown[3] else shown[2].rstrip(".")],
                )

    def test_the_zone_is_found_by_id_by_name_or_by_the_record_s_name(self) -> None:
        self.add_zone("deep.example.com")
        for values, zone in (
            ({"zone_id": self.zone_id, "name": "n1"}, "example.com"),
            ({"zone_id": int(self.zone_id), "name": "n2"}, "example.com"),
            ({"zone_id": None, "zone": "Example.com.", "name": "n3"}, "example.com"),
            ({"zone_id": None, "name": "n4.example.com"}, "example.com"),
            ({"zone_id": None, "name": "N5.Deep.example.com."}, "deep.example.com"),
        ):
            with self.subTest(**values):
                record = self.add(type="a", ip="192.0.2.1", **values)
                self.assertIn(record["id"], self.zone(zone)["records"])

    def test_a_zone_that_is_not_named_or_not_there(self) -> None:
        a = {"type": "a", "ttl": 60, "ip": "192.0.2.1"}
        self.refused(400, "validation", "add/record", name="www", **a)
        self.refused(404, "not_found", "add/record", name="www.example.org", **a)
        self.refused(404, "not_found", "add/record", name="x", zone_id=999, **a)
        self.refused(404, "not_found", "add/record", name="x", zone="example.org", **a)
        self.refused(404, "not_found", "add/record", name="x", zone="no such", **a)
        self.refused(404, "not_found", "add/record", name="x", zone_id=self.zone_id, zone="example.org", **a)

    def test_another_s_zone_is_not_there(self) -> None:
        self.add_zone("example.org", user=7)
        a = {"type": "a", "ttl": 60, "ip": "192.0.2.1"}
        for values in (
            {"zone_id": self.zone_id, "name": "x"},
            {"zone": "example.com", "name": "x"},
            {"name": "x.example.com"},
        ):
            self.refused(404, "not_found", "add/record", user=7, **a, **values)
            self.refused(404, "not_found", "add/record", user=8, **a, **values)

    def test_what_cannot_stand_together(self) -> None:
        self.add(type="cname", name="blog", target="x.example.net")
        for status, code, values in (
            (409, "wrong_state", {"type": "a", "name": "blog", "ip": "192.0.2.1"}),
            (409, "wrong_state", {"type": "txt", "name": "Blog.example.com.", "txt": "x"}),
            (409, "wrong_state", {"type": "cname", "name": "blog", "target": "y.example.net"}),
            (409, "wrong_state", {"type": "cname", "name": "www", "target": "y.example.net"}),
            (409, "wrong_state", {"type": "cname", "name": "@", "target": "y.example.net"}),
            (409, "exists", {"type": "cname", "name": "blog", "target": "X.example.net."}),
            (409, "exists", {"type": "a", "name": "www", "ip": "proxysrv"}),
            (409, "protected", {"type": "ns", "name": "@", "ns": "ns.other.net"}),
            (409, "protected", {"type": "ns", "name": "example.com", "ns": "ns.other.net"}),
            (409, "protected", {"type": "soa", "name": "@", "content": "x"}),
        ):
            with self.subTest(**values):
                self.refused(status, code, "add/record", zone_id=self.zone_id, ttl=60, **values)
        self.assertEqual(len(self.zone("example.com")["records"]), 5)
        self.assertFalse(
            Job.objects.filter(kind="notices.staff").exists(), "staff were told of a customer's slip"
        )

    def test_bad_values_never_reach_ispconfig(self) -> None:
        before = self.requests()
        for values in (
            {"type": "a", "name": "x", "ip": "300.1.1.1"},
            {"type": "a", "name": "x", "ip": 5.5},
            {"type": "a", "name": "a_b", "ip": "192.0.2.1"},
            {"type": "aaaa", "name": "x", "ip": "PROXYSRV"},
            {"type": "mx", "name": "x", "exchange": "m.example.net"},
            {"type": "mx", "name": "x", "exchange": "m.example.net", "priority": -1},
            {"type": "mx", "name": "x", "exchange": "m.example.net", "priority": True},
            {"type": "txt", "name": "x", "txt": "a\nb"},
            {"type": "a", "name": "x", "ip": "192.0.2.1", "ttl": 59},
            {"type": "a", "name": "x", "ip": "192.0.2.1", "ttl": "1h"},
            {"type": "a", "name": "x", "ip": "192.0.2.1", "ttl": None},
            {"type": "a", "name": "", "ip": "192.0.2.1"},
            {"type": "a", "name": ["x"], "ip": "192.0.2.1"},
            {"type": "hinfo", "name": "x", "content": "x"},
            {"type": "a", "name": "x", "ip": "192.0.2.1", "zone_id": "1 OR 1=1"},
            {"type": "a", "name": "x", "ip": "192.0.2.1", "user": "P42"},
            {"type": "a", "name": "x", "ip": "192.0.2.1", "user": "1" * 21},
            {"type": "a", "name": "x", "ip": "192.0.2.1", "user": -1},
            {"type": "a", "name": "x", "ip": "192.0.2.1", "user": None},
        ):
            with self.subTest(**values):
                self.refused(
                    400, "validation", "add/record", **{"zone_id": self.zone_id, "ttl": 60, **values}
                )
        self.assertEqual(self.requests(), before)

    def test_a_full_zone_takes_no_more(self) -> None:
        most = len(self.zone("example.com")["records"])
        one_more = {"type": "a", "name": "x", "ttl": 60, "ip": "192.0.2.1"}
        with mock.patch.object(rules, "MOST_RECORDS", most):
            self.refused(409, "quota_exceeded", "add/record", zone_id=self.zone_id, **one_more)

    def test_a_record_that_came_meanwhile_is_the_caller_s_error(self) -> None:
        """Two requests pass their look at the same time; the job of the second looks again."""
        body = {
            "user_id": 42,
            "zone_id": self.zone_id,
            "type": "a",
            "name": "x",
            "ttl": 60,
            "ip": "192.0.2.1",
        }
        first = self.post("/customdomain/add/record", body, Accept="application/json", Prefer="respond-async")
        self.assertEqual(first.json()["state"], "running")
        self.assertIsNone(first.json()["record"]["id"])
        self.refused(
            409, "exists", "add/record", zone_id=self.zone_id, type="a", name="x", ttl=60, ip="192.0.2.1"
        )
        self.assertIn(("A", "x.example.com.", "192.0.2.1"), said(self.zone("example.com")))
        self.assertEqual(len(self.zone("example.com")["records"]), 5)

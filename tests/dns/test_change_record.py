"""POST /customdomain/update/record and /customdomain/delete/record."""

from tests.dns.base import DnsTestCase, said

A = {"type": "a", "ttl": 300, "ip": "192.0.2.1"}


class RecordCase(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.zone_id = self.add_zone("example.com")["id"]
        self.rc_id = self.done("add/record", zone_id=self.zone_id, name="x", **A)["record"]["id"]

    def of(self, type: str, name: str) -> str:
        """The id of a record of the zone."""
        records = self.zone("example.com")["records"].values()
        return next(r["id"] for r in records if (r["type"], r["name"]) == (type, name))


class UpdateRecordTests(RecordCase):
    def test_everything_but_the_type_may_change(self) -> None:
        before = int(self.in_panel("example.com")["serial"])
        change = {"type": "a", "name": "y", "ttl": 600, "ip": "192.0.2.9"}
        record = self.done("update/record", zone_id=self.zone_id, rc_id=self.rc_id, **change)["record"]
        self.assertEqual(
            (record["id"], record["name"], record["data"], record["ttl"]),
            (self.rc_id, "y.example.com.", "192.0.2.9", 600),
        )
        self.assertEqual(self.zone("example.com")["records"][self.rc_id], record)
        self.assertGreater(int(self.in_panel("example.com")["serial"]), before)

    def test_only_the_ttl(self) -> None:
        self.done("update/record", zone_id=self.zone_id, rc_id=int(self.rc_id), name="x", **{**A, "ttl": 900})
        self.assertEqual(self.zone("example.com")["records"][self.rc_id]["ttl"], 900)

    def test_what_is_refused(self) -> None:
        servers = self.of("NS", "example.com.")
        cname = {"type": "cname", "ttl": 60, "target": "x.example.net"}
        alias = self.done("add/record", zone_id=self.zone_id, name="blog", **cname)["record"]["id"]
        for status, code, values in (
            (400, "validation", {**A, "name": "x", "type": "txt", "txt": "x"}),
            (400, "validation", {**A, "name": "x", "ip": "no"}),
            (404, "not_found", {**A, "name": "x", "rc_id": 99999}),
            (404, "not_found", {**A, "name": "x", "zone_id": 99999}),
            (404, "not_found", {**A, "name": "x", "user": 7}),
            (409, "exists", {**A, "name": "www", "ip": "PROXYSRV"}),
            (409, "wrong_state", {**A, "name": "blog"}),
            (409, "wrong_state", {**cname, "name": "www", "rc_id": alias}),
            (409, "protected", {"type": "ns", "name": "@", "ttl": 60, "ns": "ns.x.net", "rc_id": servers}),
            (409, "protected", {"type": "ns", "name": "sub", "ttl": 60, "ns": "ns.x.net", "rc_id": servers}),
        ):
            with self.subTest(**values):
                self.refused(
                    status, code, "update/record", **{"zone_id": self.zone_id, "rc_id": self.rc_id, **values}
                )

    def test_a_name_server_of_a_subdomain_cannot_become_one_of_the_zone(self) -> None:
        ns = {"type": "ns", "ttl": 60, "ns": "ns.x.net"}
        id = self.done("add/record", zone_id=self.zone_id, name="sub", **ns)["record"]["id"]
        self.refused(409, "protected", "update/record", zone_id=self.zone_id, rc_id=id, name="@", **ns)


class DeleteRecordTests(RecordCase):
    def test_it_is_gone(self) -> None:
        before = int(self.in_panel("example.com")["serial"])
        self.done("delete/record", zone_id=self.zone_id, rc_id=self.rc_id)
        self.assertNotIn(self.rc_id, self.zone("example.com")["records"])
        self.assertGreater(int(self.in_panel("example.com")["serial"]), before)
        self.refused(404, "not_found", "delete/record", zone_id=self.zone_id, rc_id=self.rc_id)

    def test_the_platform_s_records_stay(self) -> None:
        self.refused(
            409, "protected", "delete/record", zone_id=self.zone_id, rc_id=self.of("NS", "example.com.")
        )

    def test_another_s_record_is_not_there_by_whatever_way(self) -> None:
        other = self.add_zone("example.org", user=7)["id"]
        before = self.in_panel("example.com")
        for user, zone in ((7, self.zone_id), (7, other), (8, self.zone_id)):
            self.refused(404, "not_found", "delete/record", user=user, zone_id=zone, rc_id=self.rc_id)
            self.refused(
                404, "not_found", "update/record", user=user, zone_id=zone, rc_id=self.rc_id, name="x", **A
            )
        self.assertEqual(self.in_panel("example.com"), before)

    def test_what_staff_have_put_there_can_be_deleted_too(self) -> None:
        row = {
            "server_id": 1,
            "zone": int(self.zone_id),
            "name": "staff",
            "type": "TXT",
            "data": "x",
            "aux": 0,
            "ttl": 60,
        }
        row |= {"active": "Y", "stamp": "2026-01-01 00:00:00"}
        with self.lab.lock:
            id = self.lab.ispconfig.panel.record_add("TXT", 0, row, True)
        # It belongs to the admin's group there, so the list of all zones does not show it.
        self.assertNotIn(id, self.zone("example.com")["records"])
        self.done("delete/record", zone_id=self.zone_id, rc_id=id)
        self.assertNotIn(id, [record["id"] for record in self.in_panel("example.com")["records"]])


class GetDataTests(RecordCase):
    def test_a_stranger_has_nothing(self) -> None:
        self.assertEqual(self.zones(user=99), {})

    def test_the_form_of_the_answer(self) -> None:
        body = self.done("getdata")
        self.assertEqual(list(body), ["success", "zones"])
        zone = body["zones"][0]["zone"]
        self.assertEqual(
            list(zone),
            ["id", "name", "status", "nameservers", "serial", "published", "problem", "dnssec", "records"],
        )
        self.assertEqual(
            zone["records"][self.rc_id],
            {
                "id": self.rc_id,
                "type": "A",
                "name": "x.example.com.",
                "data": "192.0.2.1",
                "ttl": 300,
                "priority": None,
                "active": "y",
            },
        )

    def test_two_calls_whatever_there_is(self) -> None:
        self.add_zone("example.org")
        before = self.requests()
        self.done("getdata")
        self.assertEqual(self.requests() - before, 2)

    def test_what_is_left_of_deleted_zones_is_not_shown(self) -> None:
        with self.lab.lock:
            self.lab.ispconfig.panel.dns_zone_delete(int(self.zone_id))
        self.assertEqual(self.zones(), {})

    def test_it_is_json_also_without_an_accept_header(self) -> None:
        answer = self.call("getdata", accept=None)
        self.assertEqual(answer["Content-Type"], "application/json")
        self.assertEqual(self.call("getdata", accept=None, user="x").json()["code"], "validation")

    def test_a_zone_that_is_not_served_says_so(self) -> None:
        with self.lab.lock:
            self.lab.ispconfig.panel.dns_zone_update(0, int(self.zone_id), {"active": "N"})
        self.assertEqual(self.zone("example.com")["status"], "inactive")
        self.assertIn(("A", "x.example.com.", "192.0.2.1"), said(self.zone("example.com")))

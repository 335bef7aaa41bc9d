"""POST /customdomain/export, import, bulk, history and undo."""

from typing import Any
from unittest import mock

from dns import watch
from dns.connections import ispconfig
from dns.models import Change, Zone
from dns.steps import several
from nodepoint.jobs.models import Job
from tests.base import on_one_database
from tests.dns.base import DnsTestCase, said

NAME = "example.com"
FILE = """\
$TTL 600
@ IN SOA ns.old.net. h.old.net. 1 2 3 4 5
@ NS ns.old.net.
@ MX 10 mail
mail A 192.0.2.25
@ TXT "v=spf1 mx -all"
shop CNAME www
"""


class ManyCase(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.zone_id = self.add_zone(NAME)["id"]
        self.begun = said(self.zone(NAME))

    def about(self, path: str, **body: Any) -> list[dict[str, Any]]:
        return self.done(path, zone_id=self.zone_id, **body)["changes"]

    def acts(self, path: str, **body: Any) -> list[str]:
        return [change["act"] for change in self.about(path, **body)]

    def now(self) -> set[tuple[str, str, str]]:
        return said(self.zone(NAME))

    def history(self) -> list[tuple[str, str, str]]:
        found = self.about("history")
        return [(one["act"], (one["after"] or one["before"])["data"], one["by"]) for one in found]

    def by_staff(self, type: str, name: str, data: str) -> int:
        zone = Zone.objects.get(name_key=NAME)
        fields = {"type": type, "name": name, "data": data, "ttl": 300, "priority": 0}
        return ispconfig().create_record(zone.customer.client_id, zone.ispconfig_id, **fields)


@on_one_database
class CallTests(ManyCase):
    def test_a_file_is_tried_taken_and_given_out_again(self) -> None:
        before = self.requests()
        tried = self.about("import", zonefile=FILE, dry_run=True)
        self.assertEqual([one["act"] for one in tried], ["keep", "keep", "add", "add", "add", "add"])
        self.assertEqual(tried[2]["line"], 4)
        self.assertLess(self.requests() - before, 6)
        self.assertEqual(self.now(), self.begun)
        serial = int(self.in_panel(NAME)["serial"])
        made = self.about("import", zonefile=FILE)
        records = self.zone(NAME)["records"]
        self.assertEqual(
            [records[one["record"]["id"]] for one in made[2:]], [one["record"] for one in made[2:]]
        )
        self.assertEqual(int(self.in_panel(NAME)["serial"]), serial + 1)
        self.assertEqual(self.lab.dns.resolve("mail.example.com", "A"), ["192.0.2.25"])
        self.assertEqual(set(self.acts("import", zonefile=FILE)), {"keep"})

        text = self.call("export", accept=None, zone_id=self.zone_id)
        self.assertEqual(text.headers["Content-Type"], "text/dns; charset=utf-8")
        self.assertIn("\nmail.example.com. 600 IN A 192.0.2.25\n", text.content.decode())
        found = self.done("export", zone_id=self.zone_id)
        self.assertEqual(found["zonefile"], text.content.decode())
        self.assertEqual(set(self.acts("import", zonefile=found["zonefile"], mode="replace")), {"keep"})

    def test_replace_leaves_what_is_ours_or_staff_s(self) -> None:
        self.by_staff("HINFO", "host", "a b")
        self.about("import", zonefile=FILE, mode="replace")
        left = self.now()
        self.assertEqual(sorted(one[0] for one in left), ["A", "CNAME", "HINFO", "MX", "NS", "NS", "TXT"])

    def test_what_cannot_be_taken_is_listed_and_nothing_is_done(self) -> None:
        text = f"{FILE}bad A 300.1.1.1\nwww CNAME x.example.net.\n$INCLUDE x\n"
        answer = self.call("import", zone_id=self.zone_id, zonefile=text)
        self.assertEqual(answer.status_code, 400)
        refused = [one for one in answer.json()["changes"] if one["act"] == "refuse"]
        self.assertEqual([one["line"] for one in refused], [8, 9, 10])
        self.assertIn("3 of 9 changes cannot be made, so nothing was changed. line 8", answer.json()["error"])
        self.assertEqual(self.now(), self.begun)
        self.assertFalse(Job.objects.filter(kind="dns.change_records").exists())
        self.assertEqual(self.acts("import", zonefile=text, skip_refused=True).count("add"), 4)
        plain = self.call("import", accept=None, zone_id=self.zone_id, zonefile="x y z")
        self.assertEqual(plain.status_code, 400)
        self.assertNotIn("{", plain.content.decode())

    def test_bad_bodies(self) -> None:
        for path, body in (
            ("import", {"zonefile": ""}),
            ("import", {"zonefile": "; nothing\n"}),
            ("import", {"zonefile": FILE, "mode": "merge"}),
            ("bulk", {"changes": []}),
            ("bulk", {"changes": ["x"]}),
            ("bulk", {"changes": [{"act": "delete", "rc_id": 1}] * 201}),
            ("undo", {"change_id": "x"}),
            ("history", {"limit": 0}),
        ):
            with self.subTest(path=path):
                self.refused(400, "validation", path, zone_id=self.zone_id, **body)
        for path, body in (
            ("export", {}),
            ("import", {"zonefile": FILE}),
            ("history", {}),
            ("undo", {"change_id": 1}),
            ("bulk", {"changes": [{"act": "delete", "rc_id": 1}]}),
        ):
            self.refused(404, "not_found", path, zone_id=self.zone_id, user=7, **body)
        self.refused(404, "not_found", "undo", zone_id=self.zone_id, change_id=999)
        self.refused(404, "not_found", "undo", change_id=999)

    def test_bulk_is_all_or_nothing(self) -> None:
        www = next(id for id, one in self.zone(NAME)["records"].items() if one["name"] == "www.example.com.")
        changes = [
            {"act": "add", "type": "txt", "name": "@", "txt": "hello", "ttl": 300},
            {"act": "change", "rc_id": www, "type": "a", "name": "web", "ip": "192.0.2.1", "ttl": 300},
            {"act": "add", "type": "cname", "name": "www", "target": "web", "ttl": 300},
        ]
        bad = [
            {"act": "explode"},
            {"act": "delete"},
            {"act": "add", "type": "a"},
            {"act": "delete", "rc_id": 5},
        ]
        answer = self.call("bulk", zone_id=self.zone_id, changes=[*changes, *bad])
        self.assertEqual([one["act"] for one in answer.json()["changes"]][3:], ["refuse"] * 4)
        self.assertEqual(self.now(), self.begun)
        self.assertEqual(self.acts("bulk", changes=changes), ["add", "change", "add"])
        self.assertIn(("CNAME", "www.example.com.", "web.example.com."), self.now())
        self.assertIn(("A", "web.example.com.", "192.0.2.1"), self.now())

    def test_history_tells_who_did_what_and_undo_takes_it_back(self) -> None:
        first = self.done("add/record", zone_id=self.zone_id, type="a", name="a", ip="192.0.2.1", ttl=300)
        id = first["record"]["id"]
        self.done(
            "update/record", zone_id=self.zone_id, rc_id=id, type="a", name="a", ip="192.0.2.2", ttl=300
        )
        self.by_staff("TXT", "x", "by hand")
        watch.look()
        self.done("delete/record", zone_id=self.zone_id, rc_id=id)
        self.assertEqual(
            self.history(),
            [
                ("delete", "192.0.2.2", "api"),
                ("add", "by hand", "found"),
                ("change", "192.0.2.2", "api"),
                ("add", "192.0.2.1", "api"),
            ],
        )
        deleted, _, changed, added = (one["id"] for one in self.about("history"))
        self.assertEqual(self.about("history", before_id=changed, limit=1)[0]["id"], added)
        self.assertEqual(self.call("undo", zone_id=self.zone_id, change_id=changed).status_code, 400)
        self.assertEqual(self.acts("undo", change_id=deleted), ["add"])
        self.assertIn(("A", "a.example.com.", "192.0.2.2"), self.now())
        self.assertEqual(self.acts("undo", change_id=changed), ["change"])
        self.assertIn(("A", "a.example.com.", "192.0.2.1"), self.now())
        self.assertEqual(
            self.acts("undo", change_id=added, scope="since", dry_run=True), ["keep"] * 2 + ["delete"] * 2
        )
        self.about("undo", change_id=added, scope="since")
        self.assertEqual(self.now(), self.begun)

    def test_what_was_done_together_is_undone_together(self) -> None:
        self.about("import", zonefile=FILE, mode="replace")
        (job,) = {one["job"] for one in self.about("history")}
        self.assertEqual(Job.objects.get(pk=job).kind, "dns.change_records")
        self.about("undo", change_id=self.about("history")[0]["id"], scope="job")
        self.assertEqual(self.now(), self.begun)


@on_one_database
class BrokenOffTests(ManyCase):
    """Whatever happens in the middle, all of it is done, or nothing."""

    def changes(self) -> list[dict[str, Any]]:
        www = next(id for id, one in self.zone(NAME)["records"].items() if one["name"] == "www.example.com.")
        apex = next(
            id
            for id, one in self.zone(NAME)["records"].items()
            if one["name"] == "example.com." and one["type"] == "A"
        )
        added = [
            {"act": "add", "type": "a", "name": f"h{number}", "ip": "192.0.2.1", "ttl": 300}
            for number in range(3)
        ]
        change = {"act": "change", "rc_id": apex, "type": "a", "name": "@", "ip": "192.0.2.2", "ttl": 300}
        return [*added, change, {"act": "delete", "rc_id": www}]

    def assert_whole(self) -> None:
        found = self.now()
        self.assertEqual(len(found), 6)
        self.assertIn(("A", "h2.example.com.", "192.0.2.1"), found)
        self.assertEqual(Change.objects.count(), 5)

    def test_lost_answers_double_nothing(self) -> None:
        for function in ("dns_a_add", "dns_a_update", "dns_a_delete", "dns_zone_update"):
            self.fault("ispconfig", "drop_after", match=function, count=1)
        body = {"changes": self.changes(), "zone_id": self.zone_id}
        self.call("bulk", **body)
        self.run_jobs()
        self.assert_whole()
        self.assertEqual({one[2] for one in self.history()}, {"api"})

    def test_a_call_goes_on_where_the_one_before_ended(self) -> None:
        self.enterContext(mock.patch.object(several, "SECONDS", 0.0))
        self.call("bulk", zone_id=self.zone_id, changes=self.changes())
        self.run_jobs()
        self.assert_whole()

    def test_what_the_panel_stores_otherwise_takes_all_of_it_back(self) -> None:
        changes = self.changes()
        with self.lab.lock:
            self.lab.ispconfig.panel.alters = lambda row: (
                {**row, "data": "192.0.2.66"} if row["name"].startswith("h2") else row
            )
        answer = self.call("bulk", zone_id=self.zone_id, changes=changes)
        self.run_jobs()
        self.assertEqual(self.now(), self.begun)
        self.assertEqual(Job.objects.get(kind="dns.change_records").state, Job.State.ROLLED_BACK)
        self.assertNotEqual(answer.status_code, 200)
        self.assertEqual(self.history(), [])

    def test_a_record_that_others_delete_meanwhile_takes_all_of_it_back(self) -> None:
        changes = self.changes()
        panel, rc_id = self.lab.ispconfig.panel, int(changes[3]["rc_id"])
        with self.lab.lock:
            panel.alters = lambda row: (panel.records.delete(rc_id), row)[1]
        self.call("bulk", zone_id=self.zone_id, changes=changes)
        self.run_jobs()
        self.assertEqual(self.now(), self.begun)
        self.assertEqual(Job.objects.get(kind="dns.change_records").state, Job.State.ROLLED_BACK)


@on_one_database
class LargeTests(ManyCase):
    def test_a_file_of_500_records_is_taken_in_one_call(self) -> None:
        text = "".join(f"h{number} 300 TXT {'x' * 200}\n" for number in range(496))
        made = self.about("import", zonefile=text)
        self.assertEqual({one["act"] for one in made}, {"add"})
        self.assertEqual(len(self.zone(NAME)["records"]), 500)
        one_more = self.call("import", zone_id=self.zone_id, zonefile="one A 192.0.2.1")
        self.assertIn("500 records in one zone", one_more.json()["error"])

    def test_a_file_of_5_mb_is_answered_with_what_cannot_be_taken(self) -> None:
        answer = self.call("import", zone_id=self.zone_id, zonefile="h A 300.1.1.1\n" * 350_000)
        self.assertEqual(answer.status_code, 400)
        self.assertIn("more than 2000 lines", answer.json()["changes"][-1]["reason"])
        answer = self.call("import", zone_id=self.zone_id, zonefile="x" * (5 * 1024 * 1024 + 1))
        self.assertEqual(answer.json()["error"], "The zone file is larger than 5 MB.")
        answer = self.call("import", zone_id=self.zone_id, zonefile="x" * (7 * 1024 * 1024))
        self.assertEqual(answer.status_code, 413)

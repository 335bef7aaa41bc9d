"""POST /customdomain/delete/zone."""

from dns.models import Zone
from nodepoint.jobs.models import Job
from tests.dns.base import DnsTestCase


class DeleteZoneTests(DnsTestCase):
    def test_nothing_of_it_is_left(self) -> None:
        self.add_zone("example.com")
        self.add_zone("example.org")
        self.done("delete/zone", domain="Example.com.")
        self.assertEqual(set(self.zones()), {"example.org"})
        self.assertIsNone(self.in_panel("example.com"))
        kept = {zone["id"] for zone in self.panel()["zones"]}
        with self.lab.lock:
            rows = list(self.lab.ispconfig.panel.records.rows())
        self.assertEqual({row["zone"] for row in rows}, kept)
        row = Zone.objects.get(name="example.com")
        self.assertEqual((row.state, row.name_key), (Zone.State.DELETED, None))
        self.refused(404, "not_found", "delete/zone", domain="example.com")

    def test_it_can_be_added_again_by_anybody(self) -> None:
        self.add_zone("example.com")
        self.done("delete/zone", domain="example.com")
        self.add_zone("example.com", user=7)
        self.refused(404, "not_found", "delete/zone", domain="example.com")
        self.assertEqual(set(self.zones(7)), {"example.com"})

    def test_only_one_s_own(self) -> None:
        self.add_zone("example.com")
        for domain in ("example.com", "com", "sub.example.com"):
            answer = self.call("delete/zone", user=7, domain=domain)
            self.assertIn(answer.status_code, (400, 404))
        self.assertEqual(set(self.zones()), {"example.com"})

    def test_what_stands_in_line_for_the_zone_is_dropped(self) -> None:
        id = self.add_zone("example.com")["id"]
        for path, body in (
            ("add/record", {"zone_id": id, "type": "a", "name": "x", "ttl": 60, "ip": "192.0.2.1"}),
            ("add/record", {"zone_id": id, "type": "a", "name": "y", "ttl": 60, "ip": "192.0.2.1"}),
            ("delete/zone", {"domain": "example.com"}),
            ("delete/zone", {"domain": "example.com"}),
        ):
            answer = self.post(
                f"/customdomain/{path}", {"user_id": 42, **body}, Accept="*/*", Prefer="wait=0"
            )
            self.assertEqual(answer.json()["state"], "running", answer.content)
        self.refused(409, "exists", "add/zone", domain="example.com")
        self.refused(409, "busy", "delete/record", zone_id=id, rc_id=1)
        self.run_jobs()
        self.assertEqual(self.panel()["zones"], [])
        self.assertEqual(Job.objects.filter(kind="dns.delete_zone").count(), 1)
        self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists())

    def test_a_zone_that_became_another_s_in_the_panel_is_left_alone(self) -> None:
        id = self.add_zone("example.com")["id"]
        self.add_zone("example.org", user=7)
        with self.lab.lock:
            self.lab.ispconfig.panel.dns_zone_update(2, int(id), {})
        self.refused(404, "not_found", "delete/zone", domain="example.com")
        self.assertEqual(len(self.in_panel("example.com")["records"]), 4)

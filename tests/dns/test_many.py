"""A customer with much: 50 zones and 2,000 records."""

from tests.dns.base import DnsTestCase

ZONES, RECORDS = 50, 40


class ManyRecordsTests(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_zone("example.com")
        panel = self.lab.ispconfig.panel
        client = int(panel.client_get_all()[0])
        zone = dict(panel.zones.row(1))
        row = next(row for row in panel.records.rows() if row["type"] == "A")
        with self.lab.lock:
            for number in range(1, ZONES):
                id = int(panel.dns_zone_add(client, {**zone, "origin": f"z{number}.example."}))
                server = {**row, "type": "NS", "name": "", "data": "ns1.nodepoint.eu."}
                panel.record_add("NS", client, {**server, "zone": id}, False)
                for place in range(RECORDS - 1):
                    panel.record_add("A", client, {**row, "zone": id, "name": f"h{place}"}, False)
            for place in range(RECORDS - 4):
                panel.record_add("A", client, {**row, "zone": 1, "name": f"h{place}"}, False)

    def test_getdata_takes_as_many_calls_and_queries_as_with_one_zone(self) -> None:
        self.zones()  # rows for the zones that were made behind our back
        before = self.requests()
        with self.assertNumQueries(3):  # token, customer, rows of zones
            zones = self.done("getdata")["zones"]
        self.assertEqual(self.requests() - before, 2)
        self.assertEqual(sum(len(item["zone"]["records"]) for item in zones), ZONES * RECORDS)

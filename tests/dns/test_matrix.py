"""The matrix: six types with unusual names and contents, asked for at the API, served as they were meant,
byte for byte."""

from typing import Any

from dnslib import QTYPE, DNSRecord

from dns.models import TemplateRecord
from tests.dns.base import DnsTestCase
from tests.dns.matrix import ANY, FIELDS, Case, cases, refused

OTHERS = "matrix.example"


def zone_of(type: str) -> str:
    """Each type has a zone of its own: a CNAME, and what is below a delegation, stand alone."""
    return f"{type.lower()}-{OTHERS}"


class MatrixTests(DnsTestCase):
    """`name_server`: whom answers are asked of; `publish`: have what was written served."""

    def name_server(self) -> tuple[str, int]:
        return "127.0.0.1", self.lab.dns.port

    def publish(self) -> None:
        """The lab's server part runs whenever somebody looks."""

    def body(self, type: str, name: str, content: str, priority: int | None = 10) -> dict[str, Any]:
        zone = zone_of(type)
        body = {"zone": zone, "type": type, "name": name.replace("{zone}", zone), "ttl": 300}
        return {**body, FIELDS[type]: content, "priority": priority}

    def answers(self, name: str, type: str) -> list[bytes]:
        query = DNSRecord.question(name, type)
        query.header.rd = 0
        found = DNSRecord.parse(query.send(*self.name_server(), tcp=True, timeout=5))
        records = [*found.rr, *(found.auth if type == "NS" else ())]
        return [_said(rr, type) for rr in records if QTYPE[rr.rtype] == type]

    def test_what_is_asked_for_is_what_is_shown_and_served(self) -> None:
        TemplateRecord.objects.all().delete()
        shown: dict[Case, dict[str, Any]] = {}
        for type in ANY:
            self.add_zone(zone_of(type))
        for case in cases():
            with self.subTest(case=case):
                body = self.body(case.type, case.name, case.content, case.priority)
                shown[case] = self.done("add/record", **body)["record"]
        self.publish()
        records = {id: record for zone in self.zones().values() for id, record in zone["records"].items()}
        for case, record in shown.items():
            zone = zone_of(case.type)
            owner = f"{case.owner}.{zone}".removeprefix(".")
            wanted = case.answer.replace(b"{zone}", zone.encode()) if case.type != "TXT" else case.answer
            with self.subTest(case=case):
                self.assertIn(wanted, self.answers(owner, case.type))
                self.assertEqual(records[record["id"]], record)

    def test_what_is_refused_changes_nothing(self) -> None:
        for type in FIELDS:
            self.add_zone(zone_of(type))
        before = self.panel()["zones"]
        for type, name, content in refused():
            with self.subTest(type=type, name=name, content=content[:20]):
                answer = self.call("add/record", **self.body(type, name, content))
                self.assertIn(answer.status_code, (400, 409), answer.content)
                self.assertNotIn("<", answer.json()["error"])
        self.assertEqual(self.panel()["zones"], before)


def _said(rr: Any, type: str) -> bytes:
    return b"".join(rr.rdata.data) if type == "TXT" else str(rr.rdata).encode()

"""Questions to the simulated public DNS."""

import contextlib
import socket
import threading
import time

from dnslib import NS, QTYPE, RR, DNSError, DNSHeader, DNSRecord

from nodepoint.clients.deadline import deadline
from nodepoint.resolver import Answer, Resolver, Status, asked
from tests.clients.base import LabTestCase
from tests.clients.double import unused_address


class ResolverTests(LabTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.resolver = Resolver(cls.settings["DNS_RESOLVERS"].split(","), timeout=2.0)

    def test_each_type_comes_as_text(self) -> None:
        for type, values, expected in (
            ("A", ["203.0.113.10", "203.0.113.11"], {"203.0.113.10", "203.0.113.11"}),
            ("AAAA", ["2001:db8::1"], {"2001:db8::1"}),
            ("MX", ["10 Mail.shop.example."], {"10 mail.shop.example"}),
            ("TXT", ["v=spf1 -all"], {"v=spf1 -all"}),
            (
                "CAA",
                ['128 issue "ca.example; a=b"', '0 issue ";"'],
                {'128 issue "ca.example; a=b"', '0 issue ";"'},
            ),
        ):
            self.lab.dns.set("shop.example", type, values)
            with self.subTest(type=type):
                answer = self.resolver.lookup("Shop.Example", type)
                self.assertEqual((answer.status, set(answer.records)), (Status.OK, expected))

    def test_aliases_are_followed_and_told(self) -> None:
        self.lab.dns.set("www.alias.example", "CNAME", ["alias.example"])
        self.lab.dns.set("alias.example", "CNAME", ["end.example"])
        self.lab.dns.set("end.example", "A", ["203.0.113.10"])
        answer = self.resolver.lookup("www.alias.example", "A")
        self.assertEqual(answer.records, ("203.0.113.10",))
        self.assertEqual(answer.aliases, ("alias.example", "end.example"))
        self.assertEqual(self.resolver.lookup("www.alias.example", "CNAME").records, ("alias.example",))

    def test_no_data_and_no_such_name_are_answers_and_differ(self) -> None:
        self.lab.dns.set("only4.example", "A", ["203.0.113.10"])
        self.assertEqual(self.resolver.lookup("only4.example", "AAAA").status, Status.NO_DATA)
        self.assertEqual(self.resolver.lookup("nosuch.example", "A").status, Status.NO_SUCH_NAME)

    def test_what_was_corrected_counts_at_once(self) -> None:
        self.lab.dns.set("moves.example", "A", ["198.51.100.7"])
        self.assertEqual(self.resolver.lookup("moves.example", "A").records, ("198.51.100.7",))
        self.lab.dns.set("moves.example", "A", ["203.0.113.10"])
        self.assertEqual(self.resolver.lookup("moves.example", "A").records, ("203.0.113.10",))

    def test_a_failing_or_refusing_resolver_is_no_answer(self) -> None:
        self.lab.dns.set("fails.example", "A", ["203.0.113.10"])
        for kind in ("error", "refuse"):
            self.lab.faults.add("dns", kind, count=50)
            with self.subTest(kind=kind):
                answer = self.resolver.lookup("fails.example", "A")
                self.assertEqual((answer.status, answer.records), (Status.FAILED, ()))
                self.assertTrue(answer.reason)
            self.lab.faults.clear()

    def test_one_lost_packet_is_asked_for_again(self) -> None:
        self.lab.dns.set("lost.example", "A", ["203.0.113.10"])
        self.lab.faults.add("dns", "drop_before")
        self.assertEqual(self.resolver.lookup("lost.example", "A").status, Status.OK)

    def test_the_next_server_is_asked_when_the_first_is_away(self) -> None:
        self.lab.dns.set("second.example", "A", ["203.0.113.10"])
        resolver = Resolver([unused_address(), self.settings["DNS_RESOLVERS"]], timeout=2.0)
        self.assertEqual(resolver.lookup("second.example", "A").status, Status.OK)

    def test_silence_is_given_up_in_time_also_within_a_deadline(self) -> None:
        self.lab.faults.add("dns", "hang", count=50, seconds=0)
        for seconds, answer in (
            (0.5, lambda: Resolver([self.settings["DNS_RESOLVERS"]], timeout=0.5).lookup("a.example", "A")),
            (0.3, lambda: self.hasty(0.3)),
        ):
            begun = time.monotonic()
            self.assertEqual(answer().status, Status.FAILED)
            self.assertLess(time.monotonic() - begun, seconds + 1.0)

    def hasty(self, seconds: float) -> Answer:
        with deadline(seconds):
            return self.resolver.lookup("a.example", "A")

    def test_nonsense_is_a_failure_not_a_crash(self) -> None:
        for name in ("", "a..b", "x" * 64 + ".example", "ü.example", ".".join(["a" * 60] * 6)):
            with self.subTest(name=name):
                self.assertIsInstance(self.resolver.lookup(name, "A"), Answer)
        self.assertEqual(Resolver(["not an address"]).lookup("a.example", "A").status, Status.FAILED)


class OneServerTests(LabTestCase):
    """A question to one server, without recursion: here for what a parent's server says of a delegation."""

    def ask(self, name: str, timeout: float = 2.0, port: int | None = None) -> set[str]:
        reply = asked(name, QTYPE.NS, "127.0.0.1", port or int(self.settings["DNS_PORT"]), timeout)
        found = [record for record in (*reply.rr, *reply.auth) if record.rtype == QTYPE.NS]
        return {str(record.rdata.label).rstrip(".") for record in found}

    def test_what_stands_in_the_authority_section_is_heard(self) -> None:
        self.lab.dns.set("child.example", "NS", ["ns1.nodepoint.eu", "ns2.nodepoint.eu"])
        self.assertEqual(self.ask("Child.Example."), {"ns1.nodepoint.eu", "ns2.nodepoint.eu"})

    def test_a_long_reply_comes_over_tcp(self) -> None:
        servers = {f"ns{n}.{'x' * 50}{n}.{'y' * 60}.{'z' * 60}.example" for n in range(13)}
        self.lab.dns.set("many.example", "NS", sorted(servers))
        self.assertEqual(self.ask("many.example"), servers)

    def test_a_lost_packet_is_sent_again(self) -> None:
        self.lab.dns.set("child.example", "NS", ["ns1.nodepoint.eu"])
        self.lab.faults.add("dns", "drop_before")
        self.assertEqual(self.ask("child.example", timeout=0.6), {"ns1.nodepoint.eu"})

    def test_a_server_that_is_silent_or_not_there_is_no_answer(self) -> None:
        self.lab.faults.add("dns", "hang", count=2, seconds=0)
        begun = time.monotonic()
        for port in (None, int(unused_address().split(":")[1])):
            with self.assertRaises(OSError):
                self.ask("child.example", 0.3, port)
        self.assertLess(time.monotonic() - begun, 2)
        self.lab.faults.clear()

    def test_a_reply_to_another_question_is_passed_over(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))

            def answer() -> None:
                wire, peer = server.recvfrom(4096)
                query = DNSRecord.parse(wire)
                for change in ({"id": query.header.id ^ 1}, {"name": "other.example"}, {"junk": b"x"}, {}):
                    reply = DNSRecord(DNSHeader(id=change.get("id", query.header.id), qr=1), q=query.q)
                    reply.q.qname = change.get("name", "child.example")
                    data = "right.example" if not change else "forged.example"
                    reply.add_auth(RR("child.example", QTYPE.NS, rdata=NS(data)))
                    server.sendto(change.get("junk") or reply.pack(), peer)

            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            found = self.ask("child.example", port=server.getsockname()[1])
            thread.join(2)
        self.assertEqual(found, {"right.example"})

    def test_nonsense_is_a_named_error(self) -> None:
        for name in ("a..b", "x" * 64 + ".example", "ü.example"):
            with self.subTest(name=name), contextlib.suppress(DNSError, ValueError):
                self.assertEqual(self.ask(name), set())
        with self.assertRaises(ValueError):
            asked("a.example", QTYPE.NS, "no address", timeout=0.3)

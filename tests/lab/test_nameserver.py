"""The lab's public DNS, asked over real UDP and TCP."""

import socket
import time
import unittest

from dnslib import EDNS0, QTYPE, RCODE, DNSRecord

import lab


class NameServerTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = lab.start()
        cls.addClassCleanup(cls.lab.stop)

    def ask(
        self, name: str, type: str = "A", *, tcp: bool = False, rd: int = 1, edns: int = 0, timeout: float = 2
    ) -> DNSRecord:
        query = DNSRecord.question(name, type)
        query.header.rd = rd
        if edns:
            query.add_ar(EDNS0(udp_len=edns))
        answer = DNSRecord.parse(query.send("127.0.0.1", self.lab.dns.port, tcp=tcp, timeout=timeout))
        self.assertEqual(answer.header.id, query.header.id)
        return answer

    def values(self, answer: DNSRecord) -> list[tuple[str, str]]:
        return [(QTYPE[rr.rtype], str(rr.rdata).rstrip(".")) for rr in answer.rr]

    def test_names_set_by_hand_are_answered_over_both_transports(self) -> None:
        self.lab.dns.set("Hand.example", "A", ["198.51.100.1", "198.51.100.2"])
        for tcp in (False, True):
            with self.subTest(tcp=tcp):
                answer = self.ask("hand.EXAMPLE", tcp=tcp)

                self.assertEqual(self.values(answer), [("A", "198.51.100.1"), ("A", "198.51.100.2")])
                self.assertEqual((answer.header.ra, answer.header.aa), (1, 0))

    def test_several_questions_on_one_tcp_connection(self) -> None:
        self.lab.dns.set("tcp.example", "A", ["198.51.100.1"])
        with socket.create_connection(("127.0.0.1", self.lab.dns.port), timeout=2) as connection:
            for _ in range(2):
                wire = DNSRecord.question("tcp.example").pack()
                connection.sendall(len(wire).to_bytes(2, "big") + wire)
                with connection.makefile("rb") as stream:
                    size = int.from_bytes(stream.read(2), "big")
                    self.assertEqual(len(DNSRecord.parse(stream.read(size)).rr), 1)

    def test_every_type(self) -> None:
        for type, value in (
            ("AAAA", "2001:db8::1"),
            ("MX", "10 mail.example"),
            ("TXT", "v=spf1 -all"),
            ("CAA", '0 issue "letsencrypt.org"'),
            ("NS", "ns1.nodepoint.eu"),
            ("CNAME", "target.example"),
        ):
            with self.subTest(type=type):
                self.lab.dns.set(f"{type.lower()}.types.example", type, [value])
                (found,) = self.values(self.ask(f"{type.lower()}.types.example", type))
                self.assertEqual(found, (type, f'"{value}"' if type == "TXT" else value))

    def test_a_cname_is_followed_and_shown(self) -> None:
        self.lab.dns.set("www.chain.example", "CNAME", ["chain.example"])
        self.lab.dns.set("chain.example", "CNAME", ["end.example"])
        self.lab.dns.set("end.example", "A", ["198.51.100.9"])

        answer = self.ask("www.chain.example")

        chain = [("CNAME", "chain.example"), ("CNAME", "end.example"), ("A", "198.51.100.9")]
        self.assertEqual(self.values(answer), chain)
        self.assertEqual(self.values(self.ask("www.chain.example", "AAAA")), chain[:2])
        self.assertEqual(self.lab.dns.resolve("www.chain.example.", "A"), ["198.51.100.9"])

    def test_a_cname_into_nowhere_is_nxdomain_and_a_circle_servfail(self) -> None:
        self.lab.dns.set("dangling.example", "CNAME", ["nowhere.example"])
        self.lab.dns.set("circle.example", "CNAME", ["circle.example"])

        dangling = self.ask("dangling.example")
        self.assertEqual(dangling.header.rcode, RCODE.NXDOMAIN)
        self.assertEqual(self.values(dangling), [("CNAME", "nowhere.example")])
        self.assertEqual(self.ask("circle.example").header.rcode, RCODE.SERVFAIL)

    def test_no_such_name_differs_from_no_such_type(self) -> None:
        self.lab.dns.set("deep.below.example", "A", ["198.51.100.1"])
        for name, type, rcode in (
            ("unknown.example", "A", RCODE.NXDOMAIN),
            ("deep.below.example", "AAAA", RCODE.NOERROR),
            ("below.example", "A", RCODE.NOERROR),
            ("nodepoint.eu", "A", RCODE.NOERROR),
            ("missing.nodepoint.eu", "A", RCODE.NXDOMAIN),
        ):
            with self.subTest(name=name, type=type):
                answer = self.ask(name, type)

                self.assertEqual((answer.header.rcode, answer.rr), (rcode, []))
                self.assertEqual([QTYPE[rr.rtype] for rr in answer.auth], ["SOA"])

    def test_no_values_take_a_name_away_even_from_cloudflare(self) -> None:
        with self.lab.lock:
            record = {"type": "A", "name": "covered", "content": "203.0.113.10", "ttl": 60}
            self.lab.cloudflare.state.create(record)
        self.assertEqual(len(self.ask("covered.nodepoint.eu").rr), 1)

        self.lab.dns.set("covered.nodepoint.eu", "A", [])

        self.assertEqual(self.ask("covered.nodepoint.eu").header.rcode, RCODE.NXDOMAIN)

    def test_a_wildcard_record_answers_for_names_that_do_not_exist(self) -> None:
        with self.lab.lock:
            for name, content in (("*.wild", "203.0.113.10"), ("own.wild", "203.0.113.11")):
                self.lab.cloudflare.state.create({"type": "A", "name": name, "content": content})

        self.assertEqual(self.lab.dns.resolve("any.wild.nodepoint.eu", "A"), ["203.0.113.10"])
        self.assertEqual(self.lab.dns.resolve("own.wild.nodepoint.eu", "A"), ["203.0.113.11"])
        self.assertEqual(self.lab.dns.resolve("a.own.wild.nodepoint.eu", "A"), [])

    def test_without_recursion_the_parent_refers_to_the_name_servers(self) -> None:
        self.lab.dns.set("kunde.co.uk", "NS", ["ns1.nodepoint.eu", "ns.elsewhere.example"])

        answer = self.ask("kunde.co.uk", "NS", rd=0)

        self.assertEqual((answer.rr, answer.header.aa, answer.header.rcode), ([], 0, RCODE.NOERROR))
        self.assertEqual(
            [str(rr.rdata) for rr in answer.auth], ["ns1.nodepoint.eu.", "ns.elsewhere.example."]
        )
        self.assertEqual(
            [(str(rr.rname), str(rr.rdata)) for rr in answer.ar], [("ns1.nodepoint.eu.", "127.0.0.1")]
        )
        self.assertEqual(len(self.ask("www.kunde.co.uk", "A", rd=0).auth), 2)
        self.assertEqual(len(self.ask("kunde.co.uk", "NS").rr), 2)

    def test_the_parents_servers_lead_back_here(self) -> None:
        for parent in ("example", "co.uk", "eu"):
            with self.subTest(parent=parent):
                (server,) = self.values(self.ask(parent, "NS"))
                self.assertEqual(self.lab.dns.resolve(server[1], "A"), ["127.0.0.1"])

    def test_an_undelegated_name_is_unknown_to_its_parent(self) -> None:
        answer = self.ask("free.example", "NS", rd=0)

        self.assertEqual((answer.header.rcode, answer.header.aa), (RCODE.NXDOMAIN, 1))

    def test_long_answers_are_truncated_over_udp_only(self) -> None:
        self.lab.dns.set("long.example", "TXT", ["x" * 200 + str(i) for i in range(5)])

        short = self.ask("long.example", "TXT")
        self.assertEqual((short.header.tc, short.rr), (1, []))
        self.assertEqual(len(self.ask("long.example", "TXT", tcp=True).rr), 5)
        large = self.ask("long.example", "TXT", edns=4096)
        self.assertEqual((large.header.tc, len(large.rr)), (0, 5))

    def test_a_txt_longer_than_one_string_is_split(self) -> None:
        self.lab.dns.set("key.example", "TXT", ["k" * 400])

        (rr,) = self.ask("key.example", "TXT", tcp=True).rr

        self.assertEqual([len(part) for part in rr.rdata.data], [255, 145])

    def test_values_must_fit_their_type(self) -> None:
        for type, value in (
            ("A", "2001:db8::1"),
            ("AAAA", "1.2.3.4"),
            ("NS", "."),
            ("MX", "mail.example"),
            ("LOC", "x"),
        ):
            with self.subTest(type=type), self.assertRaises(ValueError):
                self.lab.dns.set("bad.example", type, [value])

    def test_garbage_gets_a_format_error_or_nothing(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(2)
            client.sendto(b"\x12\x34" + b"\xff" * 20, ("127.0.0.1", self.lab.dns.port))
            client.sendto(
                b"\x56\x78\x01\x00\x00\x01" + b"\x00" * 6 + b"\x3fabc", ("127.0.0.1", self.lab.dns.port)
            )
            answer = DNSRecord.parse(client.recv(512))
        self.assertEqual(answer.header.rcode, RCODE.FORMERR)

    def test_faults(self) -> None:
        self.lab.dns.set("fault.example", "A", ["198.51.100.1"])
        for kind, rcode in (("error", RCODE.SERVFAIL), ("refuse", RCODE.REFUSED)):
            self.lab.faults.add("dns", kind, match="QUERY fault.example A")
            self.assertEqual(self.ask("fault.example").header.rcode, rcode)
        for kind in ("hang", "drop_before", "drop_after"):
            self.lab.faults.add("dns", kind, match="fault.example")
            with self.subTest(kind=kind), self.assertRaises(TimeoutError):
                self.ask("fault.example", timeout=0.2)
        self.lab.faults.add("dns", "slow", seconds=0.2)
        began = time.monotonic()
        self.assertEqual(len(self.ask("fault.example").rr), 1)
        self.assertGreater(time.monotonic() - began, 0.19)

    def test_questions_are_counted(self) -> None:
        before = self.lab.requests["dns"]
        self.ask("counted.example")

        self.assertEqual(self.lab.requests["dns"], before + 1)

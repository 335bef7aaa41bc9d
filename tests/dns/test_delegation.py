"""Whose name servers the zone above refers to, asked of its own servers."""

import time
from unittest import mock

from dns import services
from dns.clients.delegation import Delegation
from nodepoint.clients.errors import TimedOut
from nodepoint.resolver import Resolver
from tests.dns.base import OURS, DnsTestCase


class DelegationTests(DnsTestCase):
    def ask(self, name: str, timeout: float = 3.0) -> set[str]:
        address = f"127.0.0.1:{self.lab.dns.port}"
        return set(Delegation(Resolver([address], timeout=0.5), self.lab.dns.port, timeout).servers(name))

    def test_the_referral_decides(self) -> None:
        self.delegate("example.com", "deep.example.co.uk")
        self.delegate("elsewhere.com", servers=["ns1.elsewhere.net"])
        self.assertEqual(self.ask("example.com"), set(OURS))
        self.assertEqual(self.ask("deep.example.co.uk"), set(OURS))
        self.assertEqual(self.ask("elsewhere.com"), {"ns1.elsewhere.net"})
        self.assertEqual(self.ask("nobody.com"), set())

    def test_a_referral_that_is_too_long_for_udp(self) -> None:
        many = [f"ns{number}.{'x' * 50}.example.net" for number in range(40)]
        self.delegate("example.com", servers=[*many, *OURS])
        self.assertEqual(self.ask("example.com"), {*many, *OURS})

    def test_a_server_that_fails_is_no_answer(self) -> None:
        self.delegate("example.com")
        for kind in ("error", "refuse", "hang"):
            with self.subTest(kind=kind), self.assertRaises(TimedOut):
                self.fault("dns", kind, match="QUERY example.com NS", count=20, seconds=5)
                self.ask("example.com", timeout=0.6)
            self.clear_faults()

    def test_a_resolver_that_fails_is_no_answer(self) -> None:
        self.delegate("example.com")
        self.fault("dns", "error", match="QUERY com NS", count=20)
        with self.assertRaises(TimedOut):
            self.ask("example.com")

    def test_the_time_is_kept(self) -> None:
        self.delegate("example.com")
        self.fault("dns", "hang", count=50, seconds=5)
        begun = time.monotonic()
        with self.assertRaises(TimedOut):
            self.ask("example.com", timeout=0.7)
        self.assertLess(time.monotonic() - begun, 1.5)


class AddZoneDelegationTests(DnsTestCase):
    def test_all_of_our_name_servers_have_to_be_named_whatever_their_case(self) -> None:
        self.delegate("example.com", servers=["NS2.NodePoint.eu", "ns1.nodepoint.EU", "ns3.other.net"])
        self.done("add/zone", domain="example.com")

    def test_the_refusal_says_what_was_found_and_what_to_set(self) -> None:
        self.delegate("half.com", servers=["ns1.nodepoint.eu", "ns.other.net"])
        for name, found in (("half.com", "ns.other.net, ns1.nodepoint.eu"), ("none.com", "no name servers")):
            sentence = self.refused(400, "validation", "add/zone", domain=name)
            self.assertIn(found, sentence)
            self.assertIn("Please set ns1.nodepoint.eu, ns2.nodepoint.eu", sentence)
        self.assertEqual(self.panel(), {"clients": [], "zones": []})

    def test_before_the_zone_exists_a_resolver_may_not_know_it(self) -> None:
        self.delegate("example.com")
        # A resolver says this while a zone's own servers are lame; those above are asked without recursion.
        real = self.lab.dns.names.look_up

        def lame(name, type, *, recursive):
            found = real(name, type, recursive=recursive)
            if recursive and name == "example.com":
                found.rcode, found.answer = "SERVFAIL", []
            return found

        with mock.patch.object(self.lab.dns.names, "look_up", lame):
            self.done("add/zone", domain="example.com")

    def test_nobody_answers(self) -> None:
        self.delegate("example.com")
        self.fault("dns", "hang", count=50, seconds=20)
        self.enterContext(mock.patch.object(services, "DELEGATION_SECONDS", 0.5))
        begun = time.monotonic()
        sentence = self.refused(500, "infrastructure", "add/zone", domain="example.com")
        self.assertEqual(sentence, "The DNS resolver did not answer in time.")
        self.assertLess(time.monotonic() - begun, 2)

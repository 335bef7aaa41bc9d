"""The rules that keep containers apart, and every list of rules on the way to them: what they let through."""

import random
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_address, ip_network
from itertools import pairwise

from django.test import SimpleTestCase, override_settings

from sites import isolation
from sites.clients.proxmox import FirewallRule
from sites.isolation import Act
from tests.base import on_one_database

SETTINGS = {
    "PROXY_LAN_IPS": ["192.168.1.5"],
    "SITE_GATEWAY": "192.168.1.1",
    "SITE_NAMESERVERS": ["192.168.1.1", "192.168.1.2", "9.9.9.9"],
    "SITE_NETWORK": "192.168.1.0/24",
    "SITE_SMTP_URL": "smtp+tls://user:password@192.168.1.6",
    "CLOSED_NETWORKS": [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
    ],
}


@dataclass(frozen=True)
class Packet:
    """`way` in or out; `peer`: the address at the other end."""

    way: str
    peer: str
    proto: str = "tcp"
    port: int = 443


NEEDED = (
    Packet("out", "192.168.1.1", "icmp", 0),
    Packet("out", "192.168.1.2", "udp", 53),
    Packet("out", "192.168.1.2", "tcp", 53),
    Packet("out", "9.9.9.9", "udp", 53),
)
OPEN = (
    *NEEDED,
    Packet("out", "192.168.1.6", port=587),
    Packet("out", "203.0.113.9"),
    Packet("in", "192.168.1.5", port=80),
)
SHUT = (
    Packet("out", "192.168.1.2", port=22),
    Packet("out", "192.168.1.6", port=25),
    Packet("out", "192.168.1.10", port=8006),
    Packet("out", "192.168.1.5", port=81),
    Packet("out", "192.168.1.101", port=80),
    Packet("out", "10.1.2.3"),
    Packet("out", "172.31.255.255"),
    Packet("out", "169.254.169.254", port=80),
    Packet("out", "100.100.100.200", port=80),
    Packet("out", "fe80::be24:11ff:fe00:1", port=8006),
    Packet("out", "fd00::5"),
    Packet("in", "192.168.1.101", port=80),
    Packet("in", "192.168.1.5", port=22),
    Packet("in", "fe80::1", port=80),
)


def passes(rules: list[FirewallRule], packet: Packet) -> bool:
    """What a firewall that is on makes of a packet: the first rule that fits decides, else the policy."""
    for rule in rules:
        if rule.enable and rule.type == packet.way and _fits(rule, packet):
            return rule.action == "ACCEPT"
    return packet.way == "out"


def _fits(rule: FirewallRule, packet: Packet) -> bool:
    peers = rule.dest if packet.way == "out" else rule.source
    return (
        (not peers or _inside(packet.peer, peers))
        and rule.proto in ("", packet.proto)
        and (not rule.dport or str(packet.port) in rule.dport.split(","))
    )


@cache
def _inside(address: str, networks: str) -> bool:
    return any(ip_address(address) in ip_network(text) for text in networks.split(","))


def carried_out(rules: list[FirewallRule], write: isolation.Write) -> list[FirewallRule]:
    """The list after one call, as Proxmox VE does it."""
    if write.act is Act.ADD:
        return [write.rule, *rules]
    before, rule, after = rules[: write.pos], rules[write.pos], rules[write.pos + 1 :]
    return [*before, replace(rule, enable=True), *after] if write.act is Act.ENABLE else [*before, *after]


@override_settings(**SETTINGS)
@on_one_database
class RuleTests(SimpleTestCase):
    def test_what_they_let_through_and_what_not(self):
        rules = isolation.rules()
        self.assertEqual([p for p in OPEN if not passes(rules, p)], [])
        self.assertEqual([p for p in SHUT if passes(rules, p)], [])

    def test_no_list_of_addresses_mixes_versions_or_is_too_long(self):
        many = [f"10.{a}.{b}.0/24" for a in range(9) for b in range(9)]
        with override_settings(
            CLOSED_NETWORKS=[*many, "fc00::/7", *(f"2001:db8:{n:x}::/48" for n in range(60))]
        ):
            lists = [rule.dest for rule in isolation.rules() if rule.action == "DROP"]
        for text in lists:
            self.assertEqual(len({ip_network(item).version for item in text.split(",")}), 1)
            self.assertLessEqual(len(text), 512)
        items = [item for text in lists for item in text.split(",")]
        self.assertEqual(len(items), len(set(items)))
        self.assertLessEqual({*many, "fc00::/7", "2001:db8:3b::/48", "192.168.1.0/24"}, set(items))

    def test_the_sites_own_network_is_closed_though_no_setting_says_so(self):
        with override_settings(SITE_NETWORK="198.51.100.0/24"):
            self.assertFalse(passes(isolation.rules(), Packet("out", "198.51.100.9")))

    def test_a_relay_by_name_is_no_rule(self):
        self.assertEqual(isolation.relay_address(), (ip_address("192.168.1.6"), 587))
        for url, port in (("smtp://10.0.0.6", 25), ("smtps://10.0.0.6", 465), ("smtp://10.0.0.6:2525", 2525)):
            with override_settings(SITE_SMTP_URL=url):
                self.assertEqual(isolation.relay_address(), (ip_address("10.0.0.6"), port))
        for url in ("", "smtp://mail.example.com:587"):
            with override_settings(SITE_SMTP_URL=url):
                self.assertIsNone(isolation.relay_address())


@override_settings(**SETTINGS)
@on_one_database
class WriteTests(SimpleTestCase):
    """Every state on the way, from lists of all kinds; a run that is killed goes on from any of them."""

    def way(self, rules: list[FirewallRule]) -> list[list[FirewallRule]]:
        """The list after each write, the first being the one to begin with."""
        states, wanted = [rules], isolation.rules()
        while write := isolation.next_write(states[-1], wanted):
            states.append(carried_out(states[-1], write))
            self.assertLess(len(states), 100, "it does not end")
        return states

    def strange_lists(self) -> list[list[FirewallRule]]:
        chance = random.Random(19)
        ours = isolation.rules()
        others = [
            FirewallRule("in", "ACCEPT"),
            FirewallRule("in", "DROP", source="192.168.1.101"),
            FirewallRule("out", "ACCEPT"),
            FirewallRule("out", "DROP"),
            FirewallRule("out", "ACCEPT", dest="192.168.1.1"),
            FirewallRule("out", "DROP", dest="192.168.1.0/24"),
            FirewallRule("out", "ACCEPT", dest="192.168.1.10", proto="tcp", dport="8006"),
            replace(ours[1], narrowed=(("iface", "net1"),)),
        ]
        found = [
            [],
            ours,
            ours[::-1],
            ours * 2,
            ours[1:],
            ours[:-1],
            [replace(r, enable=False) for r in ours],
        ]
        for _ in range(120):
            some = chance.choices(ours + others, k=chance.randrange(9))
            found.append([replace(rule, enable=chance.random() < 0.8) for rule in some])
        return found

    def test_all_lead_to_the_rules_and_none_cuts_off_or_opens_what_was_not_so_before(self):
        for rules in self.strange_lists():
            states = self.way(rules)
            self.assertIsNone(isolation.next_write(states[-1], isolation.rules()))
            self.assertEqual([p for p in OPEN if not passes(states[-1], p)], [])
            self.assertEqual([p for p in SHUT if passes(states[-1], p)], [])
            for earlier, later in pairwise(states):
                lost = [p for p in NEEDED if passes(earlier, p) and not passes(later, p)]
                opened = [p for p in SHUT if passes(later, p) and not passes(earlier, p)]
                self.assertEqual((lost, opened), ([], []), f"{earlier}\n{later}")

    def test_a_run_that_was_killed_writes_nothing_twice(self):
        for rules in self.strange_lists()[:40]:
            states = self.way(rules)
            for done, state in enumerate(states):
                self.assertEqual(len(self.way(state)), len(states) - done)

    def test_the_order_of_the_first_edition_cut_everything_off(self):
        """First to last, each on top: the rules end up reversed, as on every real cluster."""
        written: list[FirewallRule] = []
        for rule in isolation.rules():
            written = carried_out(written, isolation.Write(Act.ADD, rule))
        self.assertEqual([p for p in NEEDED if passes(written, p) and p.peer != "9.9.9.9"], [])

    def test_a_list_that_would_cut_off_is_known(self):
        self.assertFalse(isolation.cuts_off([]))
        self.assertFalse(
            isolation.cuts_off([FirewallRule("in", "DROP"), FirewallRule("out", "DROP", enable=False)])
        )
        self.assertTrue(isolation.cuts_off([FirewallRule("out", "DROP", dest="192.168.1.0/24")]))
        self.assertTrue(isolation.cuts_off([FirewallRule("group", "web")]))

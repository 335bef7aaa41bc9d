"""Closing the firewall: new rules always go on top, and no order of rules in between cuts anything off."""

from tests.independent.base import GATEWAY, NAMESERVER, IndependentCase
from tests.independent.pve.firewall import Firewall
from tests.independent.pve.front import ADDRESS


class FirewallTests(IndependentCase):
    """Every state that Proxmox ever had is looked at."""

    def test_no_state_in_between_cuts_off_gateway_or_name_servers(self):
        site = self.live_site()
        self.assert_never_cut_off(self.guest(site).firewall)
        self.assert_closed(self.guest(site).firewall)

    def test_rules_that_stood_there_are_put_right_without_cutting_off_anything(self):
        site = self.order()
        drop = {"type": "out", "action": "DROP", "dest": "192.168.1.0/24", "enable": "1"}
        strange = {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "22", "enable": "1"}
        self.api.before(r"GET .*/firewall/rules", lambda: self._stood(strange, drop))
        self.run_jobs()
        self.assert_live(site)
        self.assert_never_cut_off(self.guest(site).firewall)
        self.assert_closed(self.guest(site).firewall)

    def test_an_answer_that_was_lost_leaves_no_rule_twice(self):
        site = self.order()
        self.api.lose(r"POST .*/firewall/rules", count=2)
        self.run_jobs()
        self.assert_live(site)
        rules = [tuple(sorted(rule.items())) for rule in self.guest(site).firewall.rules]
        self.assertEqual(len(rules), len(set(rules)))
        self.assert_never_cut_off(self.guest(site).firewall)
        self.assert_closed(self.guest(site).firewall)

    def _stood(self, *rules: dict[str, str]) -> None:
        for guest in self.cluster.guests.values():
            guest.firewall.rules.extend(map(dict, rules))

    def assert_never_cut_off(self, firewall: Firewall) -> None:
        self.assertGreater(len(firewall.history), 3)
        for number, state in enumerate(firewall.history):
            for address in (GATEWAY, NAMESERVER):
                self.assertTrue(state.lets("out", address, "udp", 53), (number, address, state.rules))

    def assert_closed(self, firewall: Firewall) -> None:
        self.assertEqual(firewall.options.get("enable"), "1")
        self.assertTrue(firewall.lets("in", ADDRESS, port=80))
        self.assertFalse(firewall.lets("in", ADDRESS, port=22))
        self.assertFalse(firewall.lets("in", "192.168.1.77", port=80))
        self.assertFalse(firewall.lets("out", "192.168.1.77"))
        self.assertTrue(firewall.lets("out", GATEWAY, "udp", 53))

"""The container's firewall: options, the order of rules, and what they let through to the site."""

from tests.lab.cluster import ClusterCase

PROXY = "192.168.1.5"


class FirewallTests(ClusterCase):
    def setUp(self) -> None:
        super().setUp()
        self.firewall = self.create(start=True).firewall

    def test_options_show_only_what_was_set(self) -> None:
        self.firewall.options.put(enable=1, ipfilter=1)
        self.firewall.options.put(delete="ipfilter")
        self.assertEqual({"enable", "digest"}, set(self.firewall.options.get()))
        self.assertEqual(1, self.api.cluster.firewall.options.get()["enable"])

    def test_a_new_rule_comes_first_whatever_pos_says_and_is_off(self) -> None:
        """pve-firewall 6.0.4, src/PVE/API2/Firewall/Rules.pm:306-308: enable 0 unless given, then unshift."""
        self.firewall.rules.post(type="in", action="ACCEPT", comment="one")
        self.firewall.rules.post(type="in", action="DROP", comment="two", enable=1)
        self.firewall.rules.post(type="out", action="DROP", comment="three", pos=2, digest="0" * 40)
        rules = self.firewall.rules.get()
        self.assertEqual(["three", "two", "one"], [rule["comment"] for rule in rules])
        self.assertEqual([0, 1, 0], [rule["enable"] for rule in rules])
        self.assertEqual([0, 1, 2], [rule["pos"] for rule in rules])

    def test_rules_are_changed_moved_and_deleted_by_position(self) -> None:
        for name in ("three", "two", "one"):
            self.firewall.rules.post(type="in", action="ACCEPT", comment=name)
        self.firewall.rules(1).put(comment="zwei", enable=1)
        self.firewall.rules(0).put(moveto=2)
        self.assertEqual(["zwei", "one", "three"], [rule["comment"] for rule in self.firewall.rules.get()])
        self.firewall.rules(1).delete()
        self.assertEqual("three", self.firewall.rules(1).get()["comment"])

    def test_refusals(self) -> None:
        self.refused(400, "Parameter", self.firewall.rules.post, type="in", action="ALLOW")
        self.refused(
            400, "Parameter", self.firewall.rules.post, type="in", action="ACCEPT", source="nowhere at all"
        )
        for wrong in (
            {"dport": "80"},
            {"dport": "80", "macro": "HTTP"},
            {"dport": "80", "proto": "gre"},
            {"macro": "Nosuch"},
            {"source": "+nosuch"},
            {"dest": "dc/nosuch"},
        ):
            with self.subTest(wrong):
                self.refused(400, "Parameter", self.firewall.rules.post, type="in", action="ACCEPT", **wrong)
        mixed = {"source": "192.168.1.1", "dest": "fe80::1"}
        self.refused(500, "mixed ipv4/ipv6", self.firewall.rules.post, type="in", action="ACCEPT", **mixed)
        self.refused(500, "no rule at position 3", self.firewall.rules(3).delete)
        self.refused(500, "detected modified", self.firewall.options.put, enable=1, digest="0" * 40)

    def test_only_what_a_rule_lets_in_reaches_the_site(self) -> None:
        self.install()
        reaches = self.lab.world.reaches_site
        self.assertTrue(reaches("192.168.1.100", "192.168.1.101")[0])
        self.firewall.options.put(enable=1, policy_in="DROP")
        self.assertEqual((False, "the firewall of container 900 drops it"), reaches("192.168.1.100", PROXY))
        self.firewall.rules.post(type="in", action="ACCEPT", proto="tcp", dport="80", source=PROXY, enable=1)
        self.assertTrue(reaches("192.168.1.100", PROXY)[0])
        self.assertFalse(reaches("192.168.1.100", "192.168.1.101")[0])

    def test_a_drop_above_the_name_server_lets_nothing_be_fetched(self) -> None:
        """The first rule that matches decides, and new ones stand first: in the wrong order they cut it
        off."""
        rules = [{"action": "ACCEPT", "dest": "192.168.1.1"}, {"action": "DROP", "dest": "192.168.1.0/24"}]
        self.firewall.options.put(enable=1)
        for order, end in ((rules, "done 1"), (list(reversed(rules)), "done 0")):
            with self.subTest(end):
                for _ in self.firewall.rules.get():
                    self.firewall.rules(0).delete()
                for rule in order:
                    self.firewall.rules.post(type="out", enable=1, **rule)
                self.install()
                _, out, _ = self.lab.guest_exec("node1", 900, ["cat", "/root/install.status"], b"")
                self.assertEqual(end, out.decode().splitlines()[-1])

    def test_without_the_switch_on_the_interface_nothing_is_filtered(self) -> None:
        self.install()
        self.firewall.options.put(enable=1)
        self.ct().config.put(net0="name=eth0,bridge=vmbr1,ip=192.168.1.100/24")
        self.assertTrue(self.lab.world.reaches_site("192.168.1.100")[0])

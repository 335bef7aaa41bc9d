"""The container's firewall over the wire: every list of rules on the way to the right ones, what was written
is read once more, and a repair closes it again."""

import copy
from itertools import pairwise
from typing import Any
from unittest import mock

from django.test import override_settings

from sites import isolation
from sites.clients.proxmox import FirewallRule, Proxmox
from sites.models import Site
from sites.services.repair import repair_site
from tests.base import on_one_database
from tests.sites.base import SiteTestCase
from tests.sites.test_isolation import NEEDED, OPEN, SETTINGS, SHUT, passes

RULES = "/firewall/rules"


class FirewallCase(SiteTestCase):
    def firewall(self, vmid: int = 900) -> dict[str, Any]:
        return self.container(vmid)["firewall"]

    def set_firewall(self, site: Site, **values: Any) -> None:
        """What somebody does by hand: firewall_rules, firewall_options."""
        with self.lab.lock:
            container = self.lab.proxmox.cluster.containers[site.vmid]
            for name, value in values.items():
                setattr(container, name, copy.deepcopy(value))

    def repair(self, site: Site) -> None:
        self.clock.time = repair_site(site).created_at
        self.run_jobs(most=5000)


@on_one_database
class FirewallTests(FirewallCase):
    def test_a_site_whose_firewall_is_not_as_it_was_written_never_goes_live(self):
        """A cluster that takes the rules and does not keep them."""
        with mock.patch.object(Proxmox, "add_firewall_rule"):
            site = self.create()
            self.run_jobs()
        self.assert_undone(site)
        self.assertIn("the firewall is not as it was written", self.job(site).detail)

    def test_a_container_is_closed_before_it_runs(self):
        self.live_site()
        calls = [what for _, what in self.calls]
        start = next(number for number, what in enumerate(calls) if what.endswith("/status/start"))
        self.assertFalse([what for what in calls[start:] if "/firewall" in what])

    def test_a_repair_closes_it_again(self):
        site = self.live_site()
        closed = self.firewall()
        for opened in (
            {"firewall_rules": []},
            {"firewall_options": {}},
            {"firewall_rules": [{"type": "in", "action": "ACCEPT", "enable": 1}, *closed["rules"]]},
            {"firewall_rules": closed["rules"][::-1]},
            {"firewall_rules": [{**rule, "enable": 0} for rule in closed["rules"]]},
            {"firewall_rules": [{**rule, "iface": "net1"} for rule in closed["rules"]]},
        ):
            with self.subTest(opened):
                self.set_firewall(site, **opened)
                self.assertNotEqual(self.firewall(), closed)
                self.repair(site)
                self.assertEqual(self.firewall(), closed)

    def test_a_rollback_leaves_it_closed(self):
        site = self.live_site()
        closed = self.firewall()
        self.post("/action/reset", {"service_id": "1001"}, Prefer="respond-async")
        self.run_jobs()
        self.assertEqual(self.firewall(), closed)
        self.assertEqual(self.lab.proxmox.cluster.containers[site.vmid].net0["firewall"], "1")


@on_one_database
class RunningContainerTests(FirewallCase):
    """What the nodes would compile at any moment, since a new list is fetched every 10 s."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(override_settings(**SETTINGS))
        self.states: list[tuple[bool, list[FirewallRule]]] = []
        take = self.lab.faults.take

        def note(system: str, call: str, *args: Any, **options: Any) -> Any:
            if "/firewall/" in call:
                self.states.append(self.state_now())
            return take(system, call, *args, **options)

        self.enterContext(mock.patch.object(self.lab.faults, "take", note))

    def state_now(self) -> tuple[bool, list[FirewallRule]]:
        """Whether the firewall is on, and the rules."""
        container = self.lab.proxmox.cluster.containers[900]
        names = ("type", "action", "proto", "source", "dest", "dport")
        rules = [
            FirewallRule(**{name: rule.get(name, "") for name in names}, enable=bool(rule["enable"]))
            for rule in container.firewall_rules
        ]
        return bool(container.firewall_options.get("enable")), rules

    def assert_never_worse(self) -> None:
        """Gateway and name servers are never taken away, and nobody is let in who was kept out."""
        for (was_on, earlier), (is_on, later) in pairwise(self.states):
            lost = [
                p for p in NEEDED if (not was_on or passes(earlier, p)) and is_on and not passes(later, p)
            ]
            opened = [
                p for p in SHUT if was_on and not passes(earlier, p) and not (is_on and not passes(later, p))
            ]
            self.assertEqual((lost, opened), ([], []), f"{earlier}\n{later}")

    def assert_closed(self) -> None:
        is_on, rules = self.state_now()
        self.assertTrue(is_on)
        self.assertEqual(len(rules), len(isolation.rules()))
        self.assertEqual(
            [p for p in OPEN if not passes(rules, p)] + [p for p in SHUT if passes(rules, p)], []
        )

    def lists(self) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Options and rules that a running container may have."""
        closed = self.firewall()
        on, rules = closed["options"], closed["rules"]
        first_edition = [
            {"type": "out", "action": "DROP", "dest": "192.168.1.0/24", "enable": 1},
            {"type": "out", "action": "ACCEPT", "dest": "192.168.1.1", "enable": 1},
            {
                "type": "in",
                "action": "ACCEPT",
                "proto": "tcp",
                "source": "192.168.1.5",
                "dport": "80",
                "enable": 1,
            },
        ]
        return {
            "as the first edition meant it": (on, first_edition[::-1]),
            "as the first edition wrote it": (on, first_edition),
            "the same, switched off": ({}, first_edition),
            "open to all": (on, [{"type": "in", "action": "ACCEPT", "enable": 1}, *rules]),
            "empty": (on, []),
            "empty and off": ({}, []),
        }

    def test_no_moment_of_a_repair_cuts_it_off_or_opens_it(self):
        site = self.live_site()
        for name, (options, rules) in self.lists().items():
            with self.subTest(name):
                self.set_firewall(site, firewall_options=options, firewall_rules=rules)
                self.states = [self.state_now()]
                self.repair(site)
                self.states.append(self.state_now())
                self.assertGreater(len(self.states), 8)
                self.assert_never_worse()
                self.assert_closed()

    def test_a_run_that_ends_anywhere_in_between_is_gone_on_with(self):
        """The answer of each write is lost in turn; the step looks at what is there and goes on."""
        site = self.live_site()
        options, rules = self.lists()["as the first edition wrote it"]
        for lost in range(len(isolation.rules()) + 3):
            with self.subTest(lost=lost):
                self.set_firewall(site, firewall_options=options, firewall_rules=rules)
                self.states = [self.state_now()]
                self.lose_write(lost)
                self.repair(site)
                self.assert_never_worse()
                self.assert_closed()

    def lose_write(self, number: int) -> None:
        """The answer of the write of that number, counted from 0, does not come."""
        call, seen = Proxmox._call, []

        def lossy(client: Proxmox, method: str, segments: tuple, params: dict) -> Any:
            if "firewall" in segments and method != "get":
                seen.append(method)
                if len(seen) == number + 1:
                    self.fault("proxmox", "drop_after", RULES if "rules" in segments else "/firewall/options")
            return call(client, method, segments, params)

        self.enterContext(mock.patch.object(Proxmox, "_call", lossy))

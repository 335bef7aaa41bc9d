"""The container's firewall: what was written is read once more, and a repair closes it again."""

from unittest import mock

from sites.clients.proxmox import Proxmox
from sites.services.repair import repair_site
from tests.sites.base import SiteTestCase


class FirewallTests(SiteTestCase):
    def firewall(self, vmid: int = 900) -> dict:
        return self.container(vmid)["firewall"]

    def test_a_site_whose_firewall_is_not_as_it_was_written_never_goes_live(self):
        """A cluster that takes the rules and does not keep them."""
        with mock.patch.object(Proxmox, "add_firewall_rule"):
            site = self.create()
            self.run_jobs()
        self.assert_undone(site)
        self.assertIn("the firewall is not as it was written", self.job(site).detail)

    def test_a_repair_closes_it_again(self):
        site = self.live_site()
        closed = self.firewall()
        for opened in (
            {"firewall_rules": []},
            {"firewall_options": {}},
            {"firewall_rules": [{"type": "in", "action": "ACCEPT", "enable": 1}, *closed["rules"]]},
        ):
            with self.subTest(opened):
                with self.lab.lock:
                    container = self.lab.proxmox.cluster.containers[site.vmid]
                    for name, value in opened.items():
                        setattr(container, name, value)
                self.assertNotEqual(self.firewall(), closed)
                self.clock.time = repair_site(site).created_at
                self.run_jobs()
                self.assertEqual(self.firewall(), closed)

    def test_a_rollback_leaves_it_closed(self):
        site = self.live_site()
        closed = self.firewall()
        self.post("/action/reset", {"service_id": "1001"}, Prefer="respond-async")
        self.run_jobs()
        self.assertEqual(self.firewall(), closed)
        self.assertEqual(self.lab.proxmox.cluster.containers[site.vmid].net0["firewall"], "1")

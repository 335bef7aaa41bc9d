"""On which node a container is made, and what becomes of an order whose node goes away."""

from django.test import override_settings

from tests.sites.base import SiteTestCase


class PlacementTests(SiteTestCase):
    def test_the_home_node_first(self):
        with override_settings(PROXMOX_HOME_NODE="node2"):
            self.assertEqual(self.live_site().node, "node2")

    def test_another_configured_node_when_the_home_node_is_away(self):
        self.control("node", node="node1", up=False)
        with override_settings(PROXMOX_NODES=["node1", "node3"]):
            site = self.live_site()
        self.assertEqual((site.node, self.container(900)["node"]), ("node3", "node3"))

    def test_the_one_with_the_most_free_memory_without_a_home_node(self):
        with override_settings(PROXMOX_HOME_NODE=""):
            nodes = [self.live_site(service_id=name, email=f"{name}@example.com").node for name in "abc"]
        self.assertEqual(set(nodes), {"node1", "node2", "node3"})

    def test_no_node_at_all_is_waited_for(self):
        with override_settings(PROXMOX_NODES=["node9"]):
            site = self.create()
            self.run_for(120)
            self.assertEqual(self.step(site, "container").state, "waiting")
            self.assertEqual(self.step(site, "container").error, "Proxmox VE is busy.")
        self.run_jobs()
        self.assert_live(site)


class NodeDiesTests(SiteTestCase):
    """The home node goes away in the middle of an order."""

    def test_after_the_creation_and_back_in_time(self):
        site = self.create()
        self.run_until(site, "container", state="done")
        self.control("node", node="node1", up=False)
        self.run_for(60)
        self.assertEqual(self.job(site).state, "waiting", self.tale(site))
        self.control("node", node="node1", up=True)
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(self.creations(), 1)

    def test_after_the_creation_and_back_too_late(self):
        site = self.create()
        self.run_until(site, "container", state="done")
        self.control("node", node="node1", up=False)
        self.run_for(3600)
        self.assertEqual(self.job(site).state, "rolling_back", self.tale(site))
        self.assertEqual(self.order().status_code, 409)
        self.control("node", node="node1", up=True)
        self.run_jobs()
        self.assert_undone(site)

    def test_during_the_creation(self):
        """What is left of it is a lock that only an operator can take off; all else is undone by itself."""
        self.control("speed", factor=0.01)
        site = self.create()
        self.run_until(site, "container", calls=1)
        self.assertEqual(self.container(900)["lock"], "create")
        self.control("node", node="node1", up=False)
        self.control("node", node="node1", up=True)
        self.control("speed", factor=0)
        self.run_for(600)
        self.assertEqual(self.job(site).state, "rolling_back", self.tale(site))
        self.assertEqual(self.job(site).error, "Proxmox VE failed with an internal error.")
        self.assertEqual(self.step(site, "container").error, "Proxmox VE has locked the container.")
        self.assertEqual(self.creations(), 1)
        with self.lab.lock:  # pct unlock 900; pct destroy 900
            self.lab.proxmox.cluster.lifecycle._forget(900)
        self.run_jobs()
        self.assert_undone(site)

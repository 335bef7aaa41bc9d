"""On which node a container is made, and what becomes of an order whose node goes away."""

from unittest import mock

from django.test import override_settings

from nodepoint.board import findings
from nodepoint.jobs.models import Job
from sites.models import ClusterNode, Placement, Plan, Site, SiteHealth
from sites.placement import forecast, places, reading
from sites.services import lift, nodes, updates
from sites.steps.lifting import LIFT
from sites.watch import look
from tests.factories import SiteFactory
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


class PlaceTests(SiteTestCase):
    """What is reserved counts, what staff say goes, and why is kept."""

    def closed(self, *names: str) -> None:
        for name in names:
            nodes.close_node(ClusterNode.objects.create(name=name), note="full", actor="staff anna")

    def test_the_reason_is_kept_with_the_site(self):
        self.closed("node3")
        site = self.live_site()
        placed = Placement.objects.get(subject=site.key)
        self.assertEqual(placed.why, "node1: the home node; node3 takes no new sites (full).")
        self.assertEqual((placed.node, placed.open), (site.node, False))
        self.delete()
        self.run_jobs()
        self.assertFalse(Placement.objects.filter(open=True).exists())

    def test_a_closed_home_node_is_passed_over_and_all_closed_are_waited_for(self):
        self.closed("node1")
        self.assertNotEqual(self.live_site().node, "node1")
        self.closed("node2", "node3")
        site = self.create(service_id="2", email="b@example.com")
        self.run_for(120)
        step = self.step(site, "container")
        self.assertEqual((step.state, step.error), ("waiting", "Proxmox VE is busy."))
        self.assertIn("no node can take it; node1 takes no new sites (full); node2", step.detail)
        nodes.open_node(ClusterNode.objects.get(name="node2"), actor="staff anna")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.node), ("live", "node2"))

    def limited(self, gigabytes: int) -> None:
        """node1 may promise so much, the others nothing."""
        for name in ("node1", "node2", "node3"):
            reserve = 512 - gigabytes if name == "node1" else 512
            ClusterNode.objects.update_or_create(name=name, defaults={"memory_reserve_gb": reserve})

    def test_two_orders_never_get_the_same_last_place(self):
        self.limited(3)  # one basic has 2
        first, second = (self.create(service_id=name, email=f"{name}@example.com") for name in "ab")
        self.assertEqual(places.site_place(first), "node1")
        self.assertEqual(places.site_place(first), "node1", "what is reserved is kept")
        with self.assertRaises(places.Busy) as refused:
            places.site_place(second)
        self.assertIn("node1 is at its limit of memory (2 of 3 GB promised)", refused.exception.vendor)
        self.run_jobs()
        states = sorted(Site.objects.values_list("state", flat=True))
        self.assertEqual(states, ["failed", "live"], "the other one has waited for its half hour")
        self.assertEqual(self.creations(), 1)

    def test_what_others_have_counts_and_what_is_given_back_is_free(self):
        self.limited(3)
        look()
        row = findings.last(reading.NODES)
        for node in row.data["nodes"]:
            node["others_mb"] = 2048 if node["name"] == "node1" else 0
        row.save()
        site = self.create()
        with self.assertRaises(places.Busy):
            places.site_place(site)
        look()  # the stranger is gone
        self.assertEqual(places.site_place(site), "node1")

    def test_sites_of_a_customer_are_spread(self):
        with override_settings(PROXMOX_HOME_NODE=""):
            SiteFactory.create_batch(2, node="node1", user_id="7")
            SiteFactory(node="node2", email="jane.doe@example.com")
            SiteFactory.create_batch(5, node="node3")
            site = self.create(user_id="7")
            self.assertEqual(places.site_place(site), "node3")
        self.assertIn("fewest sites of this customer", Placement.objects.get(subject=site.key).why)

    def test_limits_of_staff_hold_from_the_next_order_on(self):
        row = ClusterNode.objects.create(name="node1")
        nodes.set_limits(row, memory_ratio=0.5, memory_reserve_gb=255, disk_ratio=1.0, actor="staff anna")
        with override_settings(PROXMOX_NODES=["node1"]):
            site = self.create()
            with self.assertRaises(places.Busy):
                places.site_place(site)
            nodes.set_limits(row, memory_ratio=1.5, actor="staff anna")
            self.assertEqual(places.site_place(site), "node1")


class LookTests(SiteTestCase):
    def test_nodes_that_come_and_go_are_seen(self):
        look()
        self.assertEqual(
            list(ClusterNode.objects.values_list("name", flat=True)), ["node1", "node2", "node3"]
        )
        cluster = self.lab.proxmox.cluster
        with mock.patch.dict(cluster.nodes):
            del cluster.nodes["node3"]
            look()
            self.assertIsNotNone(ClusterNode.objects.get(name="node3").gone_at)
            site = self.create()
            with override_settings(PROXMOX_NODES=["node3"]), self.assertRaises(places.Busy) as refused:
                places.site_place(site)
            self.assertIn("node3 is not in the cluster", refused.exception.vendor)
        look()
        self.assertIsNone(ClusterNode.objects.get(name="node3").gone_at)


class MaintenanceTests(SiteTestCase):
    def test_what_can_wait_is_not_begun_on_a_node_in_maintenance(self):
        row = ClusterNode.objects.create(name="node1")
        for node in ("node1", "node2"):
            site = SiteFactory(node=node, level=0)
            SiteHealth.objects.create(
                site=site, tried_at=self.clock.time, minor="6.9.1", looked_at=self.clock.time
            )
        nodes.begin_maintenance(row, note="", actor="staff anna")
        self.assertEqual([waiting.site.node for waiting in updates._waiting()], ["node2"])
        lift.lift_all(5)
        self.run_calls(1)
        lifted = Job.objects.filter(kind=LIFT)
        self.assertEqual([Site.objects.get(pk=job.subject_pk).node for job in lifted], ["node2"])
        nodes.end_maintenance(row, actor="staff anna")
        self.assertEqual(len(updates._waiting()), 2)


class ForecastTests(SiteTestCase):
    def room(self) -> forecast.Room:
        look()
        return forecast.last(self.clock.time)

    def test_the_room_that_is_left_and_how_long_it_lasts(self):
        with override_settings(SITE_IP_RANGE="10.0.0.1-10.0.99.255", PROXMOX_NODES=["node1", "node2"]):
            ClusterNode.objects.create(name="node1", memory_reserve_gb=508)  # 4 GB: two basic
            nodes.close_node(ClusterNode.objects.create(name="node2"), note="", actor="staff anna")
            empty = self.room()
            self.assertEqual((empty.sites, empty.bound, empty.days), (2, "memory", None))
            self.assertEqual(empty.nodes, {"node1": 2})
            self.assertEqual(empty.disk, 20 * 1024 // Plan.objects.get(name="basic").disk_gb)
            SiteFactory(node="node1")
            SiteFactory.create_batch(8, node="node2")
            SiteFactory.create_batch(2, deleted=True)
            one = self.room()
        # Eleven orders and two deletions; a platform of one day is reckoned with seven.
        self.assertEqual((one.sites, round(one.rate, 3)), (1, round(9 / 7, 3)))
        self.assertEqual(
            one.sentence,
            f"Room for 1 more basic (by memory; disk would allow {one.disk:,}, addresses would allow"
            f" {one.addresses:,}); at this rate for less than a day.",
        )


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

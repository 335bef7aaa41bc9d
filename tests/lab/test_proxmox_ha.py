"""High availability: resources, the manager's slow hand, recovery of a lost node's containers, rules."""

import time
from typing import Any

from tests.lab.cluster import ClusterCase


class ResourceTests(ClusterCase):
    def test_adding_starts_a_stopped_container_unless_told_otherwise(self) -> None:
        for vmid, values, expected in ((900, {}, "running"), (901, {"state": "stopped"}, "stopped")):
            ct = self.create(vmid)
            self.api.cluster.ha.resources.post(sid=f"ct:{vmid}", **values)
            current = ct.status.current.get()
            self.assertEqual(expected, current["status"])
            self.assertEqual(1, current["ha"]["managed"])

    def test_a_bare_number_is_a_container(self) -> None:
        self.create()
        self.api.cluster.ha.resources.post(sid="900", state="stopped")
        self.assertEqual("ct:900", self.api.cluster.ha.resources("900").get()["sid"])

    def test_refusals(self) -> None:
        self.create()
        self.create(901)
        resources = self.api.cluster.ha.resources
        resources.post(sid="ct:900")
        refused = (
            (
                resources.post,
                {"sid": "ct:900"},
                "create resource failed: resource ID 'ct:900' already defined",
            ),
            (resources.post, {"sid": "ct:902"}, "resource 'ct:902' does not exist in cluster"),
            (resources.post, {"sid": "ct:901", "group": "gold"}, "ha groups have been migrated to rules"),
            (resources("ct:901").get, {}, "no such resource 'ct:901'"),
            (resources("ct:901").delete, {}, "cannot delete service 'ct:901', not HA managed!"),
            (
                self.api.cluster.ha.groups.get,
                {},
                "cannot index groups: ha groups have been migrated to rules",
            ),
        )
        for call, values, text in refused:
            with self.subTest(text):
                self.refused(500, text, call, **values)

    def test_start_and_stop_become_requests_to_the_manager(self) -> None:
        ct = self.create()
        self.api.cluster.ha.resources.post(sid="ct:900", state="stopped")
        upid = ct.status.start.post()
        self.assertEqual("hastart", upid.split(":")[5])
        self.done(upid)
        self.assertEqual("running", ct.status.current.get()["status"])
        upid = ct.status.shutdown.post()
        self.assertEqual("hastop", upid.split(":")[5])
        self.done(upid)
        self.assertEqual("stopped", ct.status.current.get()["status"])
        self.assertEqual("stopped", self.service()["request_state"])

    def test_an_ignored_resource_is_started_directly(self) -> None:
        ct = self.create()
        self.api.cluster.ha.resources.post(sid="ct:900", state="ignored")
        self.assertEqual(0, ct.status.current.get()["ha"]["managed"], "src/PVE/HA/Config.pm:352-362, 499")
        self.assertEqual("vzstart", ct.status.start.post().split(":")[5])

    def in_error(self, **values: Any) -> Any:
        """A container whose starts were in vain, on its node and on another; its HA resource."""
        self.create(net0="name=eth0,bridge=vmbr9,ip=dhcp")
        self.api.cluster.ha.resources.post(sid="ct:900", **values)
        self.assertEqual("error", self.service()["state"])
        return self.api.cluster.ha.resources("ct:900")

    def there(self) -> Any:
        """The container, wherever the manager has put it."""
        return self.ct(node=self.resource()["node"])

    def test_starts_in_vain_are_tried_on_another_node_and_end_in_error(self) -> None:
        """max_restart on a node, then max_relocate other nodes (pve-ha-manager 5.2.0,
        src/PVE/HA/Manager.pm)."""
        self.in_error()
        self.assertNotEqual("node1", self.resource()["node"])
        starts = [task["node"] for task in self.api.cluster.tasks.get() if task["type"] == "vzstart"]
        self.assertEqual(
            {"node1": 2, self.resource()["node"]: 2}, {node: starts.count(node) for node in starts}
        )

    def test_a_resource_in_error_takes_nothing_but_disabled(self) -> None:
        """src/PVE/API2/HA/Resources.pm:37-51; its requested state is ``started`` all the while."""
        resource = self.in_error()
        service = self.service()
        self.assertEqual(("started", "error"), (service["request_state"], service["crm_state"]))
        text = "service 'ct:900' in error state, must be disabled and fixed first"
        for values in ({"state": "started"}, {"state": "stopped"}, {"comment": "x"}):
            with self.subTest(values):
                self.refused(500, text, resource.put, **values)
        upid = self.there().status.start.post()
        self.assertEqual(
            "command 'ha-manager set ct:900 --state started' failed: exit code 255", self.exitstatus(upid)
        )
        self.assertEqual("error", self.resource()["hastate"])

    def test_disabled_and_then_started_is_the_way_out_of_error(self) -> None:
        resource = self.in_error()
        resource.put(state="disabled")
        service = self.service()
        self.assertEqual(("disabled", "stopped"), (service["state"], service["crm_state"]))
        self.there().config.put(net0="name=eth0,bridge=vmbr1,ip=dhcp")
        resource.put(state="started")
        self.assertEqual("running", self.there().status.current.get()["status"])

    def test_a_stop_of_what_runs_though_in_error_fails_by_its_own_command(self) -> None:
        """src/PVE/CLI/ha_manager.pm:113 asks check_service_state, too."""
        self.in_error()
        with self.lab.lock:
            container = self.lab.proxmox.cluster.containers[900]
            container.running = True
        for call, timeout in ((self.there().status.stop, 0), (self.there().status.shutdown, 60)):
            with self.subTest(timeout):
                text = f"command 'ha-manager crm-command stop ct:900 {timeout}' failed: exit code 255"
                self.assertEqual(text, self.exitstatus(call.post()))

    def test_a_guest_that_does_not_obey_brings_its_resource_into_error(self) -> None:
        """The manager's shutdown has no forceStop (src/PVE/HA/Resources/PVECT.pm, shutdown); a hard stop
        kills."""
        ct = self.create(start=True)
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.lab.proxmox.cluster.containers[900].stubborn = True
        self.done(ct.status.shutdown.post(forceStop=1))
        self.assertEqual(("error", "stopped"), tuple(self.service()[k] for k in ("state", "request_state")))
        self.assertEqual("running", ct.status.current.get()["status"])

    def test_what_is_stopped_by_the_manager_and_does_not_obey_runs_on_until_it_looks_away(self) -> None:
        """Its node tries for ever (src/PVE/HA/LRM.pm, exec_resource_agent), `ignored` lets it be killed."""
        ct = self.create(start=True)
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.lab.proxmox.cluster.containers[900].stubborn = True
        self.done(ct.status.shutdown.post())
        resource = self.api.cluster.ha.resources("ct:900")
        resource.put(state="disabled")
        self.assertEqual("stopped", self.service()["crm_state"])
        resource.put(state="stopped")
        self.assertEqual("stopped", self.service()["crm_state"])
        self.assertEqual("running", ct.status.current.get()["status"])
        resource.put(state="ignored")
        upid = ct.status.stop.post()
        self.assertEqual("vzstop", upid.split(":")[5])
        self.done(upid)
        self.assertEqual("stopped", ct.status.current.get()["status"])

    def test_a_hard_stop_through_the_manager_kills(self) -> None:
        ct = self.create(start=True)
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.lab.proxmox.cluster.containers[900].stubborn = True
        self.refused(400, "Parameter", ct.status.stop.post, **{"overrule-shutdown": 1})
        self.done(ct.status.stop.post())
        self.assertEqual("stopped", ct.status.current.get()["status"])

    def test_an_ignored_resource_has_no_state_of_the_manager(self) -> None:
        self.create()
        self.api.cluster.ha.resources.post(sid="ct:900", state="ignored")
        service = self.service()
        self.assertEqual("ignored", service["state"])
        self.assertNotIn("crm_state", service)
        self.assertEqual("ignored", self.resource()["hastate"])


class ManagerInTimeTests(ClusterCase):
    speed = 0.02

    def wait(self, state: str, vmid: int = 900) -> None:
        deadline = time.monotonic() + 5
        while self.service(vmid)["state"] != state:
            self.assertLess(time.monotonic(), deadline, f"no state {state}: {self.service(vmid)}")
            time.sleep(0.01)

    def test_a_request_takes_effect_only_a_round_later(self) -> None:
        ct = self.create(start=True)
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.wait("started")
        self.done(ct.status.stop.post())
        self.assertEqual("running", ct.status.current.get()["status"])
        self.assertEqual("started", self.service()["request_state"], "the manager writes it when it stops")
        self.wait("stopped")
        self.assertEqual("stopped", ct.status.current.get()["status"])

    def test_a_stop_is_lost_when_the_resource_is_dropped_before(self) -> None:
        ct = self.create(start=True)
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.wait("started")
        self.done(ct.status.stop.post())
        self.api.cluster.ha.resources("ct:900").delete()
        time.sleep(0.3)
        self.assertEqual("running", ct.status.current.get()["status"])

    def test_a_container_killed_by_a_rollback_is_started_again(self) -> None:
        ct = self.create(start=True)
        self.done(ct.snapshot.post(snapname="initial"))
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.wait("started")
        self.lab.clock.factor = 0.005
        upid = ct.snapshot("initial").rollback.post()
        self.done(upid)
        deadline = time.monotonic() + 5
        while ct.status.current.get()["status"] != "running":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)


class RecoveryTests(ClusterCase):
    def test_a_lost_nodes_ha_containers_go_elsewhere_and_run(self) -> None:
        self.create(900, start=True)
        self.create(901)
        self.create(902, start=True)
        for vmid, state in ((900, "started"), (901, "stopped")):
            self.api.cluster.ha.resources.post(sid=f"ct:{vmid}", state=state)
        self.control("POST", "node", {"node": "node1", "up": False})
        found = {vmid: self.resource(vmid) for vmid in (900, 901, 902)}
        self.assertNotEqual("node1", found[900]["node"])
        self.assertEqual(
            ("running", "stopped", "unknown"), tuple(entry["status"] for entry in found.values())
        )
        self.assertEqual("node1", found[902]["node"])

    def test_local_storage_cannot_be_recovered(self) -> None:
        self.create(rootfs="local-zfs:8", start=True)
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.control("POST", "node", {"node": "node1", "up": False})
        self.assertEqual("node1", self.resource()["node"])
        self.control("POST", "node", {"node": "node1", "up": True})
        self.assertEqual("running", self.ct().status.current.get()["status"])

    def test_a_node_affinity_rule_names_the_next_node(self) -> None:
        self.create(start=True)
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.api.cluster.ha.rules.post(
            rule="home", type="node-affinity", resources="ct:900", nodes="node1:2,node3:1"
        )
        self.control("POST", "node", {"node": "node1", "up": False})
        self.assertEqual("node3", self.resource()["node"])


class RuleTests(ClusterCase):
    def setUp(self) -> None:
        super().setUp()
        for vmid in (900, 901):
            self.create(vmid)
            self.api.cluster.ha.resources.post(sid=f"ct:{vmid}", state="stopped")
        self.rules = self.api.cluster.ha.rules
        self.rules.post(rule="home", type="node-affinity", resources="ct:900", nodes="node1")

    def test_a_rule_is_changed_by_its_digest(self) -> None:
        rule = self.rules("home").get()
        self.rules("home").put(type="node-affinity", resources="ct:900,ct:901", digest=rule["digest"])
        self.assertEqual("ct:900,ct:901", self.rules("home").get()["resources"])
        self.refused(
            500,
            "detected modified configuration",
            self.rules("home").put,
            type="node-affinity",
            nodes="node2",
            digest=rule["digest"],
        )

    def test_refusals(self) -> None:
        node = {"type": "node-affinity", "nodes": "node2"}
        refused = {
            "same resource": (
                {"rule": "other", "resources": "ct:900", **node},
                400,
                "Rule 'other' is invalid.",
            ),
            "same id": ({"rule": "home", "resources": "ct:901", **node}, 500, "'home' already defined"),
            "not managed": (
                {"rule": "other", "resources": "ct:905", **node},
                500,
                "cannot use unmanaged resource(s)",
            ),
            "no nodes": ({"rule": "other", "resources": "ct:901", "type": "node-affinity"}, 400, "Parameter"),
        }
        for what, (values, status, text) in refused.items():
            with self.subTest(what):
                self.refused(status, text, self.rules.post, **values)

    def test_it_goes_with_its_last_resource(self) -> None:
        self.api.cluster.ha.resources("ct:900").delete()
        self.assertEqual([], self.rules.get())

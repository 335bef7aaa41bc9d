"""Containers that move to another node: restart migration, and by the HA manager (pve-container 6.1.10,
pve-ha-manager 5.2.0; docs/lab-sources.md)."""

from typing import Any

from tests.lab.cluster import ClusterCase


class PlaceCase(ClusterCase):
    def where(self, vmid: int = 900) -> tuple[str, bool, str]:
        """Its node, whether it runs, and its lock."""
        with self.lab.lock:
            container = self.lab.proxmox.cluster.containers[vmid]
            return container.node, container.running, container.lock

    def log(self, upid: str) -> str:
        lines = self.api.nodes(upid.split(":")[1]).tasks(upid).log.get()
        return "\n".join(line["t"] for line in lines)

    def stubborn(self, vmid: int = 900) -> None:
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[vmid].stubborn = True


class MigrationTests(PlaceCase):
    def test_a_running_one_is_ended_moved_and_started_there(self) -> None:
        ct = self.create(start=True)
        upid = ct.migrate.post(target="node2", restart=1)
        self.assertEqual("vzmigrate", upid.split(":")[5])
        self.done(upid)
        self.assertEqual(("node2", True, ""), self.where())
        self.refused(500, "Configuration file 'nodes/node1/lxc/900.conf' does not exist", ct.config.get)

    def test_a_stopped_one_stays_stopped(self) -> None:
        self.done(self.create().migrate.post(target="node3", restart=1))
        self.assertEqual(("node3", False, ""), self.where())

    def test_what_is_refused_before_anything_begins(self) -> None:
        ct = self.create(start=True)
        for status, text, values in (
            (400, "Parameter verification failed.", {"target": "node1"}),
            (500, "no such cluster node 'node9'", {"target": "node9"}),
            (500, "can't migrate running container without --online or --restart", {"target": "node2"}),
            (
                500,
                "storage 'nowhere' does not exist",
                {"target": "node2", "restart": 1, "target-storage": "nowhere"},
            ),
        ):
            with self.subTest(text):
                self.refused(status, text, ct.migrate.post, **values)
        self.assertEqual(("node1", True, ""), self.where())

    def test_it_needs_a_privilege_of_its_own(self) -> None:
        ct = self.create()
        self.control("POST", "rights", {"rights": {"/vms": ["VM.Audit", "VM.Allocate"]}})
        text = "Permission check failed (/vms/900, VM.Migrate)"
        self.refused(403, text, ct.migrate.post, target="node2")

    def test_every_failure_is_called_the_same_and_its_log_says_why(self) -> None:
        ct = self.create(start=True)
        self.stubborn()
        for prepare, reason in (
            (lambda: None, "container did not stop"),
            (
                lambda: self.control("POST", "node", {"node": "node2", "up": False}),
                "Can't connect to destination address using public key",
            ),
        ):
            with self.subTest(reason):
                prepare()
                upid = ct.migrate.post(target="node2", restart=1)
                self.assertEqual("migration aborted", self.exitstatus(upid))
                self.assertIn(reason, self.log(upid))
                self.assertEqual(("node1", True, ""), self.where())

    def test_snapshots_on_a_thin_pool_hold_it_where_it_is_and_it_is_started_again(self) -> None:
        ct = self.create(start=True, rootfs="thin:20")
        self.done(ct.snapshot.post(snapname="initial"))
        upid = ct.migrate.post(target="node2", restart=1)
        self.assertEqual("migration aborted", self.exitstatus(upid))
        self.assertIn("non-migratable snapshot exists", self.log(upid))
        self.assertEqual(("node1", True, ""), self.where())

    def test_a_failure_in_the_middle_leaves_it_running_where_it_was(self) -> None:
        ct = self.create(start=True)
        self.control("POST", "faults", {"system": "proxmox", "kind": "error", "match": "TASK vzmigrate"})
        self.assertEqual("migration aborted", self.exitstatus(ct.migrate.post(target="node2", restart=1)))
        self.assertEqual(("node1", True, ""), self.where())

    def test_a_local_disk_goes_along_to_the_storage_that_is_named(self) -> None:
        ct = self.create(rootfs="local-zfs:20")
        self.done(ct.migrate.post(target="node2", **{"target-storage": "local-zfs"}))
        self.assertEqual(("node2", False, ""), self.where())
        self.assertIn("local-zfs:subvol-900-disk-0", self.ct(node="node2").config.get()["rootfs"])


class HaMigrationTests(PlaceCase):
    """Of HA resources the task only tells the manager."""

    def managed(self, **values: Any) -> Any:
        ct = self.create()
        self.api.cluster.ha.resources.post(sid="ct:900", **values)
        self.api.version.get()
        return ct

    def test_a_running_one_is_ended_moved_and_started_there(self) -> None:
        ct = self.managed()
        self.assertTrue(self.where()[1])
        upid = ct.migrate.post(target="node2", restart=1)
        self.assertEqual("hamigrate", upid.split(":")[5])
        self.done(upid)
        self.api.version.get()
        self.assertEqual(("node2", True, ""), self.where())
        (service,) = [row for row in self.api.cluster.ha.status.current.get() if row["type"] == "service"]
        self.assertEqual(("node2", "started"), (service["node"], service["state"]))

    def test_a_stopped_one_stays_stopped(self) -> None:
        ct = self.managed(state="stopped")
        self.done(ct.migrate.post(target="node2"))
        self.api.version.get()
        self.assertEqual(("node2", False, ""), self.where())

    def test_without_restart_it_is_refused_while_it_runs_although_the_manager_needs_none(self) -> None:
        text = "can't migrate running container without --online or --restart"
        self.refused(500, text, self.managed().migrate.post, target="node2")

    def test_one_that_does_not_end_stays_and_goes_on(self) -> None:
        ct = self.managed()
        self.stubborn()
        self.done(ct.migrate.post(target="node2", restart=1))
        self.api.version.get()
        self.assertEqual(("node1", True, ""), self.where())

    def test_a_node_that_is_away_is_not_gone_to_and_nobody_is_told(self) -> None:
        ct = self.managed()
        self.control("POST", "node", {"node": "node2", "up": False})
        self.done(ct.migrate.post(target="node2", restart=1))
        self.api.version.get()
        self.assertEqual(("node1", True, ""), self.where())

    def test_one_in_error_is_refused_by_the_task(self) -> None:
        ct = self.managed()
        with self.lab.lock:
            self.lab.proxmox.cluster.ha._resources["ct:900"]["crm"] = "error"
        self.assertEqual(
            "command 'ha-manager migrate ct:900 node2' failed: exit code 255",
            self.exitstatus(ct.migrate.post(target="node2", restart=1)),
        )

"""Snapshots: taking, deleting, and what a rollback brings back."""

import time

from tests.lab.cluster import ClusterCase


class SnapshotTests(ClusterCase):
    def names(self) -> list[str]:
        return [entry["name"] for entry in self.ct().snapshot.get()]

    def test_the_list_ends_in_the_pseudo_entry_current(self) -> None:
        ct = self.create()
        self.done(ct.snapshot.post(snapname="initial", description="first"))
        self.done(ct.snapshot.post(snapname="BAK11122025-1"))
        entries = {entry["name"]: entry for entry in ct.snapshot.get()}
        self.assertEqual(["initial", "BAK11122025-1", "current"], self.names())
        self.assertEqual("BAK11122025-1", entries["current"]["parent"])
        self.assertEqual("initial", entries["BAK11122025-1"]["parent"])
        self.assertEqual("first\n", entries["initial"]["description"])

    def test_reserved_names_are_refused_at_once(self) -> None:
        ct = self.create()
        for name in ("current", "vzdump"):
            self.refused(500, "reserved name", ct.snapshot.post, snapname=name)

    def test_failures_that_only_the_task_knows(self) -> None:
        ct = self.create()
        self.done(ct.snapshot.post(snapname="initial"))
        on_dir = self.create(901, rootfs="local:8")
        failing = (
            (ct.snapshot.post, {"snapname": "initial"}, "snapshot name 'initial' already used"),
            (ct.snapshot("none").delete, {}, "snapshot 'none' does not exist"),
            (ct.snapshot("none").rollback.post, {}, "snapshot 'none' does not exist"),
            (on_dir.snapshot.post, {"snapname": "initial"}, "snapshot feature is not available"),
        )
        for call, values, text in failing:
            with self.subTest(text):
                self.assertEqual(text, self.exitstatus(call(**values)))

    def test_the_feature_call_tells_which_storage_can(self) -> None:
        for vmid, rootfs, can in ((900, "global-lvm:8", 1), (901, "local:8", 0), (902, "local-zfs:8", 1)):
            ct = self.create(vmid, rootfs=rootfs)
            self.assertEqual(can, ct.feature.get(feature="snapshot")["hasFeature"])
            self.assertEqual(0, ct.feature.get(feature="clone")["hasFeature"])

    def test_deleting_one_of_a_chain_links_its_child_to_its_parent(self) -> None:
        ct = self.create()
        for name in ("s1", "s2", "s3"):
            self.done(ct.snapshot.post(snapname=name))
        self.done(ct.snapshot("s2").delete())
        self.assertEqual(["s1", "s3", "current"], self.names())
        self.assertEqual("s1", ct.snapshot.get()[1]["parent"])


class RollbackTests(ClusterCase):
    def test_the_whole_configuration_of_that_time_comes_back(self) -> None:
        ct = self.create(start=True, description="old", tags="old")
        self.done(ct.snapshot.post(snapname="initial"))
        ct.config.put(memory=4096, description="new", tags="new")
        self.done(ct.resize.put(disk="rootfs", size="40G"))
        self.done(ct.snapshot("initial").rollback.post())
        config = ct.config.get()
        self.assertEqual((2048, "new\n", "old"), (config["memory"], config["description"], config["tags"]))
        self.assertIn("size=20G", config["rootfs"])
        self.assertEqual("stopped", ct.status.current.get()["status"])

    def test_start_forks_a_task_of_its_own(self) -> None:
        ct = self.create(start=True)
        self.done(ct.snapshot.post(snapname="initial"))
        self.done(ct.snapshot("initial").rollback.post(start=1))
        self.assertEqual("running", ct.status.current.get()["status"])

    def test_zfs_goes_back_to_its_newest_only_and_touches_nothing(self) -> None:
        ct = self.create(start=True, rootfs="local-zfs:20")
        self.done(ct.snapshot.post(snapname="initial"))
        self.done(ct.snapshot.post(snapname="BAK11122025-1"))
        text = "can't rollback, 'initial' is not most recent snapshot on 'local-zfs:subvol-900-disk-0'"
        self.assertEqual(text, self.exitstatus(ct.snapshot("initial").rollback.post()))
        self.assertEqual("running", ct.status.current.get()["status"])
        self.assertNotIn("lock", ct.config.get())
        self.done(ct.snapshot("BAK11122025-1").delete())
        self.done(ct.snapshot("initial").rollback.post())

    def test_drbd_goes_back_past_newer_ones(self) -> None:
        ct = self.create()
        self.done(ct.snapshot.post(snapname="initial"))
        self.done(ct.snapshot.post(snapname="BAK11122025-1"))
        self.done(ct.snapshot("initial").rollback.post())
        self.assertEqual("initial", ct.config.get()["parent"])

    def test_files_and_site_are_those_of_the_snapshot(self) -> None:
        ct = self.create(start=True)
        self.done(ct.snapshot.post(snapname="empty"))
        self.install()
        self.done(ct.snapshot.post(snapname="initial"))
        self.assertTrue(self.lab.world.reaches_site("192.168.1.100")[0])
        for name, answers in (("empty", False), ("initial", True)):
            self.done(ct.snapshot(name).rollback.post())
            self.done(ct.status.start.post())
            with self.subTest(name):
                self.assertEqual(answers, self.lab.world.reaches_site("192.168.1.100")[0])


class BackupTests(ClusterCase):
    """A backup in snapshot mode: pve-container 6.1.10, src/PVE/VZDump/LXC.pm (snapshot, cleanup)."""

    def back_up(self, **more: str) -> str:
        values = {"vmid": 900, "mode": "snapshot", "compress": "zstd", "storage": "local"}
        return self.api.nodes("node1").vzdump.post(**(values | more))

    def test_it_holds_a_snapshot_of_its_own_and_the_lock_while_it_lasts(self) -> None:
        ct = self.create(start=True)
        self.lab.clock.factor = 1
        upid = self.back_up()
        self.assertEqual("backup", ct.config.get()["lock"])
        entry, current = ct.snapshot.get()
        self.assertEqual(("vzdump", "vzdump backup snapshot\n"), (entry["name"], entry["description"]))
        self.assertEqual("vzdump", current["parent"])
        self.assertEqual("CT is locked (backup)", self.exitstatus(ct.snapshot.post(snapname="mine")))
        self.lab.world.settle(time.time() + 26)
        self.done(upid)
        self.assertEqual(["current"], [entry["name"] for entry in ct.snapshot.get()])
        self.assertNotIn("lock", ct.config.get())

    def test_zfs_refuses_a_rollback_meanwhile_for_its_newer_snapshot(self) -> None:
        """Before it looks at the lock (pve-guest-common 6.0.2, src/PVE/AbstractConfig.pm,
        snapshot_rollback)."""
        for vmid, storage, text in (
            (
                900,
                "local-zfs",
                "can't rollback, 'initial' is not most recent snapshot on 'local-zfs:subvol-900-disk-0'",
            ),
            (901, "global-lvm", "CT is locked (backup)"),
        ):
            with self.subTest(storage):
                ct = self.create(vmid, start=True, rootfs=f"{storage}:20")
                self.done(ct.snapshot.post(snapname="initial"))
                self.lab.clock.factor = 1
                self.back_up(vmid=vmid)
                self.assertEqual(text, self.exitstatus(ct.snapshot("initial").rollback.post()))
                self.assertEqual("running", ct.status.current.get()["status"])
                self.lab.clock.factor = 0
                self.lab.world.settle(time.time() + 60)  # one backup at a time on a node

    def test_a_node_that_dies_leaves_snapshot_and_lock_and_the_next_backup_removes_the_snapshot(self) -> None:
        ct = self.create(start=True)
        self.lab.clock.factor = 1
        self.back_up()
        for up in (False, True):
            self.control("POST", "node", {"node": "node1", "up": up})
        self.lab.clock.factor = 0
        self.assertEqual("backup", ct.config.get()["lock"])
        self.assertEqual("vzdump", ct.snapshot.get()[0]["name"])
        self.assertEqual("CT is locked (backup)", self.exitstatus(ct.snapshot("vzdump").delete()))
        self.lab.ssh.nodes["node1"]._commands.unlock(900)
        self.done(ct.status.start.post())
        self.done(self.back_up())
        self.assertEqual(["current"], [entry["name"] for entry in ct.snapshot.get()])


class FailedTests(ClusterCase):
    def test_a_deletion_that_fails_leaves_its_lock_and_its_mark(self) -> None:
        """AbstractConfig.pm, snapshot_delete: set_lock, and only the end deletes it; autosnap #24, #27."""
        ct = self.create(rootfs="local-zfs:20")
        self.done(ct.snapshot.post(snapname="initial"))
        self.lab.faults.add("proxmox", "error", match="TASK vzdelsnapshot 900")
        text = "zfs error: cannot destroy snapshot rpool/data/subvol-900-disk-0@initial: dataset is busy"
        self.assertEqual(text, self.exitstatus(ct.snapshot("initial").delete()))
        self.assertEqual("snapshot-delete", ct.config.get().get("lock"))
        self.assertEqual("delete", ct.snapshot.get()[0]["snapstate"])
        self.assertEqual("CT is locked (snapshot-delete)", self.exitstatus(ct.snapshot("initial").delete()))
        self.lab.ssh.nodes["node1"]._commands.unlock(900)
        incomplete = "unable to rollback to incomplete snapshot (snapstate = delete)"
        self.assertEqual(incomplete, self.exitstatus(ct.snapshot("initial").rollback.post()))
        self.done(ct.snapshot("initial").delete())

    def test_a_snapshot_that_fails_cleans_up(self) -> None:
        ct = self.create()
        self.lab.faults.add("proxmox", "error", match="TASK vzsnapshot 900")
        self.assertNotEqual("OK", self.exitstatus(ct.snapshot.post(snapname="initial")))
        self.assertNotIn("lock", ct.config.get())
        self.assertEqual(["current"], [entry["name"] for entry in ct.snapshot.get()])

    def test_what_is_missing_is_said_before_the_lock_is_looked_at(self) -> None:
        ct = self.create()
        ct.config.put(lock="backup")
        self.assertEqual("snapshot 'none' does not exist", self.exitstatus(ct.snapshot("none").delete()))


class SnapshotInTimeTests(ClusterCase):
    speed = 0.02

    def test_the_container_is_locked_meanwhile_and_runs_on(self) -> None:
        ct = self.create(start=True)
        upid = ct.snapshot.post(snapname="initial")
        self.assertEqual("snapshot", ct.status.current.get()["lock"])
        self.assertEqual("prepare", ct.snapshot.get()[0]["snapstate"])
        self.refused(500, "CT is locked (snapshot)", ct.config.put, cores=1)
        self.done(upid)
        self.assertEqual("running", ct.status.current.get()["status"])

    def test_a_rollback_kills_at_once(self) -> None:
        ct = self.create(start=True)
        self.done(ct.snapshot.post(snapname="initial"))
        upid = ct.snapshot("initial").rollback.post()
        current = ct.status.current.get()
        self.assertEqual(("stopped", "rollback"), (current["status"], current["lock"]))
        self.done(upid)

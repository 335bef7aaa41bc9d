"""Snapshots: taking, deleting, and what a rollback brings back."""

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
        self.assertEqual("first", entries["initial"]["description"])

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
        self.assertEqual((2048, "new", "old"), (config["memory"], config["description"], config["tags"]))
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

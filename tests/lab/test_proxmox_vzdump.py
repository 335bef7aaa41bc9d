"""Backups: their modes, where they go, what limits them, and what is left when one fails."""

import time

from tests.lab.cluster import SCRIPT, ClusterCase

POOL_ONLY = ["VM.Allocate", "VM.Audit", "VM.Backup", "VM.PowerMgmt"]


class BackupCase(ClusterCase):
    def dump(self, vmid: int = 900, storage: str = "nas", node: str = "node1", **more: object) -> str:
        values = {"vmid": vmid, "storage": storage, "mode": "snapshot", "compress": "zstd", "remove": 0}
        return self.api.nodes(node).vzdump.post(**(values | more))

    def listed(self, storage: str = "nas", node: str = "node1", **values: object) -> list[dict]:
        return self.api.nodes(node).storage(storage).content.get(content="backup", **values)

    def log(self, upid: str) -> str:
        return "\n".join(line["t"] for line in self.api.nodes("node1").tasks(upid).log.get(limit=0))

    def fails(self, upid: str, text: str) -> None:
        """The end says no more than this; the words stand in the log."""
        self.assertEqual("job errors", self.exitstatus(upid))
        self.assertIn(text, self.log(upid))

    def storage(self, name: str, **options: object) -> None:
        order = {"storage": name, **{key.replace("_", "-"): value for key, value in options.items()}}
        self.assertEqual(200, self.control("POST", "storage", order).status_code)


class ModeTests(BackupCase):
    def test_where_no_snapshot_can_be_made_the_files_are_copied_first(self) -> None:
        """PVE/VZDump.pm:1083: a mode failure leads to suspend mode."""
        ct = self.create(start=True, rootfs="local:20")
        upid = self.dump()
        self.done(upid)
        self.assertIn("mode failure - some volumes do not support snapshots", self.log(upid))
        self.assertIn("backup mode: suspend", self.log(upid))
        self.assertEqual("running", ct.status.current.get()["status"])
        self.assertNotIn("lock", ct.config.get())

    def test_stop_mode_starts_what_it_has_stopped(self) -> None:
        ct = self.create(start=True)
        self.lab.clock.factor = 1
        upid = self.dump(mode="stop")
        self.assertEqual("stopped", ct.status.current.get()["status"])
        self.lab.clock.factor = 0
        self.lab.world.settle(time.time() + 60)
        self.done(upid)
        self.assertEqual("running", ct.status.current.get()["status"])

    def test_stop_mode_is_refused_for_what_ha_keeps_running(self) -> None:
        self.create(start=True)
        self.api.cluster.ha.resources.post(sid="ct:900", state="started")
        self.fails(self.dump(mode="stop"), "Cannot execute a backup with stop mode on a HA managed")

    def test_one_at_a_time_on_a_node(self) -> None:
        """PVE/VZDump.pm:758, getlock: the second waits for the first, up to three hours."""
        for vmid in (900, 901):
            self.create(vmid, start=True, net0=f"name=eth0,bridge=vmbr1,ip=192.168.1.{vmid - 800}/24")
        self.create(902, node="node2", start=True)
        self.lab.clock.factor = 1
        first, second = self.dump(900), self.dump(901)
        elsewhere = self.dump(902, node="node2")
        self.assertNotIn("lock", self.ct(901).config.get())
        self.assertIn("trying to get global lock - waiting...", self.log(second))
        self.lab.world.settle(time.time() + 30)
        self.done(first)
        self.done(elsewhere)
        self.assertEqual("backup", self.ct(901).config.get()["lock"])
        self.lab.world.settle(time.time() + 60)
        self.done(second)
        self.assertEqual([900, 901, 902], sorted(entry["vmid"] for entry in self.listed()))

    def test_one_that_is_stopped_by_its_task_tidies_up(self) -> None:
        ct = self.create(start=True)
        self.lab.clock.factor = 1
        upid = self.dump()
        self.api.nodes("node1").tasks(upid).delete()
        self.assertEqual("interrupted by signal", self.exitstatus(upid))
        self.assertNotIn("lock", ct.config.get())
        self.assertEqual(["current"], [entry["name"] for entry in ct.snapshot.get()])
        self.assertEqual([], self.listed())

    def test_one_that_breaks_tidies_up(self) -> None:
        ct = self.create(start=True)
        self.lab.faults.add("proxmox", "error", match="TASK vzdump 900")
        self.fails(self.dump(), "failed: exit code 70")
        self.assertNotIn("lock", ct.config.get())
        self.assertEqual(["current"], [entry["name"] for entry in ct.snapshot.get()])
        self.assertEqual([], self.listed())


class PlaceTests(BackupCase):
    def test_each_kind_of_storage_names_it_in_its_own_way(self) -> None:
        self.create(start=True)
        names = {
            "local": (r"local:backup/vzdump-lxc-900-\d{4}(_\d\d){2}-\d\d(_\d\d){2}\.tar\.zst", "tar.zst"),
            "nas": (r"nas:backup/vzdump-lxc-900-\d{4}(_\d\d){2}-\d\d(_\d\d){2}\.tar\.zst", "tar.zst"),
            "pbs": (r"pbs:backup/ct/900/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "pbs-ct"),
        }
        for storage, (pattern, format) in names.items():
            with self.subTest(storage):
                before = int(time.time())
                self.done(self.dump(storage=storage))
                (entry,) = self.listed(storage, vmid=900)
                self.assertRegex(entry["volid"], f"^{pattern}$")
                self.assertEqual(("lxc", format, 900), (entry["subtype"], entry["format"], entry["vmid"]))
                self.assertTrue(before <= entry["ctime"] <= time.time() + 2)
                self.assertNotIn("notes", entry)
                self.assertNotIn("protected", entry)
        self.assertEqual([1, 0], [len(self.listed(name, "node2")) for name in ("nas", "local")])
        self.assertLess(self.lab.clock.seconds("backup.again"), 25)

    def test_a_backup_server_takes_the_next_one_faster(self) -> None:
        self.create(start=True)
        self.lab.clock.factor = 0.001
        task = self.lab.proxmox.cluster.tasks
        spans = []
        for _ in range(2):
            upid = self.dump(storage="pbs")
            spans.append(task.get(upid, "node1").seconds)
            self.done(upid)
        self.assertGreater(spans[0], spans[1])

    def test_a_storage_that_cannot_take_it_says_why(self) -> None:
        ct = self.create(start=True)
        full = "command 'set -o pipefail && tar cpf - | zstd --threads=1 >/mnt/pve/nas/dump/vzdump-lxc-900-"
        for options, text in (
            ({"free": 10}, full),
            ({"free": 10**12, "writable": 0}, "Read-only file system"),
        ):
            with self.subTest(text):
                self.storage("nas", **options)
                self.fails(self.dump(), text)
                self.assertNotIn("lock", ct.config.get())
        self.storage("nas", online=0)
        self.storage("pbs", online=0)
        away = "could not activate storage 'nas': storage 'nas' is not online"
        self.assertEqual(away, self.exitstatus(self.dump()))
        self.assertIn("Can't connect to pbs.lab:8007", self.exitstatus(self.dump(storage="pbs")))
        self.refused(500, "storage 'nas' is not online", self.listed)
        self.assertEqual(0, self.api.nodes("node1").storage("nas").status.get()["active"])

    def test_what_is_taken_of_the_storage_is_told(self) -> None:
        self.create(start=True)
        before = self.api.nodes("node2").storage("nas").status.get()["avail"]
        self.done(self.dump())
        after = self.api.nodes("node2").storage("nas").status.get()["avail"]
        self.assertEqual(self.listed()[0]["size"], before - after)


class RetentionTests(BackupCase):
    """PVE/VZDump.pm:960 (limits), 1250 (prune): ``remove`` is on unless the call says 0, and what the
    storage's own configuration keeps counts where the call says nothing."""

    def test_a_storage_with_a_retention_of_its_own_loses_old_ones_unless_the_call_forbids_it(self) -> None:
        self.create(start=True)
        self.storage("nas", prune_backups="keep-last=2")
        for _ in range(2):
            self.done(self.dump())
        self.fails(self.dump(), "There is a max backup limit of 2 enforced by the target storage")
        self.done(self.dump(remove=1))
        self.assertEqual(2, len(self.listed()))
        said = self.api.nodes("node1").vzdump.defaults.get(storage="nas")
        self.assertEqual(("keep-last=2", 1), (said["prune-backups"], said["remove"]))

    def test_a_retention_in_the_call_needs_a_right_of_its_own(self) -> None:
        self.create(start=True)
        refusal = "Permission check failed (/storage/nas, Datastore.Allocate)"
        self.refused(403, refusal, self.dump, **{"prune-backups": "keep-last=1"})

    def test_a_protected_one_stays_counts_apart_and_cannot_be_deleted(self) -> None:
        self.create(start=True)
        self.storage("nas", prune_backups="keep-last=1", max_protected_backups=1)
        self.done(self.dump(protected=1))
        self.fails(self.dump(protected=1), "The number of protected backups per guest is limited to 1")
        for _ in range(2):
            self.done(self.dump(remove=1))
        protected = [entry for entry in self.listed() if entry.get("protected")]
        self.assertEqual((2, 1), (len(self.listed()), len(protected)))
        content = self.api.nodes("node1").storage("nas").content
        name = protected[0]["volid"].partition(":")[2]
        refusal = f"cannot remove protected volume '{name}' on 'nas'"
        self.assertEqual(refusal, self.exitstatus(content(protected[0]["volid"]).delete()))
        content(protected[0]["volid"]).put(protected=0)
        self.done(content(protected[0]["volid"]).delete())
        self.assertEqual(1, len(self.listed()))


class AttributeTests(BackupCase):
    def test_notes_are_made_of_a_template_and_can_be_changed(self) -> None:
        self.create(start=True, hostname="demo")
        template = "nodepoint:a:b:1\\nof {{guestname}}, {{vmid}} on {{node}}"
        for storage, seen in (("nas", "nodepoint:a:b:1"), ("pbs", "nodepoint:a:b:1\nof demo, 900 on node1")):
            with self.subTest(storage):
                self.done(self.dump(storage=storage, **{"notes-template": template}))
                (entry,) = self.listed(storage)
                self.assertEqual(seen, entry["notes"], "a folder's list shows the first line")
                volume = self.api.nodes("node1").storage(storage).content(entry["volid"])
                self.assertEqual("nodepoint:a:b:1\nof demo, 900 on node1", volume.get()["notes"])
                volume.put(notes="")
                self.assertNotIn("notes", self.listed(storage)[0])

    def test_a_template_with_unknown_parts_is_refused(self) -> None:
        self.create()
        for template, text in (
            ("{{nobody}}", "variable 'nobody' at char 2"),
            ("a\\t", "escape sequence '\\t'"),
        ):
            error = self.refused(400, "", self.dump, **{"notes-template": template})
            self.assertIn(text, error.errors["notes-template"])

    def test_deleting_what_is_gone_is_an_error_of_the_backup_server_alone(self) -> None:
        """Storage/Plugin.pm:1138 warns; Storage/PBSPlugin.pm, free_image calls the client."""
        for volid, ends in (
            ("nas:backup/vzdump-lxc-900-2026_01_01-01_01_01.tar.zst", "OK"),
            (
                "pbs:backup/ct/900/2026-01-01T01:01:01Z",
                "proxmox-backup-client failed: Error: no such snapshot",
            ),
        ):
            storage = volid.partition(":")[0]
            upid = self.api.nodes("node1").storage(storage).content(volid).delete()
            self.assertIn(":imgdel:900@", upid)
            self.assertIn(ends, self.exitstatus(upid))
        self.refused(500, "unable to parse", self.api.nodes("node1").storage("pbs").content("pbs:x/y").delete)

    def test_what_a_backup_server_found_when_it_verified_is_shown(self) -> None:
        self.create(start=True)
        self.done(self.dump(storage="pbs"))
        (entry,) = self.listed("pbs")
        self.assertNotIn("verification", entry)
        self.lab.proxmox.cluster.backups.spoil("node1", entry["volid"])
        self.assertEqual("failed", self.listed("pbs")[0]["verification"]["state"])


class RightTests(BackupCase):
    def test_the_archives_of_a_guest_that_is_gone_are_hidden_from_rights_on_a_pool(self) -> None:
        """Each entry of the list needs VM.Backup on its guest (API2/Storage/Content.pm:162), and a guest that
        is gone is in no pool."""
        self.create(pool="nodepoint", start=True)
        self.done(self.dump())
        rights = {"/pool/nodepoint": POOL_ONLY, "/storage": ["Datastore.AllocateSpace", "Datastore.Audit"]}
        self.control("POST", "rights", {"rights": rights})
        self.assertEqual(1, len(self.listed()))
        volume = self.api.nodes("node1").storage("nas").content(self.listed()[0]["volid"])
        self.done(self.ct().status.stop.post())
        self.done(self.ct().delete())
        self.assertEqual([], self.listed())
        self.refused(403, "/vms/900, VM.Backup", volume.get)
        self.refused(403, "/vms/900, VM.Backup", volume.delete)


class RestoreTests(BackupCase):
    """pve-container 6.1.10, src/PVE/API2/LXC.pm:230-660, src/PVE/LXC/Create.pm:508-557."""

    def archived(self, storage: str = "nas") -> str:
        ct = self.create(start=True, hostname="old", description="mine", pool="nodepoint", memory=1024)
        self.lab.guest_exec("node1", 900, ["bash", "-s", "install"], SCRIPT)
        ct.firewall.options.put(enable=1)
        self.done(ct.snapshot.post(snapname="initial"))
        self.done(self.dump(storage=storage))
        return self.listed(storage)[0]["volid"]

    def restore(self, volid: str, vmid: int = 900, node: str = "node1", **more: object) -> str:
        values = {"vmid": vmid, "ostemplate": volid, "restore": 1, "storage": "global-lvm"}
        return self.api.nodes(node).lxc.post(**(values | more))

    def test_a_new_one_takes_what_was_packed_where_the_call_says_nothing(self) -> None:
        for storage in ("nas", "pbs"):
            with self.subTest(storage):
                volid = self.archived(storage)
                self.done(self.restore(volid, 901, "node2", hostname="new", memory=4096))
                config, old = self.ct(901, "node2").config.get(), self.ct().config.get()
                self.assertEqual(
                    ("new", 4096, "mine\n"), (config["hostname"], config["memory"], config["description"])
                )
                self.assertEqual(old["net0"], config["net0"], "address and MAC are those of the first, too")
                self.assertEqual(1, config["unprivileged"])
                self.assertIn("size=20G", config["rootfs"])
                self.assertNotIn("lock", config)
                self.assertEqual(["current"], [e["name"] for e in self.ct(901, "node2").snapshot.get()])
                self.assertEqual(1, self.ct(901, "node2").firewall.options.get()["enable"])
                self.assertNotIn("pool", self.resource(901))
                self.assertTrue(self.lab.guest.listens(901, time.time()))
                self.done(self.ct(901, "node2").delete())
                self.done(self.ct().status.stop.post())
                self.done(self.ct().delete())

    def test_unique_gives_the_packed_interface_another_mac_even_where_one_was_given(self) -> None:
        volid = self.archived()
        net0 = "name=eth0,bridge=vmbr1,ip=192.168.1.150/24"
        self.done(self.restore(volid, 901, net0=net0, unique=1))
        config = self.ct(901).config.get()
        self.assertIn("192.168.1.100/24", config["net0"])
        self.assertNotEqual(self.ct().config.get()["net0"], config["net0"])
        self.done(self.restore(volid, 902, net0=net0))
        self.assertIn("192.168.1.150/24", self.ct(902).config.get()["net0"])

    def test_what_is_refused_before_the_task(self) -> None:
        volid = self.archived()
        self.refused(500, "CT 900 already exists on node 'node1'", self.restore, volid)
        self.refused(500, "CT 900 already exists on node 'node1'", self.restore, volid, node="node2", force=1)
        self.refused(500, "can't overwrite running container", self.restore, volid, force=1)
        self.done(self.ct().status.stop.post())
        self.ct().config.put(protection=1)
        self.refused(500, "unable to restore CT 900 - protection mode enabled", self.restore, volid, force=1)
        self.ct().config.put(protection=0, lock="backup")
        self.refused(500, "unable to restore CT 900 - CT is locked (backup)", self.restore, volid, force=1)
        error = self.refused(400, "", self.restore, volid, 901, storage="nas")
        self.assertIn("does not support container directories", error.errors["storage"])
        wrong = self.lab.settings["PROXMOX_TEMPLATE"]
        self.refused(500, "content type needs to be 'backup'", self.restore, wrong, 901)
        self.refused(500, "content type needs to be 'vztmpl'", self.fork_create, 901, ostemplate=volid)

    def test_in_place_the_snapshots_go_with_the_old_volumes(self) -> None:
        volid = self.archived()
        self.lab.guest.break_site(900, "php")
        self.done(self.ct().status.stop.post())
        self.done(self.restore(volid, force=1))
        self.assertEqual(["current"], [entry["name"] for entry in self.ct().snapshot.get()])
        self.assertEqual("stopped", self.ct().status.current.get()["status"])
        self.assertEqual("", self.lab.guest._guests[900]["trouble"])

    def test_an_archive_that_is_gone_changes_nothing_one_that_is_broken_takes_the_old_one_along(self) -> None:
        volid = self.archived()
        self.done(self.ct().status.stop.post())
        gone = "nas:backup/vzdump-lxc-900-2026_01_01-01_01_01.tar.zst"
        status = self.exitstatus(self.restore(gone, force=1))
        self.assertIn("unable to restore CT 900 - ERROR: file '/mnt/pve/nas/dump/vzdump-lxc-900-2026", status)
        self.assertNotIn("lock", self.ct().config.get())
        self.lab.proxmox.cluster.backups.spoil("node1", volid)
        self.assertIn("failed: exit code 2", self.exitstatus(self.restore(volid, force=1)))
        self.refused(500, "does not exist", self.ct().config.get)

    def test_a_full_storage_costs_the_old_one_its_configuration(self) -> None:
        """``destroy_config_on_error`` is set before the new volume is made (API2/LXC.pm:541)."""
        volid = self.archived()
        self.done(self.ct().status.stop.post())
        self.storage("global-lvm", free=1024**3)
        self.assertIn("unable to restore CT 900 - ", self.exitstatus(self.restore(volid, force=1)))
        self.refused(500, "does not exist", self.ct().config.get)
        left = self.api.nodes("node1").storage("global-lvm").status.get()["avail"]
        self.assertEqual(1024**3, left, "its volume is still there")

    def test_a_root_file_system_that_is_too_small_cannot_take_it(self) -> None:
        volid = self.archived()
        self.assertIn("exit code 2", self.exitstatus(self.restore(volid, 901, rootfs="global-lvm:1")))
        self.assertEqual([900], [entry["vmid"] for entry in self.api.cluster.resources.get(type="vm")])

    def test_it_is_locked_and_listed_meanwhile(self) -> None:
        volid = self.archived()
        self.lab.clock.factor = 1
        upid = self.restore(volid, 901)
        self.assertEqual(
            {"lock": "create"}, {k: v for k, v in self.ct(901).config.get().items() if k != "digest"}
        )
        self.lab.world.settle(time.time() + 31)
        self.done(upid)

"""Creating, configuring, growing and deleting containers."""

import time
from typing import Any

from proxmoxer import ResourceException

from tests.lab.cluster import ClusterCase


class CreateTests(ClusterCase):
    def test_a_created_container_has_what_was_asked(self) -> None:
        ct = self.create(hostname="demo", tags="Site;b;site", pool="nodepoint", cores=2, description="mark")
        config = ct.config.get()
        self.assertEqual(["b", "site"], config["tags"].split(";"))
        self.assertEqual(
            ("demo", 2048, 2, "mark\n"),
            tuple(config[k] for k in ("hostname", "memory", "cores", "description")),
        )
        self.assertRegex(config["rootfs"], r"^global-lvm:.*,size=20G$")
        self.assertRegex(config["net0"], r"hwaddr=BC:24:11(:[0-9A-F]{2}){3}")
        self.assertEqual("stopped", ct.status.current.get()["status"])
        self.assertEqual("nodepoint", self.resource()["pool"])
        self.assertEqual([900], [m["vmid"] for m in self.api.pools("nodepoint").get()["members"]])

    def test_members_of_a_pool_come_and_go(self) -> None:
        """pve-manager PVE/API2/Pool.pm, update_pool."""
        self.create()
        self.api.pools.put(poolid="nodepoint", vms="900")
        self.assertEqual("nodepoint", self.resource()["pool"])
        with self.assertRaisesRegex(ResourceException, "VM 900 is already a pool member"):
            self.api.pools.put(poolid="nodepoint", vms="900")
        self.api.pools.put(poolid="nodepoint", vms="900", delete=1)
        self.assertNotIn("pool", self.resource())
        with self.assertRaisesRegex(ResourceException, "VM 900 is not a pool member"):
            self.api.pools.put(poolid="nodepoint", vms="900", delete=1)
        with self.assertRaisesRegex(ResourceException, "pool 'nobody' does not exist"):
            self.api.pools.put(poolid="nobody", vms="900")
        self.lab.proxmox.cluster.pools["other"] = ""
        self.api.pools.put(poolid="other", vms="900")
        with self.assertRaisesRegex(ResourceException, "belongs already to pool 'other' and 'allow-move'"):
            self.api.pools.put(poolid="nodepoint", vms="900")

    def test_without_nesting_a_warning_ends_the_task(self) -> None:
        self.assertEqual("WARNINGS: 1", self.exitstatus(self.fork_create(features="nesting=0")))

    def test_refusals_before_the_task(self) -> None:
        self.create(901)
        refused = {
            "taken vmid": ({"vmid": 901}, 500, "CT 901 already exists on node 'node1'"),
            "taken on another node": (
                {"vmid": 901, "node": "node2"},
                500,
                "CT 901 already exists on node 'node1'",
            ),
            "pool": ({"pool": "nobody"}, 403, "Permission check failed (pool 'nobody' does not exist)"),
            "storage": ({"rootfs": "nowhere:20"}, 500, "storage 'nowhere' does not exist"),
            "features": ({"features": "nesting=1,keyctl=1"}, 403, "only allowed for root@pam"),
            "hookscript": (
                {"hookscript": "local:snippets/x"},
                403,
                "Permission check failed (changing the hookscript is only allowed for root@pam)",
            ),
            "size with unit": ({"rootfs": "global-lvm:20G"}, 500, "unable to parse PVE volume name '20G'"),
            "mount point": ({"mp0": "global-lvm:5,mp=/data"}, 400, "Parameter verification failed."),
        }
        for what, (values, status, text) in refused.items():
            with self.subTest(what):
                self.refused(status, text, self.fork_create, **values)

    def test_failures_inside_the_task_leave_nothing(self) -> None:
        failing = {
            "template": (
                {"ostemplate": "local:vztmpl/none.tar.zst"},
                "volume 'local:vztmpl/none.tar.zst' does not exist",
            ),
            "no space": ({"rootfs": "thick:1025"}, "not enough free space (1073741824 < 1074790400)"),
        }
        for what, (values, text) in failing.items():
            with self.subTest(what):
                status = self.exitstatus(self.fork_create(**values))
                self.assertTrue(status.startswith("unable to create CT 900 - "), status)
                self.assertIn(text, status)
                self.refused(500, "does not exist", self.ct().config.get)

    def test_in_its_second_half_it_is_seen_without_a_lock_and_in_no_pool_yet(self) -> None:
        """pve-container 6.1.10, src/PVE/API2/LXC.pm:595 (safe config after OS detection) and :641 (the
        pool)."""
        self.lab.clock.factor = 1
        upid = self.fork_create(pool="nodepoint", description="a mark", tags="b;a")
        self.assertEqual({"lock": "create"}, _without_digest(self.ct().config.get()))
        self.lab.world.settle(time.time() + 30)
        config = self.ct().config.get()
        self.assertNotIn("lock", config)
        self.assertEqual(("a mark\n", "a;b"), (config["description"], config["tags"]))
        self.assertEqual([], self.api.pools("nodepoint").get()["members"])
        self.assertEqual("running", self.api.nodes("node1").tasks(upid).status.get()["status"])
        self.lab.world.settle(time.time() + 46)
        self.done(upid)
        self.assertEqual([900], [m["vmid"] for m in self.api.pools("nodepoint").get()["members"]])

    def test_a_lock_that_is_put_on_by_hand_cannot_be_taken_off_here(self) -> None:
        ct = self.create()
        ct.config.put(lock="backup")
        self.refused(500, "CT is locked (backup)", ct.config.put, delete="lock")

    def test_start_on_create_forks_a_second_task(self) -> None:
        self.done(self.fork_create(start=1))
        self.assertEqual("running", self.ct().status.current.get()["status"])
        started = self.api.nodes("node1").tasks.get(vmid=900, typefilter="vzstart", source="all")
        self.assertEqual(1, len(started))


class CreateInTimeTests(ClusterCase):
    speed = 0.02

    def test_a_container_being_made_is_a_bare_lock(self) -> None:
        upid = self.fork_create(description="mark")
        config = self.ct().config.get()
        self.assertEqual({"lock", "digest"}, set(config))
        self.assertEqual("create", self.resource()["lock"])
        self.refused(500, "CT is locked (create)", self.ct().delete)
        self.done(upid)
        self.assertEqual("mark\n", self.ct().config.get()["description"])

    def test_a_golden_template_takes_less_than_a_plain_one(self) -> None:
        plain = self.lab.clock.seconds("create.plain")
        self.lab.clock.factor = 0.002
        golden = "local:vztmpl/nodepoint-golden_1_amd64.tar.zst"
        self.done(self.fork_create(ostemplate=golden))
        self.assertAlmostEqual(plain / 4.5 / 10, self.lab.clock.seconds("create.golden"))

    def test_a_change_of_the_config_waits_for_the_lock_file_and_gives_up(self) -> None:
        self.lab.clock.factor = 0.005
        self.fork_create()
        self.refused(
            500,
            "can't lock file '/run/lock/lxc/pve-config-900.lock' - got timeout",
            self.ct().config.put,
            cores=1,
        )

    def test_a_start_during_the_creation_times_out_in_its_task(self) -> None:
        self.lab.clock.factor = 0.005
        self.fork_create()
        self.assertIn("got timeout", self.exitstatus(self.ct().status.start.post()))


class ConfigTests(ClusterCase):
    def test_a_running_container_takes_memory_and_tags_at_once(self) -> None:
        ct = self.create(start=True)
        ct.config.put(memory=4096, cores=4, tags="z;a")
        config = ct.config.get(current=1)
        self.assertEqual((4096, 4, "a;z"), (config["memory"], config["cores"], config["tags"]))

    def test_what_needs_a_restart_is_pending_until_then(self) -> None:
        ct = self.create(start=True, nameserver="192.168.1.1")
        ct.config.put(nameserver="192.168.1.2", delete="features")
        self.assertEqual("192.168.1.1", ct.config.get(current=1)["nameserver"])
        self.assertEqual("192.168.1.2", ct.config.get()["nameserver"])
        pending = {entry["key"]: entry for entry in ct.pending.get()}
        self.assertEqual("192.168.1.2", pending["nameserver"]["pending"])
        self.assertEqual(1, pending["features"]["delete"])
        self.done(ct.status.reboot.post())
        config = ct.config.get(current=1)
        self.assertEqual("192.168.1.2", config["nameserver"])
        self.assertNotIn("features", config)

    def test_refusals(self) -> None:
        ct = self.create(start=True)
        refused = {
            "nothing": ({}, 500, "no options specified"),
            "digest": ({"cores": 1, "digest": "0" * 40}, 500, "detected modified configuration"),
            "required": ({"delete": "rootfs"}, 500, "unable to delete required option 'rootfs'"),
            "memory in use": ({"memory": 64}, 400, "Parameter verification failed."),
            "unprivileged": ({"unprivileged": 0}, 500, "read-only option"),
        }
        for what, (values, status, text) in refused.items():
            with self.subTest(what):
                self.refused(status, text, ct.config.put, **values)

    def test_a_description_comes_back_with_one_newline_at_its_end(self) -> None:
        """Each line is a comment of the config file (pve-container 6.1.10, src/PVE/LXC/Config.pm: run)."""
        ct = self.create(description="one")
        written = {
            "one": "one\n",
            "one\n\n\n": "one\n",
            "mark\n\nNotes of people: # 100 %\n  indented": "mark\n\nNotes of people: # 100 %\n  indented\n",
        }
        for text, expected in written.items():
            with self.subTest(text):
                ct.config.put(description=text)
                self.assertEqual(expected, ct.config.get()["description"])
        ct.config.put(description="\n")
        self.assertNotIn("description", ct.config.get())

    def test_the_right_digest_is_taken(self) -> None:
        ct = self.create()
        ct.config.put(cores=3, digest=ct.config.get()["digest"])
        self.assertEqual(3, ct.config.get()["cores"])


class ResizeTests(ClusterCase):
    def test_it_grows_to_an_absolute_or_relative_size(self) -> None:
        ct = self.create(start=True)
        self.done(ct.resize.put(disk="rootfs", size="40G"))
        self.assertIn("size=40G", ct.config.get()["rootfs"])
        self.done(ct.resize.put(disk="rootfs", size="+10G"))
        self.assertEqual(50 * 1024**3, self.resource()["maxdisk"])

    def test_refusals(self) -> None:
        ct = self.create()
        for size, text in (
            ("10G", "unable to shrink disk size"),
            ("20G", "disk is already at specified size"),
        ):
            with self.subTest(size):
                self.refused(500, text, ct.resize.put, disk="rootfs", size=size)
        self.refused(400, "", ct.resize.put, disk="rootfs", size="much")

    def test_a_full_storage_ends_the_task(self) -> None:
        ct = self.create(rootfs="thick:20")
        self.assertIn("Insufficient free space", self.exitstatus(ct.resize.put(disk="rootfs", size="2T")))


class DeleteTests(ClusterCase):
    def test_it_is_gone_and_its_vmid_free(self) -> None:
        ct = self.create()
        self.done(ct.delete(purge=1))
        self.refused(500, "does not exist", ct.config.get)
        self.create()

    def test_refusals(self) -> None:
        running = self.create(start=True)
        protected = self.create(901, protection=1)
        managed = self.create(902)
        self.api.cluster.ha.resources.post(sid="ct:902", state="stopped")
        refused = {
            "running": (running, "unable to destroy CT 900 - container is running"),
            "protected": (protected, "can't remove CT 901 - protection mode enabled"),
            "HA": (managed, "unable to remove CT 902 - used in HA resources and purge parameter not set."),
            "absent": (self.ct(903), "Configuration file 'nodes/node1/lxc/903.conf' does not exist"),
            "elsewhere": (
                self.ct(900, "node2"),
                "Configuration file 'nodes/node2/lxc/900.conf' does not exist",
            ),
        }
        for what, (ct, text) in refused.items():
            with self.subTest(what):
                self.refused(500, text, ct.delete)

    def test_force_kills_a_running_one(self) -> None:
        ct = self.create(start=True)
        self.done(ct.delete(force=1))
        self.refused(500, "does not exist", ct.config.get)

    def test_purge_takes_the_ha_resource_along(self) -> None:
        ct = self.create()
        self.api.cluster.ha.resources.post(sid="ct:900", state="stopped")
        self.done(ct.delete(purge=1))
        self.assertEqual([], self.api.cluster.ha.resources.get())


class DeleteInTimeTests(ClusterCase):
    speed = 0.02

    def test_it_is_listed_as_destroyed_until_it_is_gone(self) -> None:
        ct = self.create()
        upid = ct.delete()
        self.assertEqual("destroyed", self.resource()["lock"])
        self.done(upid)

    def test_force_on_a_running_ha_resource_finds_its_volume_busy(self) -> None:
        ct = self.create(start=True)
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.assertIn("is in use", self.exitstatus(ct.delete(force=1, purge=1)))


def _without_digest(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != "digest"}

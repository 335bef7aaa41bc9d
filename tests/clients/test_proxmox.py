"""Proxmox VE against the simulated cluster: every method, and what it refuses."""

import time
from functools import partial

from nodepoint.clients import breaker
from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)
from sites.clients.proxmox import FirewallOptions, FirewallRule, task_error
from tests.clients.base import LabTestCase, container


class Base(LabTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.client = cls.proxmox()


class ClusterTests(Base):
    def test_version_permissions_pools_and_firewall(self) -> None:
        version = self.client.version()
        self.assertTrue(version.at_least(8, 4))
        self.assertFalse(version.at_least(99))
        self.assertIn("VM.Allocate", self.client.permissions("/vms")["/vms"])
        self.assertIn("nodepoint", self.client.pools())
        self.assertIs(self.client.cluster_firewall(), True)

    def test_nodes_have_room(self) -> None:
        nodes = {node.name: node for node in self.client.nodes()}
        self.assertLessEqual({"node1", "node2", "node3"}, set(nodes))
        self.assertTrue(nodes["node1"].online)
        self.assertGreater(nodes["node1"].memory_free, 2**30)
        self.assertGreater(nodes["node1"].cpu_free, 1)

    def test_storage_and_templates(self) -> None:
        status = self.client.storage_status("node1", "global-lvm")
        self.assertTrue(status.active and status.enabled and status.shared)
        self.assertIn("rootdir", status.content)
        self.assertGreater(status.avail, 20 * 2**30)
        volids = [volume.volid for volume in self.client.storage_content("node1", "local")]
        self.assertIn(self.settings["PROXMOX_TEMPLATE"], volids)

    def test_an_archive_is_found_by_its_notes(self) -> None:
        self.made(991)
        task = self.client.archive("node1", 991, "local", "a mark: {not} a template")
        self.assertTrue(self.client.task_status(task).ok)
        (backup,) = self.client.storage_content("node1", "local", content="backup", vmid=991)
        self.assertEqual(backup.notes, "a mark: {not} a template")
        self.assertTrue(backup.volid.startswith("local:backup/vzdump-lxc-991-"))
        with self.assert_fails(NotFound):
            self.client.archive("node2", 991, "local", "")
        with self.assert_fails(Refused):
            raise task_error(
                self.client.task_status(self.client.archive("node1", 991, "global-lvm", "")).exitstatus
            )

    def test_archives_have_notes_and_can_be_deleted_on_every_kind_of_storage(self) -> None:
        self.made(992)
        for storage in ("nas", "pbs"):
            with self.subTest(storage):
                self.client.archive("node1", 992, storage, "mark", mode="snapshot")
                (made,) = self.client.storage_content("node1", storage, content="backup", vmid=992)
                self.assertEqual(("mark", False, ""), (made.notes, made.protected, made.verification))
                self.client.set_notes("node1", made.volid, "another")
                (made,) = self.client.storage_content("node1", storage, content="backup", vmid=992)
                self.assertEqual(made.notes, "another")
                self.assertEqual(self.client.own_retention("node1", storage), "")
                self.assertTrue(self.client.task_status(self.client.delete_archive("node1", made.volid)).ok)
                self.assertEqual(
                    self.client.storage_content("node1", storage, content="backup", vmid=992), []
                )
        task = self.client.archive("node1", 992, "nas", "mark")
        self.client.stop_task(task)

    def test_an_unknown_storage_or_node_is_refused(self) -> None:
        with self.assert_fails(Refused):
            self.client.storage_status("node1", "nosuch")
        with self.assert_fails(Refused):
            self.client.storage_status("node99", "local")

    def test_a_vmid_is_free_until_it_is_used(self) -> None:
        self.assertTrue(self.client.vmid_free(990))
        self.made(990)
        self.assertFalse(self.client.vmid_free(990))

    def test_a_wrong_token_is_refused(self) -> None:
        with self.assert_fails(Refused):
            self.proxmox(PROXMOX_TOKEN_VALUE="00000000-0000-0000-0000-000000000000").version()

    def test_an_untrusted_certificate_is_refused(self) -> None:
        with self.assert_fails(Refused):
            self.proxmox(PROXMOX_VERIFY_TLS=True).version()


class ContainerTests(Base):
    def test_a_container_is_as_it_was_ordered(self) -> None:
        self.made(900)
        config = self.client.config("node1", 900)
        self.assertEqual(
            (config.memory, config.cores, config.rootfs_gb, config.hostname), (2048, 2, 20, "site-900")
        )
        self.assertEqual(config.description, "nodepoint:900")
        self.assertEqual(config.tags, {"nodepoint", "s900"})
        self.assertEqual(config.net0["ip"], "192.168.1.100/24")
        self.assertEqual(config.net0["firewall"], "1")
        self.assertTrue(config.unprivileged)
        self.assertEqual((config.lock, config.template, config.protection), ("", False, False))
        guest = next(g for g in self.client.resources() if g.vmid == 900)
        self.assertEqual(
            (guest.node, guest.type, guest.name, guest.status), ("node1", "lxc", "site-900", "stopped")
        )
        self.assertEqual((guest.maxmem, guest.maxdisk), (2048 * 2**20, 20 * 2**30))
        self.assertIn("nodepoint", guest.tags)

    def test_a_taken_vmid_is_a_conflict_on_any_node(self) -> None:
        self.made(901)
        for node in ("node1", "node2"):
            with self.assert_fails(Conflict):
                self.client.create_container(node, 901, **container(901, self.settings))

    def test_what_the_schema_refuses_names_the_parameter(self) -> None:
        for change in ({"hostname": "under_score"}, {"memory": 1}, {"cores": 0}):
            with self.subTest(change=change), self.assertRaises(Refused) as caught:
                self.client.create_container("node1", 902, **container(902, self.settings) | change)
            self.assertIn(next(iter(change)), caught.exception.vendor)
        self.assertTrue(self.client.vmid_free(902))

    def test_power_goes_up_and_down_and_a_repeat_is_fine(self) -> None:
        self.made(903)
        for call, running in (
            (self.client.start, True),
            (self.client.reboot, True),
            (self.client.shutdown, False),
            (self.client.start, True),
            (self.client.stop, False),
        ):
            self.finished(call("node1", 903))
            self.assertIs(self.client.container_status("node1", 903).running, running)
            if call != self.client.reboot:
                self.assertIsNone(call("node1", 903))
        self.assertIsNone(self.client.reboot("node1", 903))

    def test_configuration_is_changed_and_guarded_by_its_digest(self) -> None:
        self.made(904, running=True)
        before = self.client.config("node1", 904)
        net0 = {**before.net0, "ip": "192.168.1.204/24"}
        self.client.set_config(
            "node1", 904, digest=before.digest, memory=4096, cores=4, onboot=False, tags=["b", "a"], net0=net0
        )
        after = self.client.config("node1", 904)
        self.assertEqual((after.memory, after.cores, after.onboot, after.tags), (4096, 4, False, {"a", "b"}))
        self.assertEqual(after.net0["ip"], "192.168.1.204/24")
        with self.assert_fails(Busy):
            self.client.set_config("node1", 904, digest=before.digest, memory=512)

    def test_disks_only_grow(self) -> None:
        self.made(905)
        self.finished(self.client.resize("node1", 905, 40))
        self.assertEqual(self.client.config("node1", 905).rootfs_gb, 40)
        self.assertIsNone(self.client.resize("node1", 905, 40))
        with self.assert_fails(Refused):
            self.client.resize("node1", 905, 20)

    def test_a_container_goes_away_and_a_repeat_is_fine(self) -> None:
        self.made(906, running=True)
        with self.assert_fails(Busy):
            self.client.delete_container("node1", 906)
        self.finished(self.client.stop("node1", 906))
        self.finished(self.client.delete_container("node1", 906))
        self.assertIsNone(self.client.delete_container("node1", 906))
        self.assertTrue(self.client.vmid_free(906))

    def test_a_protected_container_stays(self) -> None:
        self.made(907)
        self.client.set_config("node1", 907, protection=True)
        with self.assert_fails(Refused):
            self.client.delete_container("node1", 907)

    def test_on_another_node_there_is_nothing(self) -> None:
        self.made(908)
        for call in (
            lambda: self.client.config("node2", 908),
            lambda: self.client.container_status("node2", 908),
            lambda: self.client.start("node2", 908),
            lambda: self.client.snapshots("node2", 908),
        ):
            with self.assert_fails(NotFound):
                call()

    def test_a_locked_container_is_busy(self) -> None:
        self.lab.clock.factor = 0.02
        self.addCleanup(setattr, self.lab.clock, "factor", 0.0)
        upid = self.client.create_container("node1", 909, **container(909, self.settings))
        self.assertTrue(self.client.task_status(upid).running)
        self.assertEqual(self.client.config("node1", 909).lock, "create")
        with self.assert_fails(Busy):
            self.client.set_config("node1", 909, memory=512)
        self.finished(upid)

    def test_the_task_list_tells_what_became_of_a_lost_answer(self) -> None:
        since = int(time.time()) - 1
        self.lab.faults.add("proxmox", "drop_after", match="POST /api2/json/nodes/node1/lxc")
        with self.assert_fails(TimedOut):
            self.client.create_container("node1", 910, **container(910, self.settings))
        (entry,) = self.client.tasks("node1", 910, "vzcreate", since)
        self.assertTrue(self.finished(entry.upid).ok)
        self.assertEqual(self.client.config("node1", 910).description, "nodepoint:910")


class SnapshotTests(Base):
    def test_snapshots_are_made_listed_rolled_back_to_and_deleted(self) -> None:
        self.made(920, running=True)
        self.finished(self.client.create_snapshot("node1", 920, "initial", "as delivered"))
        self.finished(self.client.create_snapshot("node1", 920, "BAK11122025-1"))
        self.client.set_config("node1", 920, memory=4096)
        found = self.client.snapshots("node1", 920)
        self.assertEqual([s.name for s in found], ["initial", "BAK11122025-1"])
        self.assertEqual((found[0].description, found[1].parent), ("as delivered", "initial"))
        self.assertGreater(found[0].snaptime, time.time() - 60)
        self.finished(self.client.rollback("node1", 920, "initial"))
        self.assertEqual(self.client.config("node1", 920).memory, 2048)
        self.assertFalse(self.client.container_status("node1", 920).running)
        self.finished(self.client.delete_snapshot("node1", 920, "BAK11122025-1"))
        self.assertEqual([s.name for s in self.client.snapshots("node1", 920)], ["initial"])

    def test_refusals_come_at_once_or_in_the_task_as_the_same_errors(self) -> None:
        self.made(921, storage="local-zfs")
        for name in ("initial", "BAK01012026-1"):
            self.finished(self.client.create_snapshot("node1", 921, name))
        with self.assert_fails(Conflict):
            self.finished(self.client.create_snapshot("node1", 921, "initial"))
        with self.assert_fails(Refused):
            self.client.create_snapshot("node1", 921, "1digit")
        with self.assert_fails(Refused):
            self.finished(self.client.rollback("node1", 921, "initial"))
        for call in (self.client.rollback, self.client.delete_snapshot):
            with self.assert_fails(NotFound):
                self.finished(call("node1", 921, "BAK99"))


class HighAvailabilityTests(Base):
    def test_a_container_comes_under_ha_and_leaves_it(self) -> None:
        self.made(930, running=True)
        self.assertIsNone(self.client.ha_resource(930))
        self.client.add_ha_resource(930, comment="nodepoint:930")
        resource = self.client.ha_resource(930)
        self.assertEqual(
            (resource.sid, resource.state, resource.comment), ("ct:930", "started", "nodepoint:930")
        )
        with self.assert_fails(Conflict):
            self.client.add_ha_resource(930)
        self.assertTrue(self.client.container_status("node1", 930).ha_managed)
        service = next(s for s in self.client.ha_status() if s.vmid == 930)
        self.assertEqual(service.node, "node1")
        self.client.set_ha_resource(930, "stopped")
        self.assertEqual(self.client.ha_resource(930).state, "stopped")
        self.client.remove_ha_resource(930)
        self.client.remove_ha_resource(930)
        self.assertIsNone(self.client.ha_resource(930))

    def test_a_wish_for_what_is_not_managed_is_not_found(self) -> None:
        self.made(931)
        with self.assert_fails(NotFound):
            self.client.set_ha_resource(931, "started")


class FirewallTests(Base):
    def test_options_go_there_and_back(self) -> None:
        self.made(940)
        wanted = FirewallOptions(enable=True, policy_in="DROP", policy_out="DROP", ipfilter=True)
        self.assertNotEqual(self.client.firewall_options("node1", 940), wanted)
        self.client.set_firewall_options("node1", 940, wanted)
        self.assertEqual(self.client.firewall_options("node1", 940), wanted)

    def test_rules_keep_their_order_and_go_by_position(self) -> None:
        self.made(941)
        web = FirewallRule("in", "ACCEPT", proto="tcp", source="192.168.1.5", dport="80", comment="proxy")
        out = FirewallRule("out", "DROP", dest="192.168.1.0/24")
        self.client.add_firewall_rule("node1", 941, out)
        self.client.add_firewall_rule("node1", 941, web)
        rules = self.client.firewall_rules("node1", 941)
        self.assertEqual(
            [(r.pos, r.action, r.dport, r.enable) for r in rules],
            [(0, "ACCEPT", "80", True), (1, "DROP", "", True)],
        )
        self.assertEqual((rules[0].source, rules[0].comment, rules[1].dest), (web.source, "proxy", out.dest))
        self.client.delete_firewall_rule("node1", 941, 0, rules[0].digest)
        self.assertEqual([r.action for r in self.client.firewall_rules("node1", 941)], ["DROP"])
        with self.assert_fails(Busy):
            self.client.delete_firewall_rule("node1", 941, 0, rules[0].digest)
        self.client.delete_firewall_rule("node1", 941, 7)

    def test_a_rule_with_a_bad_address_is_refused(self) -> None:
        self.made(942)
        with self.assert_fails(Refused):
            self.client.add_firewall_rule("node1", 942, FirewallRule("in", "ACCEPT", source="300.1.1.1"))


class FailureTests(Base):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.made(cls(), 950)

    def test_each_fault_has_its_error(self) -> None:
        for kind, read, write in (
            ("error", BadAnswer, BadAnswer),
            ("refuse", Refused, Refused),
            ("drop_before", TimedOut, TimedOut),
            ("drop_after", TimedOut, TimedOut),
        ):
            with self.subTest(kind=kind):
                breaker.forget()
                self.lab.faults.add("proxmox", kind, count=3)
                with self.assert_fails(read):
                    self.client.config("node1", 950)
                self.lab.faults.clear()
                self.lab.faults.add("proxmox", kind)
                with self.assert_fails(write):
                    self.client.set_config("node1", 950, memory=1024)
                self.lab.faults.clear()

    def test_a_read_survives_two_dropped_connections(self) -> None:
        self.lab.faults.add("proxmox", "drop_before", count=2)
        self.assertEqual(self.client.config("node1", 950).hostname, "site-950")

    def test_every_method_gives_up_in_time(self) -> None:
        hasty = self.proxmox(timeout=0.25)
        upid = "UPID:node1:0000A1B2:00C3D4E5:6750A1B2:vzcreate:900:api@pam!nodepoint:"
        calls = {
            "version": (),
            "permissions": (),
            "nodes": (),
            "resources": (),
            "vmid_free": (900,),
            "cluster_firewall": (),
            "pools": (),
            "user_tag_access": (),
            "add_to_pool": ("nodepoint", 950),
            "storage_status": ("node1", "local"),
            "storage_content": ("node1", "local"),
            "create_container": ("node1", 951),
            "config": ("node1", 950),
            "set_config": ("node1", 950),
            "container_status": ("node1", 950),
            "start": ("node1", 950),
            "stop": ("node1", 950),
            "shutdown": ("node1", 950),
            "reboot": ("node1", 950),
            "resize": ("node1", 950, 40),
            "archive": ("node1", 950, "local", "mark"),
            "set_notes": ("node1", "local:backup/vzdump-lxc-950-2026_01_01-01_01_01.tar.zst", "mark"),
            "delete_archive": ("node1", "local:backup/vzdump-lxc-950-2026_01_01-01_01_01.tar.zst"),
            "own_retention": ("node1", "local"),
            "stop_task": (upid,),
            "migrate": ("node1", 950, "node2"),
            "delete_container": ("node1", 950),
            "snapshots": ("node1", 950),
            "create_snapshot": ("node1", 950, "initial"),
            "delete_snapshot": ("node1", 950, "initial"),
            "rollback": ("node1", 950, "initial"),
            "task_status": (upid,),
            "tasks": ("node1",),
            "task_log": (upid,),
            "ha_resource": (950,),
            "add_ha_resource": (950,),
            "set_ha_resource": (950, "started"),
            "remove_ha_resource": (950,),
            "ha_status": (),
            "nodes_in_maintenance": (),
            "firewall_options": ("node1", 950),
            "set_firewall_options": ("node1", 950, FirewallOptions()),
            "firewall_rules": ("node1", 950),
            "add_firewall_rule": ("node1", 950, FirewallRule("in", "ACCEPT")),
            "enable_firewall_rule": ("node1", 950, 0),
            "delete_firewall_rule": ("node1", 950, 0),
        }
        for name, arguments in calls.items():
            options = container(951, self.settings) if name == "create_container" else {}
            calls[name] = partial(getattr(hasty, name), *arguments, **options)
        self.assertEqual(set(calls), {name for name in dir(hasty) if not name.startswith("_")})
        self.lab.faults.add("proxmox", "hang", count=len(calls), seconds=2)
        self.assert_all_time_out(calls, within=1.5)

    def test_a_node_that_is_away_is_unreachable_but_the_cluster_answers(self) -> None:
        self.made(952, node="node3")
        self.node_is_up("node3", False)
        self.addCleanup(self.node_is_up, "node3", True)
        with self.assert_fails(Unreachable):
            self.client.config("node3", 952)
        away = {node.name: node.online for node in self.client.nodes()}
        self.assertEqual((away["node3"], away["node1"]), (False, True))
        self.assertIn(952, [guest.vmid for guest in self.client.resources()])

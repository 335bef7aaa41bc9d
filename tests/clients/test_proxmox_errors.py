"""What Proxmox VE says, over the wire of a double, with real proxmoxer in between."""

import unittest

from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)
from nodepoint.jobs.outcomes import Fail
from nodepoint.jobs.retry import decide
from sites.clients.proxmox import BackingUp, FirewallOptions, Proxmox, StorageFull, errors, task_error
from sites.clients.proxmox.containers import _gigabytes
from sites.clients.proxmox.values import properties, property_string, tags, upid
from tests.clients.double import certificate, double

UPID = "UPID:node1:0000A1B2:00C3D4E5:6750A1B2:vzcreate:900:api@pam!nodepoint:"

# Status, reason phrase, field errors, error: observed texts of 8.4 and 9.x.
ANSWERS = (
    (500, "Configuration file 'nodes/node1/lxc/907.conf' does not exist", None, NotFound),
    (500, "CT is locked (backup)", None, BackingUp),
    (500, "CT is locked (snapshot)", None, Busy),
    (500, "can't lock file '/run/lock/lxc/pve-config-907.lock' - got timeout", None, Busy),
    (500, "cfs-lock 'storage-global-lvm' error: got lock request timeout", None, Busy),
    (500, "Failed to obtain guest migration lock - replication running?", None, Busy),
    (500, "cluster not ready - no quorum?", None, Busy),
    (500, "got no worker upid - start worker failed", None, Busy),
    (500, "unable to destroy CT 907 - container is running", None, Busy),
    (500, "detected modified configuration - file changed by other user? Try again.", None, Busy),
    (500, "CT 907 already exists on node 'node2'", None, Conflict),
    (500, "unable to create CT 907 - CT 907 already exists on node 'node2'", None, Conflict),
    (500, "create resource failed: resource ID 'ct:907' already defined", None, Conflict),
    (500, "service 'ct:907' in error state, must be disabled and fixed first", None, Conflict),
    (500, "no such resource 'ct:907'", None, NotFound),
    (500, "cannot delete service 'ct:907', not HA managed!", None, NotFound),
    (500, "unable to shrink disk size", None, Refused),
    (500, "can't remove CT 907 - protection mode enabled", None, Refused),
    (500, "invalid parameter 'group': ha groups have been migrated to rules", None, Refused),
    (500, "hostname lookup 'x' failed - failed to get address info for: x", None, Refused),
    (500, "something that nobody has seen before", None, BadAnswer),
    (400, "Parameter verification failed.", {"vmid": "VM 907 already exists"}, Conflict),
    (400, "Parameter verification failed.", {"upid": "no such task"}, NotFound),
    (400, "Parameter verification failed.", {"memory": "type check ('integer') failed"}, Refused),
    (400, "Parameter verification failed.", {"memory": "unable to hotplug memory: in use"}, Refused),
    (401, "Authentication failed!", None, Refused),
    (403, "Permission check failed (/vms/907, VM.PowerMgmt)", None, Refused),
    (501, "Method 'POST /x' not implemented", None, Refused),
    (502, "Bad Gateway", None, BadAnswer),
    (595, "No route to host", None, Unreachable),
    (596, "Connection timed out", None, TimedOut),
    (599, "Too many redirections", None, TimedOut),
)

TASKS = (
    ("snapshot name 'initial' already used", Conflict),
    ("snapshot 'BAK1' does not exist", NotFound),
    ("snapshot feature is not available", Refused),
    (
        "can't rollback, 'init' is not most recent snapshot on 'local-zfs:subvol-907-disk-0'",
        Refused,
    ),
    ("CT is locked (snapshot)", Busy),
    ("container did not stop", Busy),
    ("volume 'local:vztmpl/none.tar.zst' does not exist", Refused),
    ("unable to rollback to incomplete snapshot (snapstate = delete)", Refused),
    ("unexpected status", BadAnswer),
    ("interrupted by signal", BadAnswer),
    ("command 'lxc-start' failed: exit code 1", BadAnswer),
)


# What kind of storage says that it is full, and how; seen in pve-storage 9.1.7, the tools' own sources and
# public reports (linstor-server 409, 494).
FULL = (
    ("LVM", "unable to create CT 907 - not enough free space (10737418240 < 21474836480)"),
    (
        "LVM",
        "lvcreate 'pve/vm-907-disk-0' error: Volume group \"pve\" has insufficient free space (10 extents)",
    ),
    (
        "LVM",
        "error resizing volume: Insufficient suitable allocatable extents for logical volume vm-907-disk-0",
    ),
    (
        "thin pool",
        "lvcreate error: Cannot create new thin volume, free space in thin pool pve/data reached threshold.",
    ),
    ("ZFS", "zfs error: cannot create 'rpool/data/subvol-907-disk-0': out of space"),
    ("ZFS", "zfs error: cannot create snapshot 'rpool/data/subvol-907-disk-0@initial': out of space"),
    (
        "LINSTOR",
        "API Return-Code: 500. Message: Could not autoplace resource pm-1, because:"
        " Not enough available nodes",
    ),
    ("LINSTOR", "Not enough nodes fulfilling the following auto-place criteria"),
    ("LINSTOR", "Not enough free space available for volume 0 of resource 'pm-6ae4d75b'."),
    ("Ceph", "rbd create 'vm-907-disk-0' error: rbd: create error: (28) No space left on device"),
    ("directory", "unable to create image: write failed: No space left on device"),
    ("NFS", "unable to create image: write failed: Disk quota exceeded"),
)


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.tls = cls.enterClassContext(certificate())

    def client(self, answer, timeout: float = 5.0) -> Proxmox:
        """A client of a double that answers with `answer`; the double is `self.server`."""
        self.server = self.enterContext(double(answer, tls=self.tls))
        ca = str(self.tls[0])
        return Proxmox(self.server.address, "api@pam", "np", "0a1b2c3d-secret", ca, timeout)


class MappingTests(Base):
    def test_every_known_answer_has_its_error(self) -> None:
        answer = {}
        client = self.client(lambda r: r.reply(**answer, Connection="close"))
        for status, reason, fields, kind in ANSWERS:
            answer = {"status": status, "reason": reason, "body": {"data": None, "errors": fields}}
            with self.subTest(reason=reason, fields=fields):
                with self.assertRaises(kind) as caught:
                    client.create_snapshot("node1", 907, "initial")
                self.assertIs(type(caught.exception), kind)
                self.assertIn(f"{status} {reason}"[:100], caught.exception.vendor)
                for text in (fields or {}).values():
                    self.assertIn(text, caught.exception.vendor)

    def test_an_empty_or_broken_body_changes_nothing(self) -> None:
        for body in (b"", b"<html>", b"[]", b'"x"'):
            with self.subTest(body=body), self.assertRaises(Unreachable):
                self.client(lambda r, b=body: r.reply(595, b, reason="No route to host")).version()

    def test_a_failed_task_ends_in_the_same_errors(self) -> None:
        for text, kind in TASKS:
            with self.subTest(text=text):
                self.assertIs(type(task_error(text)), kind)
        for _, reason, fields, kind in ANSWERS:
            if kind in (NotFound, Conflict, Busy, BackingUp) and not fields:
                with self.subTest(text=reason):
                    self.assertIs(type(task_error(reason)), kind)

    def test_a_full_storage_is_one_error_whatever_it_is_and_is_not_asked_again(self) -> None:
        self.assertEqual({kind for kind, _ in FULL}, set(errors.FULL))
        for kind, text in FULL:
            client = self.client(lambda r, t=text: r.reply(500, reason=t, Connection="close"))
            with self.subTest(kind=kind, text=text), self.assertRaises(StorageFull) as caught:
                client.resize("node1", 907, 40)
            for error in (caught.exception, task_error(text)):
                self.assertIs(type(error), StorageFull)
                self.assertIsInstance(decide(error, before=0, endless=False), Fail)
                self.assertIn(text[:60], error.vendor)
                self.assertEqual(error.sentence, "Proxmox VE has no room left on the storage of the sites.")

    def test_a_backup_at_work_is_waited_for_without_a_deadline(self) -> None:
        outcome = decide(task_error("CT is locked (backup)"), before=0, endless=False)
        self.assertEqual(outcome.error, "Proxmox VE is making a backup of the container.")
        self.assertTrue(outcome.in_line)
        self.assertFalse(decide(task_error("CT is locked (snapshot)"), 0, False).in_line)

    def test_no_secret_is_in_an_error(self) -> None:
        client = self.client(lambda r: r.reply(500, reason=r.headers["Authorization"]))
        with self.assertRaises(BadAnswer) as caught:
            client.version()
        self.assertIn("PVEAPIToken", str(caught.exception))
        self.assertNotIn("0a1b2c3d", f"{caught.exception} {caught.exception!r}")


class NonsenseTests(Base):
    def test_what_is_no_answer_of_the_api_is_a_bad_one(self) -> None:
        for body in (b"<html>login</html>", b"{}", b"[]", b"7", b'{"data": 7}', b'{"data": [7]}', b"\xff"):
            with self.subTest(body=body), self.assertRaises(BadAnswer):
                self.client(lambda r, b=body: r.reply(200, b)).resources()

    def test_a_row_without_its_key_is_a_bad_answer(self) -> None:
        for call in (
            Proxmox.nodes,
            Proxmox.resources,
            Proxmox.pools,
            lambda c: c.snapshots("node1", 900),
            lambda c: c.tasks("node1"),
            lambda c: c.storage_content("node1", "local"),
            lambda c: c.firewall_rules("node1", 900),
        ):
            with self.assertRaises(BadAnswer):
                call(self.client(lambda r: r.reply(200, {"data": [{"other": 1}]})))

    def test_a_task_call_must_answer_with_a_upid(self) -> None:
        for data in (None, "", "UPID:", "UPID:a:b:c", {"upid": UPID}, 7):
            client = self.client(lambda r, d=data: r.reply(200, {"data": d}))
            with self.subTest(data=data), self.assertRaises(BadAnswer):
                client.rollback("node1", 900, "initial")
        self.assertEqual(upid(UPID), UPID)

    def test_a_redirect_is_not_taken_for_success(self) -> None:
        client = self.client(lambda r: r.reply(301, Location="https://127.0.0.1:1/"))
        with self.assertRaises(BadAnswer):
            client.set_config("node1", 900, memory=512)


class WireTests(Base):
    def test_booleans_go_out_as_1_and_0(self) -> None:
        sent = []
        client = self.client(lambda r: (sent.append(r.body or r.path), r.reply(200, {"data": UPID})))
        client.delete_container("node1", 900, purge=True, destroy_unreferenced=False)
        client.shutdown("node1", 900, force_stop=True)
        client.set_config("node1", 900, onboot=False, protection=True)
        client.set_firewall_options("node1", 900, FirewallOptions(enable=True))
        everything = " ".join(sent)
        self.assertNotIn("True", everything)
        self.assertNotIn("False", everything)
        self.assertIn("purge=1&destroy-unreferenced-disks=0", everything)
        self.assertIn("onboot=0&protection=1", everything)
        self.assertIn("enable=1&policy_in=DROP", everything)

    def test_a_new_container_is_unprivileged_stopped_and_of_the_right_size(self) -> None:
        sent = []
        client = self.client(lambda r: (sent.append(r.body), r.reply(200, {"data": UPID})))
        client.create_container(
            "node1",
            900,
            ostemplate="local:vztmpl/a.tar.zst",
            storage="global-lvm",
            disk_gb=20,
            hostname="site",
            memory=2048,
            cores=2,
            net0={"name": "eth0", "bridge": "vmbr1", "ip": "192.168.1.100/24", "firewall": True},
            tag=["site", "nodepoint"],
        )
        for part in (
            "rootfs=global-lvm%3A20&",
            "unprivileged=1&features=nesting%3D1",
            "tags=nodepoint%3Bsite&",
            "net0=name%3Deth0%2Cbridge%3Dvmbr1%2Cip%3D192.168.1.100%2F24%2Cfirewall%3D1&",
        ):
            self.assertIn(part, sent[0])
        self.assertNotIn("start=", sent[0])

    def test_a_name_cannot_lead_to_another_call(self) -> None:
        client = self.client(lambda r: r.reply(200, {"data": UPID}))
        for name in ("a/../../status/stop", "..", ".", "", "a b", "a?x=1", "a#", "a%2fb", "ä"):
            with self.subTest(name=name), self.assertRaises(Refused):
                client.rollback("node1", 900, name)
        self.assertEqual(self.server.seen, [])

    def test_already_so_is_not_an_error(self) -> None:
        for call, text in (
            (lambda c: c.start("node1", 900), "CT 900 already running"),
            (lambda c: c.stop("node1", 900), "CT 900 not running"),
            (lambda c: c.shutdown("node1", 900), "CT 900 not running"),
            (lambda c: c.reboot("node1", 900), "VM 900 not running"),
            (lambda c: c.resize("node1", 900, 20), "disk is already at specified size"),
            (lambda c: c.delete_container("node1", 900), "Configuration file 'x' does not exist"),
            (lambda c: c.delete_snapshot("node1", 900, "ab"), "Configuration file 'x' does not exist"),
            (lambda c: c.remove_ha_resource(900), "cannot delete service 'ct:900', not HA managed!"),
            (lambda c: c.ha_resource(900), "no such resource 'ct:900'"),
            (lambda c: c.delete_firewall_rule("node1", 900, 3), "no rule at position 3"),
        ):
            with self.subTest(text=text):
                self.assertIsNone(call(self.client(lambda r, t=text: r.reply(500, reason=t))))

    def test_a_start_of_a_stopped_one_does_not_pass_for_already_so(self) -> None:
        client = self.client(lambda r: r.reply(500, reason="CT 900 not running"))
        with self.assertRaises(Conflict):
            client.start("node1", 900)

    def test_a_task_whose_log_is_gone_is_unknown(self) -> None:
        client = self.client(lambda r: r.reply(400, {"data": None, "errors": {"upid": "no such task"}}))
        task = client.task_status(UPID)
        self.assertEqual((task.running, task.ok, task.unknown, task.type), (False, None, True, "vzcreate"))

    def test_how_a_task_ended(self) -> None:
        for status, exitstatus, expected in (
            ("running", None, (True, None, False)),
            ("stopped", "OK", (False, True, False)),
            ("stopped", "WARNINGS: 1", (False, True, False)),
            ("stopped", "CT is locked (backup)", (False, False, False)),
            ("stopped", "unexpected status", (False, None, True)),
            ("stopped", None, (False, None, True)),
        ):
            data = {"status": status, **({"exitstatus": exitstatus} if exitstatus else {})}
            task = self.client(lambda r, d=data: r.reply(200, {"data": d})).task_status(UPID)
            with self.subTest(status=status, exitstatus=exitstatus):
                self.assertEqual((task.running, task.ok, task.unknown), expected)
        self.assertIn("/nodes/node1/tasks/UPID:node1", self.server.seen[0])


class TextTests(unittest.TestCase):
    def test_sizes_are_read_in_gigabytes(self) -> None:
        for text, size in (("20G", 20), ("512M", 0.5), ("1.5T", 1536), ("1048576K", 1), ("", 0), ("x", 0)):
            self.assertEqual(_gigabytes(text), size)

    def test_property_strings_go_there_and_back(self) -> None:
        net0 = {"name": "eth0", "bridge": "vmbr1", "ip": "192.168.1.100/24"}
        self.assertEqual(properties(property_string(net0)), net0)
        self.assertEqual(properties("lvm:vm-900-disk-0,size=20G")["volume"], "lvm:vm-900-disk-0")

    def test_a_value_cannot_add_a_property(self) -> None:
        for value in ("vmbr1,firewall=0", "a=b", "", "a b", "a\n"):
            with self.subTest(value=value), self.assertRaises(ValueError):
                property_string({"bridge": value})

    def test_tags_are_compared_as_sets(self) -> None:
        self.assertEqual(tags("Site;nodepoint"), tags("nodepoint, site"))
        self.assertEqual(tags(None), frozenset())

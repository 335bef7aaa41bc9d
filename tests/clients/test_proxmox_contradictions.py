"""Answers of Proxmox VE that contradict its schema, come twice, come late, or are of another version: a named
error or the right value, from every method of the client."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

from nodepoint.clients.errors import BadAnswer, TimedOut
from sites.clients.proxmox import FirewallOptions, FirewallRule, Proxmox
from tests.clients.double import Request
from tests.clients.test_proxmox_errors import UPID, Base

OTHER = UPID.replace("0000A1B2", "0000A1B3")
NODE = {"node": "node1", "status": "online", "cpu": 0.5, "maxcpu": 8, "mem": 4, "maxmem": 16}
GUEST = {
    "id": "lxc/900",
    "vmid": 900,
    "node": "node1",
    "type": "lxc",
    "name": "site",
    "status": "running",
    "tags": "a;b",
    "pool": "nodepoint",
    "cpu": 0.1,
    "maxcpu": 2,
    "mem": 1,
    "maxmem": 2,
    "disk": 3,
    "maxdisk": 4,
    "uptime": 5,
    "hastate": "started",
    "template": 0,
    "lock": "backup",
}
STORAGE = {
    "type": "lvm",
    "active": 1,
    "enabled": 1,
    "shared": 1,
    "content": "rootdir,images",
    "total": 9,
    "used": 4,
    "avail": 5,
}
VOLUME = {"volid": "local:vztmpl/a.tar.zst", "format": "tzst", "size": 5, "ctime": 1, "notes": "a"}
CONFIG = {
    "hostname": "site",
    "description": "nodepoint:1\n",
    "tags": "a;b",
    "memory": 2048,
    "swap": 512,
    "cores": 2,
    "net0": "name=eth0,bridge=vmbr1",
    "rootfs": "global-lvm:vm-900-disk-0,size=20G",
    "onboot": 1,
    "protection": 0,
    "unprivileged": 1,
    "template": 0,
    "lock": "backup",
    "digest": "a",
}
STATUS = {
    "status": "running",
    "lock": "",
    "uptime": 5,
    "ha": {"managed": 1},
    "mem": 1,
    "maxmem": 2,
    "disk": 3,
    "maxdisk": 4,
}
SNAPSHOT = {"name": "initial", "snaptime": 1, "parent": "", "description": "a\n", "snapstate": ""}
TASK = {"upid": UPID, "status": "stopped", "exitstatus": "OK"}
ENTRY = {"upid": UPID, "type": "vzcreate", "id": "900", "user": "api@pam", "starttime": 1}
RESOURCE = {"sid": "ct:900", "state": "started", "comment": "a", "max_restart": 1, "max_relocate": 1}
MAINTAINED = {
    "id": "lrm:node2",
    "type": "lrm",
    "node": "node2",
    "status": "node2 (maintenance mode, watchdog standby, Mon Nov 30 12:00:00 2026)",
}
SERVICE = {
    "id": "service:ct:900",
    "type": "service",
    "sid": "ct:900",
    "node": "node1",
    "state": "started",
    "crm_state": "started",
    "request_state": "started",
}
OPTIONS = {
    "enable": 1,
    "policy_in": "DROP",
    "policy_out": "ACCEPT",
    "ipfilter": 1,
    "macfilter": 1,
    "dhcp": 0,
    "ndp": 1,
}
RULE = {
    "pos": 0,
    "type": "out",
    "action": "DROP",
    "proto": "tcp",
    "source": "192.0.2.1",
    "dest": "192.0.2.2",
    "dport": "80",
    "macro": "",
    "iface": "net0",
    "comment": "a",
    "enable": 1,
    "digest": "a",
}
NEW = {"ostemplate": "local:vztmpl/a.tar.zst", "storage": "local", "disk_gb": 5, "hostname": "site"}

Ask = Callable[[Proxmox], Any]
# Every method that reads something: how it is asked, and an answer that is right.
READ: dict[str, tuple[Ask, Any]] = {
    "version": (lambda c: c.version(), {"release": "9.1", "version": "9.1.4"}),
    "permissions": (lambda c: c.permissions(), {"/vms": {"VM.Audit": 1, "VM.Allocate": 0}}),
    "nodes": (lambda c: c.nodes(), [NODE]),
    "resources": (lambda c: c.resources(), [GUEST]),
    "vmid_free": (lambda c: c.vmid_free(900), "900"),
    "cluster_firewall": (lambda c: c.cluster_firewall(), {"enable": 1}),
    "user_tag_access": (lambda c: c.user_tag_access(), {"user-tag-access": "user-allow=list"}),
    "pools": (lambda c: c.pools(), [{"poolid": "nodepoint"}]),
    "storage_status": (lambda c: c.storage_status("node1", "local"), STORAGE),
    "storage_content": (lambda c: c.storage_content("node1", "local"), [VOLUME]),
    "config": (lambda c: c.config("node1", 900), CONFIG),
    "container_status": (lambda c: c.container_status("node1", 900), STATUS),
    "snapshots": (lambda c: c.snapshots("node1", 900), [SNAPSHOT]),
    "task_status": (lambda c: c.task_status(UPID), TASK),
    "tasks": (lambda c: c.tasks("node1"), [ENTRY]),
    "task_log": (lambda c: c.task_log(UPID), [{"n": 1, "t": "TASK OK"}]),
    "ha_resource": (lambda c: c.ha_resource(900), RESOURCE),
    "ha_status": (lambda c: c.ha_status(), [SERVICE]),
    "nodes_in_maintenance": (lambda c: c.nodes_in_maintenance(), [MAINTAINED]),
    "own_retention": (lambda c: c.own_retention("node1", "local"), {"prune-backups": "keep-last=3"}),
    "firewall_options": (lambda c: c.firewall_options("node1", 900), OPTIONS),
    "firewall_rules": (lambda c: c.firewall_rules("node1", 900), [RULE]),
}
# Every method that begins a task.
BEGUN: dict[str, Ask] = {
    "create_container": lambda c: c.create_container("node1", 900, memory=512, cores=1, net0={}, **NEW),
    "start": lambda c: c.start("node1", 900),
    "stop": lambda c: c.stop("node1", 900),
    "shutdown": lambda c: c.shutdown("node1", 900),
    "reboot": lambda c: c.reboot("node1", 900),
    "resize": lambda c: c.resize("node1", 900, 20),
    "archive": lambda c: c.archive("node1", 900, "local", "a"),
    "migrate": lambda c: c.migrate("node1", 900, "node2"),
    "delete_archive": lambda c: c.delete_archive("node1", "local:backup/a.tar.zst"),
    "delete_container": lambda c: c.delete_container("node1", 900),
    "create_snapshot": lambda c: c.create_snapshot("node1", 900, "a"),
    "delete_snapshot": lambda c: c.delete_snapshot("node1", 900, "ab"),
    "rollback": lambda c: c.rollback("node1", 900, "ab"),
}
# Every method whose answer says nothing but that it came.
WRITTEN: dict[str, Ask] = {
    "add_to_pool": lambda c: c.add_to_pool("nodepoint", 900),
    "set_notes": lambda c: c.set_notes("node1", "local:backup/a.tar.zst", "mark"),
    "stop_task": lambda c: c.stop_task(UPID),
    "set_config": lambda c: c.set_config("node1", 900, cores=1),
    "add_ha_resource": lambda c: c.add_ha_resource(900),
    "set_ha_resource": lambda c: c.set_ha_resource(900, "started"),
    "remove_ha_resource": lambda c: c.remove_ha_resource(900),
    "set_firewall_options": lambda c: c.set_firewall_options("node1", 900, FirewallOptions()),
    "add_firewall_rule": lambda c: c.add_firewall_rule("node1", 900, FirewallRule("in", "ACCEPT")),
    "enable_firewall_rule": lambda c: c.enable_firewall_rule("node1", 900, 0),
    "delete_firewall_rule": lambda c: c.delete_firewall_rule("node1", 900, 0),
}
NO_ANSWER = (None, True, 7, "x", "", [], {}, [None], ["x"], [[]], [{}], {"x": 1}, [{"x": None}])
NO_VALUE = (None, True, "", "soon", [], [1], {}, {"x": 1}, -1, 1e308, "1e999", float("nan"), 10**400)
NO_UPID = (None, "", "OK", 7, True, [], {}, [UPID], {"upid": UPID}, "UPID:node1", "UPID::::::::", f"{UPID}x")
ABSENT = object()

# What is asked, and an answer that cannot be one.
WRONG: tuple[tuple[str, Any], ...] = (
    ("version", {"version": "9.1"}),
    ("version", {"release": "next"}),
    ("permissions", {"/vms": ["VM.Audit"]}),
    ("permissions", {"/vms": {"VM.Audit": "maybe"}}),
    ("nodes", [NODE, {**NODE, "status": "offline"}]),
    ("nodes", [{**NODE, "node": None}]),
    ("nodes", [{**NODE, "maxmem": "much"}]),
    ("resources", [GUEST, {**GUEST, "node": "node2"}]),
    ("resources", [{**GUEST, "vmid": "x"}]),
    ("resources", [{**GUEST, "node": None}]),
    ("resources", [{**GUEST, "tags": ["a"]}]),
    ("vmid_free", "901"),
    ("vmid_free", None),
    ("storage_status", {**STORAGE, "avail": {}}),
    ("config", {**CONFIG, "description": ["nodepoint:1"]}),
    ("config", {**CONFIG, "protection": "perhaps"}),
    ("config", {**CONFIG, "lock": {}}),
    ("config", {**CONFIG, "net0": {"name": "eth0"}}),
    ("container_status", {**STATUS, "status": None}),
    ("container_status", {**STATUS, "status": "dreaming"}),
    ("container_status", {**STATUS, "ha": [1]}),
    ("snapshots", [SNAPSHOT, {**SNAPSHOT, "description": "b"}]),
    ("snapshots", {"initial": SNAPSHOT}),
    ("task_status", {**TASK, "upid": OTHER}),
    ("task_status", {**TASK, "status": "dreaming"}),
    ("task_status", {"exitstatus": "OK"}),
    ("tasks", [{**ENTRY, "upid": "900"}]),
    ("tasks", [{**ENTRY, "status": "OK"}, {**ENTRY, "status": "interrupted by signal"}]),
    ("ha_resource", {**RESOURCE, "sid": "ct:901"}),
    ("ha_status", [{**SERVICE, "sid": "ct:site"}]),
    ("ha_status", [{**SERVICE, "sid": "ct:"}]),
    ("ha_status", [SERVICE, {**SERVICE, "state": "error"}]),
    ("firewall_options", {**OPTIONS, "ipfilter": []}),
    ("firewall_rules", [RULE, {**RULE, "action": "ACCEPT"}]),
    ("firewall_rules", [{**RULE, "pos": None}]),
    ("firewall_rules", [{**RULE, "action": None}]),
)
# What is asked, an answer of another form, and one that means the same.
ALIKE: tuple[tuple[str, Any, Any], ...] = (
    ("nodes", [NODE, NODE], [NODE]),
    ("nodes", [{**NODE, "maxcpu": "8", "cpu": "0.5", "mem": "4"}], [NODE]),
    ("nodes", [{**NODE, "status": "dreaming"}], [{**NODE, "status": "offline"}]),
    ("resources", [GUEST, GUEST], [GUEST]),
    ("resources", [{**GUEST, "vmid": "900", "template": "0", "maxcpu": "2"}], [GUEST]),
    ("resources", [GUEST, {"id": "storage/local"}], [GUEST]),
    ("cluster_firewall", {"enable": 1732000000}, {"enable": 1}),  # any number is on (Firewall.pm)
    ("cluster_firewall", {}, {"enable": "0"}),
    ("user_tag_access", {"user-tag-access": {"user-allow": "list"}}, {"user-tag-access": "user-allow=list"}),
    ("user_tag_access", {"user-tag-access": None}, {}),
    ("pools", [{"poolid": "nodepoint", "comment": None}], [{"poolid": "nodepoint"}]),
    ("config", {**CONFIG, "memory": "2048", "onboot": "1", "template": None}, CONFIG),
    ("config", {**CONFIG, "description": "nodepoint:1"}, CONFIG),  # older ones end it without a line feed
    ("container_status", {**STATUS, "uptime": "5", "ha": {"managed": "1"}}, STATUS),
    ("container_status", {**STATUS, "ha": None}, {**STATUS, "ha": {"managed": 0}}),
    ("snapshots", [SNAPSHOT, SNAPSHOT, {"name": "current"}], [SNAPSHOT]),
    ("task_status", {**TASK, "exitstatus": None}, {"status": "stopped"}),
    ("tasks", [{**ENTRY, "status": "RUNNING"}], [ENTRY]),  # older ones say nothing
    ("tasks", [ENTRY, {**ENTRY, "endtime": 9, "status": "OK"}], [{**ENTRY, "endtime": 9, "status": "OK"}]),
    ("ha_resource", {**RESOURCE, "state": "enabled"}, RESOURCE),
    ("ha_resource", {"sid": "ct:900"}, {**RESOURCE, "comment": ""}),
    ("ha_status", [{"id": "quorum", "type": "quorum"}, SERVICE, SERVICE], [SERVICE]),
    ("nodes_in_maintenance", [SERVICE, MAINTAINED, MAINTAINED], [MAINTAINED]),
    ("firewall_options", {"enable": None}, {}),
    ("firewall_rules", [{**RULE, "dport": 80, "enable": "1", "pos": "0"}], [RULE]),
)


def changed(value: Any) -> Iterator[Any]:
    """The answer with each of its values, at any depth, missing or replaced by what is none."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, old in items:
        for new in (ABSENT, *NO_VALUE, *changed(old)):
            copy = deepcopy(value)
            if new is ABSENT:
                del copy[key]
            else:
                copy[key] = new
            yield copy


class ContradictionTests(Base):
    def setUp(self) -> None:
        self.data: Any = None
        self.asked = self.client(lambda request: request.reply(200, {"data": self.data}))

    def ask(self, what: str, data: Any) -> Any:
        self.data = data
        return READ[what][0](self.asked)

    def test_every_method_is_in_a_table(self) -> None:
        methods = {name for name in dir(Proxmox) if not name.startswith("_")}
        self.assertEqual(methods, READ.keys() | BEGUN.keys() | WRITTEN.keys())

    def test_whatever_comes_is_a_value_or_an_error_of_the_family(self) -> None:
        for what, (_, right) in READ.items():
            self.ask(what, right)
            for data in (*NO_ANSWER, *changed(right)):
                with self.subTest(what=what, data=data), suppress(BadAnswer):
                    self.ask(what, data)

    def test_what_contradicts_itself_is_a_bad_answer(self) -> None:
        for what, data in WRONG:
            with self.subTest(what=what, data=data), self.assertRaises(BadAnswer) as caught:
                self.ask(what, data)
            self.assertTrue(caught.exception.unknown_outcome and caught.exception.vendor)

    def test_what_comes_twice_or_in_another_form_is_understood(self) -> None:
        for what, data, same in ALIKE:
            with self.subTest(what=what, data=data):
                self.assertEqual(self.ask(what, data), self.ask(what, same))

    def test_a_task_without_a_upid_is_an_unknown_outcome(self) -> None:
        for what, begin in BEGUN.items():
            self.data = UPID
            self.assertEqual(begin(self.asked), UPID, what)
            for self.data in NO_UPID:
                if (what, self.data) == ("archive", "OK"):
                    continue  # how vzdump says that the container is elsewhere
                with self.subTest(what=what, data=self.data), self.assertRaises(BadAnswer):
                    begin(self.asked)

    def test_what_a_write_answers_does_not_matter(self) -> None:
        for what, write in WRITTEN.items():
            for self.data in (None, "", {}, [], UPID, 1):
                with self.subTest(what=what, data=self.data):
                    self.assertIsNone(write(self.asked))

    def test_what_is_no_answer_of_proxmox_ve_is_a_bad_answer(self) -> None:
        bodies = (b"", b"OK", b"<html>", b"null", b"[]", b"{}", b'{"data":', b"\xff", b"[" * 100_000)
        for body in bodies:
            client = self.client(lambda request, b=body: request.reply(200, b))
            for what, call in {**{name: ask for name, (ask, _) in READ.items()}, **BEGUN, **WRITTEN}.items():
                with self.subTest(what=what, body=body[:10]), self.assertRaises(BadAnswer):
                    call(client)

    def test_a_late_answer_of_a_write_is_an_unknown_outcome(self) -> None:
        def late(request: Request) -> None:
            time.sleep(0.3)
            request.reply(200, {"data": UPID})

        for what in ("create_container", "rollback", "delete_container"):
            with self.subTest(what=what), self.assertRaises(TimedOut) as caught:
                BEGUN[what](self.client(late, timeout=0.1))
            self.assertTrue(caught.exception.unknown_outcome)

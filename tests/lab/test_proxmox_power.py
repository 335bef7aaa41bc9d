"""Starting and stopping containers, and nodes that go away."""

import time

from tests.lab.cluster import SCRIPT, ClusterCase


class PowerTests(ClusterCase):
    def test_start_stop_shutdown_and_reboot(self) -> None:
        ct = self.create()
        for call, expected in (
            (ct.status.start, "running"),
            (ct.status.reboot, "running"),
            (ct.status.shutdown, "stopped"),
            (ct.status.start, "running"),
            (ct.status.stop, "stopped"),
        ):
            self.done(call.post())
            self.assertEqual(expected, ct.status.current.get()["status"])

    def test_refusals_by_state(self) -> None:
        stopped, running = self.create(), self.create(901, start=True)
        refused = (
            (running.status.start, "CT 901 already running"),
            (stopped.status.stop, "CT 900 not running"),
            (stopped.status.shutdown, "CT 900 not running"),
            (stopped.status.reboot, "VM 900 not running"),
            (self.ct(902).status.start, "Configuration file 'nodes/node1/lxc/902.conf' does not exist"),
        )
        for call, text in refused:
            with self.subTest(text):
                self.refused(500, text, call.post)

    def test_a_start_fails_in_its_task_on_a_bridge_that_is_not_there(self) -> None:
        ct = self.create(net0="name=eth0,bridge=vmbr9,ip=dhcp")
        self.assertEqual("startup for container '900' failed", self.exitstatus(ct.status.start.post()))

    def test_a_start_fails_in_its_task_on_a_template(self) -> None:
        ct = self.create(template=1)
        text = "you can't start a CT if it's a template"
        self.assertEqual(text, self.exitstatus(ct.status.start.post()))

    def test_a_guest_that_does_not_obey_is_killed_only_if_that_was_asked_for(self) -> None:
        ct = self.create(start=True)
        self.lab.proxmox.cluster.containers[900].stubborn = True
        self.assertEqual("container did not stop", self.exitstatus(ct.status.shutdown.post(timeout=5)))
        self.assertEqual("running", ct.status.current.get()["status"])
        self.done(ct.status.shutdown.post(timeout=5, forceStop=1))
        self.assertEqual("stopped", ct.status.current.get()["status"])

    def test_interfaces_are_seen_only_while_it_runs(self) -> None:
        ct = self.create()
        self.assertIsNone(ct.interfaces.get())
        self.done(ct.status.start.post())
        self.assertEqual("192.168.1.100/24", ct.interfaces.get()[0]["inet"])


class PowerInTimeTests(ClusterCase):
    speed = 0.02

    def test_of_two_starts_at_once_the_second_finds_it_running(self) -> None:
        ct = self.create()
        first, second = ct.status.start.post(), ct.status.start.post()
        self.done(first)
        self.assertEqual("CT 900 already running", self.exitstatus(second))

    def test_stop_can_overrule_a_shutdown(self) -> None:
        ct = self.create(start=True)
        shutdown = ct.status.shutdown.post()
        self.done(ct.status.stop.post(**{"overrule-shutdown": 1}))
        self.assertEqual("received interrupt", self.exitstatus(shutdown))

    def test_a_locked_container_neither_starts_nor_stops(self) -> None:
        ct = self.create(start=True)
        snapshot = ct.snapshot.post(snapname="initial")
        self.assertEqual("CT is locked (snapshot)", self.exitstatus(ct.status.stop.post()))
        self.done(snapshot)

    def test_an_interrupted_task_leaves_its_lock(self) -> None:
        ct = self.create()
        upid = ct.snapshot.post(snapname="initial")
        self.api.nodes("node1").tasks(upid).delete()
        self.assertEqual("received interrupt", self.exitstatus(upid))
        self.refused(500, "CT is locked (snapshot)", ct.delete)


class NodeTests(ClusterCase):
    def down(self, node: str = "node1") -> None:
        self.assertEqual(200, self.control("POST", "node", {"node": node, "up": False}).status_code)

    def up(self, node: str = "node1") -> None:
        self.assertEqual(200, self.control("POST", "node", {"node": node, "up": True}).status_code)

    def test_calls_to_a_lost_node_are_595_without_a_body(self) -> None:
        self.create()
        self.down()
        answer = self.raw("GET", "/nodes/node1/lxc/900/config")
        self.assertEqual((595, "No route to host", b""), (answer.status_code, answer.reason, answer.content))

    def test_the_bulk_status_shows_unknown_and_offline(self) -> None:
        self.create(start=True)
        self.down()
        self.assertEqual("unknown", self.resource()["status"])
        nodes = {node["node"]: node["status"] for node in self.api.nodes.get()}
        self.assertEqual({"node1": "offline", "node2": "online", "node3": "online"}, nodes)

    def test_only_what_is_marked_onboot_comes_back_with_the_node(self) -> None:
        self.create(start=True)
        self.create(901, onboot=1)
        self.done(self.ct(901).status.start.post())
        self.down()
        self.up()
        self.assertEqual("stopped", self.ct(900).status.current.get()["status"])
        self.assertEqual("running", self.ct(901).status.current.get()["status"])

    def test_a_task_on_a_lost_node_ends_with_unexpected_status(self) -> None:
        self.lab.clock.factor = 1
        upid = self.fork_create()
        self.lab.clock.factor = 0
        self.down()
        self.up()
        self.assertEqual("unexpected status", self.exitstatus(upid))
        self.assertEqual("create", self.ct().config.get()["lock"])

    def test_without_quorum_nothing_is_written(self) -> None:
        ct = self.create(vmid=900, start=True)
        self.down("node2")
        self.down("node3")
        for call in (
            lambda: self.fork_create(901),
            lambda: ct.config.put(cores=1),
            lambda: ct.snapshot.post(snapname="ab"),
        ):
            self.refused(500, "cluster not ready - no quorum?", call)
        self.done(ct.status.stop.post())

    def test_an_installation_dies_with_its_node(self) -> None:
        self.create(start=True, onboot=1)
        self.lab.clock.factor = 1
        self.lab.guest_exec("node1", 900, ["bash", "-s"], SCRIPT)
        self.lab.clock.factor = 0
        self.down()
        self.up()
        self.ct().status.current.get()
        code, out, _ = self.lab.guest_exec("node1", 900, ["cat", "/root/install.status"], b"")
        self.assertEqual((0, b""), (code, out))


class BulkStatusTests(ClusterCase):
    def test_it_is_as_old_as_the_last_broadcast(self) -> None:
        self.create()
        self.assertEqual("stopped", self.resource()["status"])
        self.lab.clock.factor = 0.1
        # Begin just after a broadcast, so that the next one is nearly a second away.
        time.sleep(1.02 - time.time() % 1)
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            container = cluster.containers[900]
            container.running, container.changed_at = True, time.time()
        self.assertEqual("running", self.ct().status.current.get()["status"])
        self.assertEqual("stopped", self.resource()["status"])
        time.sleep(1.02 - time.time() % 1)
        self.assertEqual("running", self.resource()["status"])

    def test_a_fresh_container_is_unknown_at_first(self) -> None:
        self.lab.clock.factor = 100_000
        self.lab.clock.seconds = lambda kind: 0.0  # type: ignore[method-assign]
        self.fork_create()
        self.assertEqual("unknown", self.resource()["status"])
        self.assertNotIn("name", self.resource())

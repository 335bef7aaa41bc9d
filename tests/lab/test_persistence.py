"""A lab that was killed with SIGKILL comes back on its data folder as if only the network had been away."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

from proxmoxer import ProxmoxAPI

from lab import FolderInUse, start
from lab.store import Guard, Store
from tests.lab.cluster import NET0, SCRIPT

ROOT = Path(__file__).parents[2]


class KilledLabTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = Path(folder.name)

    def launch(self, speed: float) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "lab", "--data", str(self.data), "--speed", str(speed)]
        process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process, signal.SIGKILL)
        self.assertIn("The lab is at", process.stdout.readline())
        return process

    def end(self, process: subprocess.Popen[str], number: int) -> int:
        if process.poll() is None:
            os.kill(process.pid, number)
        code = process.wait(10)
        process.stdout.close()
        process.stderr.close()
        return code

    def announced(self) -> dict[str, Any]:
        return json.loads((self.data / "lab.json").read_text())

    def connect(self) -> ProxmoxAPI:
        settings = self.announced()["settings"]
        host, port = settings["PROXMOX_HOST"].split(":")
        return ProxmoxAPI(
            host,
            port=int(port),
            user=settings["PROXMOX_USER"],
            token_name=settings["PROXMOX_TOKEN_NAME"],
            token_value=settings["PROXMOX_TOKEN_VALUE"],
            verify_ssl=settings["PROXMOX_VERIFY_TLS"],
        )

    def test_a_running_task_goes_on_to_its_end(self) -> None:
        process = self.launch(0.05)
        before = self.announced()
        template = before["settings"]["PROXMOX_TEMPLATE"]
        upid = (
            self.connect()
            .nodes("node1")
            .lxc.post(vmid=900, ostemplate=template, rootfs="global-lvm:20", net0=NET0, features="nesting=1")
        )
        self.end(process, signal.SIGKILL)
        left = Store(self.data / "lab.sqlite3")
        self.assertEqual({"lock": "create"}, left.load("container")["900"]["config"])
        left.close()
        self.launch(0.05)
        after = self.announced()
        self.assertEqual((before["lab_url"], before["settings"]), (after["lab_url"], after["settings"]))
        api = self.connect()
        deadline = time.monotonic() + 10
        while (status := api.nodes("node1").tasks(upid).status.get())["status"] == "running":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertEqual("OK", status["exitstatus"])
        self.assertNotIn("lock", api.nodes("node1").lxc(900).config.get())

    def test_sigterm_ends_it_well_and_at_once(self) -> None:
        process = self.launch(0)
        begin = time.monotonic()
        self.assertEqual(0, self.end(process, signal.SIGTERM))
        self.assertLess(time.monotonic() - begin, 3)

    def test_a_second_one_on_the_same_folder_is_refused_with_a_line(self) -> None:
        self.launch(0)
        argv = [sys.executable, "-m", "lab", "--data", str(self.data)]
        second = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(1, second.returncode)
        self.assertRegex(second.stderr, r"\AThe lab could not start: another lab runs on .*\n\Z")

    def test_state_of_every_kind_comes_back(self) -> None:
        first = start(self.data)
        self.assertRaises(FolderInUse, start, self.data)
        settings = first.settings
        api = self.connect_to(settings)
        api.nodes("node1").lxc.post(
            vmid=900, ostemplate=settings["PROXMOX_TEMPLATE"], rootfs="global-lvm:8", net0=NET0
        )
        ct = api.nodes("node1").lxc(900)
        ct.status.start.post()
        ct.firewall.rules.post(type="in", action="ACCEPT", enable=1)
        api.cluster.ha.resources.post(sid="ct:900")
        api.cluster.ha.rules.post(rule="home", type="node-affinity", resources="ct:900", nodes="node1")
        first.guest_exec("node1", 900, ["bash", "-s"], SCRIPT)
        ct.snapshot.post(snapname="initial")
        with first.lock:
            first.proxmox.cluster.set_node_up("node3", False)
        first.world.settle()
        before = (first.proxmox.state_view(), api.cluster.ha.rules.get(), ct.snapshot.get())
        first.stop()
        second = start(self.data)
        self.addCleanup(second.stop)
        self.assertEqual(settings, second.settings)
        after = (second.proxmox.state_view(), api.cluster.ha.rules.get(), ct.snapshot.get())
        self.assertEqual(before, after)
        self.assertTrue(second.world.reaches_site("192.168.1.100")[0])

    def connect_to(self, settings: dict[str, str]) -> ProxmoxAPI:
        (self.data / "lab.json").write_text(json.dumps({"settings": settings}))
        return self.connect()


class StoreTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "lab.sqlite3"

    def test_a_block_is_kept_as_a_whole_when_it_is_left(self) -> None:
        store, reader = Store(self.path), Store(self.path)
        self.addCleanup(reader.close)
        self.addCleanup(store.close)
        guard = Guard(store)
        with guard:
            store.save("thing", 1, {"a": 1})
            with guard:
                store.save("thing", 2, {"a": 2})
            self.assertEqual({}, reader.load("thing"))
        self.assertEqual({"1": {"a": 1}, "2": {"a": 2}}, reader.load("thing"))
        with guard:
            store.delete("thing", 1)
        self.assertEqual(["2"], list(reader.load("thing")))

    def test_what_was_done_before_an_error_is_kept_too(self) -> None:
        store, reader = Store(self.path), Store(self.path)
        self.addCleanup(reader.close)
        self.addCleanup(store.close)
        with self.assertRaises(KeyError), Guard(store):
            store.save("thing", 1, {})
            raise KeyError
        self.assertEqual(["1"], list(reader.load("thing")))

    def test_some_thousand_changes_a_second(self) -> None:
        store = Store(self.path)
        self.addCleanup(store.close)
        guard = Guard(store)
        begin = time.monotonic()
        for number in range(1000):
            with guard:
                store.save("thing", number % 10, {"number": number})
        self.assertLess(time.monotonic() - begin, 1.0)

    def test_without_a_path_nothing_is_kept(self) -> None:
        store = Store(None)
        with Guard(store):
            store.save("thing", 1, {})
        self.assertEqual({}, store.load("thing"))

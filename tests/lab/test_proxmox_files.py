"""What the folder storage holds: templates and backups, `vzdump`, and the node's commands for files."""

import hashlib
import tempfile
from pathlib import Path

import lab
from lab.proxmox.state.storages import STORAGES
from tests.lab.cluster import ClusterCase

CACHE, DUMP = "/var/lib/vz/template/cache", "/var/lib/vz/dump"
DUMP_NAME = r"vzdump-lxc-900-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d\.tar\.zst"


class FilesCase(ClusterCase):
    def content(self, node: str = "node1", **values: object) -> list[dict]:
        return self.api.nodes(node).storage("local").content.get(**values)

    def dump(self, node: str = "node1", **more: object) -> str:
        values = {"vmid": "900", "storage": "local", "mode": "stop", "compress": "zstd", "remove": 0}
        return self.api.nodes(node).vzdump.post(**(values | more))

    def on_node(self, *words: str, stdin: bytes = b"", node: str = "node1") -> tuple[int, bytes, bytes]:
        return self.lab.ssh.nodes[node]._commands.run(list(words), stdin)


class DumpTests(FilesCase):
    def test_a_stopped_container_becomes_an_archive_with_its_notes(self) -> None:
        self.create(hostname="demo")
        self.done(self.dump(**{"notes-template": "mark of {{guestname}}"}))
        (entry,) = self.content(content="backup", vmid=900)
        self.assertRegex(entry["volid"], f"^local:backup/{DUMP_NAME}$")
        self.assertEqual(("mark of demo", 900, "backup"), (entry["notes"], entry["vmid"], entry["content"]))
        self.assertEqual([], self.content(content="backup", vmid=901))
        self.assertEqual([], self.content("node2", content="backup"))
        self.assertNotIn("lock", self.ct().config.get())

    def test_it_is_locked_meanwhile(self) -> None:
        self.create()
        self.lab.clock.factor = 0.02
        upid = self.dump()
        self.assertEqual("backup", self.ct().config.get()["lock"])
        self.refused(500, "CT is locked (backup)", self.ct().delete)
        self.done(upid)

    def test_what_is_refused_before_the_task(self) -> None:
        self.create()
        self.refused(400, "", self.dump, dumpdir="/root")
        self.refused(400, "", self.dump, vmid="x")

    def test_a_guest_elsewhere_is_passed_over_with_a_plain_ok(self) -> None:
        self.create()
        self.assertEqual("OK", self.dump("node2"))
        self.assertEqual([], self.content("node2", content="backup"))

    def test_what_fails_says_so_in_the_log_only(self) -> None:
        self.create()
        self.assertIn("wrong content type", self.exitstatus(self.dump(storage="global-lvm")))
        self.lab.proxmox.cluster.containers[900].config["lock"] = "snapshot"
        for vmid, text in (("900", "CT is locked (snapshot)"), ("901", "unable to find VM '901'")):
            upid = self.dump(vmid=vmid)
            self.assertEqual("job errors", self.exitstatus(upid))
            log = "\n".join(line["t"] for line in self.api.nodes("node1").tasks(upid).log.get())
            self.assertIn(text, log)

    def test_a_node_that_dies_meanwhile_leaves_the_lock_and_no_archive(self) -> None:
        self.create()
        self.lab.clock.factor = 1
        self.dump()
        with self.lab.lock:
            self.lab.proxmox.cluster.set_node_up("node1", False)
            self.lab.proxmox.cluster.set_node_up("node1", True)
        self.assertEqual("backup", self.ct().config.get()["lock"])
        self.assertEqual([], self.content(content="backup"))
        self.assertEqual((0, b"", b""), self.lab.ssh.nodes["node1"]._commands.unlock(900))
        self.assertNotIn("lock", self.ct().config.get())
        self.assertEqual(2, self.lab.ssh.nodes["node2"]._commands.unlock(900)[0])


class TemplateTests(FilesCase):
    def moved(self) -> str:
        """A backup of a container with the base, as a template on node1."""
        self.create(start=True)
        base = b"#!/bin/bash\n# lab: install status=/s\nPART=base\nmain() { :; }\n"
        self.lab.guest_exec("node1", 900, ["bash", "-s", "install"], base)
        self.done(self.ct().status.stop.post())
        self.done(self.dump())
        (entry,) = self.content(content="backup")
        source = self.on_node("pvesm", "path", entry["volid"])[1].decode().strip()
        self.assertEqual(0, self.on_node("mv", "-T", "--", source, f"{CACHE}/mine.tar.zst")[0])
        return "local:vztmpl/mine.tar.zst"

    def test_an_archive_in_the_cache_is_a_template_on_its_node(self) -> None:
        volid = self.moved()
        self.assertIn(volid, [entry["volid"] for entry in self.content(content="vztmpl")])
        self.assertEqual([], self.content(content="backup"))
        self.create(901, ostemplate=volid)
        self.assertTrue(self.lab.guest._guests[901]["golden"])
        status = self.exitstatus(self.fork_create(902, "node2", ostemplate=volid))
        self.assertEqual(f"unable to create CT 902 - volume '{volid}' does not exist", status)

    def test_a_container_from_it_is_made_faster(self) -> None:
        volid = self.moved()
        self.lab.clock.factor = 0.001
        task = self.lab.proxmox.cluster.tasks
        spans = []
        for vmid, source in ((901, volid), (902, self.lab.settings["PROXMOX_TEMPLATE"])):
            upid = self.fork_create(vmid, ostemplate=source)
            spans.append(task.get(upid, "node1").seconds)
            self.done(upid)
        self.assertAlmostEqual(4.5, spans[1] / spans[0])

    def test_one_that_was_cut_short_cannot_be_unpacked(self) -> None:
        self.on_node("dd", f"of={CACHE}/torn.tar.zst", stdin=b'{"size": 1')
        status = self.exitstatus(self.fork_create(ostemplate="local:vztmpl/torn.tar.zst"))
        self.assertIn("unexpected end of file", status)
        self.assertEqual([], self.api.cluster.resources.get(type="vm"))


class CommandTests(FilesCase):
    def test_a_file_is_copied_to_another_node_byte_by_byte(self) -> None:
        path = f"{CACHE}/nodepoint-golden_1_amd64.tar.zst"
        code, content, _ = self.on_node("cat", "--", path)
        self.assertEqual(0, code)
        self.on_node("rm", "-f", "--", path, node="node2")
        self.assertEqual(1, len(self.content("node2", content="vztmpl")))
        part = f"{path}.part"
        self.on_node("dd", f"of={part}", "bs=1M", stdin=content, node="node2")
        self.assertEqual(1, len(self.content("node2", content="vztmpl")), "it has no template's name yet")
        digests = [
            self.on_node("sha256sum", "--", file, node=node)[1].split()[0]
            for node, file in (("node1", path), ("node2", part))
        ]
        self.assertEqual(digests[0], digests[1])
        self.assertNotEqual(digests[0], hashlib.sha256(b"").hexdigest().encode())
        self.on_node("mv", "-T", "--", part, path, node="node2")
        self.assertEqual(2, len(self.content("node2", content="vztmpl")))

    def test_what_is_not_there_fails_with_its_words(self) -> None:
        for words in (("cat", "/x"), ("cp", "/x", "/y"), ("mv", "/x", "/y"), ("sha256sum", "/x")):
            code, _, error = self.on_node(*words)
            self.assertEqual(1, code)
            self.assertIn(b"No such file or directory", error)
        self.assertEqual(0, self.on_node("rm", "-f", "/x")[0])
        for words in (
            ("pvesm", "free", "local:vztmpl/none.tar.zst"),
            ("pvesm", "path", "nowhere:x/y"),
            ("pvesm", "frobnicate", "local:vztmpl/none.tar.zst"),
        ):
            self.assertEqual(255, self.on_node(*words)[0], words)

    def test_a_freed_volume_is_gone(self) -> None:
        volid = "local:vztmpl/nodepoint-golden_1_amd64.tar.zst"
        self.assertEqual(0, self.on_node("pvesm", "free", volid)[0])
        self.assertNotIn(volid, [entry["volid"] for entry in self.content(content="vztmpl")])

    def test_files_outlive_the_process(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            first = lab.start(Path(folder))
            first.ssh.nodes["node1"]._commands.run(
                ["rm", "-f", f"{CACHE}/nodepoint-golden_1_amd64.tar.zst"], b""
            )
            first.stop()
            second = lab.start(Path(folder))
            self.addCleanup(second.stop)
            counts = [
                len(second.proxmox.cluster.files.content(node, STORAGES["local"], "vztmpl", None))
                for node in ("node1", "node2")
            ]
            self.assertEqual([1, 2], counts)

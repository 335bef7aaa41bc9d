"""The files of the folder storage `local` on each node, CT templates and backups, and `vzdump`, which makes
some."""

import hashlib
import json
import re
import time
from typing import TYPE_CHECKING, Any

from lab.proxmox.errors import BadParameter, TaskFailed
from lab.proxmox.formats import split_list
from lab.proxmox.state.model import TEMPLATES, Container, Task

if TYPE_CHECKING:
    from lab.proxmox.state.cluster import Cluster

File = dict[str, Any]

STORAGE = "local"
FOLDERS = {"vztmpl": "/var/lib/vz/template/cache", "backup": "/var/lib/vz/dump"}
TEMPLATE_NAME = re.compile(r"[^/\s]+\.tar\.(?:gz|xz|zst|bz2)")
BACKUP_NAME = re.compile(r"vzdump-lxc-(\d+)-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d\.tar\.zst")
GOLDEN_SIZE, PLAIN_SIZE = 197_000_000, 141_000_000


class Files:
    """Files by node and path; part of the Cluster.

    A file is a JSON object, which is its content too: ``size`` as listings show it, ``ctime``, ``golden``
    (packages and WordPress are in it), ``files`` (what lies in the root file system), of a backup also
    ``vmid`` and ``notes``.
    """

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster
        self._files: dict[str, File] = cluster.store.load("file")
        if not self._files:
            for node in cluster.nodes:
                for volid, size in TEMPLATES.items():
                    golden = "golden" in volid
                    file = {"size": size, "ctime": 1_767_225_600, "golden": golden, "files": {}}
                    self.write(node, path_of(volid), file)
        cluster.tasks.define("vzdump", self._dump_begin, self._dump_end)

    def read(self, node: str, path: str) -> File | None:
        """The file, if it is there."""
        return self._files.get(f"{node}:{path}")

    def write(self, node: str, path: str, file: File) -> None:
        """Make a file, or replace it."""
        key = f"{node}:{path}"
        self._files[key] = dict(file)
        self._cluster.store.save("file", key, self._files[key])

    def delete(self, node: str, path: str) -> bool:
        """Remove a file; whether it was there."""
        key = f"{node}:{path}"
        self._cluster.store.delete("file", key)
        return self._files.pop(key, None) is not None

    def volume(self, node: str, volid: str) -> File | None:
        """The file behind a volume id, as it is on that node."""
        path = path_of(volid)
        return self.read(node, path) if path else None

    def used(self, node: str) -> int:
        """Bytes that they take on a node."""
        return sum(file["size"] for key, file in self._files.items() if key.startswith(f"{node}:"))

    def content(self, node: str, content: str, vmid: int | None) -> list[dict[str, Any]]:
        """GET content: templates and backups of a node."""
        found = []
        for key, file in sorted(self._files.items()):
            where, _, path = key.partition(":")
            folder, _, name = path.rpartition("/")
            if where != node:
                continue
            if folder == FOLDERS["vztmpl"] and TEMPLATE_NAME.fullmatch(name) and vmid is None:
                entry = {"volid": f"{STORAGE}:vztmpl/{name}", "content": "vztmpl", "format": "tzst"}
            elif folder == FOLDERS["backup"] and (of := BACKUP_NAME.fullmatch(name)):
                if vmid not in (None, int(of[1])):
                    continue
                entry = {"volid": f"{STORAGE}:backup/{name}", "content": "backup", "format": "tar.zst"}
                entry |= {"vmid": int(of[1]), "subtype": "lxc", "notes": file.get("notes", "")}
            else:
                continue
            if content in ("", entry["content"]):
                found.append({**entry, "size": file["size"], "ctime": file["ctime"]})
        return found

    # vzdump

    def dump(self, node: str, user: str, now: float, values: dict[str, Any]) -> str:
        """POST vzdump: back a stopped container up into `local`. Returns the UPID, or `OK` where the guest is
        on another node: then nothing is done."""
        if values.get("compress") != "zstd" or values.get("mode", "snapshot") != "stop":
            raise BadParameter({"mode": "the lab plays nothing but mode stop with compress zstd"})
        (vmid, *others) = split_list(values.get("vmid", "")) or [""]
        if others or not vmid:
            raise BadParameter({"vmid": "the lab backs up one guest at a time"})
        container = self._cluster.containers.get(int(vmid))
        if container and container.node != node:
            return "OK"
        if container and container.running:
            raise BadParameter({"mode": "the lab does not stop what runs for a backup"})
        notes = values.get("notes-template", "").replace(
            "{{guestname}}", container.config.get("hostname", "") if container else ""
        )
        storage = values.get("storage", STORAGE)
        return self._cluster.tasks.fork(
            node, "vzdump", int(vmid), user, "backup", now, notes=notes, storage=storage
        )

    def _dump_begin(self, task: Task, now: float, notes: str, storage: str) -> None:
        if storage != STORAGE:
            why = f"can't use storage '{storage}' for backups - wrong content type"
            raise TaskFailed(f"could not get storage information for '{storage}': {why}")
        task.log.append(f"INFO: Starting Backup of VM {task.id} (lxc)")
        container = self._cluster.containers.get(int(task.id))
        if container is None:
            raise self._failed(task, f"unable to find VM '{task.id}'")
        if container.lock:
            raise self._failed(task, f"CT is locked ({container.lock})")
        container.config["lock"] = "backup"
        self._cluster.save(container)

    def _dump_end(self, task: Task, now: float, notes: str, storage: str) -> None:
        container = self._cluster.containers[int(task.id)]
        container.config.pop("lock", None)
        self._cluster.save(container)
        stamp = time.strftime("%Y_%m_%d-%H_%M_%S", time.localtime(task.starttime))
        path = f"{FOLDERS['backup']}/vzdump-lxc-{task.id}-{stamp}.tar.zst"
        task.log.append(f"INFO: creating vzdump archive '{path}'")
        self.write(task.node, path, self._archive(container, now) | {"vmid": container.vmid, "notes": notes})

    def _archive(self, container: Container, now: float) -> File:
        golden, files = self._cluster.guest.archive(container.vmid, now)
        size = GOLDEN_SIZE if golden else PLAIN_SIZE
        return {"size": size, "ctime": int(now), "golden": golden, "files": files}

    def _failed(self, task: Task, text: str) -> TaskFailed:
        """The words stand in the log; the exit status of a backup says no more than this."""
        task.log.append(f"ERROR: Backup of VM {task.id} failed - {text}")
        return TaskFailed("job errors")


def path_of(volid: str) -> str:
    """The path behind a volume id of `local`; empty for another."""
    found = re.fullmatch(rf"{STORAGE}:(vztmpl|backup)/([^/\s]+)", volid)
    return f"{FOLDERS[found[1]]}/{found[2]}" if found else ""


def bytes_of(file: File) -> bytes:
    """What is in a file, for those who read or copy it."""
    return json.dumps(file, sort_keys=True).encode()


def file_of(content: bytes, now: float) -> File:
    """The file that was written with this content; one that was cut short is good for nothing."""
    try:
        return dict(json.loads(content)) | {"ctime": int(now)}
    except ValueError:
        torn = hashlib.sha256(content).hexdigest()
        return {"size": len(content), "ctime": int(now), "golden": False, "files": {}, "torn": torn}

"""The files of folder storages and backup servers: CT templates and backups."""

import calendar
import hashlib
import json
import re
import time
from collections.abc import Iterable
from typing import Any

from lab.proxmox.state.model import TEMPLATES
from lab.proxmox.state.storages import STORAGES, Storage
from lab.store import Store

File = dict[str, Any]

STORAGE = "local"
FOLDERS = {"vztmpl": "template/cache", "backup": "dump"}
SHARED = "*"
"""Stands in the key of a file for the node, where the file is on all of them."""
ON_ALL_NODES = ("/mnt/pve/", "pbs://")

TEMPLATE_NAME = re.compile(r"[^/\s]+\.tar\.(?:gz|xz|zst|bz2)")
BACKUP_NAME = re.compile(
    r"vzdump-lxc-(\d+)-(\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d)\.(tar(?:\.(?:gz|lzo|zst|bz2))?|tgz)"
)
VOLUME = re.compile(r"([A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]):(vztmpl|backup)/(\S+)")
SNAPSHOT = re.compile(r"ct/(\d+)/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


class Files:
    """Files by node and path.

    A file is a JSON object, which is its content too: ``size`` as listings show it, ``ctime``, ``golden``
    (packages and WordPress are in it), ``files`` (what lies in the root file system), of a backup also
    ``vmid``, ``notes``, ``protected``, ``verification``, and what ``lab.proxmox.state.backups`` packs.
    """

    def __init__(self, store: Store, nodes: Iterable[str]) -> None:
        self._store = store
        self._files: dict[str, File] = store.load("file")
        if not self._files:
            for node in nodes:
                for volid, size in TEMPLATES.items():
                    golden = "golden" in volid
                    file = {"size": size, "ctime": 1_767_225_600, "golden": golden, "files": {}}
                    self.write(node, path_of(volid), file)

    def read(self, node: str, path: str) -> File | None:
        """The file, if it is there."""
        return self._files.get(_key(node, path))

    def write(self, node: str, path: str, file: File) -> None:
        """Make a file, or replace it."""
        key = _key(node, path)
        self._files[key] = dict(file)
        self._store.save("file", key, self._files[key])

    def delete(self, node: str, path: str) -> bool:
        """Remove a file; whether it was there."""
        key = _key(node, path)
        self._store.delete("file", key)
        return self._files.pop(key, None) is not None

    def volume(self, node: str, volid: str) -> File | None:
        """The file behind a volume id, as it is on that node."""
        path = path_of(volid)
        return self.read(node, path) if path else None

    def used(self, storage: Storage, node: str) -> int:
        """Bytes that they take of a storage, as it is on a node."""
        if not storage.folder:
            return 0
        start = _key(node, f"{storage.folder}/")
        return sum(file["size"] for key, file in self._files.items() if key.startswith(start))

    def content(self, node: str, storage: Storage, content: str, vmid: int | None) -> list[dict[str, Any]]:
        """GET content: templates and backups of a storage."""
        found, start = [], _key(node, f"{storage.folder}/")
        for key, file in sorted(self._files.items()):
            if not storage.folder or not key.startswith(start):
                continue
            entry = _entry(storage, key.removeprefix(start), file, vmid)
            if entry and content in ("", entry["content"]):
                found.append({**entry, "size": file["size"]})
        return found


def _entry(storage: Storage, path: str, file: File, vmid: int | None) -> dict[str, Any] | None:
    """A file in a listing; None for one that is neither template nor backup, or not of that guest."""
    folder, _, name = path.rpartition("/")
    if storage.kind == "pbs":
        return _backup(storage, path, file, vmid, "pbs-ct") if SNAPSHOT.fullmatch(path) else None
    if folder == FOLDERS["vztmpl"] and TEMPLATE_NAME.fullmatch(name) and vmid is None:
        entry = {"volid": f"{storage.name}:vztmpl/{name}", "content": "vztmpl", "format": "tzst"}
        return {**entry, "ctime": file["ctime"]}
    named = BACKUP_NAME.fullmatch(name)
    return _backup(storage, name, file, vmid, named[3]) if folder == FOLDERS["backup"] and named else None


def _backup(storage: Storage, name: str, file: File, vmid: int | None, format: str) -> dict[str, Any] | None:
    """Of several lines of notes a folder shows the first, a backup server all (pve-storage 9.1.7,
    Storage/Plugin.pm:1738, Storage/PBSPlugin.pm, list_volumes)."""
    owner, ctime = owner_and_time(name)
    if vmid not in (None, owner):
        return None
    entry = {"volid": f"{storage.name}:backup/{name}", "content": "backup", "format": format}
    entry |= {"vmid": owner, "subtype": "lxc", "ctime": ctime}
    if notes := file.get("notes", ""):
        entry["notes"] = notes if storage.kind == "pbs" else notes.partition("\n")[0]
    if file.get("protected"):
        entry["protected"] = 1
    if storage.kind == "pbs" and "verification" in file:
        entry["verification"] = file["verification"]
    return entry


def owner_and_time(name: str) -> tuple[int, int]:
    """VMID and time of a backup, which both stand in its name: local time of the node in a file's, UTC in a
    snapshot's (pve-storage 9.1.7, Storage.pm:1819)."""
    if named := SNAPSHOT.fullmatch(name):
        return int(named[1]), calendar.timegm(time.strptime(named[2], "%Y-%m-%dT%H:%M:%SZ"))
    named = BACKUP_NAME.fullmatch(name)
    if named is None:
        return 0, 0
    return int(named[1]), int(time.mktime(time.strptime(named[2], "%Y_%m_%d-%H_%M_%S")))


def parse_volume(volid: str) -> tuple[Storage, str, str] | None:
    """Storage, content type and name behind a volume id of a file; None for another."""
    found = VOLUME.fullmatch(volid)
    storage = STORAGES.get(found[1]) if found else None
    if not found or storage is None or not storage.folder:
        return None
    if storage.kind == "pbs":
        fits = found[2] == "backup" and SNAPSHOT.fullmatch(found[3])
    else:
        fits = "/" not in found[3]
    return (storage, found[2], found[3]) if fits else None


def path_of(volid: str) -> str:
    """The path behind a volume id of a file; empty for another."""
    parts = parse_volume(volid)
    if not parts:
        return ""
    storage, type, name = parts
    return f"{storage.folder}/{name}" if storage.kind == "pbs" else f"{storage.folder}/{FOLDERS[type]}/{name}"


def _key(node: str, path: str) -> str:
    return f"{SHARED if path.startswith(ON_ALL_NODES) else node}:{path}"


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

"""The files of the folder storage `local` on each node: CT templates and backups."""

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from lab.proxmox.state.model import TEMPLATES
from lab.store import Store

File = dict[str, Any]

STORAGE = "local"
FOLDERS = {"vztmpl": "/var/lib/vz/template/cache", "backup": "/var/lib/vz/dump"}
TEMPLATE_NAME = re.compile(r"[^/\s]+\.tar\.(?:gz|xz|zst|bz2)")
BACKUP_NAME = re.compile(r"vzdump-lxc-(\d+)-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d\.tar\.zst")


class Files:
    """Files by node and path.

    A file is a JSON object, which is its content too: ``size`` as listings show it, ``ctime``, ``golden``
    (packages and WordPress are in it), ``files`` (what lies in the root file system), of a backup also
    ``vmid`` and ``notes``.
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
        return self._files.get(f"{node}:{path}")

    def write(self, node: str, path: str, file: File) -> None:
        """Make a file, or replace it."""
        key = f"{node}:{path}"
        self._files[key] = dict(file)
        self._store.save("file", key, self._files[key])

    def delete(self, node: str, path: str) -> bool:
        """Remove a file; whether it was there."""
        key = f"{node}:{path}"
        self._store.delete("file", key)
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

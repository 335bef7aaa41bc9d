"""What storages hold, by volume id: who may see it, its attributes, and its deletion."""

from typing import Any

from lab.proxmox.errors import BadParameter, TaskFailed, failure
from lab.proxmox.state.access import Access, denied
from lab.proxmox.state.files import File, Files, owner_and_time, parse_volume, path_of
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Task
from lab.proxmox.state.storages import KINDS, Storage
from lab.proxmox.state.tasks import Tasks

UNLIMITED, FEW = -1, 5


class Volumes:
    """Templates and backups of all storages."""

    def __init__(self, inventory: Inventory, access: Access, tasks: Tasks, files: Files) -> None:
        self._inventory, self._access, self._tasks, self._files = inventory, access, tasks, files
        tasks.define("imgdel", self._delete_begin, self._delete_end)

    def check_access(self, volid: str, type: str = "", vmid: int | None = None) -> None:
        """Refuse a volume that the token may not read, or that is of another type; ``vmid``: the guest that
        it is wanted for, whose own volumes need no right (pve-storage 9.1.7, Storage.pm:619)."""
        storage, found, name = self.parse(volid)
        if type and type != found:
            raise failure(f"unable to use volume {volid} - content type needs to be '{type}'")
        if self._access.allows(f"/storage/{storage.name}", "Datastore.Allocate"):
            return
        if found == "vztmpl":
            rights = ("Datastore.AllocateSpace", "Datastore.Audit")
            self._access.check(f"/storage/{storage.name}", *rights, any=True)
            return
        owner = owner_and_time(name)[0]
        if not owner:
            raise denied(f"missing privileges to access {volid}")
        if owner != vmid:
            self._access.check(f"/storage/{storage.name}", "Datastore.AllocateSpace")
            self._access.check(f"/vms/{owner}", "VM.Backup")

    def parse(self, volid: str) -> tuple[Storage, str, str]:
        """Storage, content type and name of a volume id."""
        parts = parse_volume(volid)
        if parts is None:
            storage, _, name = volid.partition(":")
            raise failure(self._inventory.storage(storage).unparsable(name))
        return parts

    def content(self, node: str, storage: Storage, values: dict[str, Any]) -> list[dict[str, Any]]:
        """GET content. What the token may not read is not there (pve-storage 9.1.7,
        API2/Storage/Content.pm:162)."""
        content, vmid = values.get("content", ""), values.get("vmid")
        if not self._inventory.online(storage):
            raise failure(storage.not_online())
        found = self._files.content(node, storage, content, vmid)
        backups = [entry for entry in found if entry["content"] == "backup"]
        hidden = [entry for entry in backups if not self._readable(storage, entry["vmid"])]
        return [entry for entry in found if entry not in hidden]

    def get(self, node: str, storage: str, volume: str) -> dict[str, Any]:
        """GET of one volume: its notes in full."""
        volid = _real_volume_id(storage, volume)
        self.check_access(volid)
        kind, _, name = self.parse(volid)
        file = self._present(node, volid, kind)
        entry = {"path": path_of(volid), "size": file["size"], "used": file["size"]}
        entry["format"] = "pbs-ct" if kind.kind == "pbs" else name.partition(".")[2]
        return {**entry, "notes": file.get("notes", ""), "protected": int(bool(file.get("protected")))}

    def update(self, node: str, storage: str, volume: str, changes: dict[str, Any]) -> None:
        """PUT of one volume: ``notes`` and ``protected``, at once."""
        volid = _real_volume_id(storage, volume)
        self.check_access(volid)
        kind, type, name = self.parse(volid)
        if type != "backup":
            raise failure("only backups can have notes")
        file = self._present(node, volid, kind)
        if changes.get("protected") and not file.get("protected"):
            self.refuse_protection(node, kind, owner_and_time(name)[0])
        self._files.write(node, path_of(volid), file | changes)

    def refuse_protection(self, node: str, storage: Storage, vmid: int) -> None:
        """No more than so many protected backups of a guest: what the storage says, else 5 for those without
        Datastore.Allocate (pve-storage 9.1.7, Storage.pm:312, 371)."""
        free = self._access.allows(f"/storage/{storage.name}", "Datastore.Allocate")
        most = int(self._inventory.option(storage, "max-protected-backups") or (UNLIMITED if free else FEW))
        there = self._files.content(node, storage, "backup", vmid)
        if UNLIMITED < most <= sum(1 for entry in there if entry.get("protected")):
            per = f"The number of protected backups per guest is limited to {most}"
            raise failure(f"{per} on storage '{storage.name}'")

    def delete(self, node: str, user: str, now: float, storage: str, volume: str) -> str:
        """DELETE: fork ``imgdel``. Returns the UPID (pve-storage 9.1.7, API2/Storage/Content.pm:463)."""
        volid = _real_volume_id(storage, volume)
        kind, type, name = self.parse(volid)
        owner = owner_and_time(name)[0] if type == "backup" else 0
        if owner:
            self._access.check(f"/storage/{kind.name}", "Datastore.AllocateSpace")
            self._access.check(f"/vms/{owner}", "VM.Backup")
        else:
            self._access.check(f"/storage/{kind.name}", "Datastore.Allocate")
        id = f"{owner}@{kind.name}" if owner else kind.name
        return self._tasks.fork(node, "imgdel", id, user, "task", now, volid=volid)

    def _delete_begin(self, task: Task, now: float, volid: str) -> None:
        storage, type, name = self.parse(volid)
        if not self._inventory.online(storage):
            raise TaskFailed(storage.not_online())
        file = self._files.volume(task.node, volid) or {}
        if file.get("protected"):
            where = f"volume '{type}/{name}' on '{storage.name}'"
            raise TaskFailed(f"cannot remove protected {where}" if storage.kind != "pbs" else _FORGET)
        if self._inventory.option(storage, "writable") == "0":
            raise TaskFailed(f"unlink '{path_of(volid)}' failed - Read-only file system")

    def _delete_end(self, task: Task, now: float, volid: str) -> None:
        """A file that is gone already is no error, a snapshot of a backup server is."""
        storage = self.parse(volid)[0]
        if self._files.delete(task.node, path_of(volid)):
            task.log.append(f"Removed volume '{volid}'")
        elif storage.kind == "pbs":
            raise TaskFailed("proxmox-backup-client failed: Error: no such snapshot")
        else:
            task.log.append(f"disk image '{path_of(volid)}' does not exist")

    def _present(self, node: str, volid: str, storage: Storage) -> File:
        if not self._inventory.online(storage):
            raise failure(storage.not_online())
        file = self._files.volume(node, volid)
        if file is None:
            word = KINDS[storage.kind].word
            raise failure(f"{word}: volume '{volid}' does not exist")
        return file

    def _readable(self, storage: Storage, owner: int) -> bool:
        where = f"/storage/{storage.name}"
        return self._access.allows(where, "Datastore.Allocate") or (
            self._access.allows(where, "Datastore.AllocateSpace")
            and self._access.allows(f"/vms/{owner}", "VM.Backup")
        )


_FORGET = "proxmox-backup-client failed: Error: cannot remove protected snapshot"


def _real_volume_id(storage: str, volume: str) -> str:
    """A volume may be named without its storage, which stands in the path."""
    if ":" not in volume.partition("/")[0]:
        return f"{storage}:{volume}"
    if volume.partition(":")[0] != storage:
        raise BadParameter({"volume": f"storage ID mismatch ({volume.partition(':')[0]} != {storage})"})
    return volume

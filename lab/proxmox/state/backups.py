"""``vzdump``: backups of containers into `local`."""

import time
from typing import Any

from lab.guest import Guests
from lab.proxmox.errors import BadParameter, TaskFailed
from lab.proxmox.formats import split_list
from lab.proxmox.state.access import Access
from lab.proxmox.state.files import FOLDERS, STORAGE, File, Files
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container, Task
from lab.proxmox.state.snapshots import Snapshots
from lab.proxmox.state.tasks import Tasks

GOLDEN_SIZE, PLAIN_SIZE = 197_000_000, 141_000_000
SNAPSHOT = "vzdump"


class Backups:
    """Backups of one container each; those of whole nodes are not played."""

    def __init__(
        self,
        inventory: Inventory,
        access: Access,
        tasks: Tasks,
        files: Files,
        snapshots: Snapshots,
        guests: Guests,
    ) -> None:
        self._inventory, self._access, self._tasks = inventory, access, tasks
        self._files, self._snapshots, self._guests = files, snapshots, guests
        tasks.define("vzdump", self._begin, self._end)

    def dump(self, node: str, user: str, now: float, values: dict[str, Any]) -> str:
        """POST vzdump. Returns the UPID, or `OK` where the guest is on another node: then nothing is done.

        ``mode=stop`` for one that is stopped; ``mode=snapshot`` also for one that runs: it makes and removes
        a snapshot called ``vzdump``, on storage that can.
        """
        mode = values.get("mode", "snapshot")
        if values.get("compress") != "zstd" or mode not in ("stop", "snapshot"):
            raise BadParameter({"mode": "the lab plays modes stop and snapshot with compress zstd"})
        (vmid, *others) = split_list(values.get("vmid", "")) or [""]
        if others or not vmid:
            raise BadParameter({"vmid": "the lab backs up one guest at a time"})
        container = self._inventory.containers.get(int(vmid))
        if container and container.node != node:
            return "OK"
        if container and container.running and mode == "stop":
            raise BadParameter({"mode": "the lab does not stop what runs for a backup"})
        storage = values.get("storage", STORAGE)
        self._access.check(f"/storage/{storage}", "Datastore.AllocateSpace")
        notes = values.get("notes-template", "").replace(
            "{{guestname}}", container.config.get("hostname", "") if container else ""
        )
        arguments = {"notes": notes, "storage": storage, "mode": mode}
        return self._tasks.fork(node, "vzdump", int(vmid), user, "backup", now, **arguments)

    def _begin(self, task: Task, now: float, notes: str, storage: str, mode: str) -> None:
        if storage != STORAGE:
            why = f"can't use storage '{storage}' for backups - wrong content type"
            raise TaskFailed(f"could not get storage information for '{storage}': {why}")
        if not self._access.allows(f"/vms/{task.id}", "VM.Backup"):
            raise TaskFailed(f"Permission check failed (/vms/{task.id}, VM.Backup)")
        task.log.append(f"INFO: Starting Backup of VM {task.id} (lxc)")
        container = self._inventory.containers.get(int(task.id))
        if container is None:
            raise self._failed(task, f"unable to find VM '{task.id}'")
        if container.lock:
            raise self._failed(task, f"CT is locked ({container.lock})")
        if mode == "snapshot" and container.running:
            self._take_snapshot(task, container, now)
        container.config["lock"] = "backup"
        self._inventory.save(container)

    def _take_snapshot(self, task: Task, container: Container, now: float) -> None:
        if SNAPSHOT in container.snapshots:
            task.log.append("INFO: found old vzdump snapshot (force removal)")
            self._snapshots.remove(container, SNAPSHOT)
        try:
            self._snapshots.take(container, SNAPSHOT, "vzdump backup snapshot", now)
        except TaskFailed as error:
            raise self._failed(task, str(error)) from error
        self._snapshots.commit(container, SNAPSHOT, now)

    def _end(self, task: Task, now: float, notes: str, storage: str, mode: str) -> None:
        container = self._inventory.containers[int(task.id)]
        container.config.pop("lock", None)
        if mode == "snapshot" and SNAPSHOT in container.snapshots:
            self._snapshots.remove(container, SNAPSHOT)
        self._inventory.save(container)
        stamp = time.strftime("%Y_%m_%d-%H_%M_%S", time.localtime(task.starttime))
        path = f"{FOLDERS['backup']}/vzdump-lxc-{task.id}-{stamp}.tar.zst"
        task.log.append(f"INFO: creating vzdump archive '{path}'")
        archive = self._archive(container, now)
        self._files.write(task.node, path, archive | {"vmid": container.vmid, "notes": notes})

    def _archive(self, container: Container, now: float) -> File:
        golden, files = self._guests.archive(container.vmid, now)
        size = GOLDEN_SIZE if golden else PLAIN_SIZE
        return {"size": size, "ctime": int(now), "golden": golden, "files": files}

    def _failed(self, task: Task, text: str) -> TaskFailed:
        """The words stand in the log; the exit status of a backup says no more than this."""
        task.log.append(f"ERROR: Backup of VM {task.id} failed - {text}")
        return TaskFailed("job errors")

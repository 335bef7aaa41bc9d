"""``vzdump``: backups of containers (pve-manager 9.2.11, PVE/API2/VZDump.pm and PVE/VZDump.pm; pve-container
6.1.10, src/PVE/VZDump/LXC.pm)."""

import re
import time
from typing import Any

from lab.guest import Guests
from lab.proxmox.errors import ApiError, BadParameter, TaskFailed
from lab.proxmox.formats import split_list
from lab.proxmox.state import retention
from lab.proxmox.state.access import Access
from lab.proxmox.state.files import FOLDERS, STORAGE, File, Files, owner_and_time
from lab.proxmox.state.ha import HighAvailability
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container, Task
from lab.proxmox.state.power import Power
from lab.proxmox.state.snapshots import Snapshots
from lab.proxmox.state.storages import Storage
from lab.proxmox.state.tasks import Tasks
from lab.proxmox.state.volumes import Volumes

GOLDEN_SIZE, PLAIN_SIZE, SITE_SIZE = 197_000_000, 141_000_000, 63_000_000
SNAPSHOT = "vzdump"
EXTENSIONS = {"0": "", "1": ".lzo", "lzo": ".lzo", "gzip": ".gz", "zstd": ".zst"}
NOT_PACKED = ("lock", "parent")
NOTE_VARIABLES = ("cluster", "guestname", "node", "vmid")


class Backups:
    """Backups of one container each; those of whole nodes are not played."""

    def __init__(
        self,
        inventory: Inventory,
        access: Access,
        tasks: Tasks,
        files: Files,
        volumes: Volumes,
        snapshots: Snapshots,
        power: Power,
        ha: HighAvailability,
        guests: Guests,
    ) -> None:
        self._inventory, self._access, self._tasks, self._volumes = inventory, access, tasks, volumes
        self._files, self._snapshots, self._guests = files, snapshots, guests
        self._power, self._ha = power, ha
        tasks.define(
            "vzdump", self._begin, self._end, alone=True, accident=self._broken, interrupted=self._interrupted
        )

    def defaults(self, node: str, storage: str) -> dict[str, Any]:
        """GET vzdump/defaults: what counts where a call says nothing; the storage's own retention first."""
        rights = ("Datastore.Audit", "Datastore.AllocateSpace")
        self._access.check(f"/storage/{storage}", *rights, any=True)
        keep = self._inventory.option(self._inventory.storage(storage), "prune-backups") or "keep-all=1"
        plain = {"mode": "snapshot", "compress": "0", "remove": 1, "lockwait": 180, "stopwait": 10}
        return {**plain, "storage": storage, "prune-backups": keep}

    def dump(self, node: str, user: str, now: float, values: dict[str, Any]) -> str:
        """POST vzdump. Returns the UPID, or `OK` where the guest is on another node: then nothing is done."""
        storage = values.get("storage", STORAGE)
        if "prune-backups" in values:
            self._access.check(f"/storage/{storage}", "Datastore.Allocate")
        _check_notes(values.get("notes-template", ""))
        (vmid, *others) = split_list(values.get("vmid", "")) or [""]
        if others or not vmid:
            raise BadParameter({"vmid": "the lab backs up one guest at a time"})
        container = self._inventory.containers.get(int(vmid))
        if container and container.node != node:
            return "OK"
        self._access.check(f"/storage/{storage}", "Datastore.AllocateSpace")
        given = ("mode", "compress", "notes-template", "protected", "remove", "prune-backups")
        options = {name: values[name] for name in given if name in values} | {"storage": storage}
        kind = self._duration(int(vmid), container, options)
        return self._tasks.fork(node, "vzdump", int(vmid), user, kind, now, options=options)

    def spoil(self, node: str, volid: str) -> None:
        """Make a backup unreadable; a backup server notices it when it verifies."""
        file = self._files.volume(node, volid)
        if file is None:
            raise KeyError(volid)
        upid = f"UPID:pbs:000003E8:00000001:00000001:{int(time.time()):08X}:verify_snapshot:{volid}:root@pam:"
        file |= {"torn": "spoiled", "verification": {"state": "failed", "upid": upid}}
        storage, _, name = self._volumes.parse(volid)
        self._files.write(node, _path(storage, name), file)

    # Inside the task.

    def _begin(self, task: Task, now: float, options: dict[str, Any]) -> None:
        storage = self._usable(options["storage"])
        if not self._access.allows(f"/vms/{task.id}", "VM.Backup") and int(task.id) in self._known():
            raise TaskFailed(f"Permission check failed (/vms/{task.id}, VM.Backup)")
        container = self._inventory.containers.get(int(task.id))
        self._say(task, f"Starting Backup of VM {task.id} (lxc)")
        if container is None:
            raise self._failed(task, f"unable to find VM '{task.id}'")
        self._refuse(task, container, storage, options)
        self._say(task, f"status = {'running' if container.running else 'stopped'}")
        mode = self._mode(task, container, options.get("mode", "snapshot"))
        options |= {"used": mode, "restart": container.running and mode == "stop"}
        self._say(task, f"backup mode: {mode}")
        if options["restart"]:
            self._power.halt(container, now)
        if mode == "snapshot":
            self._take_snapshot(task, container, now)
        else:
            self._guests.snapshot(container.vmid, SNAPSHOT, now)
        options["name"] = self._free_name(task, storage, options.get("compress", "0"), now)
        container.config["lock"] = "backup"
        self._inventory.save(container)
        kind = "Proxmox Backup Server" if storage.kind == "pbs" else "vzdump"
        target = options["name"] if storage.kind == "pbs" else _path(storage, options["name"])
        self._say(task, f"creating {kind} archive '{target}'")

    def _usable(self, name: str) -> Storage:
        try:
            storage = self._inventory.storage(name)
        except ApiError as error:
            raise TaskFailed(f"could not activate storage '{name}': {error}") from error
        if not self._inventory.online(storage):
            raise TaskFailed(f"could not activate storage '{name}': {storage.not_online()}")
        if "backup" not in storage.content:
            why = f"can't use storage '{name}' for backups - wrong content type"
            raise TaskFailed(f"could not get storage information for '{name}': {why}")
        return storage

    def _known(self) -> set[int]:
        return {*self._inventory.containers, *self._inventory.strangers}

    def _refuse(self, task: Task, container: Container, storage: Storage, options: dict[str, Any]) -> None:
        """In the order of PVE/VZDump.pm, exec_backup_task."""
        if options.get("mode") == "stop" and self._ha.requested(container.vmid) == "started":
            why = "Cannot execute a backup with stop mode on a HA managed and enabled Service."
            raise self._failed(task, f"{why} Use snapshot mode or disable the Service.")
        keep = self._retention(storage, options)
        there = self._files.content(task.node, storage, "backup", container.vmid)
        if options.get("protected"):
            try:
                self._volumes.refuse_protection(task.node, storage, container.vmid)
            except ApiError as error:
                raise self._failed(task, str(error)) from error
        elif keep and options.get("remove", 1) == 0:
            limit, plain = sum(keep.values()), [entry for entry in there if not entry.get("protected")]
            if len(plain) >= limit:
                why = f"There is a max backup limit of {limit} enforced by the target storage or the vzdump"
                text = f"{why} parameters. Either increase the limit or delete old backups."
                raise self._failed(task, text)
        if container.lock:
            raise self._failed(task, f"CT is locked ({container.lock})")

    def _mode(self, task: Task, container: Container, wanted: str) -> str:
        if not container.running:
            return "stop"
        if wanted == "snapshot" and not (container.storage and container.storage.snapshots):
            self._say(task, "mode failure - some volumes do not support snapshots")
            self._say(task, "trying 'suspend' mode instead")
            return "suspend"
        return wanted

    def _duration(self, vmid: int, container: Container | None, options: dict[str, Any]) -> str:
        wanted = options.get("mode", "snapshot")
        snaps = container is not None and container.storage is not None and container.storage.snapshots
        if container and container.running and (wanted == "suspend" or (wanted == "snapshot" and not snaps)):
            return "backup.copied"
        storage = self._inventory.storage(options["storage"])
        again = storage.kind == "pbs" and self._files.content("", storage, "backup", vmid)
        return "backup.again" if again else "backup"

    def _take_snapshot(self, task: Task, container: Container, now: float) -> None:
        if SNAPSHOT in container.snapshots:
            self._say(task, "found old vzdump snapshot (force removal)")
            self._snapshots.remove(container, SNAPSHOT)
        self._say(task, "create storage snapshot 'vzdump'")
        try:
            self._snapshots.take(container, SNAPSHOT, "vzdump backup snapshot", now)
        except TaskFailed as error:
            raise self._failed(task, str(error)) from error
        self._snapshots.commit(container, SNAPSHOT, now)

    def _free_name(self, task: Task, storage: Storage, compress: str, now: float) -> str:
        """The name of a new backup has the second in which it began. At speed 0 there can be several in one:
        the next free second is taken."""
        taken = {e["volid"] for e in self._files.content(task.node, storage, "backup", int(task.id))}
        moment = int(now)
        while True:
            if storage.kind == "pbs":
                stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
                name = f"ct/{task.id}/{stamp}"
            else:
                stamp = time.strftime("%Y_%m_%d-%H_%M_%S", time.localtime(moment))
                name = f"vzdump-lxc-{task.id}-{stamp}.tar{EXTENSIONS[compress]}"
            if f"{storage.name}:backup/{name}" not in taken:
                return name
            moment += 1

    def _end(self, task: Task, now: float, options: dict[str, Any]) -> None:
        container = self._inventory.containers[int(task.id)]
        storage = self._inventory.storage(options["storage"])
        archive = self._archive(container, now, options["name"])
        self._write(task, container, storage, archive, options)
        self._note(task, container, archive, options)
        self._files.write(task.node, _path(storage, options["name"]), archive)
        self._prune(task, storage, options)
        self._tidy(task, container, now)
        self._say(task, f"Finished Backup of VM {task.id}")
        self._say(task, "Backup job finished successfully")

    def _archive(self, container: Container, now: float, name: str) -> File:
        """Root file system of the beginning, configuration of the end, firewall."""
        guest = self._guests.kept(container.vmid, SNAPSHOT)
        size = (GOLDEN_SIZE if guest["golden"] else PLAIN_SIZE) + SITE_SIZE * guest["site"]
        config = {key: value for key, value in container.config.items() if key not in NOT_PACKED}
        firewall = {"options": container.firewall_options, "rules": container.firewall_rules}
        archive = {"size": size, "ctime": owner_and_time(name)[1], "vmid": container.vmid, "guest": guest}
        return archive | {
            "golden": guest["golden"],
            "files": guest["files"],
            "config": config,
            "firewall": firewall,
        }

    def _write(
        self, task: Task, container: Container, storage: Storage, archive: File, options: dict[str, Any]
    ) -> None:
        free = self._inventory.free(storage) - self._files.used(storage, task.node)
        why = ""
        if not self._inventory.online(storage):
            why = "Stale file handle"
        elif self._inventory.option(storage, "writable") == "0":
            why = "Read-only file system"
        elif free < archive["size"]:
            why = "No space left on device"
        if why:
            self._say(task, f"zstd: error 70 : Write error : cannot write block : {why}")
            self._clean_up(task)
            raise self._failed(task, _command(storage, options["name"]))

    def _note(self, task: Task, container: Container, archive: File, options: dict[str, Any]) -> None:
        template = options.get("notes-template", "")
        if template:
            self._say(task, "adding notes to backup")
            archive["notes"] = _notes(template, container, self._title(container))
        if options.get("protected"):
            self._say(task, "marking backup as protected")
            archive["protected"] = 1

    def _prune(self, task: Task, storage: Storage, options: dict[str, Any]) -> None:
        keep = self._retention(storage, options)
        if not keep or options.get("remove", 1) == 0:
            return
        there = self._files.content(task.node, storage, "backup", int(task.id))
        plain = [entry for entry in there if not entry.get("protected")]
        kept = retention.kept([entry["ctime"] for entry in plain], keep)
        for entry in plain:
            if entry["ctime"] not in kept:
                self._say(task, f"removing backup '{entry['volid']}'")
                self._files.delete(task.node, _path(storage, entry["volid"].partition("/")[2]))

    def _retention(self, storage: Storage, options: dict[str, Any]) -> dict[str, int]:
        """What is kept, of the call or of the storage; empty: all."""
        return retention.options(
            options.get("prune-backups") or self._inventory.option(storage, "prune-backups")
        )

    def _tidy(self, task: Task, container: Container, now: float) -> None:
        """Lock, snapshot and copy go, whether it went well or not; what was stopped is started again."""
        container.config.pop("lock", None)
        if SNAPSHOT in container.snapshots:
            self._say(task, "cleanup temporary 'vzdump' snapshot")
            self._snapshots.remove(container, SNAPSHOT)
        else:
            self._guests.delete_snapshot(container.vmid, SNAPSHOT)
        self._inventory.save(container)
        if task.args["options"].get("restart"):
            self._power.fork_start(container, task.user, now)

    def _clean_up(self, task: Task) -> None:
        container = self._inventory.containers.get(int(task.id))
        if container is not None:
            self._tidy(task, container, time.time())

    def _broken(self, task: Task) -> str:
        """What fails in the middle tidies up, and says no more than this; its words are in the log."""
        self._clean_up(task)
        storage = self._inventory.storage(task.args["options"]["storage"])
        return str(self._failed(task, _command(storage, task.args["options"].get("name", ""))))

    def _interrupted(self, task: Task) -> str:
        self._clean_up(task)
        self._failed(task, "interrupted by signal")
        return "interrupted by signal"

    def _failed(self, task: Task, text: str) -> TaskFailed:
        """The words stand in the log; the exit status of a backup says no more than this."""
        task.log.append(f"ERROR: Backup of VM {task.id} failed - {text}")
        self._say(task, "Backup job finished with errors")
        return TaskFailed("job errors")

    def _say(self, task: Task, text: str) -> None:
        task.log.append(f"INFO: {text}")

    def _title(self, container: Container) -> str:
        return str(container.config.get("hostname", f"CT{container.vmid}"))


def _path(storage: Storage, name: str) -> str:
    return (
        f"{storage.folder}/{name}"
        if storage.kind == "pbs"
        else f"{storage.folder}/{FOLDERS['backup']}/{name}"
    )


def _command(storage: Storage, name: str) -> str:
    if storage.kind == "pbs":
        return "command '/usr/bin/proxmox-backup-client backup' failed: exit code 255"
    target = re.sub(r"\.[^.]+$", ".dat", _path(storage, name))
    return f"command 'set -o pipefail && tar cpf - | zstd --threads=1 >{target}' failed: exit code 70"


def _check_notes(template: str) -> None:
    """PVE/VZDump.pm:97, verify_notes_template."""
    unknown = [
        f"escape sequence '\\{found[1]}' at char {found.start()}"
        for found in re.finditer(r"\\(.)", template)
        if found[1] not in "n\\"
    ] + [
        f"variable '{found[1]}' at char {found.start(1)}"
        for found in re.finditer(r"\{\{([^\s{}]+)\}\}", template)
        if found[1] not in NOTE_VARIABLES
    ]
    if "\n" in template:
        raise BadParameter({"notes-template": "contains a line feed\n"})
    if unknown:
        raise BadParameter({"notes-template": f"found unknown: {', '.join(unknown)}\n"})


def _notes(template: str, container: Container, title: str) -> str:
    known = {"cluster": "lab", "guestname": title, "node": container.node, "vmid": str(container.vmid)}
    plain = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], template)
    return re.sub(r"\{\{(\w+)\}\}", lambda found: known.get(found[1], found[0]), plain)

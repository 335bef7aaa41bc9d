"""``restore=1``: a container from a backup (pve-container 6.1.10, src/PVE/API2/LXC.pm:230-660,
src/PVE/LXC/Create.pm)."""

import copy
import random
import re
from typing import Any

from lab.guest import Guests
from lab.proxmox.errors import ApiError, ConfigLocked, TaskFailed, failure
from lab.proxmox.schema import parse_property_string
from lab.proxmox.state.access import Access, denied
from lab.proxmox.state.configrights import ConfigRights
from lab.proxmox.state.containers import (
    CREATE,
    NOT_CONFIG,
    Containers,
    given_config,
    new_rootfs,
    refuse_unplayed,
)
from lab.proxmox.state.files import File, Files
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container, Task
from lab.proxmox.state.power import Power
from lab.proxmox.state.storages import GIB, STORAGES
from lab.proxmox.state.tasks import Tasks
from lab.proxmox.state.volumes import Volumes

UNPACKED = int(1.2 * GIB)
"""What a site's files take; a smaller root file system cannot hold them."""

NOT_MERGED = ("rootfs", "unprivileged", "template")


class Restores:
    """Containers from backups, new ones and in place of themselves."""

    def __init__(
        self,
        inventory: Inventory,
        access: Access,
        tasks: Tasks,
        files: Files,
        volumes: Volumes,
        containers: Containers,
        power: Power,
        guests: Guests,
    ) -> None:
        self._inventory, self._access, self._tasks, self._files = inventory, access, tasks, files
        self._volumes, self._containers, self._power, self._guests = volumes, containers, power, guests
        self._config_rights = ConfigRights(access, inventory)
        tasks.define("vzrestore", self._begin, self._end, holds=True, accident=self._broken)

    def restore(self, node: str, user: str, now: float, values: dict[str, Any]) -> str:
        """Lock the VMID (``create``) at once and fork ``vzrestore``; returns its UPID.

        ``force``: in place of the stopped container with that VMID on this node. Its volumes and snapshots
        are destroyed **before** anything is unpacked, and its configuration goes with any failure after the
        archive's configuration was read: a restore that fails then leaves nothing.
        """
        vmid, force = values["vmid"], bool(values.get("force"))
        refuse_unplayed(values)
        old = self._old(node, vmid) if force else None
        self._check_rights(vmid, values, old)
        self._volumes.check_access(values["ostemplate"], "backup", vmid)
        if "rootfs" in values:
            self._containers.check_storage(parse_property_string(CREATE, "rootfs", values["rootfs"]))
        else:
            self._containers.check_storage({"volume": f"{values.get('storage', 'local')}:1"})
        self._lock(node, vmid, old, now)
        return self._tasks.fork(
            node, "vzrestore", vmid, user, "restore", now, values=values, replaces=bool(old)
        )

    def _old(self, node: str, vmid: int) -> Container | None:
        container = self._inventory.containers.get(vmid)
        return container if container and container.node == node else None

    def _check_rights(self, vmid: int, values: dict[str, Any], old: Container | None) -> None:
        access, pool = self._access, values.get("pool", "")
        if values.get("ha-managed"):
            access.check("/", "Sys.Console")
        if old is None:
            if taken := self._inventory.taken(vmid):
                raise failure(taken)
        elif old.running:
            raise failure("can't overwrite running container")
        elif old.config.get("protection") == 1:
            raise failure(f"unable to restore CT {vmid} - protection mode enabled")
        if pool and pool not in self._inventory.pools:
            raise denied(f"pool '{pool}' does not exist")
        allowed = access.allows(f"/vms/{vmid}", "VM.Allocate") or (
            pool and access.allows(f"/pool/{pool}", "VM.Allocate")
        )
        if not allowed and not (old and access.allows(f"/vms/{vmid}", "VM.Backup")):
            raise ApiError(403, "Permission check failed")
        given = {name: value for name, value in values.items() if name not in NOT_CONFIG}
        given.pop("unprivileged", None)
        self._config_rights.check(vmid, pool, given, {})

    def _lock(self, node: str, vmid: int, old: Container | None, now: float) -> None:
        if old is None:
            self._inventory.add(Container(vmid, node, now, {"lock": "create"}, changed_at=now))
            return
        if old.held:
            raise ConfigLocked(f"/run/lock/lxc/pve-config-{vmid}.lock")
        if old.lock:
            raise failure(f"unable to restore CT {vmid} - CT is locked ({old.lock})")
        old.config["lock"] = "create"
        self._inventory.save(old)

    # Inside the task.

    def _begin(self, task: Task, now: float, values: dict[str, Any], replaces: bool) -> None:
        container = self._inventory.containers[int(task.id)]
        archive = values["ostemplate"]
        task.log.append(f"recovering backed-up configuration from '{archive}'")
        try:
            file = self._readable(task.node, archive, container)
            if not (self._unprivileged(values, file) or self._access.allows("/", "Sys.Modify")):
                raise TaskFailed("Permission check failed (/, Sys.Modify)")
        except TaskFailed as error:
            self._give_back(container, replaces)
            raise self._failed(task, error) from error
        rootfs = self._rootfs(values, file)
        try:
            self._make_room(int(task.id), rootfs)
        except TaskFailed as error:
            self._lose(container, replaces)
            raise self._failed(task, error) from error
        task.args["values"] = values | {"new-rootfs": rootfs}
        if replaces:
            self._guests.destroy(container.vmid)
            container.snapshots, container.config, container.pending = {}, {"lock": "create"}, {}
            self._inventory.save(container)
        task.log.append(f"restoring '{archive}' now..")

    def _readable(self, node: str, volid: str, container: Container) -> File:
        storage = self._volumes.parse(volid)[0]
        if not self._inventory.online(storage):
            raise TaskFailed(storage.not_online())
        file = self._files.volume(node, volid)
        if storage.kind == "pbs" and (file is None or "torn" in file):
            raise TaskFailed("command '/usr/bin/proxmox-backup-client restore' failed: exit code 255")
        if file is None:
            raise TaskFailed(f"ERROR: file '{_name(volid)}' does not exist")
        if "config" not in file:
            raise TaskFailed("ERROR: archive contains no configuration file")
        return file

    def _unprivileged(self, values: dict[str, Any], file: File) -> bool:
        return bool(values.get("unprivileged", file["config"].get("unprivileged", 0)))

    def _rootfs(self, values: dict[str, Any], file: File) -> dict[str, str]:
        """Of the call; else as large as it was, on ``storage``."""
        if "rootfs" in values:
            return parse_property_string(CREATE, "rootfs", values["rootfs"])
        old = Container(0, "", 0, {"rootfs": file["config"]["rootfs"]})
        return {"volume": f"{values.get('storage', 'local')}:{old.disk / GIB:g}"}

    def _make_room(self, vmid: int, rootfs: dict[str, str]) -> None:
        """The new volume is made while the old one is still there."""
        name, _, size = rootfs["volume"].partition(":")
        storage, wanted = STORAGES[name], int(float(size) * GIB)
        if wanted > self._inventory.free(storage):
            raise TaskFailed(storage.full(vmid, wanted, self._inventory.free(storage)))

    def _give_back(self, container: Container, replaces: bool) -> None:
        """Nothing was changed yet."""
        if replaces:
            container.config.pop("lock", None)
            self._inventory.save(container)
        else:
            self._inventory.forget(container.vmid)

    def _lose(self, container: Container, replaces: bool) -> None:
        """The configuration goes; volumes of the old container stay, and nobody knows of them."""
        if replaces and container.storage:
            storage = container.storage
            self._inventory.fill(storage, self._inventory.free(storage) - container.disk)
        self._guests.destroy(container.vmid)
        self._inventory.forget(container.vmid)

    def _broken(self, task: Task) -> str:
        container = self._inventory.containers.get(int(task.id))
        if container is not None:
            self._lose(container, replaces=False)
        return str(self._failed(task, "command 'tar xpf - --zstd' failed: exit code 2"))

    def _end(self, task: Task, now: float, values: dict[str, Any], replaces: bool) -> None:
        vmid, rootfs = int(task.id), values["new-rootfs"]
        container = self._inventory.containers[vmid]
        file = self._files.volume(task.node, values["ostemplate"])
        if file is None or "torn" in file or float(rootfs["volume"].partition(":")[2]) * GIB < UNPACKED:
            raise TaskFailed(self._broken(task))
        given = given_config({name: value for name, value in values.items() if name != "new-rootfs"})
        container.config = self._merged(values, given, file["config"], vmid)
        container.config["rootfs"] = new_rootfs(vmid, rootfs)
        if self._unprivileged(values, file):
            container.config["unprivileged"] = 1
        firewall = copy.deepcopy(file["firewall"])
        may = self._access.allows(f"/vms/{vmid}", "VM.Allocate")
        if may and (firewall["options"] or firewall["rules"]):
            container.firewall_options, container.firewall_rules = firewall["options"], firewall["rules"]
        container.pool = values.get("pool", "") or container.pool
        self._inventory.save(container)
        self._guests.restore(vmid, file["guest"])
        if values.get("start") == 1:
            self._power.fork_start(container, task.user, now)

    def _merged(
        self, values: dict[str, Any], given: dict[str, Any], packed: dict[str, Any], vmid: int
    ) -> dict[str, Any]:
        """What was given, then what was packed; with ``unique`` every interface is the packed one with a new
        MAC, one that was given, too (Create.pm:549)."""
        config = {"hostname": f"CT{vmid}", "memory": 512, "swap": 512}
        config |= {name: value for name, value in packed.items() if name not in NOT_MERGED} | given
        if values.get("unique"):
            for name, value in packed.items():
                if re.fullmatch(r"net\d+", name):
                    mac = ":".join(["BC:24:11", *(f"{random.randrange(256):02X}" for _ in range(3))])
                    config[name] = re.sub(r"hwaddr=[^,]+", f"hwaddr={mac}", str(value))
        config.pop("unprivileged", None)
        return config

    def _failed(self, task: Task, why: object) -> TaskFailed:
        return TaskFailed(f"unable to restore CT {task.id} - {why}")


def _name(volid: str) -> str:
    storage, _, name = volid.partition(":backup/")
    return f"{STORAGES[storage].folder}/dump/{name}"

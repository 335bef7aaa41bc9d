"""Making, changing, growing and destroying containers."""

import random
import re
from typing import Any

from lab.guest import Guests
from lab.proxmox.errors import ApiError, BadParameter, TaskFailed, failure
from lab.proxmox.formats import split_list
from lab.proxmox.schema import parse_property_string
from lab.proxmox.state.access import Access, denied
from lab.proxmox.state.configrights import ConfigRights
from lab.proxmox.state.files import Files
from lab.proxmox.state.ha import HighAvailability
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container, Task, format_size, parse_size, stored_text
from lab.proxmox.state.power import Power
from lab.proxmox.state.storages import GIB, STORAGES
from lab.proxmox.state.tasks import Tasks, refuse_locked
from lab.proxmox.state.volumes import Volumes
from lab.world import World

CREATE = "POST /nodes/{node}/lxc"
NOT_CONFIG = (
    *("bwlimit", "force", "ha-managed", "ignore-unpack-errors", "node", "ostemplate", "password", "pool"),
    *("restore", "ssh-public-keys", "start", "storage", "unique", "vmid"),
)
DEFAULTS = {"arch": "amd64", "memory": 512, "swap": 512, "unprivileged": 1}
HOT = re.compile(
    r"memory|swap|cores|cpulimit|cpuunits|net\d+|tags|description|onboot|startup|protection|hostname|lock"
)
REQUIRED = {"memory", "rootfs", "ostype"}
DETECTED_AFTER = 0.5  # the share of a creation after which the system is known and the config written


class Containers:
    """Lifecycle of containers."""

    def __init__(
        self,
        inventory: Inventory,
        access: Access,
        tasks: Tasks,
        files: Files,
        volumes: Volumes,
        power: Power,
        ha: HighAvailability,
        guests: Guests,
        world: World,
    ) -> None:
        self._inventory, self._access, self._tasks, self._files = inventory, access, tasks, files
        self._volumes = volumes
        self._power, self._ha, self._guests, self._world = power, ha, guests, world
        self._config_rights = ConfigRights(access, inventory)
        tasks.define(
            "vzcreate", self._create_begin, self._create_end, holds=True, accident=self._create_broken
        )
        tasks.define("vzdestroy", self._destroy_begin, self._destroy_end, holds=True)
        tasks.define("resize", self._resize_begin, self._resize_end, holds=True)
        world.on("ct.detected", self._write_safe_config)

    def create(self, node: str, user: str, now: float, values: dict[str, Any]) -> str:
        """Reserve the VMID at once and fork ``vzcreate``; returns its UPID.

        In its first half the config holds nothing but ``lock: create``, in its second all that was asked for
        and **no lock**; then the container joins its pool. A failed creation leaves nothing.
        """
        vmid = values["vmid"]
        refuse_unplayed(values)
        rootfs = parse_property_string(
            CREATE, "rootfs", values.get("rootfs", f"{values.get('storage', 'local')}:4")
        )
        self._check_rights(vmid, values)
        self.check_storage(rootfs)
        self._inventory.add(Container(vmid, node, now, {"lock": "create"}, changed_at=now))
        source = self._files.volume(node, values["ostemplate"])
        kind = "create.golden" if source and source["golden"] else "create.plain"
        upid = self._tasks.fork(node, "vzcreate", vmid, user, kind, now, values=values, rootfs=rootfs)
        seconds = self._tasks.get(upid, node).seconds
        self._world.at(now + seconds * DETECTED_AFTER, "ct.detected", upid=upid, node=node)
        return upid

    def _check_rights(self, vmid: int, values: dict[str, Any]) -> None:
        """In the order of pve-container 6.1.10, src/PVE/API2/LXC.pm:230-300."""
        access, pool = self._access, values.get("pool", "")
        if values.get("unprivileged") == 0:
            access.check("/", "Sys.Modify")
        if values.get("ha-managed"):
            access.check("/", "Sys.Console")
        if taken := self._inventory.taken(vmid):
            raise failure(taken)
        if pool and pool not in self._inventory.pools:
            raise denied(f"pool '{pool}' does not exist")
        paths = [f"/vms/{vmid}", *([f"/pool/{pool}"] if pool else [])]
        if not any(access.allows(path, "VM.Allocate") for path in paths):
            raise ApiError(403, "Permission check failed")
        given = {name: value for name, value in values.items() if name not in NOT_CONFIG}
        given.pop("unprivileged", None)
        self._config_rights.check(vmid, pool, given, {})
        self._volumes.check_access(values["ostemplate"], "vztmpl", vmid)

    def check_storage(self, rootfs: dict[str, str]) -> None:
        """Refuse a new root file system where the token may make none, or the storage holds none."""
        name, _, size = rootfs["volume"].partition(":")
        storage = self._inventory.storage(name)
        if not re.fullmatch(r"\d+(?:\.\d+)?", size):
            raise failure(storage.unparsable(size))
        if "rootdir" not in storage.content:
            raise BadParameter({"storage": f"storage '{name}' does not support container directories"})
        self._access.check(f"/storage/{name}", "Datastore.AllocateSpace")

    def set_config(self, container: Container, values: dict[str, Any]) -> None:
        """PUT config: at once where Proxmox does so on a running container, else pending until its next
        start."""
        changes = {
            name: value for name, value in values.items() if name not in ("digest", "delete", "revert")
        }
        deletions = split_list(values.get("delete", ""))
        reverted = split_list(values.get("revert", ""))
        if not changes and "delete" not in values and "revert" not in values:
            raise failure("no options specified")
        refuse_unplayed(changes)
        refuse_locked(container)
        if "digest" in values and values["digest"] != container.digest():
            raise failure("detected modified configuration - file changed by other user? Try again.")
        self._config_rights.check(
            container.vmid, "", {**dict.fromkeys([*deletions, *reverted], ""), **changes}, container.config
        )
        for name in deletions:
            if name in REQUIRED:
                raise failure(f"unable to delete required option '{name}'")
        self._check_changes(container, changes)
        for name in reverted:
            container.pending.pop(name, None)
        for name in deletions:
            self._change(container, name, None)
        for name, value in changes.items():
            self._change(container, name, _stored(name, value))
        self._inventory.save(container)

    def resize(self, container: Container, user: str, now: float, disk: str, size: str) -> str:
        """PUT resize: grow the root file system; ``+10G`` or absolute ``40G``. Returns the UPID."""
        refuse_locked(container)
        if disk != "rootfs":
            raise failure(f"disk '{disk}' does not exist")
        if container.storage:
            self._access.check(f"/storage/{container.storage.name}", "Datastore.AllocateSpace")
        wanted = parse_size(size.removeprefix("+")) + (container.disk if size.startswith("+") else 0)
        if wanted < container.disk:
            raise failure("unable to shrink disk size")
        if wanted == container.disk:
            raise failure("disk is already at specified size")
        return self._tasks.fork(container.node, "resize", container.vmid, user, "task", now, size=wanted)

    def destroy(self, container: Container, user: str, now: float, *, force: bool, purge: bool) -> str:
        """DELETE: fork ``vzdestroy``; the VMID is free when it ends. Returns the UPID."""
        vmid = container.vmid
        if container.config.get("protection") == 1:
            raise failure(f"can't remove CT {vmid} - protection mode enabled")
        refuse_locked(container)
        managed = self._ha.manages(vmid)
        if managed and not purge:
            raise failure(f"unable to remove CT {vmid} - used in HA resources and purge parameter not set.")
        if container.running and not force:
            raise failure(f"unable to destroy CT {vmid} - container is running")
        if container.running and managed:
            # With HA a forced delete only asks for a stop, does not wait for it, and finds the volumes busy.
            self._ha.command_stop(vmid, 0, now)
        return self._tasks.fork(container.node, "vzdestroy", vmid, user, "destroy", now, purge=purge)

    # Inside the tasks.

    def _create_begin(self, task: Task, now: float, values: dict[str, Any], rootfs: dict[str, str]) -> None:
        try:
            self._check_source(task, values["ostemplate"], rootfs)
        except TaskFailed as error:
            self._forget(int(task.id))
            raise TaskFailed(f"unable to create CT {task.id} - {error}") from error
        task.log.append(f"extracting archive '{values['ostemplate']}'")

    def _check_source(self, task: Task, template: str, rootfs: dict[str, str]) -> None:
        name, _, size = rootfs["volume"].partition(":")
        storage, wanted = STORAGES[name], int(float(size) * GIB)
        if wanted > self._inventory.free(storage):
            raise TaskFailed(storage.full(int(task.id), wanted, self._inventory.free(storage)))
        source = self._files.volume(task.node, template)
        if source is None:
            raise TaskFailed(f"volume '{template}' does not exist")
        if "torn" in source:
            raise TaskFailed(f"extracting archive '{template}' failed: zstd: unexpected end of file")

    def _write_safe_config(self, now: float, upid: str, node: str) -> None:
        """In the middle: what is asked for, and no lock (src/PVE/API2/LXC.pm:595, "safe config")."""
        if not self._tasks.at_work(upid):
            return
        task = self._tasks.get(upid, node)
        container = self._inventory.containers[int(task.id)]
        container.config = first_config(container.vmid, **task.args)
        for name in ("hostname", "memory", "swap"):
            if name not in task.args["values"]:
                del container.config[name]  # the defaults are written at the end
        self._inventory.save(container)

    def _create_broken(self, task: Task) -> str:
        self._forget(int(task.id))
        return f"unable to create CT {task.id} - command 'tar xpf - --zstd' failed: exit code 2"

    def _create_end(self, task: Task, now: float, values: dict[str, Any], rootfs: dict[str, str]) -> None:
        vmid = int(task.id)
        container = self._inventory.containers[vmid]
        created = container.config if container.config.get("rootfs") else {}
        container.config = first_config(vmid, values, rootfs) | created
        container.pool = values.get("pool", "")
        self._inventory.save(container)
        source = self._files.volume(task.node, values["ostemplate"]) or {"golden": False, "files": {}}
        self._guests.create(vmid, source["golden"], source["files"])
        if "nesting=1" not in values.get("features", "") and self._inventory.release.rules:
            task.warnings += 1
            task.log.append("WARN: Systemd 255 detected. You may need to enable nesting.")
        if values.get("ha-managed") == 1:
            state = "started" if values.get("start") else "stopped"
            self._ha.add({"sid": f"ct:{vmid}", "state": state}, now)
        elif values.get("start") == 1:
            self._power.fork_start(container, task.user, now)

    def _destroy_begin(self, task: Task, now: float, purge: bool) -> None:
        container = self._tasks.container(task)
        if container.running and not self._ha.manages(container.vmid):
            self._power.halt(container, now)
        container.config["lock"] = "destroyed"
        self._inventory.save(container)

    def _destroy_end(self, task: Task, now: float, purge: bool) -> None:
        container = self._tasks.container(task)
        if container.running:
            raise TaskFailed(f"volume '{container.volume}' is in use")
        if purge:
            self._ha.purge(container.vmid)
        self._forget(container.vmid)

    def _resize_begin(self, task: Task, now: float, size: int) -> None:
        container = self._tasks.container(task)
        storage = container.storage
        if storage and size - container.disk > self._inventory.free(storage):
            refusal = storage.no_growth(container.volume, size)
            if refusal:
                raise TaskFailed(refusal)

    def _resize_end(self, task: Task, now: float, size: int) -> None:
        container = self._tasks.container(task)
        container.set_size(size)
        self._inventory.save(container)

    # Small parts.

    def _forget(self, vmid: int) -> None:
        self._guests.destroy(vmid)
        self._inventory.forget(vmid)

    def _check_changes(self, container: Container, changes: dict[str, Any]) -> None:
        if "unprivileged" in changes:
            raise failure("unable to modify read-only option: 'unprivileged'")
        if "rootfs" in changes and changes["rootfs"].partition(",")[0] != container.volume:
            raise failure("unable to change the volume of rootfs")
        memory = changes.get("memory")
        if container.running and memory is not None and memory * 1024**2 < container.memory_in_use:
            raise BadParameter({"memory": "unable to hotplug memory: Device or resource busy"})

    def _change(self, container: Container, name: str, value: Any) -> None:
        if container.running and not HOT.fullmatch(name):
            container.pending[name] = value
        elif value is None:
            container.config.pop(name, None)
        else:
            container.config[name] = value


def refuse_unplayed(values: dict[str, Any]) -> None:
    """There are no mount points, and no volumes that nobody uses."""
    for name in values:
        if re.fullmatch(r"(mp|unused)\d+", name):
            raise BadParameter({name: "the lab has no mount points and unused volumes"})


def first_config(vmid: int, values: dict[str, Any], rootfs: dict[str, str]) -> dict[str, Any]:
    """The configuration of a new container: defaults, what was given, and its volume."""
    config = {**DEFAULTS, "hostname": f"CT{vmid}", "ostype": "ubuntu"}
    return config | given_config(values) | {"rootfs": new_rootfs(vmid, rootfs)}


def given_config(values: dict[str, Any]) -> dict[str, Any]:
    """What a creation or a restore was told about the configuration, as it is kept."""
    given = {name: _stored(name, value) for name, value in values.items() if name not in NOT_CONFIG}
    return {name: value for name, value in given.items() if value is not None and name != "rootfs"}


def new_rootfs(vmid: int, rootfs: dict[str, str]) -> str:
    """The property string of a new volume."""
    name, _, size = rootfs["volume"].partition(":")
    options = [f"{key}={value}" for key, value in rootfs.items() if key not in ("volume", "size")]
    size_text = f"size={format_size(int(float(size) * GIB))}"
    volume = STORAGES[name].volume_name(vmid, f"{random.getrandbits(32):08x}")
    return ",".join([f"{name}:{volume}", *options, size_text])


def _stored(name: str, value: Any) -> Any:
    """A value as the config file keeps it, None for nothing: tags unique, lower case and sorted; interfaces
    with a MAC and a type."""
    if name == "description":
        return stored_text(str(value)) or None
    if name == "tags":
        return ";".join(sorted({tag.lower() for tag in split_list(value)}))
    if re.fullmatch(r"net\d+", name):
        parts = parse_property_string(CREATE, name, value)
        parts.setdefault(
            "hwaddr", ":".join(["BC:24:11", *(f"{random.randrange(256):02X}" for _ in range(3))])
        )
        parts.setdefault("type", "veth")
        return ",".join(
            f"{key}={part}" for key, part in sorted(parts.items(), key=lambda item: item[0] != "name")
        )
    return value

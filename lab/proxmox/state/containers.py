"""Making, changing, growing and destroying containers."""

import random
import re
from typing import TYPE_CHECKING, Any

from lab.proxmox.errors import ApiError, BadParameter, TaskFailed, failure
from lab.proxmox.formats import split_list
from lab.proxmox.schema import parse_property_string
from lab.proxmox.state.model import GIB, STORAGES, Container, Task, format_size, parse_size

if TYPE_CHECKING:
    from lab.proxmox.state.cluster import Cluster

CREATE = "POST /nodes/{node}/lxc"
NOT_CONFIG = (
    *("bwlimit", "force", "ha-managed", "ignore-unpack-errors", "node", "ostemplate", "password", "pool"),
    *("restore", "ssh-public-keys", "start", "storage", "unique", "vmid"),
)
DEFAULTS = {"arch": "amd64", "memory": 512, "swap": 512, "unprivileged": 1}
HOT = re.compile(
    r"memory|swap|cores|cpulimit|cpuunits|net\d+|tags|description|onboot|startup|protection|hostname"
)
REQUIRED = {"memory", "rootfs", "ostype", "arch"}
IN_USE = 512 * 1024**2


class Containers:
    """Lifecycle of containers; part of the Cluster."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster
        tasks = cluster.tasks
        tasks.define("vzcreate", self._create_begin, self._create_end, holds=True)
        tasks.define("vzdestroy", self._destroy_begin, self._destroy_end, holds=True)
        tasks.define("resize", self._resize_begin, self._resize_end, holds=True)

    def create(self, node: str, user: str, now: float, values: dict[str, Any]) -> str:
        """Reserve the VMID at once and fork ``vzcreate``; returns its UPID.

        Until the task ends the config holds nothing but ``lock: create``; a failed one leaves nothing.
        """
        cluster, vmid = self._cluster, values["vmid"]
        if vmid in cluster.containers:
            raise failure(f"CT {vmid} already exists on node '{cluster.containers[vmid].node}'")
        if "pool" in values and values["pool"] not in cluster.pools:
            raise failure(f"pool '{values['pool']}' does not exist")
        self._refuse_unplayed(values)
        check_token_rights(values)
        rootfs = parse_property_string(
            CREATE, "rootfs", values.get("rootfs", f"{values.get('storage', 'local')}:4")
        )
        storage = cluster.storage(rootfs["volume"].partition(":")[0])
        if "rootdir" not in storage.content:
            raise failure(f"storage '{storage.name}' does not support container directories")
        cluster.containers[vmid] = container = Container(vmid, node, now, {"lock": "create"}, changed_at=now)
        cluster.save(container)
        source = cluster.files.volume(node, values["ostemplate"])
        kind = "create.golden" if source and source["golden"] else "create.plain"
        return cluster.tasks.fork(node, "vzcreate", vmid, user, kind, now, values=values, rootfs=rootfs)

    def set_config(self, container: Container, values: dict[str, Any]) -> None:
        """PUT config: at once where Proxmox does so on a running container, else pending until its next
        start."""
        changes = {
            name: value for name, value in values.items() if name not in ("digest", "delete", "revert")
        }
        deletions = split_list(values.get("delete", ""))
        reverted = split_list(values.get("revert", ""))
        if not changes and not deletions and not reverted:
            raise failure("no options specified")
        check_token_rights(changes)
        self._refuse_unplayed(changes)
        refuse_locked(container)
        if "digest" in values and values["digest"] != container.digest():
            raise failure("detected modified configuration - file changed by other user? Try again.")
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
        self._cluster.save(container)

    def resize(self, container: Container, user: str, now: float, disk: str, size: str) -> str:
        """PUT resize: grow the root file system; ``+10G`` or absolute ``40G``. Returns the UPID."""
        refuse_locked(container)
        if disk != "rootfs":
            raise failure(f"disk '{disk}' does not exist")
        wanted = parse_size(size.removeprefix("+")) + (container.disk if size.startswith("+") else 0)
        if wanted < container.disk:
            raise failure("unable to shrink disk size")
        if wanted == container.disk:
            raise failure("disk is already at specified size")
        return self._cluster.tasks.fork(
            container.node, "resize", container.vmid, user, "task", now, size=wanted
        )

    def destroy(self, container: Container, user: str, now: float, *, force: bool, purge: bool) -> str:
        """DELETE: fork ``vzdestroy``; the VMID is free when it ends. Returns the UPID."""
        vmid = container.vmid
        if container.config.get("protection") == 1:
            raise failure(f"can't remove CT {vmid} - protection mode enabled")
        refuse_locked(container)
        managed = self._cluster.ha.manages(vmid)
        if managed and not purge:
            raise failure(f"unable to remove CT {vmid} - used in HA resources and purge parameter not set.")
        if container.running and not force:
            raise failure(f"unable to destroy CT {vmid} - container is running")
        if container.running and managed:
            # With HA a forced delete only asks for a stop, does not wait for it, and finds the volumes busy.
            self._cluster.ha.set_state(vmid, "stopped", now)
        return self._cluster.tasks.fork(container.node, "vzdestroy", vmid, user, "destroy", now, purge=purge)

    # Inside the tasks.

    def _create_begin(self, task: Task, now: float, values: dict[str, Any], rootfs: dict[str, str]) -> None:
        try:
            self._check_source(task.node, values["ostemplate"], rootfs)
        except TaskFailed as error:
            self._forget(int(task.id))
            raise TaskFailed(f"unable to create CT {task.id} - {error}") from error
        task.log.append(f"extracting archive '{values['ostemplate']}'")

    def _check_source(self, node: str, template: str, rootfs: dict[str, str]) -> None:
        source = self._cluster.files.volume(node, template)
        if source is None:
            raise TaskFailed(f"volume '{template}' does not exist")
        if "torn" in source:
            raise TaskFailed(f"extracting archive '{template}' failed: zstd: unexpected end of file")
        name, _, size = rootfs["volume"].partition(":")
        if not re.fullmatch(r"\d+(?:\.\d+)?", size):
            raise TaskFailed(f"unable to parse {STORAGES[name].kind} volume name '{size}'")
        storage = STORAGES[name]
        if self._cluster.used(storage) + float(size) * GIB > storage.total:
            raise TaskFailed(f"storage '{name}': not enough free space")

    def _create_end(self, task: Task, now: float, values: dict[str, Any], rootfs: dict[str, str]) -> None:
        cluster, vmid = self._cluster, int(task.id)
        container = cluster.containers[vmid]
        container.config = _first_config(vmid, values, rootfs)
        container.pool = values.get("pool", "")
        cluster.save(container)
        source = cluster.files.volume(task.node, values["ostemplate"]) or {"golden": False, "files": {}}
        cluster.guest.create(vmid, source["golden"], source["files"])
        if "nesting=1" not in values.get("features", ""):
            task.warnings += 1
            task.log.append("WARN: Systemd 255 detected. You may need to enable nesting.")
        if values.get("ha-managed") == 1:
            cluster.ha.add(
                {"sid": f"ct:{vmid}", "state": "started" if values.get("start") else "stopped"}, now
            )
        elif values.get("start") == 1:
            cluster.power.fork_start(container, task.user, now)

    def _destroy_begin(self, task: Task, now: float, purge: bool) -> None:
        container = self._cluster.containers[int(task.id)]
        if container.running and not self._cluster.ha.manages(container.vmid):
            self._cluster.power.halt(container, now)
        container.config["lock"] = "destroyed"
        self._cluster.save(container)

    def _destroy_end(self, task: Task, now: float, purge: bool) -> None:
        vmid = int(task.id)
        container = self._cluster.containers[vmid]
        if container.running:
            raise TaskFailed(
                f"error during cfs-locked 'storage' operation: volume '{container.volume}' is in use"
            )
        if purge:
            self._cluster.ha.purge(vmid)
        self._forget(vmid)

    def _resize_begin(self, task: Task, now: float, size: int) -> None:
        container = self._cluster.containers[int(task.id)]
        storage = container.storage
        if storage and self._cluster.used(storage) + size - container.disk > storage.total:
            raise TaskFailed(f"storage '{storage.name}': not enough free space")

    def _resize_end(self, task: Task, now: float, size: int) -> None:
        container = self._cluster.containers[int(task.id)]
        container.set_size(size)
        self._cluster.save(container)

    # Small parts.

    def _forget(self, vmid: int) -> None:
        self._cluster.guest.destroy(vmid)
        del self._cluster.containers[vmid]
        self._cluster.store.delete("container", vmid)

    def _refuse_unplayed(self, values: dict[str, Any]) -> None:
        for name in values:
            if re.fullmatch(r"(mp|unused)\d+|restore|unique", name):
                raise BadParameter({name: "the lab has no mount points, unused volumes and backups"})

    def _check_changes(self, container: Container, changes: dict[str, Any]) -> None:
        if "unprivileged" in changes:
            raise failure("unable to modify read-only option: 'unprivileged'")
        if "rootfs" in changes and changes["rootfs"].partition(",")[0] != container.volume:
            raise failure("unable to change the volume of rootfs")
        memory = changes.get("memory")
        if container.running and memory is not None and memory * 1024**2 < memory_in_use(container):
            raise BadParameter({"memory": "unable to hotplug memory: Device or resource busy"})

    def _change(self, container: Container, name: str, value: Any) -> None:
        if container.running and not HOT.fullmatch(name):
            container.pending[name] = value
        elif value is None:
            container.config.pop(name, None)
        else:
            container.config[name] = value


def check_token_rights(values: dict[str, Any]) -> None:
    """What only root@pam itself may set, and no token of whomever."""
    features = [part for part in str(values.get("features", "")).split(",") if part]
    if any(not feature.startswith("nesting=") for feature in features):
        raise ApiError(403, "changing feature flags (except nesting) is only allowed for root@pam")
    for name in values:
        if name in ("hookscript", "lock") or re.fullmatch(r"dev\d+", name):
            raise ApiError(403, f"only root can set '{name}' config")


def refuse_locked(container: Container) -> None:
    """Nothing that is locked may be changed before a fork."""
    if container.lock:
        raise failure(f"CT is locked ({container.lock})")


def memory_in_use(container: Container) -> int:
    """Bytes that the guest uses while it runs: 512 MB, a quarter where there is less than 2 GB."""
    return min(IN_USE, int(container.config.get("memory", 512)) * 1024**2 // 4)


def apply_pending(container: Container) -> None:
    """A start makes the waiting changes real."""
    for name, value in container.pending.items():
        if value is None:
            container.config.pop(name, None)
        else:
            container.config[name] = value
    container.pending = {}


def _first_config(vmid: int, values: dict[str, Any], rootfs: dict[str, str]) -> dict[str, Any]:
    config = {**DEFAULTS, "hostname": f"CT{vmid}", "ostype": "ubuntu"}
    config |= {name: _stored(name, value) for name, value in values.items() if name not in NOT_CONFIG}
    name, _, size = rootfs["volume"].partition(":")
    options = [f"{key}={value}" for key, value in rootfs.items() if key not in ("volume", "size")]
    size_text = f"size={format_size(int(float(size) * GIB))}"
    config["rootfs"] = ",".join([f"{name}:{_volume_name(STORAGES[name].kind, vmid)}", *options, size_text])
    return config


def _volume_name(kind: str, vmid: int) -> str:
    if kind == "drbd":
        return f"pm-{random.getrandbits(32):08x}_{vmid}"
    return f"subvol-{vmid}-disk-0" if kind == "zfspool" else f"{vmid}/vm-{vmid}-disk-0.raw"


def _stored(name: str, value: Any) -> Any:
    """A value as the config file keeps it: tags unique, lower case and sorted; interfaces with a MAC and a
    type."""
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

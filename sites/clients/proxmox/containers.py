"""Containers: their making, configuration, power and end."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nodepoint.clients.errors import BadAnswer, ClientError, Conflict, NotFound
from sites.clients.proxmox.calls import Calls
from sites.clients.proxmox.errors import SYSTEM
from sites.clients.proxmox.values import (
    integer,
    mapping,
    properties,
    property_string,
    required,
    tags,
    text,
    upid,
    yes,
)

_UNITS = {"K": 1 / 1024 / 1024, "M": 1 / 1024, "": 1 / 1024 / 1024 / 1024, "G": 1.0, "T": 1024.0}


@dataclass(frozen=True)
class Config:
    """A container's configuration. `memory` and `swap` in MB, `rootfs_gb` in GB (binary units, as everywhere
    here).

    `description` holds our owner mark, `lock` is empty when there is none, `net0` has name, bridge, ip,
    gw, …; `storage` is the one of the root file system. With the lock "create" and little else it is a
    container that is still being made.
    """

    hostname: str
    description: str
    tags: frozenset[str]
    memory: int
    swap: int
    cores: int
    net0: Mapping[str, str]
    rootfs_gb: float
    onboot: bool
    protection: bool
    unprivileged: bool
    template: bool
    lock: str
    digest: str
    storage: str = ""


@dataclass(frozen=True)
class ContainerStatus:
    """Live, asked of the node. `status` running or stopped; `uptime` in seconds; memory and disk in bytes."""

    status: str
    lock: str
    uptime: int
    ha_managed: bool
    mem: int
    maxmem: int
    disk: int
    maxdisk: int

    @property
    def running(self) -> bool:
        """Whether its init process exists; says nothing about the services inside."""
        return self.status == "running"


class Containers(Calls):
    """Calls for one container on the node that holds it; on another node they end in `NotFound`."""

    def create_container(
        self,
        node: str,
        vmid: int,
        *,
        ostemplate: str,
        storage: str,
        disk_gb: int,
        hostname: str,
        memory: int,
        cores: int,
        net0: Mapping[str, str | int | bool],
        swap: int = 512,
        nameserver: Iterable[str] = (),
        description: str = "",
        tag: Iterable[str] = (),
        pool: str | None = None,
        onboot: bool = True,
        restore: bool = False,
    ) -> str:
        """Begins to make an unprivileged container from a template and leaves it stopped; answers the UPID.

        `memory` and `swap` in MB. Not started in one go, since the outcome of that start would be nowhere
        to read. `Conflict` when the VMID is taken. An error in the task removes what was made.

        `restore`: `ostemplate` is a backup, whose files it gets; what is given here goes before what is in
        its configuration (pve-container 6.1.10 `LXC/Create.pm`). Its firewall comes along.
        """
        return upid(
            self._post(
                "nodes",
                node,
                "lxc",
                vmid=vmid,
                ostemplate=ostemplate,
                rootfs=f"{storage}:{disk_gb}",
                hostname=hostname,
                memory=memory,
                swap=swap,
                cores=cores,
                net0=property_string(net0),
                nameserver=" ".join(nameserver) or None,
                description=description or None,
                tags=";".join(sorted(tag)) or None,
                pool=pool or None,
                onboot=onboot,
                unprivileged=True,
                features="nesting=1",
                restore=True if restore else None,
            )
        )

    def config(self, node: str, vmid: int) -> Config:
        """The container's configuration, with what becomes effective at its next start."""
        return _config(self._get_dict("nodes", node, "lxc", vmid, "config"))

    def set_config(self, node: str, vmid: int, digest: str | None = None, **changes: Any) -> None:
        """Changes options: memory, swap (MB), cores, net0 (mapping), description, tags (names), onboot,
        hostname, ….

        Memory, cores and net0 act at once. `Busy` when the configuration is locked or no longer that of
        `digest`, `Refused` when a running container uses more memory than it is to have.
        """
        if "net0" in changes:
            changes["net0"] = property_string(changes["net0"])
        if "tags" in changes:
            changes["tags"] = ";".join(sorted(changes["tags"]))
        self._put("nodes", node, "lxc", vmid, "config", digest=digest, **changes)

    def container_status(self, node: str, vmid: int) -> ContainerStatus:
        """Whether it runs, right now."""
        data = self._get_dict("nodes", node, "lxc", vmid, "status", "current")
        status = required(data, "status")
        if status not in ("running", "stopped"):
            raise BadAnswer(SYSTEM, f"container {vmid} is neither running nor stopped: {status}")
        return ContainerStatus(
            status=status,
            lock=text(data.get("lock")),
            uptime=integer(data.get("uptime")),
            ha_managed=yes(mapping(data.get("ha")).get("managed")),
            mem=integer(data.get("mem")),
            maxmem=integer(data.get("maxmem")),
            disk=integer(data.get("disk")),
            maxdisk=integer(data.get("maxdisk")),
        )

    def start(self, node: str, vmid: int) -> str | None:
        """Begins a start; None when it runs already. Under HA the task only leaves the wish (so also for
        the next two)."""
        return self._unless(r"already running", "nodes", node, "lxc", vmid, "status", "start")

    def stop(self, node: str, vmid: int) -> str | None:
        """Begins to kill it; None when it does not run."""
        return self._unless(r"not running", "nodes", node, "lxc", vmid, "status", "stop")

    def shutdown(self, node: str, vmid: int, timeout: int = 60, force_stop: bool = True) -> str | None:
        """Begins a graceful end of `timeout` seconds, then killed if `force_stop`; None when it does not
        run."""
        path = ("nodes", node, "lxc", vmid, "status", "shutdown")
        return self._unless(r"not running", *path, timeout=timeout, forceStop=force_stop)

    def reboot(self, node: str, vmid: int, timeout: int = 60) -> str | None:
        """Begins a graceful end (killed after `timeout` seconds) and a start; None when it does not run:
        start it."""
        return self._unless(r"not running", "nodes", node, "lxc", vmid, "status", "reboot", timeout=timeout)

    def resize(self, node: str, vmid: int, disk_gb: int, disk: str = "rootfs") -> str | None:
        """Begins to grow a disk to `disk_gb` GB in all; None when it has that size. Smaller ones are
        `Refused`."""
        try:
            return upid(
                self._put("nodes", node, "lxc", vmid, "resize", disk=disk, size=f"{int(disk_gb)}G") or None
            )
        except ClientError as error:
            if "already at specified size" in error.vendor:
                return None
            raise

    def migrate(self, node: str, vmid: int, target: str, target_storage: str = "") -> str:
        """Begins to move a container to another node; answers the UPID. What runs is ended (180 s at most),
        moved and started there. `target_storage`: where a local root file system goes; naming it has
        Proxmox look at that storage and our rights there before anything is ended.

        Of an HA resource the task (`hamigrate`) ends as soon as the manager is told, which then ends, moves
        and starts it by itself, or lets it be. `restart` must be given all the same: it is asked for before
        HA is (pve-container 6.1.10 `API2/LXC.pm`:1695, 1723). A failure says no more than "migration
        aborted", or "migration problems" where it has moved and not everything went well (pve-guest-common
        6.0.2 `AbstractMigrate.pm`:240); the words stand in the task's log.
        """
        path = ("nodes", node, "lxc", vmid, "migrate")
        given = {"target-storage": target_storage} if target_storage else {}
        return upid(self._post(*path, target=target, restart=True, **given))

    def delete_container(
        self, node: str, vmid: int, purge: bool = True, destroy_unreferenced: bool = True
    ) -> str | None:
        """Begins to destroy a stopped container with its disks and snapshots; None when it is not on this
        node.

        `purge` takes it out of backup jobs, replication and HA too. `Busy` when it runs or is locked,
        `Refused` when it is protected. The VMID becomes free at the very end of the task.
        """
        options = {"purge": purge, "destroy-unreferenced-disks": destroy_unreferenced}
        try:
            return upid(self._delete("nodes", node, "lxc", vmid, **options))
        except NotFound:
            return None

    def _unless(self, already: str, *segments: str | int, **params: Any) -> str | None:
        try:
            return upid(self._post(*segments, **params))
        except Conflict as error:
            if re.search(already, error.vendor):
                return None
            raise


def _config(data: dict[str, Any]) -> Config:
    return Config(
        hostname=text(data.get("hostname")),
        description=text(data.get("description")).rstrip("\n"),
        tags=tags(data.get("tags")),
        memory=integer(data.get("memory"), 512),
        swap=integer(data.get("swap"), 512),
        cores=integer(data.get("cores")),
        net0=properties(data.get("net0")),
        rootfs_gb=_gigabytes(properties(data.get("rootfs")).get("size", "")),
        onboot=yes(data.get("onboot")),
        protection=yes(data.get("protection")),
        unprivileged=yes(data.get("unprivileged")),
        template=yes(data.get("template")),
        lock=text(data.get("lock")),
        digest=text(data.get("digest")),
        storage=properties(data.get("rootfs")).get("volume", "").partition(":")[0],
    )


def _gigabytes(size: str) -> float:
    """ "20G", "512M", "1.5T" in GB; 0 when the size is not known."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", size)
    return float(match[1]) * _UNITS[match[2]] if match else 0.0

"""The cluster as a whole: its nodes, its guests, its storages, and what our token may do."""

import re
from dataclasses import dataclass
from typing import Any

from nodepoint.clients.errors import BadAnswer, Conflict
from sites.clients.proxmox.calls import Calls
from sites.clients.proxmox.errors import SYSTEM
from sites.clients.proxmox.values import integer, mapping, number, properties, required, tags, text, yes


@dataclass(frozen=True)
class Version:
    """`release` like "9.1" decides which parameters a cluster knows; `version` is the full one."""

    release: str
    version: str

    def at_least(self, *release: int) -> bool:
        """Whether the release is `release`, say 9, 0, or newer."""
        return tuple(int(part) for part in self.release.split(".") if part.isdigit()) >= release


@dataclass(frozen=True)
class Node:
    """A node's state. Memory in bytes; `cpu` is the used fraction of all `maxcpu` cores."""

    name: str
    online: bool
    cpu: float
    maxcpu: int
    mem: int
    maxmem: int

    @property
    def memory_free(self) -> int:
        """Bytes that nothing uses now, not what is left unpromised."""
        return max(0, self.maxmem - self.mem)

    @property
    def cpu_free(self) -> float:
        """Idle cores."""
        return self.maxcpu * (1 - self.cpu)


@dataclass(frozen=True)
class Guest:
    """A container (`type` "lxc") or machine ("qemu") as the cluster last heard of it, up to 10 s ago.

    `status` is running, stopped, or unknown (a node that is away, a container just made). `cpu` is a
    fraction of `maxcpu` cores; `mem`, `maxmem`, `disk`, `maxdisk` in bytes (`disk` only while running);
    `uptime` in seconds; `netin`, `netout`: bytes that the container has received and sent since it started
    (pve-container 6.1.10, `PVE::LXC::vmstatus`).
    """

    vmid: int
    node: str
    type: str
    name: str
    status: str
    lock: str
    tags: frozenset[str]
    pool: str
    cpu: float
    maxcpu: float
    mem: int
    maxmem: int
    disk: int
    maxdisk: int
    uptime: int
    hastate: str
    template: bool
    netin: int = 0
    netout: int = 0


@dataclass(frozen=True)
class StorageStatus:
    """A storage seen from one node; sizes in bytes. `content`: what it may hold ("rootdir", "vztmpl", …)."""

    type: str
    active: bool
    enabled: bool
    shared: bool
    content: frozenset[str]
    total: int
    used: int
    avail: int


@dataclass(frozen=True)
class Volume:
    """Something stored: `volid` is what `ostemplate` takes, `size` in bytes, `ctime` in epoch seconds;
    `notes`: a backup's, of which some storages show the first line alone; `protected`: it is not to be
    deleted; `verification`: what a Proxmox Backup Server found when it last verified it, `ok` or `failed`,
    else empty.
    """

    volid: str
    format: str
    size: int
    ctime: int
    notes: str = ""
    protected: bool = False
    verification: str = ""


class Cluster(Calls):
    """Calls that concern no single container."""

    def version(self) -> Version:
        """The release of the node that answers."""
        data = self._get_dict("version")
        release = required(data, "release")
        if not re.fullmatch(r"\d+(\.\d+)*(-.*)?", release):
            raise BadAnswer(SYSTEM, f"not a release: {release}")
        return Version(release=release, version=text(data.get("version")))

    def permissions(self, path: str | None = None) -> dict[str, frozenset[str]]:
        """Privileges of our token by ACL path ("/vms", "/storage/local", …), only those of `path` if
        given."""
        data = self._get_dict("access", "permissions", path=path)
        return {
            p: frozenset(k for k, granted in mapping(held).items() if yes(granted))
            for p, held in data.items()
        }

    def nodes(self) -> list[Node]:
        """All nodes, also those that are away."""
        return [
            Node(
                name=required(row, "node"),
                online=row.get("status") == "online",
                cpu=number(row.get("cpu")),
                maxcpu=integer(row.get("maxcpu")),
                mem=integer(row.get("mem")),
                maxmem=integer(row.get("maxmem")),
            )
            for row in self._get_rows("node", "nodes")
        ]

    def resources(self) -> list[Guest]:
        """All guests of the cluster in one cheap call, which no single node can hold up."""
        rows = self._get_rows("id", "cluster", "resources", type="vm")
        return [_guest(row) for row in rows if row.get("vmid")]

    def vmid_free(self, vmid: int) -> bool:
        """Whether the cluster uses `vmid` for nothing now. It only looks: nothing is reserved."""
        try:
            found = integer(self._get("cluster", "nextid", vmid=vmid))
        except Conflict:
            return False
        if found != vmid:
            raise BadAnswer(SYSTEM, f"asked about VMID {vmid}, and it answers {found}")
        return True

    def cluster_firewall(self) -> bool:
        """Whether the cluster's firewall is on, without which no container's firewall works."""
        return integer(self._get_dict("cluster", "firewall", "options").get("enable")) > 0

    def user_tag_access(self) -> str:
        """Who may set tags: `free` (anybody who may change the guest), `list`, `existing` or `none`; free
        where nothing is set (`user-tag-access` of datacenter.cfg)."""
        found = self._get_dict("cluster", "options").get("user-tag-access")
        if isinstance(found, dict):
            return text(found.get("user-allow")) or "free"
        return properties(found, bare="user-allow").get("user-allow", "free")

    def pools(self) -> frozenset[str]:
        """Names of the pools that our token sees."""
        return frozenset(required(row, "poolid") for row in self._get_rows("poolid", "pools"))

    def add_to_pool(self, pool: str, vmid: int) -> None:
        """Makes a guest a member of a pool. One that is a member is fine; `Conflict` when it is in another
        pool, `Refused` without Pool.Allocate on the pool and VM.Allocate on the guest.

        `PUT /pools`, since `PUT /pools/{poolid}` is deprecated (pve-manager API2/Pool.pm)."""
        try:
            self._put("pools", poolid=pool, vms=vmid)
        except Conflict as error:
            if "is already a pool member" not in error.vendor:
                raise

    def storage_status(self, node: str, storage: str) -> StorageStatus:
        """State and free space of a storage on a node."""
        data = self._get_dict("nodes", node, "storage", storage, "status")
        return StorageStatus(
            type=text(data.get("type")),
            active=yes(data.get("active")),
            enabled=yes(data.get("enabled")),
            shared=yes(data.get("shared")),
            content=tags(data.get("content")),
            total=integer(data.get("total")),
            used=integer(data.get("used")),
            avail=integer(data.get("avail")),
        )

    def storage_content(
        self, node: str, storage: str, content: str = "vztmpl", vmid: int | None = None
    ) -> list[Volume]:
        """What a storage holds of one kind, templates by default, of one guest if given. Slow on some
        storages.
        """
        return [
            Volume(
                volid=required(row, "volid"),
                format=text(row.get("format")),
                size=integer(row.get("size")),
                ctime=integer(row.get("ctime")),
                notes=text(row.get("notes")),
                protected=yes(row.get("protected")),
                verification=text(mapping(row.get("verification")).get("state")),
            )
            for row in self._get_rows(
                "volid", "nodes", node, "storage", storage, "content", content=content, vmid=vmid
            )
        ]


def _guest(row: dict[str, Any]) -> Guest:
    return Guest(
        vmid=integer(row["vmid"]),
        node=required(row, "node"),
        type=required(row, "type"),
        name=text(row.get("name")),
        status=text(row.get("status"), "unknown"),
        lock=text(row.get("lock")),
        tags=tags(row.get("tags")),
        pool=text(row.get("pool")),
        cpu=number(row.get("cpu")),
        maxcpu=number(row.get("maxcpu")),
        mem=integer(row.get("mem")),
        maxmem=integer(row.get("maxmem")),
        disk=integer(row.get("disk")),
        maxdisk=integer(row.get("maxdisk")),
        uptime=integer(row.get("uptime")),
        hastate=text(row.get("hastate")),
        template=yes(row.get("template")),
        netin=integer(row.get("netin")),
        netout=integer(row.get("netout")),
    )

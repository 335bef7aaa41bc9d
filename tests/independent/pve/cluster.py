"""The state of the cluster: nodes, guests, storages, and what happens on it without being asked."""

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.independent.pve.firewall import Firewall
from tests.independent.pve.ha import Manager
from tests.independent.pve.inside import Inside
from tests.independent.pve.permissions import Permissions
from tests.independent.pve.refusals import Refusal, die
from tests.independent.pve.schema import property_string, split
from tests.independent.pve.tasks import Tasks, Work

TEMPLATE = "ubuntu-24.04-standard_24.04-2_amd64.tar.zst"
TEMPLATES, DUMPS = "/var/lib/vz/template/cache", "/var/lib/vz/dump"
ROUND = 4.0  # seconds between broadcasts of pvestatd, and between rounds of the HA manager; in life 10
MB, GB = 1024**2, 1024**3
Config = dict[str, str]


@dataclass
class Guest:
    """A container, or a machine of others. `config` in the terms of its file, `lock` included."""

    vmid: int
    node: str
    config: Config
    type: str = "lxc"
    running: bool = False
    since: float = 0.0
    parent: str = ""
    stubborn: bool = False  # it does not end when it is asked to
    held_until: float = 0.0  # a shutdown holds its lock file
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    firewall: Firewall = field(default_factory=Firewall)
    inside: Inside = field(default_factory=Inside)

    @property
    def disk_gb(self) -> int:
        """Of the root file system."""
        return int(property_string(self.config["rootfs"])["size"].rstrip("G"))

    @property
    def storage(self) -> str:
        """The one of the root file system."""
        return property_string(self.config.get("rootfs", ":"))["volume"].partition(":")[0]

    @property
    def address(self) -> str:
        """The address of net0, without its length."""
        return property_string(self.config.get("net0", "")).get("ip", "").partition("/")[0]

    @property
    def digest(self) -> str:
        """Of the whole configuration."""
        return hashlib.sha256(json.dumps([self.config, list(self.snapshots)]).encode()).hexdigest()[:40]

    def busy(self, now: float) -> bool:
        """Whether its lock file is held."""
        return self.running and now < self.held_until

    def stop(self) -> None:
        """Whoever ends it, and however."""
        self.running = False
        self.inside.stop()


@dataclass
class Storage:
    """`newest_only`: goes back to the newest snapshot only; `full`: what it says instead of taking more."""

    type: str
    content: str
    shared: bool = False
    snapshots: bool = True
    newest_only: bool = False
    full: str = ""
    node: str = ""


class Cluster:
    """A cluster of three nodes. What tests do to it by hand has a method here."""

    def __init__(self, version: str, clock: Callable[[], float]) -> None:
        self.version = version
        self.tasks = Tasks(clock)
        self.nodes = {"node1": True, "node2": True, "node3": True}
        self.guests: dict[int, Guest] = {}
        self.pools: dict[int, str] = {}
        self.permissions = Permissions(self.pools)
        self.hidden: set[int] = set()
        self.storages = {
            "global-lvm": Storage("drbd", "images,rootdir", shared=True),
            "local": Storage("dir", "vztmpl,backup,iso", snapshots=False),
            "local-zfs": Storage("zfspool", "images,rootdir", newest_only=True),
        }
        self.files = {node: {f"{TEMPLATES}/{TEMPLATE}": b"plain"} for node in self.nodes}
        self.notes: dict[str, str] = {}
        self.firewall_on = True
        self.heard: list[dict[str, Any]] = []
        self.ha = Manager(self)
        self.broadcast()
        self.tasks.every(ROUND, self.broadcast)
        self.tasks.every(ROUND, self.ha.round)

    # What the calls share

    def guest(self, node: str, vmid: int) -> Guest:
        """The container on this node (AbstractConfig.pm, load_config)."""
        guest = self.guests.get(vmid)
        if guest is None or guest.node != node or guest.type != "lxc":
            die(f"Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist")
        return guest

    def reach(self, node: str) -> None:
        """pveproxy hands the call on to the node (HTTPServer.pm, remote_node_ip)."""
        if node not in self.nodes:
            die(
                f"hostname lookup '{node}' failed - failed to get address info for: {node}: "
                "Name or service not known"
            )
        if not self.nodes[node]:
            raise Refusal(595, "No route to host")

    def unlocked(self, guest: Guest) -> None:
        """AbstractConfig.pm, check_lock."""
        if lock := guest.config.get("lock"):
            die(f"CT is locked ({lock})")

    def broadcast(self) -> None:
        """pvestatd tells all nodes how its guests are; nothing is heard of those whose node is away."""
        self.heard = [self._stats(guest) for guest in self.guests.values() if self.nodes[guest.node]]

    def _stats(self, guest: Guest) -> dict[str, Any]:
        config = guest.config
        known = "rootfs" in config
        return {
            "vmid": guest.vmid,
            "name": config.get("hostname", f"CT{guest.vmid}"),
            "status": "running" if guest.running else "stopped",
            "maxcpu": int(config.get("cores", 64)),
            "cpu": 0.01 if guest.running else 0,
            "maxmem": int(config.get("memory", 512)) * MB,
            "mem": 200 * MB if guest.running else 0,
            # Of a running one the size of the file system, which is a little less than that of its volume.
            "maxdisk": (guest.disk_gb if known else 4) * GB * (98 if guest.running else 100) // 100,
            "disk": GB if guest.running else 0,
            "uptime": int(self.tasks.now() - guest.since) if guest.running else 0,
            **{name: 0 for name in ("netin", "netout", "diskread", "diskwrite")},
        }

    def kept(self) -> dict[str, Any]:
        """All that stands, once nothing goes on any more; for `take` of another one."""
        names = ("guests", "files", "notes", "heard")
        found = {name: getattr(self, name) for name in names}
        whole = {
            **found,
            "pools": self.pools,
            "ha": (self.ha.resources, self.ha.services),
            "tasks": self.tasks.all,
        }
        return copy.deepcopy(whole)

    def take(self, kept: dict[str, Any]) -> None:
        """Go on from what another one has left."""
        kept = copy.deepcopy(kept)
        self.pools.update(kept.pop("pools"))
        self.ha.resources, self.ha.services = kept.pop("ha")
        self.tasks.all = kept.pop("tasks")
        vars(self).update(kept)

    # What others do

    def stranger(self, vmid: int, hidden: bool = False, **config: str) -> Guest:
        """A container that somebody else has made; `hidden`: the token may not see it."""
        defaults = {"hostname": "theirs", "memory": "512", "rootfs": f"global-lvm:vm-{vmid}-disk-1,size=8G"}
        self.guests[vmid] = Guest(vmid, "node2", {**defaults, **config})
        if hidden:
            self.hidden.add(vmid)
        self.broadcast()
        return self.guests[vmid]

    def move(self, vmid: int, node: str) -> None:
        """The HA manager has taken it to another node."""
        self.guests[vmid].node = node

    def write_notes(self, vmid: int, notes: str) -> None:
        """Somebody edits the Notes panel."""
        self.guests[vmid].config["description"] = notes

    def backup_by_hand(self, vmid: int, seconds: float) -> None:
        """The nightly vzdump in snapshot mode: lock `backup` and a snapshot `vzdump` while it runs."""
        guest = self.guests[vmid]

        def work() -> Work:
            guest.config["lock"] = "backup"
            guest.snapshots["vzdump"] = {
                "snaptime": int(self.tasks.now()),
                "description": "vzdump backup snapshot",
                "config": dict(guest.config),
                "inside": guest.inside.copy(),
            }
            yield seconds
            guest.snapshots.pop("vzdump", None)
            guest.config.pop("lock", None)

        self.tasks.begin("vzdump", vmid, "root@pam", guest.node, work())

    def tags(self, text: str) -> str:
        """As they are stored: unique, lower case, sorted (datacenter's default tag-style)."""
        return ";".join(sorted({tag.lower() for tag in split(text)}))

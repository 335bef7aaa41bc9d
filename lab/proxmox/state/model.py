"""The things of a cluster: nodes, storages, containers, tasks. Times are epoch seconds, sizes bytes unless
said."""

import hashlib
import ipaddress
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

GIB = 1024**3
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": GIB, "T": 1024**4}


@dataclass
class Node:
    """A server of the cluster."""

    name: str
    up: bool = True
    booted_at: float = 0.0
    cores: int = 64
    memory: int = 512 * GIB


@dataclass(frozen=True)
class Storage:
    """A storage and what its kind can do; each is on every node."""

    name: str
    kind: str
    content: str
    total: int
    shared: bool = False
    snapshots: bool = False
    newest_only: bool = False


STORAGES = {
    "global-lvm": Storage(
        "global-lvm", "drbd", "images,rootdir", 20 * 1024 * GIB, shared=True, snapshots=True
    ),
    "local-zfs": Storage(
        "local-zfs", "zfspool", "images,rootdir", 4096 * GIB, snapshots=True, newest_only=True
    ),
    "local": Storage("local", "dir", "vztmpl,iso,backup,rootdir", 500 * GIB),
}

TEMPLATES = {
    "local:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst": 141_000_000,
    "local:vztmpl/nodepoint-golden_1_amd64.tar.zst": 197_000_000,
}
"""CT templates that are on every node from the start, by volume id, with their size. One with "golden" in its
name has everything installed."""

BRIDGES = ("vmbr0", "vmbr1")


@dataclass
class Container:
    """A container: its config as GET config gives it, and what runs of it.

    ``pending``: changes that wait for the next start (None: deletion). ``held``: UPID of the task that holds
    the config lock file. ``snapshots``: by name, ``{config, snaptime, description, parent?, snapstate?}``.
    ``stubborn``: what runs inside does not end when it is asked to.
    """

    vmid: int
    node: str
    created_at: float
    config: dict[str, Any] = field(default_factory=dict)
    running: bool = False
    changed_at: float = 0.0
    pending: dict[str, Any] = field(default_factory=dict)
    held: str = ""
    pool: str = ""
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    firewall_options: dict[str, Any] = field(default_factory=dict)
    firewall_rules: list[dict[str, Any]] = field(default_factory=list)
    stubborn: bool = False

    @property
    def lock(self) -> str:
        """The config's ``lock`` property; empty when there is none."""
        return str(self.config.get("lock", ""))

    @property
    def conf_file(self) -> str:
        """The config's path as error messages name it."""
        return f"nodes/{self.node}/lxc/{self.vmid}.conf"

    @property
    def storage(self) -> Storage | None:
        """The storage of the root file system; None while the container is being made."""
        rootfs = str(self.config.get("rootfs", ""))
        return STORAGES.get(rootfs.partition(":")[0])

    @property
    def volume(self) -> str:
        """Volume id of the root file system."""
        return str(self.config.get("rootfs", "")).partition(",")[0]

    @property
    def disk(self) -> int:
        """Size of the root file system."""
        found = re.search(r"size=([^,]+)", str(self.config.get("rootfs", "")))
        return parse_size(found[1]) if found else 0

    @property
    def address(self) -> str:
        """``192.168.1.100/24`` of net0; empty without a static one."""
        ip = self.net0.get("ip", "")
        return ip if "/" in ip else ""

    @property
    def net0(self) -> dict[str, str]:
        """The first interface's property string as an object."""
        text = str(self.config.get("net0", ""))
        return dict(part.split("=", 1) for part in text.split(",") if "=" in part)

    def digest(self) -> str:
        """Changes with every change of the config file."""
        text = json.dumps([self.config, self.pending, self.snapshots], sort_keys=True)
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def set_size(self, size: int) -> None:
        """Write another size into rootfs."""
        self.config["rootfs"] = re.sub(r"size=[^,]+", f"size={format_size(size)}", str(self.config["rootfs"]))

    def firewall_admits(self, source: str, port: int) -> bool:
        """Whether TCP from ``source`` to ``port`` passes: the first enabled rule that matches decides, else
        policy_in. The cluster's own switch is on; the container's and the interface's must be on to
        filter."""
        if self.firewall_options.get("enable") != 1 or self.net0.get("firewall") != "1":
            return True
        for rule in self.firewall_rules:
            if rule.get("enable") == 1 and rule["type"] == "in" and _rule_matches(rule, source, port):
                return bool(rule["action"] == "ACCEPT")
        return self.firewall_options.get("policy_in", "DROP") == "ACCEPT"

    def as_object(self) -> dict[str, Any]:
        """The JSON object that ``Container(**object)`` takes."""
        return asdict(self)


@dataclass
class Task:
    """A task in the cluster's log. ``args`` is what its end needs; ``event`` the coming event that ends
    it."""

    upid: str
    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str
    seconds: float
    args: dict[str, Any]
    event: str = ""
    endtime: float = 0.0
    exitstatus: str = ""
    warnings: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Whether it has no end yet."""
        return not self.exitstatus

    def as_object(self) -> dict[str, Any]:
        """The JSON object that ``Task(**object)`` takes."""
        return asdict(self)


def parse_size(text: str) -> int:
    """``20G``, ``1.5T``, ``512`` (bytes) in bytes, binary units."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    if not found:
        raise ValueError(f"no size: {text!r}")
    return int(float(found[1]) * UNITS[found[2]])


def format_size(size: int) -> str:
    """Bytes in the largest unit that divides them, never T: ``20G``, ``1536M``."""
    for unit in ("G", "M", "K"):
        if size % UNITS[unit] == 0:
            return f"{size // UNITS[unit]}{unit}"
    return str(size)


def _rule_matches(rule: dict[str, Any], source: str, port: int) -> bool:
    if rule.get("proto", "tcp") not in ("tcp", "6"):
        return False
    if "macro" in rule and rule["macro"].upper() not in ("HTTP", "WEB"):
        return False
    if "dport" in rule and not any(_port_in(item, port) for item in str(rule["dport"]).split(",")):
        return False
    return "source" not in rule or any(_address_in(item, source) for item in rule["source"].split(","))


def _port_in(item: str, port: int) -> bool:
    low, _, high = item.replace("http", "80").partition(":")
    return low.isdigit() and int(low) <= port <= int(high or low)


def _address_in(item: str, source: str) -> bool:
    address = ipaddress.ip_address(source)
    if "-" in item and "/" not in item:
        low, high = (ipaddress.ip_address(end) for end in item.split("-", 1))
        return int(low) <= int(address) <= int(high)
    try:
        return address in ipaddress.ip_network(item, strict=False)
    except ValueError:
        return False  # an alias or IP set: the lab has none

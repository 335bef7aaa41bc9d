"""The things of a cluster: nodes, guests, tasks. Times are epoch seconds, sizes bytes unless
said."""

import hashlib
import ipaddress
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from lab.proxmox.state.storages import GIB, STORAGES, Storage

UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": GIB, "T": 1024**4}


@dataclass
class Node:
    """A server of the cluster."""

    name: str
    up: bool = True
    booted_at: float = 0.0
    cores: int = 64
    memory: int = 512 * GIB
    maintenance: bool = False


TEMPLATES = {
    "local:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst": 141_000_000,
    "local:vztmpl/nodepoint-golden_1_amd64.tar.zst": 197_000_000,
}
"""CT templates that are on every node from the start, by volume id, with their size. One with "golden" in its
name has everything installed."""

BRIDGES = ("vmbr0", "vmbr1")
PROTOCOLS = {"tcp": "6", "udp": "17"}
MACRO_PORTS = {"http": (80,), "https": (443,), "web": (80, 443), "dns": (53,)}


IN_USE = 512 * 1024**2


@dataclass(frozen=True)
class Stranger:
    """A guest of somebody else. ``type``: ``lxc`` or ``qemu``."""

    vmid: int
    node: str
    name: str
    type: str = "qemu"


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

    @property
    def memory_in_use(self) -> int:
        """Bytes that the guest uses while it runs: 512 MB, a quarter where there is less than 2 GB."""
        return min(IN_USE, int(self.config.get("memory", 512)) * 1024**2 // 4)

    def digest(self) -> str:
        """Changes with every change of the config file."""
        return digest([self.config, self.pending, self.snapshots])

    def apply_pending(self) -> None:
        """A start makes the waiting changes real."""
        for name, value in self.pending.items():
            if value is None:
                self.config.pop(name, None)
            else:
                self.config[name] = value
        self.pending = {}

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
            if (
                rule.get("enable") == 1
                and rule["type"] == "in"
                and _rule_matches(rule, "source", source, "tcp", port)
            ):
                return bool(rule["action"] == "ACCEPT")
        return self.firewall_options.get("policy_in", "DROP") == "ACCEPT"

    def firewall_lets_out(self, dest: str, proto: str, port: int) -> bool:
        """The same for what goes from the container to ``dest``; ``proto``: tcp or udp."""
        if self.firewall_options.get("enable") != 1 or self.net0.get("firewall") != "1":
            return True
        for rule in self.firewall_rules:
            if (
                rule.get("enable") == 1
                and rule["type"] == "out"
                and _rule_matches(rule, "dest", dest, proto, port)
            ):
                return bool(rule["action"] == "ACCEPT")
        return self.firewall_options.get("policy_out", "ACCEPT") == "ACCEPT"

    def as_object(self) -> dict[str, Any]:
        """The JSON object that ``Container(**object)`` takes."""
        return asdict(self)


@dataclass
class Task:
    """A task in the cluster's log. ``args`` is what its end needs; ``event`` the coming event that ends it;
    ``begun`` is false while it waits for a lock."""

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
    begun: bool = False
    log: list[str] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Whether it has no end yet."""
        return not self.exitstatus

    def as_object(self) -> dict[str, Any]:
        """The JSON object that ``Task(**object)`` takes."""
        return asdict(self)


def digest(content: Any) -> str:
    """Changes with every change of ``content``, anything that JSON can say."""
    return hashlib.sha1(json.dumps(content, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def stored_text(text: str) -> str:
    """A description as it comes back from the config file, where each of its lines is a comment: always with
    one newline at its end, whatever it was written with (pve-container 6.1.10,
    src/PVE/LXC/Config.pm:1226)."""
    stripped = text.rstrip("\n")
    return f"{stripped}\n" if stripped else ""


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


def _rule_matches(rule: dict[str, Any], side: str, address: str, proto: str, port: int) -> bool:
    """Whether a rule speaks of packets whose far end is ``address``, on its ``source`` or ``dest`` side."""
    if rule.get("proto", proto) not in (proto, PROTOCOLS[proto]):
        return False
    if "macro" in rule and port not in MACRO_PORTS.get(rule["macro"].lower(), ()):
        return False
    if "dport" in rule and not any(_port_in(item, port) for item in str(rule["dport"]).split(",")):
        return False
    return side not in rule or any(_address_in(item, address) for item in rule[side].split(","))


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

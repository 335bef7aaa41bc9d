"""The simulated infrastructure: Proxmox VE, its SSH nodes, Nginx Proxy Manager, Cloudflare, ISPConfig and
public DNS on ports of the loopback (or of an address that is given), speaking the real wire protocols. Plain
Python; knows nothing of NodePoint."""

import contextlib
import fcntl
import random
import shutil
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lab import cloudflare, control, ispconfig, nameserver, npm, proxmox, ssh
from lab.clock import Clock
from lab.faults import SYSTEMS, Faults
from lab.guest import Guests
from lab.keys import Keys
from lab.store import Guard, Store
from lab.world import World

PORTS = (20_000, 32_768)
SITE_SETTINGS = {
    "BASE_DOMAIN": "nodepoint.eu",
    "SITE_NETWORK": "192.168.1.0/24",
    "SITE_IP_RANGE": "192.168.1.100-192.168.1.253",
    "SITE_GATEWAY": "192.168.1.1",
    "SITE_NAMESERVERS": "192.168.1.1",
    "VMID_START": "900",
    # Only written into install scripts, which the played guests do not execute: nothing is fetched.
    "WORDPRESS_URL": "https://wordpress.org/latest.tar.gz",
}


class System(Protocol):
    """What every simulated system gives to the lab."""

    settings: dict[str, str]
    """The NodePoint settings that point at it."""

    def state_view(self) -> Any:
        """Its part of GET /_lab/state, in the vendor's own field names. Called with the lab's lock held."""

    def stop(self) -> None:
        """Stop listening and break every connection."""


SystemT = TypeVar("SystemT", bound=System)


class FolderInUse(RuntimeError):
    """Another lab runs on the same data folder."""


class Lab:
    """A running lab; made by ``start``."""

    def __init__(self, data: Path | None, speed: float, jitter: float, address: str) -> None:
        self.address = address
        self._temporary = data is None
        self.data = Path(tempfile.mkdtemp(prefix="nodepoint-lab-")) if data is None else Path(data).absolute()
        self.data.mkdir(parents=True, exist_ok=True)
        self._folder_lock = _claim(self.data)
        self.store = Store(None if self._temporary else self.data / "lab.sqlite3")
        self.lock = Guard(self.store)
        self.clock = Clock(speed, jitter)
        self.faults = Faults()
        self.keys = Keys(self.data / "keys", address)
        self.world = World(self)
        self.guest = Guests(self)
        self.requests: Counter[str] = Counter(dict.fromkeys(SYSTEMS, 0))
        """Calls per system since the process began."""
        self._ports = self.store.load("port")
        self._ending = threading.Event()
        self._systems: list[System] = []

    def open(self, control_port: int, release: str) -> None:
        """Start every system, then the control calls."""
        self.proxmox = self._add(proxmox.start(self, release))
        self.npm = self._add(npm.start(self))
        self.cloudflare = self._add(cloudflare.start(self))
        self.dns = self._add(nameserver.start(self))
        self.ispconfig = self._add(ispconfig.start(self))
        self.ssh = self._add(ssh.start(self))
        self.world.wake()
        self.control = self._add(control.start(self, control_port))
        self.url: str = self.control.url

    @property
    def settings(self) -> dict[str, str]:
        """Every NodePoint setting that points at the lab."""
        merged = dict(SITE_SETTINGS)
        for system in self._systems:
            merged.update(system.settings)
        return merged

    def stop(self) -> None:
        """End every server; a temporary data folder is removed, another keeps all state."""
        self._ending.set()
        for system in reversed(self._systems):
            system.stop()
        with self.lock:
            self.store.close()
        self._folder_lock.close()
        if self._temporary:
            shutil.rmtree(self.data, ignore_errors=True)

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the end of the lab. Never call it with the lock held."""
        if seconds > 0:
            self._ending.wait(seconds)

    def count(self, system: str) -> None:
        """Note one call to ``system``; others than the simulated systems are not counted."""
        if system in self.requests:
            self.requests[system] += 1

    def port(self, name: str) -> int:
        """The port that ``name`` had in an earlier run on the same data folder, else a free one."""
        return int(self._ports.get(name) or _free_port(self.address))

    def keep_port(self, name: str, port: int) -> None:
        """Remember a port for later runs."""
        with self.lock:
            self._ports[name] = port
            self.store.save("port", name, port)

    def guest_exec(self, node: str, vmid: int, argv: Sequence[str], stdin: bytes) -> tuple[int, bytes, bytes]:
        """What ``pct exec VMID -- argv`` on ``node`` gives: (exit code, stdout, stderr).

        With pct's own words on stderr 2 when the container is not on this node, 255 when it does not run.
        """
        self.world.settle()
        return self.guest.exec(node, vmid, argv, stdin)

    def _add(self, system: SystemT) -> SystemT:
        self._systems.append(system)
        return system


def _free_port(address: str) -> int:
    """A port that nobody uses, TCP and UDP, below those that the kernel gives to outgoing connections.

    Among those the lab could lose its port while it is down: to any client, even to one that is trying to
    reach the lab on it (a TCP connection to itself).
    """
    while True:
        port = random.randrange(*PORTS)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind((address, port))
        except OSError:  # somebody has it
            continue
        return port


def _claim(folder: Path) -> Any:
    """Hold the folder until the returned file is closed; the kernel lets go of it when the process dies."""
    handle = (folder / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise FolderInUse(f"another lab runs on {folder}") from error
    return handle


def start(
    data: Path | None = None,
    speed: float = 0.0,
    jitter: float = 0.0,
    control_port: int = 0,
    proxmox_release: str = "9.2",
    address: str = "127.0.0.1",
) -> Lab:
    """Run the whole lab in daemon threads of this process.

    ``data``: folder for state, keys and ports, so that a later start on it comes back as if only the network
    had been away; None keeps the state in memory. ``speed``: factor on all durations, 1.0 = life-like, 0 =
    none. ``proxmox_release``: 8.4 or 9.2. ``address``: an IPv4 address of this machine, on which everything
    listens without asking who is there. Raises FolderInUse, or OSError when a remembered port is taken.
    """
    lab = Lab(data, speed, jitter, address)
    try:
        lab.open(control_port, proxmox_release)
    except BaseException:  # Ctrl-C, too: no half-open lab keeps ports and threads
        with contextlib.suppress(OSError):  # a server that never listened; why it did not is raised below
            lab.stop()
        raise
    return lab

"""The cluster: its nodes and containers, and what happens to them when a node goes away."""

import time
from typing import TYPE_CHECKING, Any

from lab.proxmox.errors import ApiError, ConfigLocked, failure
from lab.proxmox.state.containers import Containers
from lab.proxmox.state.files import Files
from lab.proxmox.state.firewall import Firewall
from lab.proxmox.state.ha import HighAvailability
from lab.proxmox.state.model import STORAGES, Container, Node, Storage
from lab.proxmox.state.power import Power
from lab.proxmox.state.rules import Rules
from lab.proxmox.state.snapshots import Snapshots
from lab.proxmox.state.tasks import Tasks

if TYPE_CHECKING:
    from lab import Lab

PCT_NOT_HERE, PCT_FAILED = 2, 255
NODES = ("node1", "node2", "node3")
POOLS = {"nodepoint": "Containers of NodePoint"}


class Cluster:
    """All state of the simulated Proxmox VE. Call everything with the lab's lock held."""

    def __init__(self, lab: "Lab") -> None:
        self.store, self.clock, self.world, self.guest = lab.store, lab.clock, lab.world, lab.guest
        stored = self.store.load("node")
        self.nodes = {name: Node(**stored.get(name, {"name": name})) for name in NODES}
        self.pools = dict(POOLS)
        self.containers: dict[int, Container] = {
            int(id): Container(**container) for id, container in self.store.load("container").items()
        }
        self.tasks = Tasks(self)
        self.ha = HighAvailability(self)
        self.rules = Rules(self)
        self.power = Power(self)
        self.lifecycle = Containers(self)
        self.snapshots = Snapshots(self)
        self.firewall = Firewall(self)
        self.files = Files(self)
        for name, node in self.nodes.items():
            if name not in stored:
                node.booted_at = time.time()
                self.store.save("node", name, vars(node))
        self.world.on("node.boot", self._boot)

    def save(self, container: Container) -> None:
        """Write a container's state through to the store."""
        self.store.save("container", container.vmid, container.as_object())

    def find(self, node: str, vmid: int) -> Container:
        """The container, if it is on that node; else the refusal of a missing config file."""
        container = self.containers.get(vmid)
        if container is None or container.node != node:
            raise failure(f"Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist")
        return container

    def find_unheld(self, node: str, vmid: int) -> Container:
        """The same for a change of the config file: ConfigLocked while a task holds its lock."""
        container = self.find(node, vmid)
        if container.held:
            raise ConfigLocked(f"/run/lock/lxc/pve-config-{vmid}.lock")
        return container

    def storage(self, name: str) -> Storage:
        """A storage by name."""
        if name not in STORAGES:
            raise failure(f"storage '{name}' does not exist")
        return STORAGES[name]

    def used(self, storage: Storage) -> int:
        """Bytes given away on a storage."""
        return sum(c.disk for c in self.containers.values() if c.storage == storage)

    def quorate(self) -> bool:
        """Whether more than half of the nodes are up."""
        return sum(node.up for node in self.nodes.values()) * 2 > len(self.nodes)

    def container_at(self, address: str) -> Container | None:
        """The running container that holds an address (``192.168.1.100``) on its first interface."""
        running = (c for c in self.containers.values() if c.running)
        return next((c for c in running if c.address.partition("/")[0] == address), None)

    def exec_refusal(self, node: str, vmid: int) -> tuple[int, str]:
        """pct's exit code and words when it cannot run a command in the container; (0, "") when it can.

        The code is that of Perl's ``die``, which takes whatever errno holds: ENOENT where the config file was
        not found.
        """
        try:
            container = self.find(node, vmid)
        except ApiError as error:
            return PCT_NOT_HERE, error.message
        return (0, "") if container.running else (PCT_FAILED, f"container '{vmid}' not running!")

    def unlock(self, node: str, vmid: int) -> None:
        """``pct unlock``: the only way out of a lock that a dead task has left; the API has none."""
        container = self.find(node, vmid)
        container.config.pop("lock", None)
        self.save(container)

    def set_node_up(self, name: str, up: bool) -> None:
        """Take a node away (everything on it dies at once) or bring it back (as after a boot)."""
        node = self.nodes[name]
        if node.up == up:
            return
        now = time.time()
        node.up = up
        if up:
            node.booted_at = now
            self.world.at(now, "node.boot", node=name)
        else:
            self.tasks.lose_node(name, now)
            for container in self._on(name):
                self.power.halt(container, now)
            self.ha.lose_node(name, now)
        self.store.save("node", name, vars(node))

    def state_view(self) -> dict[str, Any]:
        """Containers, HA resources and tasks for GET /_lab/state; memory in MB, disk in GB."""
        return {
            "containers": [self._container_view(c) for _, c in sorted(self.containers.items())],
            "ha": self.ha.all(),
            "tasks": [
                {
                    "upid": t.upid,
                    "node": t.node,
                    "type": t.type,
                    "id": t.id,
                    "exitstatus": t.exitstatus or None,
                }
                for t in self.tasks.all()
            ],
            "nodes": [{"node": node.name, "up": node.up} for node in self.nodes.values()],
        }

    def _container_view(self, container: Container) -> dict[str, Any]:
        config = container.config
        return {
            "vmid": container.vmid,
            "name": config.get("hostname", ""),
            "node": container.node,
            "status": "running" if container.running else "stopped",
            "ip": container.address,
            "memory": config.get("memory", 0),
            "cores": config.get("cores", 0),
            "disk": container.disk / 1024**3,
            "tags": config.get("tags", ""),
            "description": config.get("description", ""),
            "snapshots": list(container.snapshots),
            "lock": container.lock,
            "onboot": config.get("onboot", 0),
            "pool": container.pool,
            "ha": self.ha.requested(container.vmid),
            "firewall": {"options": container.firewall_options, "rules": container.firewall_rules},
        }

    def _on(self, node: str) -> list[Container]:
        return [container for container in self.containers.values() if container.node == node]

    def _boot(self, now: float, node: str) -> None:
        """A node that has come up starts what is marked ``onboot``; the HA manager minds its own."""
        for container in self._on(node):
            if self.ha.manages(container.vmid):
                self.ha.look_later(container.vmid, now)
            elif container.config.get("onboot") == 1 and not container.running and not container.lock:
                self.power.fork_start(container, "root@pam", now)

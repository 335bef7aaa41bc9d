"""The cluster: everything of this package put together, and what happens when a node goes away."""

import time
from typing import TYPE_CHECKING, Any

from lab.proxmox.errors import ApiError
from lab.proxmox.state.access import Access
from lab.proxmox.state.backups import Backups
from lab.proxmox.state.containers import Containers
from lab.proxmox.state.files import Files
from lab.proxmox.state.firewall import Firewall
from lab.proxmox.state.ha import HighAvailability
from lab.proxmox.state.inventory import RELEASES, Inventory
from lab.proxmox.state.migration import Migrations
from lab.proxmox.state.model import Container
from lab.proxmox.state.power import Power
from lab.proxmox.state.powercalls import PowerCalls
from lab.proxmox.state.restores import Restores
from lab.proxmox.state.snapshots import Snapshots
from lab.proxmox.state.tasks import Tasks
from lab.proxmox.state.volumes import Volumes

if TYPE_CHECKING:
    from lab import Lab

PCT_NOT_HERE, PCT_FAILED = 2, 255


class Cluster(Inventory):
    """All state of the simulated Proxmox VE. Call everything with the lab's lock held."""

    def __init__(self, lab: "Lab", release: str = "9.2") -> None:
        super().__init__(lab.store, RELEASES[release])
        self.clock, world, guests = lab.clock, lab.world, lab.guest
        self.access = Access(self.store, self)
        self.files = Files(self.store, self.nodes)
        self.firewall = Firewall(self)
        self.tasks = Tasks(self, world, lab.clock, lab.faults)
        self.power = Power(self, self.tasks, guests)
        self.ha = HighAvailability(self, world, self.tasks, self.power)
        self.rules = self.ha.rules
        self.power_calls = PowerCalls(self.power, self.ha)
        self.migrations = Migrations(self, self.access, self.tasks, self.power, self.ha)
        self.snapshots = Snapshots(self, self.tasks, self.power, guests)
        self.volumes = Volumes(self, self.access, self.tasks, self.files)
        self.backups = Backups(
            self,
            self.access,
            self.tasks,
            self.files,
            self.volumes,
            self.snapshots,
            self.power,
            self.ha,
            guests,
        )
        self.lifecycle = Containers(
            self, self.access, self.tasks, self.files, self.volumes, self.power, self.ha, guests, world
        )
        self.restores = Restores(
            self, self.access, self.tasks, self.files, self.volumes, self.lifecycle, self.power, guests
        )
        self._world = world
        world.on("node.boot", self._boot)

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

    def set_node_maintenance(self, name: str, maintenance: bool) -> None:
        """Put a node into HA's maintenance mode or take it out; what runs on it stays where it is."""
        node = self.nodes[name]
        if node.maintenance != maintenance:
            node.maintenance = maintenance
            self.save_node(node)

    def set_node_up(self, name: str, up: bool) -> None:
        """Take a node away (everything on it dies at once) or bring it back (as after a boot)."""
        node = self.nodes[name]
        if node.up == up:
            return
        now = time.time()
        node.up = up
        if up:
            node.booted_at = now
            self._world.at(now, "node.boot", node=name)
        else:
            self.tasks.lose_node(name, now)
            for container in self.on(name):
                self.power.halt(container, now)
            self.ha.lose_node(name, now)
        self.save_node(node)

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
            "description": config.get("description", "").rstrip("\n"),
            "snapshots": list(container.snapshots),
            "lock": container.lock,
            "onboot": config.get("onboot", 0),
            "pool": container.pool,
            "ha": self.ha.requested(container.vmid),
            "firewall": {"options": container.firewall_options, "rules": container.firewall_rules},
        }

    def _boot(self, now: float, node: str) -> None:
        """A node that has come up starts what is marked ``onboot``; the HA manager minds its own."""
        for container in self.on(node):
            if self.ha.manages(container.vmid):
                self.ha.look_later(container.vmid, now)
            elif container.config.get("onboot") == 1 and not container.running and not container.lock:
                self.power.fork_start(container, "root@pam", now)

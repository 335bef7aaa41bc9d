"""What exists: nodes, guests, pools, storages. Everything else in this package acts on it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from lab.proxmox.errors import ConfigLocked, failure
from lab.proxmox.state.model import Container, Node, Stranger
from lab.proxmox.state.storages import STORAGES, Storage
from lab.store import Store

NODES = ("node1", "node2", "node3")
POOLS = {"nodepoint": "Containers of NodePoint"}


@dataclass(frozen=True)
class Release:
    """A version of Proxmox VE that is played."""

    name: str
    version: str
    rules: bool
    """HA rules, which took the place of groups in 9."""


RELEASES = {
    "8.4": Release("8.4", "8.4.21", rules=False),
    "9.2": Release("9.2", "9.2.11", rules=True),
}


class Inventory:
    """Nodes, guests, pools and storages of the cluster, kept in the store. Call with the lab's lock held."""

    def __init__(self, store: Store, release: Release) -> None:
        self.store, self.release = store, release
        stored = store.load("node")
        self.nodes = {name: Node(**stored.get(name, {"name": name})) for name in NODES}
        self.pools = dict(POOLS)
        self.containers: dict[int, Container] = {
            int(id): Container(**container) for id, container in store.load("container").items()
        }
        self.strangers: dict[int, Stranger] = {
            int(id): Stranger(**stranger) for id, stranger in store.load("stranger").items()
        }
        self.datacenter: dict[str, str] = store.load("datacenter")
        """Options of the datacenter as its file holds them: ``user-tag-access``, ``registered-tags``."""
        self.filled: dict[str, int] = store.load("filled")
        """Bytes that others have on a storage."""
        self.storage_options: dict[str, dict[str, str]] = store.load("storage-options")
        """By storage: ``online`` and ``writable`` (0: it is not), and of its configuration
        ``prune-backups`` and ``max-protected-backups``."""
        for name, node in self.nodes.items():
            if name not in stored:
                node.booted_at = time.time()
                self.save_node(node)

    def save(self, container: Container) -> None:
        """Write a container's state through to the store."""
        self.store.save("container", container.vmid, container.as_object())

    def save_node(self, node: Node) -> None:
        """The same for a node."""
        self.store.save("node", node.name, vars(node))

    def add(self, container: Container) -> None:
        """A new container; its VMID is taken from now on."""
        self.containers[container.vmid] = container
        self.save(container)

    def forget(self, vmid: int) -> None:
        """A container is gone, and its VMID free."""
        del self.containers[vmid]
        self.store.delete("container", vmid)

    def add_stranger(self, stranger: Stranger) -> None:
        """A guest that somebody else made: it takes its VMID, and nothing can be done with it here."""
        self.strangers[stranger.vmid] = stranger
        self.store.save("stranger", stranger.vmid, vars(stranger))

    def fill(self, storage: Storage, free: int) -> None:
        """Let others take so much of a storage that ``free`` bytes are left."""
        self.filled[storage.name] = storage.total - self._given(storage) - free
        self.store.save("filled", storage.name, self.filled[storage.name])

    def set_storage(self, storage: Storage, options: Mapping[str, str]) -> None:
        """Other options of a storage, all of them."""
        self.storage_options[storage.name] = dict(options)
        self.store.save("storage-options", storage.name, self.storage_options[storage.name])

    def option(self, storage: Storage, name: str) -> str:
        """One of its options; empty where it is not set."""
        return self.storage_options.get(storage.name, {}).get(name, "")

    def online(self, storage: Storage) -> bool:
        """Whether the storage answers."""
        return self.option(storage, "online") != "0"

    def set_datacenter(self, options: Mapping[str, str]) -> None:
        """Other options of the datacenter, all of them."""
        for name in self.datacenter:
            self.store.delete("datacenter", name)
        self.datacenter = dict(options)
        for name, value in self.datacenter.items():
            self.store.save("datacenter", name, value)

    def taken(self, vmid: int) -> str:
        """Who has a VMID, as Proxmox says it: ``CT 907 already exists on node 'node2'``; empty: nobody."""
        container, stranger = self.containers.get(vmid), self.strangers.get(vmid)
        if container is None and stranger is None:
            return ""
        kind = "VM" if stranger and stranger.type == "qemu" else "CT"
        return f"{kind} {vmid} already exists on node '{(container or stranger).node}'"

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

    def on(self, node: str) -> list[Container]:
        """The containers of a node."""
        return [container for container in self.containers.values() if container.node == node]

    def container_at(self, address: str) -> Container | None:
        """The running container that holds an address (``192.168.1.100``) on its first interface."""
        running = (c for c in self.containers.values() if c.running)
        return next((c for c in running if c.address.partition("/")[0] == address), None)

    def pool_of(self, vmid: int) -> str:
        """A guest's pool; empty without one."""
        container = self.containers.get(vmid)
        return container.pool if container else ""

    def members(self) -> list[int]:
        """The VMIDs of all guests that are in a pool."""
        return [vmid for vmid, container in self.containers.items() if container.pool]

    def tags(self) -> dict[int, str]:
        """The tags of each guest that has some."""
        return {vmid: str(c.config["tags"]) for vmid, c in self.containers.items() if c.config.get("tags")}

    def storage(self, name: str) -> Storage:
        """A storage by name."""
        if name not in STORAGES:
            raise failure(f"storage '{name}' does not exist")
        return STORAGES[name]

    def used(self, storage: Storage) -> int:
        """Bytes given away on a storage."""
        return self._given(storage) + self.filled.get(storage.name, 0)

    def free(self, storage: Storage) -> int:
        """Bytes left on a storage."""
        return max(0, storage.total - self.used(storage))

    def quorate(self) -> bool:
        """Whether more than half of the nodes are up."""
        return sum(node.up for node in self.nodes.values()) * 2 > len(self.nodes)

    def _given(self, storage: Storage) -> int:
        return sum(c.disk for c in self.containers.values() if c.storage == storage)

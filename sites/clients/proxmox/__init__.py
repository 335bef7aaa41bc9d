"""Proxmox VE: containers, snapshots, tasks, high availability and firewall of one cluster."""

from sites.clients.proxmox.archives import Archives, complaint
from sites.clients.proxmox.cluster import Cluster, Guest, Node, StorageStatus, Version, Volume
from sites.clients.proxmox.containers import Config, Containers, ContainerStatus
from sites.clients.proxmox.errors import BackingUp, StorageAway, StorageFull, task_error
from sites.clients.proxmox.firewall import Firewall, FirewallOptions, FirewallRule
from sites.clients.proxmox.ha import HaResource, HaService, HighAvailability
from sites.clients.proxmox.snapshots import Snapshot, Snapshots
from sites.clients.proxmox.tasks import Task, TaskEntry, Tasks

__all__ = [
    "BackingUp",
    "Config",
    "ContainerStatus",
    "FirewallOptions",
    "FirewallRule",
    "Guest",
    "HaResource",
    "HaService",
    "Node",
    "Proxmox",
    "Snapshot",
    "StorageAway",
    "StorageFull",
    "StorageStatus",
    "Task",
    "TaskEntry",
    "Version",
    "Volume",
    "complaint",
    "task_error",
]


class Proxmox(Cluster, Containers, Snapshots, Archives, Tasks, HighAvailability, Firewall):
    """The whole client: `Proxmox(host, user, token_name, token_value, verify_tls=True, timeout=40.0)`.

    Thread-safe; make one for each process. Every method raises errors of `nodepoint.clients.errors` only.
    """

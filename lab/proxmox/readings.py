"""What the reading calls show: bulk status, node and storage figures, task lists."""

import time
from typing import Any

from lab.proxmox.formats import split_list
from lab.proxmox.state.cluster import Cluster
from lab.proxmox.state.model import Container, Node, Stranger, Task
from lab.proxmox.state.storages import GIB, STORAGES, Storage
from lab.proxmox.state.tasks import task_view

BROADCAST_SECONDS = 10
CPU = 0.005
BASE_DISK = int(2.4 * GIB)


def resources(cluster: Cluster, type: str | None) -> list[dict[str, Any]]:
    """GET /cluster/resources: what the token may see. Figures of guests are as old as the last broadcast, up
    to 10 s times the factor."""
    found: list[dict[str, Any]] = []
    if type in (None, "vm"):
        found += guests(cluster)
    if type in (None, "node"):
        found += [_node_resource(cluster, node) for node in cluster.nodes.values()]
    if type in (None, "storage"):
        seen = [
            s for s in STORAGES.values() if cluster.access.allows(f"/storage/{s.name}", "Datastore.Audit")
        ]
        found += [_storage_resource(cluster, s, n) for n in cluster.nodes.values() for s in seen]
    return found


def guests(cluster: Cluster) -> list[dict[str, Any]]:
    """The guests among them: without VM.Audit on one it is not there, without Pool.Audit its pool is not."""
    found = []
    for vmid in sorted({*cluster.containers, *cluster.strangers}):
        if not cluster.access.allows(f"/vms/{vmid}", "VM.Audit"):
            continue
        container, stranger = cluster.containers.get(vmid), cluster.strangers.get(vmid)
        view = _guest(cluster, container) if container else _stranger(stranger)
        if "pool" in view and not cluster.access.allows(f"/pool/{view['pool']}", "Pool.Audit"):
            del view["pool"]
        found.append(view)
    return found


def _stranger(stranger: Stranger) -> dict[str, Any]:
    view = {"id": f"{stranger.type}/{stranger.vmid}", "type": stranger.type, "vmid": stranger.vmid}
    return {**view, "node": stranger.node, "name": stranger.name, "status": "running", "template": 0}


def container_status(cluster: Cluster, container: Container) -> dict[str, Any]:
    """One container as status/current and the node's list show it, live."""
    now = time.time()
    config = container.config
    view: dict[str, Any] = {
        "vmid": container.vmid,
        "name": config.get("hostname", f"CT{container.vmid}"),
        "type": "lxc",
        "status": "running" if container.running else "stopped",
        "cpus": config.get("cores", cluster.nodes[container.node].cores),
        "maxmem": config.get("memory", 512) * 1024**2,
        "maxswap": config.get("swap", 512) * 1024**2,
        "maxdisk": container.disk,
        **_figures(container, container.running, now),
    }
    return view | {key: config[key] for key in ("lock", "tags", "template") if key in config}


def node_list(cluster: Cluster) -> list[dict[str, Any]]:
    """GET /nodes."""
    views = []
    for node in cluster.nodes.values():
        view = _node_resource(cluster, node)
        view.pop("hastate", None)
        views.append({**view, "ssl_fingerprint": ""})
    return views


def node_status(cluster: Cluster, node: Node) -> dict[str, Any]:
    """GET /nodes/N/status."""
    used = _memory_used(cluster, node)
    return {
        "pveversion": f"pve-manager/{cluster.release.version}",
        "uptime": int(time.time() - node.booted_at),
        "cpu": 0.02,
        "loadavg": ["0.42", "0.40", "0.37"],
        "cpuinfo": {"cores": node.cores, "cpus": node.cores, "sockets": 1, "model": "Simulated"},
        "memory": {
            "total": node.memory,
            "used": used,
            "free": node.memory - used,
            "available": node.memory - used,
        },
        "rootfs": {"total": 100 * GIB, "used": 10 * GIB, "free": 90 * GIB, "avail": 90 * GIB},
        "current-kernel": {"sysname": "Linux", "release": "6.17.0-pve", "version": "#1", "machine": "x86_64"},
    }


def cluster_status(cluster: Cluster) -> list[dict[str, Any]]:
    """GET /cluster/status."""
    head = {"type": "cluster", "id": "cluster", "name": "lab", "version": 3, "nodes": len(cluster.nodes)}
    nodes = [
        {
            "type": "node",
            "id": f"node/{node.name}",
            "name": node.name,
            "nodeid": number,
            "ip": f"192.168.1.{9 + number}",
            "online": int(node.up),
            "local": int(number == 1),
            "level": "",
        }
        for number, node in enumerate(cluster.nodes.values(), 1)
    ]
    return [{**head, "quorate": int(cluster.quorate())}, *nodes]


def storage_status(cluster: Cluster, storage: Storage, node: str) -> dict[str, Any]:
    """GET /nodes/N/storage/S/status; one that is away is not active, and has no figures."""
    online = cluster.online(storage)
    used = (cluster.used(storage) + cluster.files.used(storage, node)) * online
    return {
        "type": storage.kind,
        "content": storage.content,
        "total": storage.total * online,
        "used": used,
        "avail": storage.total * online - used,
        "active": int(online),
        "enabled": 1,
        "shared": int(storage.shared),
    }


def storage_list(cluster: Cluster, node: str, content: str, name: str) -> list[dict[str, Any]]:
    """GET /nodes/N/storage."""
    wanted = set(split_list(content))
    return [
        {"storage": s.name, **storage_status(cluster, s, node), "used_fraction": cluster.used(s) / s.total}
        for s in STORAGES.values()
        if name in ("", s.name)
        and (not wanted or wanted & set(split_list(s.content)))
        and cluster.access.allows(
            f"/storage/{s.name}", "Datastore.AllocateSpace", "Datastore.Audit", any=True
        )
    ]


def storage_content(
    cluster: Cluster, node: str, storage: Storage, values: dict[str, Any]
) -> list[dict[str, Any]]:
    """GET /nodes/N/storage/S/content: templates, backups and root file systems."""
    content, vmid = values.get("content", ""), values.get("vmid")
    found = cluster.volumes.content(node, storage, values)
    if content in ("", "rootdir"):
        for container in cluster.containers.values():
            if container.storage == storage and vmid in (None, container.vmid):
                entry = {"volid": container.volume, "content": "rootdir", "format": "raw"}
                found.append({**entry, "size": container.disk, "vmid": container.vmid})
    return found


def task_list(cluster: Cluster, node: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """GET /nodes/N/tasks, newest first, before ``start`` and ``limit`` are applied."""
    source = values.get("source", "archive")
    wanted = []
    for task in cluster.tasks.all():
        if (
            task.node == node
            and source in ("all", "active" if task.running else "archive")
            and _asked(task, values)
        ):
            # The node's list says so in capitals, the status of the single task "running".
            wanted.append({"status": "RUNNING", **listed(task)})
    return wanted


def cluster_tasks(cluster: Cluster) -> list[dict[str, Any]]:
    """GET /cluster/tasks: without Sys.Audit those of the user alone, and those of a token are not."""
    tasks = [listed(task) for task in cluster.tasks.all()][:500]
    return tasks if cluster.access.allows("/", "Sys.Audit") else []


def listed(task: Task) -> dict[str, Any]:
    """A task as the cluster's list shows it: ``status`` is its exitstatus, absent while it runs."""
    if task.running:
        return task_view(task)
    return {**task_view(task), "endtime": int(task.endtime), "status": task.exitstatus}


def _asked(task: Task, values: dict[str, Any]) -> bool:
    kinds = {"ok": "OK", "warning": "WARNINGS", "unknown": "unexpected status"}
    failed = not task.running and task.exitstatus != "OK"
    statuses = split_list(values.get("statusfilter", ""))
    good_status = not statuses or any(
        task.exitstatus.startswith(kinds[s])
        if s in kinds
        else failed and not task.exitstatus.startswith("WARN")
        for s in statuses
    )
    return (
        str(values.get("vmid", task.id)) == task.id
        and values.get("typefilter", task.type) == task.type
        and values.get("userfilter", "") in task.user
        and values.get("since", 0) <= task.starttime <= values.get("until", task.starttime)
        and (not values.get("errors") or failed)
        and good_status
    )


def _guest(cluster: Cluster, container: Container) -> dict[str, Any]:
    now = time.time()
    view: dict[str, Any] = {
        "id": f"lxc/{container.vmid}",
        "type": "lxc",
        "vmid": container.vmid,
        "node": container.node,
        "template": int(container.config.get("template", 0)),
    }
    view |= {key: container.config[key] for key in ("lock", "tags") if key in container.config}
    if container.pool:
        view["pool"] = container.pool
    if cluster.ha.manages(container.vmid):
        view["hastate"] = cluster.ha.state_of(container.vmid) or cluster.ha.requested(container.vmid)
    period = BROADCAST_SECONDS * cluster.clock.factor
    last = now - now % period if period else now
    if container.created_at > last or not cluster.nodes[container.node].up:
        return {**view, "status": "unknown"}
    running = container.running if container.changed_at <= last else not container.running
    return view | {
        "name": container.config.get("hostname", f"CT{container.vmid}"),
        "status": "running" if running else "stopped",
        "maxcpu": container.config.get("cores", cluster.nodes[container.node].cores),
        "maxmem": container.config.get("memory", 512) * 1024**2,
        "maxdisk": container.disk,
        **_figures(container, running, now),
    }


def _figures(container: Container, running: bool, now: float) -> dict[str, Any]:
    traffic = {"netin": 0, "netout": 0, "diskread": 0, "diskwrite": 0}
    if not running:
        return {"cpu": 0, "mem": 0, "disk": 0, "uptime": 0, **traffic}
    uptime = max(0, int(now - container.changed_at))
    return {
        "cpu": CPU,
        "mem": container.memory_in_use,
        "disk": min(BASE_DISK, container.disk),
        "uptime": uptime,
        **{name: uptime * 1000 for name in traffic},
    }


def _node_resource(cluster: Cluster, node: Node) -> dict[str, Any]:
    view: dict[str, Any] = {"id": f"node/{node.name}", "type": "node", "node": node.name}
    if not node.up:
        return {**view, "status": "offline", "level": ""}
    return {
        **view,
        "status": "online",
        "level": "",
        "hastate": "online",
        "cpu": 0.02,
        "maxcpu": node.cores,
        "mem": _memory_used(cluster, node),
        "maxmem": node.memory,
        "disk": 10 * GIB,
        "maxdisk": 100 * GIB,
        "uptime": int(time.time() - node.booted_at),
    }


def _storage_resource(cluster: Cluster, storage: Storage, node: Node) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": f"storage/{node.name}/{storage.name}",
        "type": "storage",
        "storage": storage.name,
        "node": node.name,
        "plugintype": storage.kind,
        "content": storage.content,
        "shared": int(storage.shared),
    }
    if not node.up:
        return {**view, "status": "unknown"}
    return {**view, "status": "available", "disk": cluster.used(storage), "maxdisk": storage.total}


def _memory_used(cluster: Cluster, node: Node) -> int:
    guests = sum(c.memory_in_use for c in cluster.containers.values() if c.running and c.node == node.name)
    return 4 * GIB + guests

"""The periodic look at the nodes: how full they are, which have come and which are gone, and how much room
there is."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from nodepoint.board import findings
from nodepoint.jobs.models import Job
from sites.clients.proxmox import Guest, Node
from sites.connections import proxmox
from sites.models import ClusterNode, Placement, Site, Spare, Template
from sites.placement import forecast
from sites.placement.promises import TEMPLATE_MB
from sites.placement.reading import MIB, NODES

GB = 1024**3
log = structlog.get_logger("nodepoint.sites")


def notice(guests: Iterable[Guest], nodes: Iterable[Node], asked_at: datetime) -> None:
    """Keep what the nodes hold, and what that leaves. One call, and one for each node that is online."""
    nodes, held = list(nodes), [guest for guest in guests if not guest.template]
    kept, others = proxmox().nodes_in_maintenance(), _of_others(held)
    rows = [
        _read(node, [guest for guest in held if guest.node == node.name])
        | {"maintenance": node.name in kept, "others_mb": others.get(node.name, 0)}
        for node in nodes
    ]
    _note_nodes({node.name for node in nodes})
    _forget_places()
    room = forecast.reckon({row["name"]: row for row in rows}, asked_at)
    findings.note(NODES, {"nodes": rows, "room": asdict(room) if room else None}, asked_at)


def _read(node: Node, guests: list[Guest]) -> dict[str, Any]:
    """In GB and cores, and what is reckoned with in MB. Held: what the guests may take at most, templates
    excepted; of a shared storage each node sees the whole."""
    return {
        "name": node.name,
        "online": node.online,
        "memory_mb": node.maxmem // MIB,
        "memory_used_mb": node.mem // MIB,
        "memory_used": round(node.mem / GB, 1),
        "memory_held": round(sum(guest.maxmem for guest in guests) / GB, 1),
        "memory_total": round(node.maxmem / GB, 1),
        "load": node.cpu,
        "cores_used": round(node.cpu * node.maxcpu, 1),
        "cores_held": round(sum(guest.maxcpu for guest in guests), 1),
        "cores_total": node.maxcpu,
        "disk_held": round(sum(guest.maxdisk for guest in guests) / GB, 1),
        **_disk(node),
    }


def _disk(node: Node) -> dict[str, Any]:
    """The storage of the sites in GB; nothing of a node that is away."""
    if not node.online:
        return {"disk_used": 0.0, "disk_total": 0.0, "disk_active": True, "shared": False}
    storage = proxmox().storage_status(node.name, settings.PROXMOX_STORAGE)
    return {
        "disk_used": round(storage.used / GB, 1),
        "disk_total": round(storage.total / GB, 1),
        "disk_active": storage.active and storage.enabled,
        "shared": storage.shared,
    }


def _of_others(guests: Iterable[Guest]) -> dict[str, int]:
    """MB by node that guests may take beyond what rows of ours promise them: all of a stranger's, and what
    somebody has added to one of ours."""
    ours = dict(Site.objects.filter(node__gt="", vmid__isnull=False).values_list("vmid", "plan__memory_mb"))
    spares = Spare.objects.filter(state__in=Spare.STANDING, vmid__isnull=False)
    ours |= dict(spares.values_list("vmid", "memory_mb"))
    built = Template.objects.filter(vmid__isnull=False).values_list("vmid", flat=True)
    ours |= dict.fromkeys(built, TEMPLATE_MB)
    found: dict[str, int] = {}
    for guest in guests:
        more = guest.maxmem // MIB - ours.get(guest.vmid, 0)
        found[guest.node] = found.get(guest.node, 0) + max(0, more)
    return found


def _note_nodes(names: set[str]) -> None:
    """Rows for nodes that are new, and which of them the cluster names no more."""
    rows = {row.name: row for row in ClusterNode.objects.all()}
    for name in sorted(names - rows.keys()):
        ClusterNode.objects.get_or_create(name=name)
        log.info("node_new", node=name)
    back = [name for name, row in rows.items() if row.gone_at and name in names]
    ClusterNode.objects.filter(name__in=back).update(gone_at=None)
    gone = [name for name, row in rows.items() if row.gone_at is None and name not in names]
    ClusterNode.objects.filter(name__in=gone).update(gone_at=timezone.now())
    for name in gone:
        log.warning("node_gone", node=name)


def _forget_places() -> None:
    """Places that a job has reserved which is over, however it ended."""
    alive = Job.objects.filter(active_key__isnull=False).values("subject")
    Placement.objects.filter(open=True).exclude(subject__in=alive).update(open=False)

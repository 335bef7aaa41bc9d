"""What is known of the nodes: the cluster's own words, now or as of the last look, put together with the
flags and limits of staff and with what is promised."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import timezone

from nodepoint.board import findings
from sites.models import ClusterNode
from sites.placement import promises
from sites.placement.choice import GB, Disk, NodeReading, Wish, refusal
from sites.placement.promises import Promise

NODES = "nodes"  # the reading that `placement.look` leaves
RECENT = timedelta(minutes=10)  # an older one keeps nobody from trying
MIB = 1024**2
Looked = Mapping[str, Mapping[str, Any]]


def last_look() -> dict[str, dict[str, Any]]:
    """The nodes by name as they were read last; empty where nobody has looked lately. One query."""
    reading = findings.last(NODES)
    if reading is None or reading.taken_at < timezone.now() - RECENT:
        return {}
    return {node["name"]: node for node in reading.data["nodes"]}


def put_together(
    looked: Looked, promised: Mapping[str, Promise], asked: Looked | None = None, kin: Mapping[str, int] = {}
) -> list[NodeReading]:
    """The nodes of PROXMOX_NODES. `looked`: as of the last look; `asked`: what the cluster has just said of
    all its nodes, by name. One query."""
    rows = {row.name: row for row in ClusterNode.objects.filter(name__in=settings.PROXMOX_NODES)}
    known = asked if asked is not None else looked
    everywhere = sum(promise.disk for promise in promised.values())
    return [
        _node(
            name,
            rows.get(name) or ClusterNode(name=name),
            {**looked.get(name, {}), **known.get(name, {})},
            name in known or not known,
            promised.get(name, Promise()),
            everywhere,
            kin.get(name, 0),
        )
        for name in settings.PROXMOX_NODES
    ]


def _node(
    name: str,
    row: ClusterNode,
    seen: Mapping[str, Any],
    in_cluster: bool,
    promise: Promise,
    everywhere: int,
    kin: int,
) -> NodeReading:
    memory = seen.get("memory_mb", 0)
    return NodeReading(
        name=name,
        in_cluster=in_cluster,
        online=seen.get("online", True),
        ha_maintenance=bool(seen.get("maintenance")),
        maintenance=row.maintenance,
        closed=row.closed,
        memory=memory,
        used=seen.get("memory_used_mb", 0),
        promised=promise.memory + seen.get("others_mb", 0),
        limit=max(0, round(memory * row.memory_ratio) - row.memory_reserve_gb * GB),
        disk=_disk(row, seen, everywhere if seen.get("shared") else promise.disk),
        load=seen.get("load", 0.0),
        at_work=promise.at_work,
        kin=kin,
    )


def _disk(row: ClusterNode, seen: Mapping[str, Any], promised: int) -> Disk | None:
    if not seen.get("disk_total") and seen.get("disk_active", True):
        return None
    total = seen.get("disk_total", 0.0)
    active = seen.get("disk_active", True)
    return Disk(total, seen.get("disk_used", 0.0), promised, round(total * row.disk_ratio, 1), active)


@dataclass
class Known:
    """The nodes as of the last look, for what may not wait for a question. What is promised is counted when
    it is asked for first."""

    looked: Looked

    def usable(self, node: str) -> bool:
        """Whether something new may go to a node, whatever its size."""
        found = self._flags.get(node)
        return found is not None and not found.unusable

    def has_room(self, node: str, memory: int, disk: int, kept: float = 0.0) -> bool:
        """Whether a usable node has room for so many MB and GB more, and the share `kept` left then."""
        return self.usable(node) and not refusal(self._nodes[node], Wish(memory, disk, kept))

    def nodes(self) -> Iterable[NodeReading]:
        """All of PROXMOX_NODES."""
        return self._nodes.values()

    @cached_property
    def _flags(self) -> dict[str, NodeReading]:
        return {node.name: node for node in put_together(self.looked, {})}

    @cached_property
    def _nodes(self) -> dict[str, NodeReading]:
        return {node.name: node for node in put_together(self.looked, promises.of_ours(promises.reserved()))}


def known() -> Known:
    """As of the last look. One query, and another one for the flags; eight more where room is asked for."""
    return Known(last_look())

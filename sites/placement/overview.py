"""What staff see of a node: how it is, how full, and whether a new site could go there. By the last look and
our rows: nobody is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from nodepoint.jobs.models import Job
from sites.models import ClusterNode, Placement, Plan, Site
from sites.placement import drain, forecast, promises, reading
from sites.placement.choice import GB, Choice, NodeReading, Wish, choose, refusal
from sites.placement.promises import Promise


@dataclass(frozen=True)
class Overview:
    """`known` None: it is not one of PROXMOX_NODES. `room`: how many more sites of the smallest plan fit;
    None: nobody knows. `why_not`: why none would go there."""

    row: ClusterNode
    known: NodeReading | None
    seen: Mapping[str, Any]
    promise: Promise
    room: int | None
    why_not: str

    @property
    def state(self) -> tuple[str, str]:
        """In a word, and its colour."""
        if self.row.gone_at:
            return "gone", "danger"
        if not self.seen:
            return "not seen lately", "warning"
        if not self.seen["online"]:
            return "offline", "danger"
        if self.row.maintenance_at or self.seen.get("maintenance"):
            return "maintenance", "warning"
        return "online", "success"

    @property
    def new_sites(self) -> tuple[str, str]:
        """Whether it takes new sites, and the colour."""
        if self.known is None:
            return "not in PROXMOX_NODES", "default"
        if self.row.closed_at or self.row.maintenance_at:
            return "closed", "warning"
        return ("no", "danger") if self.why_not else ("yes", "success")

    @property
    def memory(self) -> str:
        """`126 of 510 GB promised, 90 in use`."""
        if self.known is None or not self.known.memory:
            used, total = self.seen.get("memory_used", 0.0), self.seen.get("memory_total", 0.0)
            return f"{used:g} of {total:g} GB in use" if total else "–"
        known = self.known
        promised, limit, used = (f"{round(mb / GB):,}" for mb in (known.promised, known.limit, known.used))
        return f"{promised} of {limit} GB promised, {used} in use"

    @property
    def disk(self) -> str:
        """The same of the storage of the sites."""
        disk = self.known.disk if self.known else None
        if disk is None:
            return "–"
        shared = " (shared)" if self.seen.get("shared") else ""
        return f"{disk.promised:,} of {disk.limit:,.0f} GB promised, {disk.used:,.0f} in use{shared}"


def of(rows: Iterable[ClusterNode]) -> list[Overview]:
    """Of each of these. Eleven queries, however many nodes and sites."""
    looked, promised = reading.last_look(), promises.of_ours(promises.reserved())
    known = {node.name: node for node in reading.put_together(looked, promised)}
    left, smallest = forecast.last(timezone.now()), _smallest()
    return [
        Overview(
            row,
            known.get(row.name),
            looked.get(row.name, {}),
            promised.get(row.name, Promise()),
            _room(left, known.get(row.name)) if left else None,
            refusal(known[row.name], smallest) if smallest and row.name in known else "",
        )
        for row in rows
    ]


def _room(left: forecast.Room, node: NodeReading | None) -> int:
    """Of the last look; a node that was closed since has none."""
    return 0 if node is None or node.unusable else left.nodes.get(node.name, 0)


def _smallest() -> Wish | None:
    plan = Plan.objects.order_by("memory_mb", "name").first()
    return Wish(plan.memory_mb, plan.disk_gb) if plan else None


def next_choice() -> Choice | None:
    """Where an order of the smallest plan would go now, as far as the last look knows; None without a
    plan."""
    wish = _smallest()
    return choose(reading.known().nodes(), wish, settings.PROXMOX_HOME_NODE) if wish else None


def last_drain(row: ClusterNode) -> tuple[Job, drain.Progress] | None:
    """The last job that emptied it, or is about to, and how far it is. One query, or four."""
    job = Job.objects.filter(kind=drain.DRAIN, subject=row.key).order_by("-created_at").first()
    return (job, drain.progress(job)) if job else None


def why_there(site: Site) -> Placement | None:
    """Why a site's container was put where it was; None of those that were made before that was kept. One
    query."""
    return Placement.objects.filter(subject=site.key).first()

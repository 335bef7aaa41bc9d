"""What staff keep of a node: whether it takes new sites, its maintenance, and its limits."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from nodepoint.audit import trail
from nodepoint.jobs import queue
from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import Job
from sites.models import ClusterNode, Site
from sites.placement.drain import DRAIN, sites_on
from sites.placement.moves import FROM, MOVE

BATCH, MOST = 2, 10  # sites that are moved at once: by default, and at most
DRAINED = "It is being drained."
LIMITS = ("memory_ratio", "memory_reserve_gb", "disk_ratio")


def close_node(node: ClusterNode, *, note: str = "", actor: str = "") -> None:
    """No new sites from now on; what stands there stays. MoveRefused where it takes none already."""
    _flag(node, "closed", note, actor)


def open_node(node: ClusterNode, *, actor: str = "") -> None:
    """New sites again. MoveRefused where it takes them."""
    _flag(node, "closed", None, actor)


def begin_maintenance(node: ClusterNode, *, note: str = "", actor: str = "") -> None:
    """Nothing new, and nothing that can wait, such as updates of its sites. MoveRefused where it is so
    already."""
    _flag(node, "maintenance", note, actor)


def end_maintenance(node: ClusterNode, *, actor: str = "") -> None:
    """As always again. MoveRefused where there is no maintenance."""
    _flag(node, "maintenance", None, actor)


@transaction.atomic
def _flag(node: ClusterNode, name: str, note: str | None, actor: str) -> None:
    """Set the flag with its note, or take it off (None)."""
    row = ClusterNode.objects.select_for_update().get(pk=node.pk)
    before = getattr(row, name)
    if (before is None) == (note is None):
        raise MoveRefused(f"{row.name}: this is so already.")
    setattr(row, f"{name}_at", None if note is None else timezone.now())
    setattr(row, f"{name}_by", "" if note is None else actor)
    setattr(row, f"{name}_note", note or "")
    row.save()
    _record(
        row, f"sites.node_{name}", actor, {name: before is not None}, {name: note is not None}, note or ""
    )


@transaction.atomic
def set_limits(node: ClusterNode, *, actor: str = "", **limits: Any) -> None:
    """How much may be promised: `memory_ratio`, `memory_reserve_gb`, `disk_ratio`. They count from the next
    order on."""
    row = ClusterNode.objects.select_for_update().get(pk=node.pk)
    before = {name: getattr(row, name) for name in LIMITS}
    after = {**before, **{name: limits[name] for name in LIMITS if name in limits}}
    if before == after:
        raise MoveRefused(f"{row.name}: these are its limits already.")
    ClusterNode.objects.filter(pk=row.pk).update(**after)
    _record(row, "sites.node_limits", actor, before, after)


def drain_node(node: ClusterNode, *, batch: int = BATCH, note: str = "", actor: str = "") -> Job:
    """Have all of our sites on it moved elsewhere, `batch` at once (1 to MOST), and take no new ones.
    JobRefused while that goes on already."""

    def work() -> Job:
        queue.lock(node.key)
        row = ClusterNode.objects.select_for_update().get(pk=node.pk)
        data = {
            "node": row.name,
            "batch": max(1, min(batch, MOST)),
            "total": sites_on(row.name).count(),
        }
        job = queue.submit(DRAIN, row.key, data=data, actor=actor, queue=False)
        row.drain_stopped_at = None
        if row.closed_at is None:
            row.closed_at, row.closed_by, row.closed_note = timezone.now(), actor, note or DRAINED
        row.save()
        return job

    return queue.whole(work)


def stop_draining(node: ClusterNode, *, actor: str = "") -> None:
    """Take up no more sites; those on their way are finished. It goes on taking no new ones. MoveRefused when
    nothing goes on."""
    with transaction.atomic():
        running = draining(node)
        if running is None:
            raise MoveRefused(f"{node.name} is not being drained.")
        ClusterNode.objects.filter(pk=node.pk).update(drain_stopped_at=timezone.now())
        trail.record("sites.stop_draining", node.key, label=node.name, job_id=running.pk, actor=actor)


def draining(node: ClusterNode) -> Job | None:
    """The job that empties it, while it goes on. One query."""
    return Job.objects.filter(active_key=node.key, kind=DRAIN).first()


def leaves(site: Site, node: str) -> bool:
    """Whether a site may be asked to leave a node: it stands, and the node takes no sites. Also where it is
    elsewhere by now: then the job finds so."""
    live = Site.objects.filter(pk=site.pk, state=Site.State.LIVE, deletion_requested_at=None)
    return live.exists() and (site.node != node or ClusterNode.is_closed(node))


def move_site(site: Site, node: str, *, actor: str = "") -> Job:
    """Have a site leave a node, behind what runs for it. MoveRefused where it does not stand there, or the
    node takes sites."""

    def work() -> Job:
        queue.lock(site.key)
        if not leaves(site, node):
            raise MoveRefused(f"{site.service_id} need not leave {node} any more.")
        return queue.submit(MOVE, site.key, data={"service_id": site.service_id, FROM: node}, actor=actor)

    return queue.whole(work)


def _record(
    row: ClusterNode, act: str, actor: str, before: dict[str, Any], after: dict[str, Any], reason: str = ""
) -> None:
    trail.record(act, row.key, label=row.name, actor=actor, before=before, after=after, reason=reason)

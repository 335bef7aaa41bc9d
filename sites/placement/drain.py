"""Emptying a node: our sites on it are moved in turn, some at a time, each by a job of its own; ready
containers are destroyed, since others are made elsewhere. What is not ours stays where it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from nodepoint.clients.errors import ClientError
from nodepoint.jobs import queue
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Outcome, Retry, Wait
from sites.connections import proxmox
from sites.models import ClusterNode, Site, Spare, Template
from sites.placement import reading
from sites.placement.choice import Choice, NodeReading, Wish, choose
from sites.placement.moves import FROM, MOVE
from sites.pool import ends

DRAIN = "sites.drain"
DRAINED_BY = "drain"  # in the data of a move's job: the job that has begun it
PAUSE, HELD_PAUSE = 2.0, 15.0  # seconds between two looks
HELD_UP = "Sites on their way are held up."
SPARE_GOES = "Its node is drained."
ENDED = (*Job.ENDED_BADLY, Job.State.SUCCEEDED)
NAMED = 10  # things of one kind that are named


@dataclass(frozen=True)
class Progress:
    """Of one drain: sites that were moved, that could not be, and that are on their way."""

    done: int
    failed: int
    at_work: int


def moves_of(job: Job) -> QuerySet[Job]:
    """The jobs of single sites that it has begun."""
    return Job.objects.filter(kind=MOVE, created_at__gte=job.created_at, data__drain=job.pk)


def progress(job: Job) -> Progress:
    """How far a drain is. Three queries."""
    mine = moves_of(job)
    ended = mine.filter(state__in=ENDED).exclude(state=Job.State.CANCELLED)
    return Progress(
        done=ended.filter(state=Job.State.SUCCEEDED).count(),
        failed=ended.exclude(state=Job.State.SUCCEEDED).count(),
        at_work=mine.filter(state__in=Job.ALIVE).count(),
    )


def sites_on(node: str) -> QuerySet[Site]:
    """What stands there of ours, the oldest first."""
    return Site.objects.filter(node=node, vmid__isnull=False, deletion_requested_at=None).order_by("pk")


def emptied(call: Call) -> Outcome:
    """Nothing of ours is left on the node, but for what could not be moved."""
    node: ClusterNode = call.subject
    now = progress(call.job)
    if node.drain_stopped_at is not None:
        return Wait(seconds=PAUSE) if now.at_work else _ended(call, now, "Stopped. ")
    for spare in Spare.objects.filter(node=node.name, state__in=(Spare.State.READY, Spare.State.BUILDING)):
        ends.destroy(spare, SPARE_GOES, actor=call.job.actor)
    taken, held = _take_up(call, call.job.data["batch"] - now.at_work)
    if now.at_work or taken:
        return _held_up(call, now) or Wait(seconds=PAUSE)
    if held := held or _unfinished(node):
        return Retry(
            error=f"{node.name} cannot be emptied yet.", detail=held, seconds=HELD_PAUSE, in_line=True
        )
    return _ended(call, now)


def _take_up(call: Call, free: int) -> tuple[int, str]:
    """Have up to `free` more sites moved. How many were begun; and, where no node can take one, why."""
    had = {
        int(subject.partition(":")[2])
        for subject in moves_of(call.job).exclude(state=Job.State.CANCELLED).values_list("subject", flat=True)
    }
    left = sites_on(call.subject.name).filter(state=Site.State.LIVE).select_related("plan")
    nodes, taken, held = list(reading.known().nodes()), 0, ""
    for site in (site for site in left if site.pk not in had):
        if taken >= free:
            break
        target = target_for(site, nodes)
        if target.node:
            taken += _submit(call, site.pk)
        else:
            held = f"{site.service_id}: {target.sentence}"
    return taken, held


def _held_up(call: Call, now: Progress) -> Outcome | None:
    """What all that are on their way wait for; None: one of them gets ahead."""
    waiting = list(moves_of(call.job).filter(state=Job.State.WAITING))
    if not waiting or len(waiting) < now.at_work:
        return None
    rows = JobStep.objects.filter(job__in=waiting, state=JobStep.State.WAITING).exclude(error="")
    said = [f"{row.job.data['service_id']}: {row.error}" for row in rows.select_related("job").order_by("pk")]
    return Retry(error=HELD_UP, detail=" ".join(said[:NAMED]), seconds=PAUSE, in_line=True)


def target_for(site: Site, nodes: Iterable[NodeReading]) -> Choice:
    """Where it could go, as of the last look."""
    without = ((site.node, "is the one that it leaves"),)
    return choose(nodes, Wish(site.plan.memory_mb, site.plan.disk_gb, without=without))


def _submit(call: Call, pk: int) -> bool:
    with transaction.atomic():
        queue.lock(f"sites.site:{pk}")
        site = sites_on(call.subject.name).filter(pk=pk, state=Site.State.LIVE).first()
        if site is None:
            return False
        data = {"service_id": site.service_id, FROM: call.subject.name, DRAINED_BY: call.job.pk}
        queue.submit(MOVE, site.key, data=data, actor=call.job.actor)
    return True


def _unfinished(node: ClusterNode) -> str:
    """What is still in the making or on its way out there; empty: nothing."""
    ordered = sites_on(node.name).filter(state=Site.State.PROVISIONING).values_list("service_id", flat=True)
    spares = Spare.objects.filter(node=node.name, state=Spare.State.DRAINING).values_list(
        "build_id", flat=True
    )
    built = Template.objects.filter(node=node.name, state=Template.State.BUILDING)
    words = (
        ("orders at work", ordered),
        ("ready containers that are being destroyed", spares),
        ("templates that are being built", built.values_list("build_id", flat=True)),
    )
    return "; ".join(f"{what}: {_names(names)}" for what, names in words if names)


def _ended(call: Call, now: Progress, how: str = "") -> Outcome:
    node: ClusterNode = call.subject
    still = list(sites_on(node.name).values_list("service_id", flat=True)[: NAMED + 1])
    note = f"{how}{now.done} moved, {now.failed} failed."
    if still:  # those that failed stand on the board each by itself
        note += f" Still there: {_names(still)}."
    return Done(note=f"{note}{_left_alone(node.name)}")


def _left_alone(node: str) -> str:
    """What is there of others, and templates of ours that go with the node. Two calls; where Proxmox VE does
    not answer, nothing is said of them."""
    try:
        ours = set(Site.objects.filter(node=node).values_list("vmid", flat=True))
        others = [guest for guest in proxmox().resources() if guest.node == node and guest.vmid not in ours]
        templates = _templates(node)
    except ClientError:
        return ""
    said = (
        f" Of others, left alone: {_names(guest.name or str(guest.vmid) for guest in others)}."
        if others
        else ""
    )
    return said + (f" Templates on its local storage: {_names(templates)}." if templates else "")


def _templates(node: str) -> list[str]:
    """Templates that sites are made from and that lie on this node's own storage."""
    storage = settings.PROXMOX_TEMPLATE.partition(":")[0]
    if proxmox().storage_status(node, storage).shared:
        return []
    used = {settings.PROXMOX_TEMPLATE, *Template.objects.exclude(volid="").values_list("volid", flat=True)}
    return [volume.volid for volume in proxmox().storage_content(node, storage) if volume.volid in used]


def _names(names: Iterable[str]) -> str:
    found = [str(name) for name in names]
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more

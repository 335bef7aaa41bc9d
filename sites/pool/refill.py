"""When a ready container is made, and which have to go: as many are kept as POOL_SIZE says, made as an order
of today would be.

Those in the making count as if they were ready, however long they take, so that a slow build brings no flood;
AT_ONCE of them at most. After a failure the next try waits, longer each time, and only the first of a row is
told to staff."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from sites import allocation
from sites.install import LEVEL
from sites.models import Plan, Spare
from sites.placement import places, reading
from sites.pool import claims, ends

FILL = "sites.pool_fill"
AT_ONCE = 2  # in the making
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)  # after failures in a row
MOST_FAILURES = 12  # that are looked back at
OLD = timedelta(days=7)  # what is inside grows old by then, as a template does
KEPT_ADDRESSES = 5  # which are left to orders
KEPT = (Spare.State.READY, Spare.State.BUILDING)
AGAIN = "again"  # in a job's data: the one before has failed, too

STALE = "Another template, storage or install script is in use by now."
TOO_MANY = "The pool is to be smaller."
TOO_OLD = "It has waited for a week."


def top_up(*, actor: str = "pool", at_once: bool = False) -> int:
    """Have spares made that are missing, and those destroyed that are stale or too many. `at_once`: whatever
    has failed lately. Returns how many are begun. Not while a restored database is open: nobody knows then
    what stands."""
    if Restoration.is_open():
        return 0
    _drain(actor)
    return sum(1 for _ in range(AT_ONCE) if _begin(actor, at_once))


def _drain(actor: str) -> None:
    """Have those go that no order of today would be given, and those that are too many: the youngest, and of
    them what is not ready first. Of a full pool one at a time that is old."""
    today = claims.of_today()
    for spare in Spare.objects.filter(state__in=KEPT).exclude(pk__in=today.values("pk")):
        ends.destroy(spare, STALE, actor=actor)
    kept = list(today.filter(state__in=KEPT).order_by("ready_at", "pk"))
    ready = [spare for spare in kept if spare.state == Spare.State.READY]
    building = [spare for spare in kept if spare.state == Spare.State.BUILDING]
    for spare in [*ready, *building][settings.POOL_SIZE :]:
        ends.destroy(spare, TOO_MANY, actor=actor)
    full = ready and len(ready) == settings.POOL_SIZE
    if full and ready[0].ready_at < timezone.now() - OLD:
        ends.destroy(ready[0], TOO_OLD, actor=actor)


@transaction.atomic
def _begin(actor: str, at_once: bool) -> Job | None:
    """Have one more made if one is missing. Others that count at this moment, on another host, wait."""
    allocation.lock()
    shortage = look()
    if not shortage.missing or (shortage.why and not (at_once and shortage.failures)):
        return None
    size = Plan.objects.aggregate(memory=Min("memory_mb"), cores=Min("cores"), disk=Min("disk_gb"))
    spare = Spare.objects.create(
        template=settings.PROXMOX_TEMPLATE,
        storage=settings.PROXMOX_STORAGE,
        level=LEVEL,
        memory_mb=size["memory"],
        cores=size["cores"],
        disk_gb=size["disk"],
        private_ip=allocation.free_address(),
        vmid=allocation.free_vmid(),
    )
    data = {"spare": spare.build_id, **({AGAIN: True} if shortage.failures else {})}
    return queue.submit(FILL, spare.key, data=data, actor=actor)


def is_known(job: Job) -> bool:
    """Whether staff know by an earlier failure what a job fails with."""
    return bool(job.data.get(AGAIN))


@dataclass(frozen=True)
class Shortage:
    """`missing`: spares that could be begun now. `failures`: in a row, up to now. `why`: what keeps the pool
    from them, in a sentence; empty: nothing, or none is missing."""

    ready: int
    building: int
    missing: int
    failures: int
    why: str


def look(now: datetime | None = None) -> Shortage:
    """How the pool is. Five queries at most."""
    now = now or timezone.now()
    states = list(claims.of_today().filter(state__in=KEPT).values_list("state", flat=True))
    ready, building = states.count(Spare.State.READY), states.count(Spare.State.BUILDING)
    missing = max(0, min(settings.POOL_SIZE - len(states), AT_ONCE - building))
    if len(states) >= settings.POOL_SIZE:
        return Shortage(ready, building, 0, 0, "")
    failed = _failures()
    return Shortage(ready, building, missing, len(failed), _obstacle() or _pause(failed, now))


def _failures() -> list[Spare]:
    """The last ones that failed, none of a later one having been ready; the latest first."""
    ended = Spare.objects.exclude(state=Spare.State.BUILDING).order_by("-pk")[:MOST_FAILURES]
    return list(takewhile(lambda spare: spare.state == Spare.State.FAILED, ended))


def _pause(failed: list[Spare], now: datetime) -> str:
    if not failed:
        return ""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (len(failed) - 1))
    until = failed[0].ended_at + pause
    return f"{failed[0].reason} The next try is at {until:%H:%M} UTC." if until > now else ""


def _obstacle() -> str:
    """What lies not with the pool: no plan, no room, no address."""
    size = Plan.objects.aggregate(memory=Min("memory_mb"), disk=Min("disk_gb"))
    if size["disk"] is None:
        return "There is no plan."
    known = reading.known()
    if not any(known.usable(node) for node in settings.PROXMOX_NODES):
        return "No node can be used."
    if not any(known.has_room(node, **size, kept=places.KEPT_FREE) for node in settings.PROXMOX_NODES):
        return "Memory or storage of the nodes is nearly full: what is left is for orders."
    if allocation.addresses_left() <= KEPT_ADDRESSES:
        return "Few addresses are free: they are for orders."
    return ""

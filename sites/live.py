"""One reading of the whole cluster, shared by all processes: the number of calls to Proxmox does not grow
with the number of sites.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import ClientError
from nodepoint.jobs import limits
from nodepoint.jobs.models import Lease
from sites.clients.proxmox import Guest
from sites.connections import proxmox
from sites.models import ClusterReading

KEPT = timedelta(seconds=5)
LAG = timedelta(
    seconds=12
)  # the nodes tell the cluster about their guests every 10 s: a reading is that much older than its time
FETCH_SECONDS = 5.0  # a cluster that needs longer counts as away
PATIENCE = 0.7  # seconds that a caller waits for a new reading before it takes the old one
LEASE = "cluster-reading"


@dataclass(frozen=True)
class Usage:
    """A guest as the cluster last heard of it. `cpu`: share of its cores in use, memory and disk in bytes,
    uptime in seconds.
    """

    node: str
    status: str
    cpu: float
    memory: int
    memory_limit: int
    disk: int
    disk_limit: int
    uptime: int


class Guests(Mapping[int, Usage]):
    """What a reading says of each VMID. Most are never asked for: of 100,000 guests all would cost each web
    process 250 ms every five seconds, and the memory of as many objects."""

    def __init__(self, values: dict[str, list[Any]] | None = None) -> None:
        self._values = values or {}

    def __getitem__(self, vmid: int) -> Usage:
        return Usage(*self._values[str(vmid)])

    def __contains__(self, vmid: object) -> bool:
        return str(vmid) in self._values

    def __iter__(self) -> Iterator[int]:
        return map(int, self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True)
class Reading:
    """`taken_at`: when Proxmox was asked. `stale`: it could not be asked, these are its last known words."""

    guests: Mapping[int, Usage] = field(default_factory=Guests)
    taken_at: datetime | None = None
    tried_at: datetime | None = None
    stale: bool = True

    def fresh(self) -> bool:
        """Whether it need not be asked for again yet."""
        return self.tried_at is not None and timezone.now() - self.tried_at < KEPT


_latest = Reading()
_answer: Future[tuple[datetime, list[Guest]]] | None = None
_asking = ThreadPoolExecutor(1, thread_name_prefix="cluster-reading")


def reading() -> Reading:
    """The state of all guests, at most 5 s old; an older one, marked stale, when Proxmox does not answer in
    time.
    """
    _store_answer()
    if _latest.fresh() or _load().fresh():
        return _latest
    end = time.monotonic() + _patience()
    while time.monotonic() < end:
        _store_answer()
        if _load().fresh():
            return _latest
        time.sleep(0.02)
    return Reading(_latest.guests, _latest.taken_at, _latest.tried_at, stale=True)


def _patience() -> float:
    """Seconds to wait for an answer. All wait from the moment of the question: while Proxmox hangs, only the
    first few wait at all, and the web's threads stay free."""
    now = timezone.now()
    if limits.take(LEASE, 1, uuid.uuid4().hex, now, FETCH_SECONDS):
        _ask()
        return PATIENCE
    until = Lease.objects.filter(name=LEASE).values_list("until", flat=True).first() or now
    return PATIENCE - (FETCH_SECONDS - (until - now).total_seconds())


def _ask() -> None:
    """Have a thread ask Proxmox; a request that waits, or a later one, stores the answer."""
    global _answer
    _answer = _asking.submit(_resources)


def _resources() -> tuple[datetime, list[Guest]]:
    asked_at = timezone.now()
    with deadline(FETCH_SECONDS):
        return asked_at, proxmox().resources()


def _store_answer() -> None:
    """Store the answer that has come, or that none did: a cluster that is away is not asked by every request
    either.
    """
    global _answer
    answer = _answer
    if answer is None or not answer.done():
        return
    _answer = None
    now = timezone.now()
    try:
        asked_at, guests = answer.result()
    except ClientError as error:
        ClusterReading.objects.update(tried_at=now, error=str(error))
        return
    values = {guest.vmid: list(vars(_usage(guest)).values()) for guest in guests}
    ClusterReading.objects.update(guests=values, taken_at=asked_at, tried_at=now, error="")


def _usage(guest: Guest) -> Usage:
    sizes = (guest.mem, guest.maxmem, guest.disk, guest.maxdisk)
    return Usage(guest.node, guest.status, guest.cpu, *sizes, guest.uptime)


def _load() -> Reading:
    """Take over what some process has stored."""
    global _latest
    stored = ClusterReading.objects.values_list("tried_at", flat=True).first()
    if stored is not None and stored != _latest.tried_at:
        row = ClusterReading.objects.get()
        _latest = Reading(Guests(row.guests), row.taken_at, row.tried_at, stale=bool(row.error))
    return _latest


def stored() -> Reading:
    """What was read last, however long ago. One query, two where it is new to this process."""
    return _load()


def vmid_free(vmid: int) -> bool | None:
    """Whether the cluster uses a VMID for nothing, not even for what it hides from our token; None when it
    does not answer."""
    try:
        with deadline(FETCH_SECONDS):
            return proxmox().vmid_free(vmid)
    except ClientError:
        return None


def forget() -> None:
    """Drop what this process has read (tests)."""
    global _latest, _answer
    _latest, _answer = Reading(), None

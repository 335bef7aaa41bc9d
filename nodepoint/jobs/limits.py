"""Slots of scarce things, as rows: runner seats, the one writer of an NPM, creations per storage, calls in
flight at Proxmox."""

from datetime import datetime, timedelta
from zlib import crc32

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q

from nodepoint.conflicts import crossed, duplicate
from nodepoint.jobs.models import JobStep, Lease
from nodepoint.prepared import prepared

ASLEEP = 8  # steps at the head of a line that are tried to be woken for one free slot


def take(name: str, slots: int, holder: str, now: datetime, seconds: float, *, held: bool = False) -> bool:
    """Take one of `slots` slots called `name` for `seconds`, or renew the one that `holder` has. False: all
    are taken.

    `held`: the holder most likely has one. With a good guess it costs one statement, which counts, since
    every call of a step takes some."""
    until = now + timedelta(seconds=seconds)
    first = crc32(holder.encode()) % slots
    likely = Q(holder=holder) if held else Q(slot=first + 1) & Lease.free_at(now)
    if prepared(Lease).filter(likely, name=name).update(holder=holder, until=until):
        return True
    leases = {lease.slot: lease for lease in prepared(Lease).filter(name=name, slot__lte=slots).all()}
    mine = [lease for lease in leases.values() if lease.holder == holder]
    if mine:
        return bool(prepared(Lease).filter(pk=mine[0].pk, holder=holder).update(until=until))
    in_turn = ((first + step) % slots + 1 for step in range(slots))
    return any(_take_slot(name, slot, leases.get(slot), holder, now, until) for slot in in_turn)


def _take_slot(
    name: str, slot: int, lease: Lease | None, holder: str, now: datetime, until: datetime
) -> bool:
    if lease is None:
        return _add(name, slot, holder, until)
    if lease.holder and lease.until > now:
        return False
    return bool(prepared(Lease).filter(Lease.free_at(now), pk=lease.pk).update(holder=holder, until=until))


def _add(name: str, slot: int, holder: str, until: datetime) -> bool:
    try:
        with transaction.atomic():
            Lease.objects.create(name=name, slot=slot, holder=holder, until=until)
    except IntegrityError as error:  # another took this slot for the first time at this very moment
        if not duplicate(error):
            raise
        return False
    except OperationalError as error:  # or several did, which MariaDB may call a deadlock
        if connection.in_atomic_block or not crossed(error):
            raise
        return False
    return True


def release(holder: str, names: list[str]) -> None:
    """Give back the slots called `names` that `holder` has. Nothing happens to those it lost meanwhile."""
    if names:
        prepared(Lease).filter(holder=holder, name__in=names).update(holder="")


def renew(holders: list[str], now: datetime, seconds: float) -> None:
    """Keep all slots of these holders for `seconds` from now."""
    prepared(Lease).filter(holder__in=holders).update(until=now + timedelta(seconds=seconds))


def keep(holder: str, names: list[str], now: datetime, seconds: float) -> None:
    """Hold these slots for `seconds` although nothing is being called: the remote work itself is what is
    limited."""
    prepared(Lease).filter(holder=holder, name__in=names).update(until=now + timedelta(seconds=seconds))


def wake_next(names: list[str], now: datetime) -> list[int]:
    """Make due, for each of these limits, the step that has waited longest for it and is not awake yet.
    Returns their ids."""
    return [step for name in names if (step := _wake(name, now)) is not None]


def _wake(name: str, now: datetime) -> int | None:
    asleep = prepared(JobStep).filter(awaits=name, held=False, due_at__gt=now)
    for step in asleep.order_by("lined_up_at", "pk").limit(ASLEEP).values("pk"):
        # Slots that are freed in the same moment wake one step each, not all of them the same.
        if asleep.filter(pk=step).update(due_at=now):
            return step
    return None


def taken(name: str, now: datetime) -> int:
    """How many slots called `name` are held."""
    return len(prepared(Lease).filter(~Q(holder=""), name=name, until__gt=now).values("slot"))

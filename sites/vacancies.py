"""The lowest numbers that nothing of ours holds, kept from one order to the next: not every order has to read
what a hundred thousand sites hold. Whoever asks holds `ReservationLock`."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from nodepoint.board.models import Reading
from nodepoint.jobs.models import Job
from nodepoint.prepared import prepared
from sites.models import Site, Spare, Template

HOLDERS = (Site, Spare, Template)  # of addresses and VMIDs
MOST = 64  # numbers that are kept
KEPT = timedelta(minutes=10)  # where something was given back by no job, it is given again after as long
COMMIT = timedelta(seconds=10)  # from the moment a job says that it has ended until others can see that
GIVE_BACK = (
    "sites.restore",
    "sites.drill",
    "sites.terminate",
    "sites.unlink",
    "sites.template",
    "sites.pool_destroy",
)  # when they have ended
IN_THE_END = [Job.State.SUCCEEDED, Job.State.ROLLED_BACK, Job.State.FAILED, Job.State.CANCELLED]


def lowest(field: str, numbers: Callable[[], Iterable[Any]], is_blocked: Callable[[Any], bool]) -> Any:
    """The first of `numbers` that no row holds as `field` (vmid, private_ip) and that is not blocked; None
    where there is none. However many rows there are, five queries and at most MOST rows of each kind of
    holder; but all of them once in MOST orders, and where numbers were given back since."""
    name, first = f"free {field}", str(next(iter(numbers()), ""))
    kept = prepared(Reading).filter(name=name).first()
    if kept and kept.data["first"] == first and _holds_still(kept.taken_at):
        held = held_among(field, kept.data["free"])
        found = next((one for one in kept.data["free"] if one not in held and not is_blocked(one)), None)
        if found is not None:
            return found
    found, free = _read(field, numbers(), is_blocked)
    values = {"data": {"first": first, "free": free}, "taken_at": timezone.now()}
    if not prepared(Reading).filter(name=name).update(**values):
        Reading.objects.create(name=name, **values)
    return found


def _holds_still(taken_at: datetime) -> bool:
    """Whether nothing was given back since, as far as jobs do that, and it is not too old."""
    now = timezone.now()
    if not now - KEPT < taken_at <= now:
        return False
    ended = prepared(Job).filter(state__in=IN_THE_END, finished_at__gte=taken_at - COMMIT)
    gives_back = ~Q(state=Job.State.SUCCEEDED) | Q(kind__in=GIVE_BACK)
    return not ended.filter(gives_back).limit(1).values("pk")


def _read(field: str, numbers: Iterable[Any], is_blocked: Callable[[Any], bool]) -> tuple[Any, list[Any]]:
    """The number, and the lowest that nothing holds, blocked ones among them."""
    held, free, found = held_by_all(field), [], None
    for number in numbers:
        if number in held:
            continue
        if len(free) < MOST:
            free.append(number)
        if found is None and not is_blocked(number):
            found = number
        if found is not None and len(free) == MOST:
            break
    return found, free


def held_by_all(field: str) -> set[Any]:
    """What sites, the pool, and templates that are being built, hold of it."""
    return _held(lambda name: Q(**{f"{name}__isnull": False}), field)


def held_among(field: str, numbers: list[Any]) -> set[Any]:
    """Those of these numbers that they hold."""
    numbers = numbers + [numbers[-1]] * (MOST - len(numbers)) if numbers else []  # one statement for all
    if not numbers:
        return set()
    return _held(lambda name: Q(**{f"{name}__in": numbers}), field) & set(numbers)


def _held(condition: Callable[[str], Q], field: str) -> set[Any]:
    held: set[Any] = set()
    for model in HOLDERS:
        if (model, field) == (Site, "vmid"):  # it may have a second container for a while
            wanted = condition("vmid") | condition("other_vmid")
            held.update(*prepared(model).filter(wanted).values("vmid", "other_vmid"))
        else:
            held.update(prepared(model).filter(condition(field)).values(field))
    return held - {None}

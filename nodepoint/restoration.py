"""After the database came back from a dump: what is younger than it is found by its marks and adopted or
listed, and nothing is removed until staff release it. `manage.py restored` asks every side.

Each app looks at its systems (no row is written, nothing is changed there) and then settles its rows by what
it saw, in one transaction for all. No system is ever written to.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import wraps
from typing import Any

from django.db import transaction
from django.utils import timezone

from nodepoint.audit import trail
from nodepoint.jobs import halted
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Outcome, Retry
from nodepoint.jobs.registry import StepFunction
from nodepoint.models import Restoration
from nodepoint.notices.models import PREFIX

SUBJECT = "nodepoint.restoration"
SENTENCE = "Nothing is removed until staff have looked at what the restored database did not know."
EARLY = (
    "It was started on this database after it came back and before this command: jobs of the dump may have"
    " been carried on, and orders taken. Look at the jobs since then before the release."
)
CLOCKS = timedelta(minutes=5)  # by which those of the systems may differ from ours
LOOK_AGAIN = 60.0  # seconds between two looks of a removal whether it may begin


class Kind(StrEnum):
    """What a line says."""

    ADOPTED = "adopted"  # it stands, and has a row now
    CHANGED = "changed"  # its row says now what stands there
    ENDED = "ended"  # a row of something that is known to be gone
    MISSING = "missing"  # a row has it, and nothing of it was found; it is not made again
    UNKNOWN = "unknown"  # what no system could tell; staff have to
    LISTED = "listed"  # it stands, and could not be adopted
    JOB = "job"  # what becomes of a job that the dump holds as going on
    RAN = "ran"  # NodePoint was started on the database before anybody looked


STAFF = (Kind.RAN, Kind.UNKNOWN, Kind.LISTED, Kind.MISSING, Kind.JOB)  # lines that need somebody


@dataclass(frozen=True)
class Line:
    """One thing that was found. `subject`: the row that it is about, such as `sites.site:17`."""

    kind: Kind
    system: str
    thing: str
    detail: str = ""
    subject: str = ""


class NotThisDatabase(Exception):
    """What stands in the systems shows that the database is none that came back here; the text says what."""


@dataclass(frozen=True)
class Look:
    """What an app saw. `tells`: whether something of it shows that the rows are older than the world. `seen`:
    whatever the app needs to settle. `oldest`: when the oldest thing was made that no row knows."""

    tells: bool
    seen: Any = None
    oldest: datetime | None = None


@dataclass(frozen=True)
class Side:
    """What an app brings. `look`: reads its systems; ClientError, NotThisDatabase. `settle`: writes rows by
    a look, in the caller's transaction, given the jobs that rest; returns its lines. `release`: what else
    goes on when staff release it, in the caller's transaction."""

    look: Callable[[], Look]
    settle: Callable[[Look, list[Job], datetime], list[Line]]
    release: Callable[[], None] = lambda: None


_sides: list[Side] = []


def register(side: Side) -> None:
    """Have an app's things looked for as well."""
    _sides.append(side)


def find(actor: str) -> tuple[Restoration | None, list[Line]]:
    """Look for what the rows do not know, and adopt or list it. The restoration, and the lines of this look;
    (None, []) where everything is known, and nothing was changed. Any number of times.

    ClientError where a system cannot be read, and NotThisDatabase: nothing was changed then either."""
    looks = [(side, side.look()) for side in _sides]
    now, row = timezone.now(), Restoration.open()
    if not any(look.tells for _, look in looks) and (row or not halted.is_abandoned(now)):
        return row, []
    with transaction.atomic():
        early: list[Line] = []
        if row is None:
            early = _ran(looks)
            row = Restoration(found_at=now, found_by=actor, dumped_at=_dumped_at(looks))
            jobs = halted.halt()
        else:
            jobs = halted.resting()
        lines = early + [line for side, look in looks for line in side.settle(look, jobs, now)]
        lines += _letters(jobs)
        row.lines = _merged(row.lines, lines)
        row.save()
        counts = {kind.value: sum(line.kind is kind for line in lines) for kind in Kind}
        trail.record("restored.find", SUBJECT, label="restored", after=counts, actor=actor)
    return row, lines


Looks = list[tuple[Side, Look]]


def _oldest(looks: Looks) -> datetime | None:
    return min((look.oldest for _, look in looks if look.oldest), default=None)


def _dumped_at(looks: Looks) -> datetime | None:
    """The last moment that the dump knew of: no later than what it does not know."""
    return min(filter(None, (halted.last_moment(), _oldest(looks))), default=None)


def _ran(looks: Looks) -> list[Line]:
    """Rows that lack something and have seen a worker long after it was made had that worker when they had
    come back: until then they knew all that was made before."""
    oldest, sign = _oldest(looks), halted.last_sign()
    if oldest is None or sign is None or sign < oldest + CLOCKS:
        return []
    return [Line(Kind.RAN, "nodepoint", f"until {sign:%Y-%m-%d %H:%M} UTC", EARLY)]


def _letters(jobs: list[Job]) -> list[Line]:
    """One line for all e-mails that rest."""
    count = sum(job.kind.startswith(PREFIX) for job in jobs)
    detail = "They are sent after the release. Those that were sent after the dump come twice, unless their"
    return [Line(Kind.JOB, "nodepoint", f"{count} e-mails", f"{detail} jobs are cancelled before.")] * bool(
        count
    )


def _merged(before: list[dict[str, str]], lines: Iterable[Line]) -> list[dict[str, str]]:
    """Lines of earlier looks stay, but for what a later one says anew."""
    new = [asdict(line) for line in lines]
    told = {(line["kind"], line["system"], line["thing"]) for line in new}
    passing = {Kind.LISTED.value, Kind.MISSING.value}  # as the last look found them
    kept = [
        line
        for line in before
        if (line["kind"], line["system"], line["thing"]) not in told and line["kind"] not in passing
    ]
    return kept + new


def release(actor: str) -> Restoration | None:
    """Staff have looked: orders are taken again, jobs that rested go on, removals may begin. None when there
    is nothing to release."""
    with transaction.atomic():
        row = Restoration.objects.select_for_update().filter(released_at=None).order_by("-pk").first()
        if row is None:
            return None
        row.released_at, row.released_by = timezone.now(), actor
        row.save(update_fields=["released_at", "released_by"])
        for side in _sides:
            side.release()
        resumed = halted.release(row.dumped_at)
        trail.record("restored.release", SUBJECT, label="restored", after={"jobs": resumed}, actor=actor)
    return row


def lines_of(row: Restoration) -> list[Line]:
    """What a restoration says."""
    return [Line(**{**line, "kind": Kind(line["kind"])}) for line in row.lines]


def after_release(step: StepFunction) -> StepFunction:
    """The first step of what removes something: it waits for staff while a restored database is open."""

    @wraps(step)
    def run(call: Call) -> Outcome:
        if Restoration.is_open():
            return Retry(error=SENTENCE, seconds=LOOK_AGAIN, in_line=True)
        return step(call)

    return run

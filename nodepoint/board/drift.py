"""The hourly comparison of our rows with what the systems hold, kept as rows; and having a difference put
right. `nodepoint.reconcile` names the sides that look."""

from collections.abc import Container, Iterable
from datetime import datetime

from django.apps import apps
from django.db.models import Model, QuerySet

from nodepoint.board import findings, troubles
from nodepoint.board.findings import Found
from nodepoint.board.models import Finding
from nodepoint.clients.errors import SYSTEMS
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from nodepoint.reconcile import Finding as Difference
from nodepoint.reconcile import Kind, Report, Side, sides

LOOK = "reconcile"  # of the findings, and the name of its reading
ORPHAN = "board.orphan:"  # what removing jobs work on, before the finding's digest
REMOVE = "remove"
REMOVE_ALONE = "remove_alone"  # only from its own page: nothing proves that nobody uses it
EVERYTHING = "board.everything"  # what the comparing job works on, so that no two run at once


def request(actor: str = "") -> Job:
    """Have everything compared; the job that runs already where one does. Nothing is changed."""
    running = Job.objects.filter(subject=EVERYTHING, state__in=Job.ALIVE).first()
    return running or queue.submit("board.compare", EVERYTHING, actor=actor)


def compare() -> int:
    """Compare every side and keep what differs; what no longer does goes. Returns how many differ."""
    found: list[Found] = []
    unread: dict[str, str] = {}
    things: dict[str, int] = {}
    for side in sides():
        report = side.compare()
        found += (_found(side, one) for one in report.findings)
        unread |= {error.system: str(error) for error in report.unread}
        things |= report.things
    count = findings.keep(LOOK, found, unread=unread)
    findings.note(LOOK, {"things": things, "unread": unread, "found": count})
    return count


def renew(
    app: str, system: str, thing: str, differences: Iterable[Difference], judged: Container[str]
) -> None:
    """Keep what a look between two comparisons has found of things whose names begin with `thing`, judged as
    the comparison does. What is known of the subjects in `judged`, is gone or differs, and was not found now,
    goes. Two queries where nothing changes."""
    side = _side(app)
    found = {one.digest(LOOK): one for one in (_found(side, one) for one in differences)}
    known = Finding.objects.filter(look=LOOK, system=system, thing__startswith=thing)
    known = known.filter(kind__in=(Finding.Kind.MISSING, Finding.Kind.DIFFERS))
    over = [
        row.pk for row in known.only("digest", "subject") if row.digest not in found and row.subject in judged
    ]
    findings.renew(LOOK, found.values(), over)


def _side(app: str) -> Side | None:
    return next((one for one in sides() if _app(one) == app), None)


def _found(side: Side, one: Difference) -> Found:
    subject = getattr(one.owner, "key", "") if one.owner else ""
    return Found(
        kind=str(one.kind),
        system=one.system,
        thing=one.thing,
        detail=one.detail,
        subject=subject,
        label=str(one.owner or ""),
        mendable=bool(one.repairable or one.orphan),
        data={"app": _app(side), "act": _act(one)},
    )


def _act(one: Difference) -> str:
    if one.repairable:
        return "repair"
    if one.orphan is None:
        return ""
    return REMOVE_ALONE if one.unproven else REMOVE


def _app(side: Side) -> str:
    """The app that brought a side."""
    return side.compare.__module__.partition(".")[0]


def state() -> tuple[datetime | None, list[str]]:
    """When everything was compared last, None before the first time; and a sentence for each system that
    could not be read then."""
    reading = findings.last(LOOK)
    if reading is None:
        return None, []
    return reading.taken_at, [
        f"{SYSTEMS.get(name, name)} could not be read." for name in reading.data["unread"]
    ]


def put_right(row: Finding, actor: str) -> Job | None:
    """Submit the job that puts a difference right. None when none can, something else goes on there (what
    runs may be just that), or the database came back from a dump and nobody has looked: then the rows are
    what is wrong."""
    side = _side(row.data.get("app", ""))
    if side is None or not row.mendable or Restoration.is_open():
        return None
    if row.data["act"] in (REMOVE, REMOVE_ALONE):
        return _removal(row, actor)
    owner = _owner(row)
    return side.repair(owner, actor=actor) if owner else None


def _owner(row: Finding) -> Model | None:
    label, _, key = row.subject.partition(":")
    return apps.get_model(label)._base_manager.filter(pk=key).first() if key else None


def _orphan(digest: str) -> str:
    return f"{ORPHAN}{digest[:40]}"


def _removal(row: Finding, actor: str) -> Job | None:
    subject = _orphan(row.digest)
    if Job.objects.filter(subject=subject, state__in=Job.ALIVE).exists():
        return None
    data = {"digest": row.digest, "thing": f"{row.system} {row.thing}", "app": row.data["app"]}
    return queue.submit("board.remove_orphan", subject, data=data, actor=actor)


def left_over(digest: str = "") -> QuerySet[Finding]:
    """What a job can remove; with `digest` the one thing that a removal was asked for, until a look no longer
    finds it."""
    rows = Finding.objects.filter(kind=Finding.Kind.ORPHAN, mendable=True)
    return rows.filter(digest=digest) if digest else rows


@troubles.settles
def removed_otherwise(subjects: set[str]) -> set[str]:
    """Failed removals of what no look finds any more. One query."""
    asked = {subject for subject in subjects if subject.startswith(ORPHAN)}
    return asked and asked - {_orphan(digest) for digest in left_over().values_list("digest", flat=True)}


def remove(app: str, digest: str) -> bool:
    """Remove what is left over, if a new look still finds the same: foreign things and what has been taken
    into use meanwhile stay. Whether there was anything. ClientError when a system cannot be read."""
    side = _side(app)
    report = side.compare()
    for one in report.findings:
        if one.kind is Kind.ORPHAN and one.orphan and _found(side, one).digest(LOOK) == digest:
            side.remove(one.orphan, one.mark)
            Finding.objects.filter(digest=digest).delete()
            return True
    _raise_unread(report)
    Finding.objects.filter(digest=digest).delete()
    return False


def _raise_unread(report: Report) -> None:
    for error in report.unread:
        raise error

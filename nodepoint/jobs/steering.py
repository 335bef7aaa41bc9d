"""What staff can do with a job that does not get ahead by itself. Each move is legal only where the engine's
own rules hold afterwards, holds the job's row as every writer does, and leaves an entry in the log of acts.

A job that has ended is never revived, with one exception: a step that failed without harm to its job
(`retry`). Everything else is asked for anew, through the service that was asked before, whose guards decide
(`ask_again`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from nodepoint.audit import trail
from nodepoint.conflicts import duplicate_of
from nodepoint.jobs import queue, states, transitions
from nodepoint.jobs.errors import MoveRefused, UnknownFlow
from nodepoint.jobs.models import LABELS, Job, JobStep

S = JobStep.State
CANCELLED = "It was cancelled by our staff."
BEING_CALLED = "The step is being called at this very moment. Please try again in a few seconds."
NOT_NOW = "This is not possible any more: the job has moved on."


@dataclass(frozen=True)
class Again:
    """How a kind of job is asked for anew: whether the guards would let it pass, the service, and which later
    jobs of the subject make up for it: those for which `same` holds or, without it, all of its kind and of
    the kinds that do the same (`made_good_by`)."""

    legal: Callable[[Job], bool]
    ask: Callable[[Job, str], Job | None]
    same: Callable[[Job, Job], bool] | None = None
    made_good_by: frozenset[str] = frozenset()


_again: dict[str, Again] = {}


def asked_again_by(
    kind: str,
    legal: Callable[[Job], bool],
    ask: Callable[[Job, str], Job | None],
    same: Callable[[Job, Job], bool] | None = None,
    made_good_by: Collection[str] = (),
) -> None:
    """Apps say how jobs of a kind are asked for anew; `ask` gets the job that ended badly and the actor.
    `same`, where a subject has many things of a kind: whether another of its jobs is about the same one.
    `made_good_by`: the other kinds that leave the subject as this one would have, or replace the wish."""
    _again[kind] = Again(legal, ask, same, frozenset(made_good_by))


def told_apart() -> list[str]:
    """Kinds of which one job of a subject makes up for another only where both are about the same thing."""
    return [kind for kind, how in _again.items() if how.same]


def made_good_by() -> dict[frozenset[str], list[str]]:
    """The kinds that are made good by each set of other kinds, beside their own."""
    grouped: dict[frozenset[str], list[str]] = {}
    for kind, how in _again.items():
        if how.made_good_by:
            grouped.setdefault(how.made_good_by, []).append(kind)
    return grouped


def same_thing(job: Job, later: Job) -> bool:
    """Whether a later job of the subject was about the same thing as one of a kind that is told apart."""
    how = _again[job.kind]
    return later.created_at > job.created_at and bool(how.same and how.same(job, later))


@dataclass(frozen=True)
class Moves:
    """What can be done with a job now. Nothing with one of another release, whose steps are not known
    here."""

    job: Job
    rows: list[JobStep] = field(repr=False)

    @cached_property
    def known(self) -> bool:
        """Whether this release has the job's flow and all of its steps."""
        try:
            flow = self.job.flow  # also of a job without rows
            return all(flow.step(row.name) for row in self.rows)
        except UnknownFlow:
            return False

    @cached_property
    def cancel(self) -> bool:
        """Whether it can be taken back: it may still fail, and it is no wish that is carried out whatever
        happens, such as a deletion."""
        job = self.job
        if not self.known or job.flow.deadline is None or job.cancel_requested_at:
            return False
        if job.state == Job.State.QUEUED:
            return all(row.state == S.PENDING for row in self.rows)
        return job.state in Job.ADVANCING and any(self._may_fail(row) for row in self.rows)

    def _may_fail(self, row: JobStep) -> bool:
        ended = row.state in JobStep.FINISHED or row.state == S.FAILED
        return not ended and not transitions.spared(self.job, row)

    @cached_property
    def give_up(self) -> list[JobStep]:
        """The steps that wait for their next try and can be let fail now."""
        if not self.known or self.job.state not in Job.ADVANCING or self.job.cancel_requested_at:
            return []
        waits = [row for row in self.rows if row.state == S.WAITING and row.error and not row.awaits]
        endless = self.job.flow.deadline is None
        return [row for row in waits if not endless or transitions.spared(self.job, row)]

    def retry(self, row: JobStep) -> bool:
        """Whether a step that waits can be called at once, or one that failed without harm once more."""
        if not self.known:
            return False
        if self.job.alive:
            return row.state in (S.WAITING, S.UNDOING) and bool(row.due_at and row.error) and not row.awaits
        return self.job.state == Job.State.SUCCEEDED and row.state == S.FAILED and self._stands

    @cached_property
    def failed(self) -> list[JobStep]:
        """The steps that failed without harm to their job and can be done once more."""
        return [] if self.job.alive else [row for row in self.rows if self.retry(row)]

    @cached_property
    def _stands(self) -> bool:
        """Whether the job's subject is there for more work, and no other job works on it."""
        stands = self.job.flow.stands
        if stands is None or Job.objects.filter(active_key=self.job.subject).exists():
            return False
        subject = self.job.load_subject()
        return stands(subject)

    def skip(self, row: JobStep) -> bool:
        """Whether the job can do without a step that is to come or waits, or leave behind what its undo
        cannot remove."""
        if not self.known or not self.job.flow.step(row.name).if_skipped or self.job.cancel_requested_at:
            return False
        if self.job.state == Job.State.ROLLING_BACK:
            return row.state == S.UNDOING and bool(row.due_at and row.error)
        return self.job.state in Job.ADVANCING and row.state in (S.PENDING, S.WAITING)

    @cached_property
    def again(self) -> bool:
        """Whether what ended badly can be asked for once more, and has not been since."""
        job, how = self.job, _again.get(self.job.kind)
        if how is None or job.state not in Job.ENDED_BADLY:
            return False
        later = Job.objects.filter(subject=job.subject, created_at__gt=job.created_at)
        if how.same:
            repeated = any(same_thing(job, other) for other in later.defer("detail"))
        else:
            repeated = later.filter(kind=job.kind).exists()
        return not repeated and how.legal(job)


def moves(job: Job) -> Moves:
    """What can be done with the job as its rows are now."""
    return Moves(job, list(job.steps.all()))


def retry(job_id: str, name: str) -> Job:
    """Have a waiting step called at once, or, in a job that has succeeded, a failed one and nothing else done
    again. MoveRefused."""
    with transaction.atomic():
        job, now = transitions.lock(job_id), timezone.now()
        row = _row(job, name, Moves.retry)
        if job.alive:
            due = _quiet(row).exclude(due_at=None).update(due_at=now, tries=0)
            _require(due, BEING_CALLED)
        else:
            _revive(job, [row], now)
        _record("retry", job, row)
        transaction.on_commit(queue.kick, robust=True)
    return job


def retry_failed(job_id: str) -> Job:
    """Have all steps that failed in a job that has succeeded done again, and nothing else. MoveRefused."""
    with transaction.atomic():
        job, now = transitions.lock(job_id), timezone.now()
        rows = moves(job).failed
        _require(rows, NOT_NOW)
        _revive(job, rows, now)
        for row in rows:
            _record("retry", job, row)
        transaction.on_commit(queue.kick, robust=True)
    return job


def _revive(job: Job, rows: list[JobStep], now: datetime) -> None:
    """Make an ended job its subject's running one again, for the sake of these steps."""
    titles = tuple(f"{row.title}: " for row in rows)
    kept = [line for line in job.warning.splitlines() if not line.startswith(titles)]
    job.warning, job.state, job.active_key = "\n".join(kept), states.REVIVE.of(job.state), job.subject
    job.finished_at = job.alarmed_at = None
    job.deadline_at = now + timedelta(seconds=job.flow.deadline) if job.flow.deadline else None
    fields = ["warning", "state", "active_key", "finished_at", "alarmed_at", "deadline_at"]
    try:
        with transaction.atomic():
            job.save(update_fields=fields)
    except IntegrityError as error:
        if not duplicate_of(error, "active_key"):
            raise
        raise MoveRefused("Another job works on it now. Please try again when that has ended.") from None
    fresh = {"ref": "", "data": {}, "error": "", "detail": "", "calls": 0, "tries": 0, "work_seconds": None}
    times = {"started_at": None, "finished_at": None, "claimed_at": None, "lined_up_at": None}
    for row in rows:
        again = states.ONCE_MORE.of(row.state)
        _quiet(row).update(state=again, version=F("version") + 1, **fresh, **times)
    transitions.settle(job, now)


def skip(job_id: str, name: str, reason: str) -> Job:
    """Have a job go on without one of its steps or, while it is undone, leave behind what that made. The job
    keeps `reason` as a warning. MoveRefused."""
    with transaction.atomic():
        job, now = transitions.lock(job_id), timezone.now()
        row = _row(job, name, Moves.skip)
        undoing = row.state == S.UNDOING
        # A cancelled undo is one that is not done: `skipped` would be undone with the rest.
        move = states.LEAVE_BEHIND if undoing else states.SKIP
        closed = {"state": move.of(row.state), "due_at": None, "awaits": "", "finished_at": now}
        _require(_quiet(row).update(version=F("version") + 1, **closed), BEING_CALLED)
        what = "left behind" if undoing else "skipped"
        line = f"{row.title}: {what} by staff. {job.flow.step(name).if_skipped} ({reason})"
        job.warning = "\n".join(filter(None, [job.warning, line]))
        job.save(update_fields=["warning"])
        transitions.settle(job, now)
        _record("skip", job, row, reason)
        transaction.on_commit(queue.kick, robust=True)
    return job


def cancel(job_id: str, reason: str) -> Job:
    """Take a job back: what it made is undone, last first; where its flow undoes nothing, it ends at its next
    safe point. MoveRefused."""
    with transaction.atomic():
        job, now = transitions.lock(job_id), timezone.now()
        found = moves(job)
        _require(found.cancel, NOT_NOW)
        before = job.state
        if job.state == Job.State.QUEUED:
            _drop(job, now)
        elif any(step.undo for step in job.flow.steps):
            transitions.turn_back(job, found.rows, CANCELLED, f"Cancelled by staff: {reason}", now)
        else:
            job.error, job.detail = CANCELLED, f"Cancelled by staff: {reason}"
            job.save(update_fields=["error", "detail"])
            transitions.cancel(job, now)
        trail.record("jobs.cancel", job.subject, reason=reason, before={"state": before}, **_label(job))
        transaction.on_commit(queue.kick, robust=True)
    return job


def _drop(job: Job, now: datetime) -> None:
    """Out of the line, before anything was begun."""
    job.steps.update(state=states.CANCEL.after, finished_at=now)
    job.state, job.finished_at, job.error = states.DROP.of(job.state), now, CANCELLED
    job.save(update_fields=["state", "finished_at", "error"])


def give_up(job_id: str, reason: str) -> Job:
    """Let the steps that wait for their next try fail now, as if their time were over: the job is undone or,
    where they spare it, goes on without them. MoveRefused."""
    with transaction.atomic():
        job, now = transitions.lock(job_id), timezone.now()
        rows = moves(job).give_up
        _require(rows, NOT_NOW)
        ended = [row for row in rows if _fail(row, reason, now)]
        _require(ended, BEING_CALLED)
        for row in ended:
            if transitions.spared(job, row):
                transitions.warn(job, row, row.error, now)
        transitions.settle(job, now)
        after = {"steps": [row.name for row in ended]}
        trail.record("jobs.give_up", job.subject, reason=reason, after=after, **_label(job))
        transaction.on_commit(queue.kick, robust=True)
    return job


def _fail(row: JobStep, reason: str, now: datetime) -> bool:
    detail = f"Given up by staff: {reason}. {row.detail}".strip()
    failed = states.GIVE_UP.of(row.state)
    closed = {"state": failed, "due_at": None, "finished_at": now, "detail": detail}
    return bool(_quiet(row).update(version=F("version") + 1, **closed))


def ask_again(job_id: str, actor: str) -> Job | None:
    """Ask for what a job that ended badly was asked for; the new job, if there is something to do.
    MoveRefused, and whatever the service refuses."""
    job = Job.objects.get(pk=job_id)
    if not moves(job).again:
        raise MoveRefused(NOT_NOW)
    return _again[job.kind].ask(job, actor)


def _row(job: Job, name: str, legal: Callable[[Moves, JobStep], bool]) -> JobStep:
    """The named step of a job whose row is held; MoveRefused where the move is not legal for it."""
    found = moves(job)
    row = next((row for row in found.rows if row.name == name), None)
    if row is None or not legal(found, row):
        raise MoveRefused(NOT_NOW)
    return row


def _quiet(row: JobStep):
    """The row as it was just read, unless a runner is calling it or has since: a runner claims a step without
    the job's row, so that only the update itself can tell."""
    return JobStep.objects.filter(pk=row.pk, version=row.version, held=False)


def _require(condition: object, sentence: str) -> None:
    if not condition:
        raise MoveRefused(sentence)


def _record(act: str, job: Job, row: JobStep, reason: str = "") -> None:
    after = {"step": row.name, "title": row.title}
    trail.record(f"jobs.{act}", job.subject, reason=reason, after=after, **_label(job))


def _label(job: Job) -> dict[str, str]:
    label = next((str(job.data[name]) for name in LABELS if job.data.get(name)), "")
    return {"label": label, "job_id": job.pk}

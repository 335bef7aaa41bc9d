"""Calling steps: claim one, call it, record what it said. Everything that runs jobs is built from these
three."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import structlog
from django.apps import apps
from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.db.models import F
from django.utils import timezone

from nodepoint.jobs import changes, deadlines, experience, limits, registry, retry, states, transitions
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Wait
from nodepoint.prepared import Prepared, prepared

log = structlog.get_logger("nodepoint.jobs")

LEASE = 15.0  # seconds that a claimed step is its runner's; renewed while the call goes on
LIMIT_PAUSE = 5.0  # a step that waits for a limit is woken when a slot is freed; this is for lost wake-ups
GRACE = 10.0  # seconds that a slot outlives the next call of the step that keeps it
LOST_LEASES = 8
WAITING = "SELECT id FROM jobs_jobstep WHERE due_at <= %s ORDER BY due_at LIMIT %s"
WRITE_TRIES = 4
WRITE_PAUSE = 0.1  # seconds

S = JobStep.State
Result = TypeVar("Result")


class Clock(Protocol):
    """Where the engine gets the time from; tests move theirs by hand."""

    def now(self) -> datetime: ...


class WallClock:
    """The real time."""

    def now(self) -> datetime:
        """Now, with time zone."""
        return timezone.now()


@dataclass(frozen=True)
class Claim:
    """A step that is ours to call. `version` fences: once another runner has claimed it, our writes match
    nothing."""

    step: JobStep
    version: int
    called_before: datetime | None = None

    @property
    def holder(self) -> str:
        """The name under which the step holds slots: the same for every runner that takes it up."""
        return f"step:{self.step.pk}"


def claim_due(now: datetime, count: int) -> Iterator[Claim]:
    """Take the steps to be called now, the longest due first, at most `count`; each can be called as soon as
    it comes."""
    ids = _waiting(WAITING, now, count)  # mostly there is nothing, and no transaction is needed to see that
    if ids and connection.features.has_select_for_update_skip_locked:
        yield from _take_unlocked(now, count)
        return
    for step in _due(now).filter(pk__in=ids).order_by("due_at").all() if ids else ():
        if claim := _take(step, now):
            yield claim


def _take_unlocked(now: datetime, count: int) -> list[Claim]:
    """The same where rows can be locked: each runner takes others at once, while by versions alone those of
    several hosts would run after the same first rows, of which one gets each."""
    with transaction.atomic():
        ids = _waiting(f"{WAITING} FOR UPDATE SKIP LOCKED", now, count)
        steps = _due(now).filter(pk__in=ids).order_by("due_at").all() if ids else []
        if not steps:
            return []
        mine = prepared(JobStep).filter(pk__in=[step.pk for step in steps])
        if any(step.started_at is None for step in steps):
            mine.filter(started_at=None).update(started_at=now)
        mine.update(version=F("version") + 1, held=True, due_at=_lease_end(now), claimed_at=now)
    return [_claimed(step, now) for step in steps]


def _waiting(query: str, now: datetime, count: int) -> list[int]:
    """The ids of due steps."""
    with connection.cursor() as cursor:
        cursor.execute(query, [connection.ops.adapt_datetimefield_value(now), count])
        return [step_id for (step_id,) in cursor.fetchall()]


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE)


def claim(step_id: int, now: datetime) -> Claim | None:
    """Take one due step. None: it is not due any more, or another was quicker."""
    step = _due(now).filter(pk=step_id).first()
    return _take(step, now) if step else None


def _due(now: datetime) -> Prepared[JobStep]:
    return prepared(JobStep).filter(due_at__lte=now).select_related("job")


def _take(step: JobStep, now: datetime) -> Claim | None:
    mine = (
        _fenced(step, step.version)
        .filter(due_at__lte=now)
        .update(
            version=F("version") + 1,
            held=True,
            due_at=_lease_end(now),
            claimed_at=now,
            started_at=step.started_at or now,  # a long first call shows in the progress bar, too
        )
    )
    return _claimed(step, now) if mine else None


def _claimed(step: JobStep, now: datetime) -> Claim:
    called_before, step.claimed_at = step.claimed_at, now
    return Claim(step, step.version + 1, called_before)


def _fenced(step: JobStep, version: int) -> Prepared[JobStep]:
    """The step's row, as long as nobody has claimed or moved it since it had this version."""
    return prepared(JobStep).filter(pk=step.pk, version=version)


def renew(claims: list[Claim], now: datetime) -> None:
    """Keep steps whose calls go on, and the slots they hold, from being taken over."""
    for held in claims:
        _fenced(held.step, held.version).update(due_at=_lease_end(now))
    limits.renew([held.holder for held in claims], now, LEASE)


def execute(held: Claim, clock: Clock) -> list[int]:
    """Call a claimed step and record what it said; returns the ids of steps that became due by it."""
    step, now = held.step, clock.now()
    with structlog.contextvars.bound_contextvars(
        job=step.job_id, step=step.name, request_id=step.job.request_id
    ):
        definition = step.job.flow.step(step.name)
        if _turned_round(step):
            return _put_down(held, now)
        if outcome := _lost_too_often(held):
            return _surely(_conclude, held, definition, outcome, now)
        if full := _surely(_take_limits, held, definition, now):
            return _surely(_line_up, held, full, now)
        outcome = _call(step, definition, now)
        now = clock.now()
        try:
            return _surely(_conclude, held, definition, outcome, now)
        except (IntegrityError, DataError) as error:
            # Facts that the database does not take, such as a number that another has: a failure like any
            # other.
            log.exception("facts_refused")
            outcome = retry.counted(error, step, _endless(step))
            return _surely(_conclude, held, definition, outcome, now)


def _turned_round(step: JobStep) -> bool:
    """Whether the job is being undone or cancelled, so that the step is not to be called forward again."""
    return step.state != S.UNDOING and (
        step.job.state == Job.State.ROLLING_BACK or step.job.cancel_requested_at is not None
    )


def _lost_too_often(held: Claim) -> Outcome | None:
    """A lost lease counts as a failed try, so that a step that kills its worker comes to an end."""
    step = held.step
    if not step.held:
        return None
    lost = (step.data.get(retry.LOST, 0) if step.tries else 0) + 1
    log.warning("lease_lost", tries=step.tries + 1, lost=lost)
    step.data = {**step.data, retry.LOST: lost}
    _fenced(step, held.version).update(tries=F("tries") + 1, data=step.data)
    if _endless(step) or lost < LOST_LEASES:
        return None
    return Fail(
        error="It could not be carried out.",
        detail="Its worker died again and again in the middle of the call.",
    )


def _endless(step: JobStep) -> bool:
    """Whether it is never given up: an undo, or a step of a job without a deadline."""
    return step.state == S.UNDOING or step.job.flow.deadline is None


def _take_limits(held: Claim, definition: registry.Step, now: datetime) -> str:
    """Take every slot that the step needs; the name of the first limit that is full, after giving the others
    back."""
    got = []
    for limit in definition.limits:
        has_it = limit.until_done and held.step.calls > 0
        if not limits.take(limit.name, limit.slots(), held.holder, now, LEASE + GRACE, held=has_it):
            kept = {limit.name for limit in definition.limits if limit.until_done and held.step.calls}
            given_back = [name for name in got if name not in kept]
            limits.release(held.holder, given_back)
            limits.wake_next(given_back, now)
            return limit.name
        got.append(limit.name)
    return ""


def _call(step: JobStep, definition: registry.Step, now: datetime) -> Outcome:
    undoing = step.state == S.UNDOING
    function: Callable[[Call], Outcome] | None = definition.undo if undoing else definition.run
    usual = experience.of(step.job.kind).get(step.name)
    try:
        call = Call(step.job, step, step.job.load_subject(), now, usual)
        return function(call)
    except Exception as error:
        if not isinstance(error, retry.ClientError):
            log.exception("step_surprised")
        return retry.counted(error, step, _endless(step))


def _surely(write: Callable[..., Result], *arguments: Any) -> Result:
    """`write(*arguments)` in spite of a deadlock or a lost connection: else the step would rest until its
    lease is over."""
    for _ in range(WRITE_TRIES - 1):
        try:
            return write(*arguments)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise
            log.warning("write_repeated", exc_info=True)
            close_old_connections()
            time.sleep(WRITE_PAUSE)
    return write(*arguments)


def _conclude(held: Claim, definition: registry.Step, outcome: Outcome, now: datetime) -> list[int]:
    """Free the limits and record the outcome; returns the ids of the steps that became due or were woken.

    Where rows are locked, limits come first: others need not wait for the record, nor it for their rows. A
    crash in between is like one in the call. Where there is one writer, it is waited for once."""
    one_writer = not connection.features.has_select_for_update
    woken = [] if one_writer else _free_limits(held, definition, outcome, now)
    with transaction.atomic():
        said, due_steps = _record(held, outcome, now)
        if one_writer:
            woken = _free_limits(held, definition, outcome, now)
    if said:
        _log(held.step, said)
    return due_steps + woken


def _record(held: Claim, outcome: Outcome, now: datetime) -> tuple[Outcome | None, list[int]]:
    """Write an outcome and move the job on; returns what was written, None once the lease is lost, and the
    ids of the steps that became due."""
    step = held.step
    job = transitions.lock(step.job_id)
    deadline = job.deadline_at
    outcome = deadlines.enforce(job, step, outcome, now)
    values = changes.of(job, step, outcome, now, held.called_before)
    if not _fenced(step, held.version).update(version=held.version + 1, **values):
        log.warning("write_fenced")
        return None, []
    if job.deadline_at != deadline:
        transitions.write(job, "deadline_at")
    if outcome.facts:
        model = apps.get_model(job.flow.subject)
        prepared(model).filter(pk=job.subject_pk).update(**outcome.facts)
    if isinstance(outcome, Fail) and (outcome.callers_fault or outcome.refusal):
        job.callers_fault, job.refusal = outcome.callers_fault, outcome.refusal
        transitions.write(job, "callers_fault", "refusal")
    if isinstance(outcome, Fail) and transitions.spared(job, step):
        transitions.warn(job, step, outcome.error, now)
    due_steps = [] if _changes_nothing(job, step, outcome) else transitions.settle(job, now)
    return outcome, due_steps


def _changes_nothing(job: Job, step: JobStep, outcome: Outcome) -> bool:
    """Whether it was a look at remote work that goes on, in a job that runs: most calls are, and nothing
    follows from them."""
    return (
        isinstance(outcome, Wait)
        and step.state == S.RUNNING
        and job.state == Job.State.RUNNING
        and job.cancel_requested_at is None
    )


def _put_down(held: Claim, now: datetime) -> list[int]:
    """Leave a step as it is: its job was turned round after its last runner had died."""
    with transaction.atomic():
        job = transitions.lock(held.step.job_id)
        rest = {"version": held.version + 1, "held": False, "due_at": None, "awaits": ""}
        if not _fenced(held.step, held.version).update(**rest):
            return []  # another has put it down, and the job may have ended since
        return transitions.settle(job, now)


def _line_up(held: Claim, limit: str, now: datetime) -> list[int]:
    """The limit is full: the step stands in line for it and is woken when a slot is freed."""
    step = held.step
    with transaction.atomic():
        job = transitions.lock(step.job_id)
        undoing = step.state == S.UNDOING
        stopped = job.state == Job.State.ROLLING_BACK and not undoing
        mine = _fenced(step, held.version).update(
            version=held.version + 1,
            held=False,
            awaits="" if stopped else limit,
            due_at=None if stopped else now + timedelta(seconds=LIMIT_PAUSE),
            state=(states.LINE_UP_TO_UNDO if undoing else states.LINE_UP).of(step.state),
            lined_up_at=step.lined_up_at or now,
            started_at=step.started_at or now,
        )
        quiet = job.state == Job.State.RUNNING and not undoing and job.cancel_requested_at is None
        # To stand in line changes nothing for the job, nor does a lease that was lost.
        return [] if quiet or not mine else transitions.settle(job, now)


def _free_limits(held: Claim, definition: registry.Step, outcome: Outcome, now: datetime) -> list[int]:
    """Give back the slots that are not needed until the step's next call, and wake those who stand in line
    for them."""
    over = isinstance(outcome, Done | Fail)
    freed = [limit.name for limit in definition.limits if over or not limit.until_done]
    limits.release(held.holder, freed)
    kept = [limit.name for limit in definition.limits if limit.until_done]
    seconds = getattr(outcome, "seconds", None) or retry.LONGEST_PAUSE
    if kept and not over and seconds > LEASE:  # otherwise they are taken for long enough already
        limits.keep(held.holder, kept, now, seconds + GRACE)
    return limits.wake_next(freed, now)


def _log(step: JobStep, outcome: Outcome) -> None:
    if isinstance(outcome, Wait):
        return  # looks are many and say nothing
    log.info(
        "step",
        outcome=type(outcome).__name__.lower(),
        state=step.state,
        error=getattr(outcome, "error", ""),
        detail=getattr(outcome, "detail", ""),
        tries=step.tries,
    )

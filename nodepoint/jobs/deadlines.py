"""When the time of a step or a job is over, and what does not count."""

from datetime import datetime, timedelta

from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry


def enforce(job: Job, step: JobStep, outcome: Outcome, now: datetime) -> Outcome:
    """Turn waiting into failing where the step's or the job's time is over. An undo has no deadline and knows
    no failing: it is tried again until somebody has made it possible."""
    if step.state == JobStep.State.UNDOING:
        return _as(Retry, outcome, outcome.error, outcome.detail) if isinstance(outcome, Fail) else outcome
    if job.deadline_at:
        job.deadline_at += timedelta(seconds=in_line(step))
    over = end(job, step)
    if isinstance(outcome, Done | Fail) or over is None or now < over:
        return outcome
    reason = getattr(outcome, "error", "") or "It took too long."
    return _as(Fail, outcome, reason, f"Deadline passed. {getattr(outcome, 'detail', '')}".strip())


def _as(kind: type[Retry] | type[Fail], outcome: Outcome, error: str, detail: str) -> Outcome:
    """Another outcome that carries the same: what was begun has to be known to the undo."""
    return kind(outcome.ref, outcome.facts, outcome.data, error=error, detail=detail)


def in_line(step: JobStep) -> float:
    """Seconds that it has just stood in line for a free slot. They count against no deadline: a burst of
    orders must not be undone for being many."""
    return (step.claimed_at - step.lined_up_at).total_seconds() if step.lined_up_at else 0.0


def end(job: Job, step: JobStep) -> datetime | None:
    """When the time of a step is over: its own, from its first call on, or the job's. None: never."""
    limit = job.flow.step(step.name).deadline
    ends = [job.deadline_at] if job.deadline_at else []
    if limit is not None:
        spared = step.data.get("in_line", 0.0) + in_line(step) if _was_called(step) else 0.0
        ends.append(begun(step) + timedelta(seconds=limit + spared))
    return min(ends, default=None)


def begun(step: JobStep) -> datetime:
    """The moment of the step's first call, also where its worker died in it."""
    return step.started_at if _was_called(step) else step.claimed_at


def _was_called(step: JobStep) -> bool:
    """Whether a call before this one has begun: one that was recorded, or whose lease was lost (`held`, later
    on a try without a call). Before, `started_at` may be when it lined up for a slot."""
    return bool(step.calls or step.tries or step.held)

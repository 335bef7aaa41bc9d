"""What an outcome makes of the columns of its step: a pure decision."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from nodepoint.jobs import deadlines, experience, retry, states
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait

CLOSE_BEFORE = 0.97  # of the time at which remote work was seen to have ended

S = JobStep.State


def of(
    job: Job, step: JobStep, outcome: Outcome, now: datetime, called_before: datetime | None
) -> dict[str, Any]:
    """What an outcome makes of the step's columns, its version left out. `called_before`: when the call
    before this one began."""
    undoing = step.state == S.UNDOING
    values: dict[str, Any] = {
        "state": states.said(type(outcome), step.state),
        "held": False,
        "awaits": "",
        "lined_up_at": None,
        "calls": F("calls") + 1,
        "started_at": deadlines.begun(step),
    }
    if outcome.ref is not None:
        values["ref"] = outcome.ref[:255]
    data = {name: kept for name, kept in step.data.items() if name not in retry.COUNTS} | outcome.data
    if isinstance(outcome, Wait) and outcome.begins:
        data["begun"] = now.timestamp()
    if step.calls and step.lined_up_at:
        data["in_line"] = data.get("in_line", 0.0) + deadlines.in_line(step)
    if data != step.data:
        values["data"] = data
    match outcome:
        case Done():
            error, said = data.get("failed", ("", "")) if undoing else ("", "")
            values |= {
                "due_at": None,
                "finished_at": now,
                "error": error,
                "detail": "\n".join(filter(None, (said, outcome.note))),
            }
            typical = not data.get(experience.ADOPTED)
            values["work_seconds"] = _work_seconds(step, called_before, now) if typical else None
        case Wait():
            values |= {"tries": 0, "error": "", "detail": ""}
            soon = now + timedelta(seconds=outcome.seconds)
            values["due_at"] = soon if outcome.awaited else _not_at_once(step, outcome.seconds, now)
        case Retry():
            pause = outcome.seconds or retry.pause(
                step.tries, *([retry.LONGEST_UNDO_PAUSE] if undoing else [])
            )
            values |= {"due_at": _not_at_once(step, pause, now), "tries": F("tries") + 1}
            values["lined_up_at"] = now if outcome.in_line else None
            values |= {"error": outcome.error, "detail": outcome.detail}
        case Fail():
            values |= {"due_at": None, "finished_at": now}
            values |= {"error": outcome.error, "detail": outcome.detail}
    if not undoing:
        values["due_at"] = _next_call(job, step, values["due_at"])
    return values


def _not_at_once(step: JobStep, seconds: float, now: datetime) -> datetime:
    """In `seconds`, but SHORTEST_PAUSE after the call that has just ended began at the earliest. Whatever a
    step says and however a system refuses, nobody is asked by one step more than once a second; but for the
    few looks at work of ours whose end is near (`call.is_awaited`)."""
    return max(now + timedelta(seconds=seconds), step.claimed_at + timedelta(seconds=retry.SHORTEST_PAUSE))


def _next_call(job: Job, step: JobStep, wished: datetime | None) -> datetime | None:
    """When to call a step forward again that wishes it so: not once its job is being undone, since its undo
    comes in its turn, and no later than for one last look when its time is over."""
    if wished is None or job.state == Job.State.ROLLING_BACK:
        return None
    return min(filter(None, (wished, deadlines.end(job, step))))


def _work_seconds(step: JobStep, called_before: datetime | None, now: datetime) -> float | None:
    """How long the step's own work took: remote work from its beginning, else the last call alone. None where
    that was not seen.

    Remote work ended somewhere between the last look that saw it go on and this one. The middle is the best
    guess; but looks are far apart where the end was expected, and then it ended close before this one."""
    if not experience.teaches(step):
        return None
    begun = step.data.get("begun")
    if not begun:
        return round((now - step.claimed_at).total_seconds(), 3)
    seen_ended = step.claimed_at.timestamp() - begun
    seen_going_on = called_before.timestamp() - begun if called_before else 0.0
    return round(max((seen_going_on + seen_ended) / 2, CLOSE_BEFORE * seen_ended), 3)

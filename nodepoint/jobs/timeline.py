"""A job as staff look at it: its bar, its steps, and what each of them says."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from nodepoint.jobs import progress
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.models import Job, JobStep

S = JobStep.State
COLOURS = {
    Job.State.QUEUED: "info",
    Job.State.RUNNING: "info",
    Job.State.WAITING: "warning",
    Job.State.ROLLING_BACK: "warning",
    Job.State.SUCCEEDED: "success",
    Job.State.FAILED: "danger",
    Job.State.ROLLED_BACK: "danger",
    Job.State.CANCELLED: "warning",
}
STEP_COLOURS = {
    S.RUNNING: "info",
    S.WAITING: "warning",
    S.UNDOING: "warning",
    S.DONE: "success",
    S.FAILED: "danger",
}


@dataclass(frozen=True)
class Line:
    """A job in one line. `seconds`: from its start to its end, or until now."""

    job: Job
    title: str
    state_label: str
    colour: str
    seconds: float | None


@dataclass(frozen=True)
class StepLine:
    """A step in one line. `state`: in words, with what it waits for; `next_in`: seconds until it is called
    again, None when it is not."""

    row: JobStep
    state: str
    colour: str
    seconds: float | None
    next_in: float | None


@dataclass(frozen=True)
class Timeline(Line):
    """A job with its steps. `percent` 0–100; `step`: what is going on; `eta_seconds`: None when unknown."""

    percent: int = 0
    step: str = ""
    eta_seconds: int | None = None
    steps: list[StepLine] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether it moves."""
        return self.job.alive


def line(job: Job) -> Line:
    """A job in one line; no query."""
    return Line(**_line(job))


def of(job: Job, rows: list[JobStep] | None = None) -> Timeline:
    """A job with its steps, which cost one query unless they are at hand."""
    rows = list(job.steps.all()) if rows is None else rows
    try:
        how_far = progress.of(job, rows)
    except UnknownFlow:
        how_far = progress.Progress(0, "It is of another release.", None)
    now, lasting = timezone.now(), _lasting(job)
    return Timeline(
        **_line(job),
        percent=how_far.percent,
        step=how_far.step,
        eta_seconds=how_far.eta_seconds,
        steps=[_step(row, now, row.name in lasting) for row in rows],
    )


def _line(job: Job) -> dict[str, Any]:
    end = job.finished_at or timezone.now()
    seconds = (end - job.started_at).total_seconds() if job.started_at else None
    return {
        "job": job,
        "title": job.title,
        "state_label": job.state_in_words,
        "colour": COLOURS[job.state],
        "seconds": seconds,
    }


def _lasting(job: Job) -> set[str]:
    """The steps that have nothing to undo."""
    try:
        return {step.name for step in job.flow.steps if step.undo is None}
    except UnknownFlow:
        return set()


def _step(row: JobStep, now: datetime, is_lasting: bool) -> StepLine:
    waits = row.due_at and not row.held and row.due_at > now
    next_in = (row.due_at - now).total_seconds() if waits else None
    state = f"in line: {row.awaits}" if row.awaits else row.get_state_display()
    if row.state == S.UNDONE and row.error:
        return StepLine(row, "Failed, undone", STEP_COLOURS[S.FAILED], row.seconds, next_in)
    if row.state == S.UNDONE and is_lasting:
        state = "Nothing to undo"
    return StepLine(row, state, STEP_COLOURS.get(row.state, "default"), row.seconds, next_in)

"""Jobs as callers see them."""

from typing import Any

from nodepoint.jobs import progress
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.models import Job, JobStep


def render(job: Job, steps: list[JobStep] | None = None) -> dict[str, Any]:
    """`{id, kind, state, percent, step, eta_seconds, error}`; `error` is None or a sentence that customers
    may read.

    `steps`: those of the job, if they are at hand; else they cost one query.
    """
    try:
        how_far = progress.of(job, steps)
    except UnknownFlow:  # of another release: its state still says what matters
        how_far = progress.Progress(0, job.title, None)
    return {
        "id": job.pk,
        "kind": job.kind,
        "state": job.state,
        "percent": how_far.percent,
        "step": how_far.step,
        "eta_seconds": how_far.eta_seconds,
        "error": job.error or None,
    }


def render_step(step: JobStep) -> dict[str, Any]:
    """`{name, state, started_at, seconds, error}` and `title`, the name for people."""
    return {
        "name": step.name,
        "title": step.title,
        "state": step.state,
        "started_at": step.started_at,
        "seconds": step.seconds,
        "error": step.error or None,
    }

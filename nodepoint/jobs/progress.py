"""How far a job is: percent, the step to name, and the seconds left.

By the durations that were known when the job was made, so that a bar never runs backwards because something
was learnt."""

from dataclasses import dataclass

from django.utils import timezone

from nodepoint.jobs.models import Job, JobStep
from nodepoint.prepared import prepared

S = JobStep.State
NEARLY = 0.95  # of a step's weight at most, as long as it is not done


@dataclass(frozen=True)
class Progress:
    """`percent` 0–100; `step`: a sentence such as “Installing WordPress”; `eta_seconds`: None when unknown or
    ended."""

    percent: int
    step: str
    eta_seconds: int | None


def of(job: Job, steps: list[JobStep] | None = None) -> Progress:
    """The progress of a job. `steps`: its steps, if they are at hand."""
    if job.state == Job.State.SUCCEEDED:
        return Progress(100, "Done", None)
    steps = _steps_of(job) if steps is None else steps
    whole = sum(step.usual_seconds for step in steps) or 1.0
    done = sum(step.usual_seconds * _share(job, step) for step in steps)
    eta = round(_longest_path(job, steps)) if job.state in Job.ADVANCING else None
    return Progress(min(99, int(100 * done / whole)), _name(job, steps), eta)


def _steps_of(job: Job) -> list[JobStep]:
    """Its steps, without what nobody sees of them here; none are asked for that were read with the job."""
    if "steps" in getattr(job, "_prefetched_objects_cache", {}):
        return list(job.steps.all())
    return prepared(JobStep).filter(job_id=job.pk).order_by("position").defer("data", "error", "detail").all()


def _share(job: Job, step: JobStep) -> float:
    """How much of a step is behind us, 0 to 1."""
    if step.state in JobStep.FINISHED:
        return 1.0
    if step.state == S.FAILED and job.flow.step(step.name).spares_the_job:
        return 1.0
    begun = step.calls or not step.awaits  # one that stands in line for its first call has done nothing yet
    if step.state in JobStep.ACTIVE and begun and step.started_at:
        return min(NEARLY, (timezone.now() - step.started_at).total_seconds() / step.usual_seconds)
    return 0.0


def _longest_path(job: Job, steps: list[JobStep]) -> float:
    """Seconds of the longest chain of unfinished steps."""
    left: dict[str, float] = {}
    for step in steps:
        before = max((left.get(name, 0.0) for name in job.flow.step(step.name).after), default=0.0)
        left[step.name] = before + step.usual_seconds * (1 - _share(job, step))
    return max(left.values(), default=0.0)


def _name(job: Job, steps: list[JobStep]) -> str:
    """What is going on, in the words of the step that the customer waits for longest."""
    if job.state == Job.State.QUEUED:
        return "Waiting for its turn"
    if job.state == Job.State.ROLLING_BACK:
        undoing = [step for step in steps if step.state == S.UNDOING]
        return f"Undoing: {undoing[0].title}" if undoing else "Undoing"
    active = [step for step in steps if step.state in JobStep.ACTIVE]
    if active:
        return max(active, key=lambda step: step.usual_seconds).title
    return job.get_state_display() if not job.alive else job.title

"""How long steps really take: learnt from finished ones, for the times of looks and for honest progress
bars.

Only from those whose end was seen when it came. The end of remote work is seen by a look, and where that came
late, because nobody ran, the database was away or the other system did not answer, the time of our outage
would be taken for the work's: ten orders of an evening's outage, and the next ones would be looked at after
minutes. Proxmox VE tells no time of end with a task's status (pve-manager, PVE/API2/Tasks.pm,
read_task_status)."""

import time
from collections import defaultdict
from datetime import datetime
from statistics import median

from nodepoint.jobs.models import Job, JobStep

SAMPLES = 10  # the latest ones of each step
ROWS = 200  # the latest finished steps of a kind of job, and those of as many whole jobs, are looked through
KEPT = 5.0  # seconds that a reading is used again in this process
KEPT_NOTHING = 2.0  # soon enough after the first one has finished
LATE = 3.0  # seconds that the look which sees the end may come after its time …
LATE_SHARE = 0.1  # … or this share of the work's time
ADOPTED = "adopted"  # in a step's data: when its work began nobody saw, or it was another work than usual

_readings: dict[str, tuple[float, dict[str, float]]] = {}
_stood_still: datetime | None = None  # until when


def distrust(now: datetime) -> None:
    """This process has just stood still, or waited for the database, for longer than a heartbeat: calls that
    began before `now` say nothing of the other systems."""
    global _stood_still
    _stood_still = now


def teaches(step: JobStep) -> bool:
    """Whether a step that ends with this call says how long its work takes. `step` is as it was when it was
    claimed for the call."""
    if step.held or step.tries or step.error:  # the call before it died, or saw nothing
        return False
    if _stood_still and step.claimed_at <= _stood_still:
        return False
    begun = step.data.get("begun")
    if not begun:
        return not step.calls
    late = (step.claimed_at - step.due_at).total_seconds()
    elapsed = step.claimed_at.timestamp() - begun
    return not step.data.get(ADOPTED) and late <= max(LATE, LATE_SHARE * elapsed)


def of(kind: str) -> dict[str, float]:
    """Median of the latest durations (seconds) of each step's work, for a kind of job. What was never done is
    not in it."""
    now = time.monotonic()
    until, durations = _readings.get(kind, (0.0, {}))
    if now >= until:
        durations = _measure(kind)
        _readings[kind] = (now + (KEPT if durations else KEPT_NOTHING), durations)
    return durations


def _measure(kind: str) -> dict[str, float]:
    samples = defaultdict(list)
    for _, _, name, seconds in sorted(_finished(kind), reverse=True):
        if len(samples[name]) < SAMPLES:
            samples[name].append(seconds)
    return {name: median(seconds) for name, seconds in samples.items()}


def _finished(kind: str) -> set[tuple[datetime, int, str, float]]:
    """When which step ended, and how long it worked: of the latest, and of the latest whole jobs. In a burst
    the first steps of many jobs are the latest, and nothing would be known of the last ones any more."""
    steps = JobStep.objects.filter(job__kind=kind, state=JobStep.State.DONE, work_seconds__isnull=False)
    steps = steps.order_by("-finished_at").values_list("finished_at", "pk", "name", "work_seconds")
    whole = Job.objects.filter(kind=kind, state=Job.State.SUCCEEDED).order_by("-created_at")
    jobs = list(whole.values_list("pk", flat=True)[:SAMPLES])
    return {*steps[:ROWS], *steps.filter(job__in=jobs)}


def forget() -> None:
    """Drop what this process knows (tests use one process for many databases)."""
    global _stood_still
    _readings.clear()
    _stood_still = None

"""How long steps really take: learnt from finished ones, for the times of looks and for honest progress
bars."""

import time
from collections import defaultdict
from datetime import datetime
from statistics import median

from nodepoint.jobs.models import Job, JobStep

SAMPLES = 10  # the latest ones of each step
ROWS = 200  # the latest finished steps of a kind of job, and those of as many whole jobs, are looked through
KEPT = 5.0  # seconds that a reading is used again in this process
KEPT_NOTHING = 2.0  # soon enough after the first one has finished

_readings: dict[str, tuple[float, dict[str, float]]] = {}


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
    """Drop what this process has read (tests use one process for many databases)."""
    _readings.clear()

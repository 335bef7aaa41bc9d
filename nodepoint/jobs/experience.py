"""How long steps really take: learnt from finished ones, for the times of looks and for honest progress
bars."""

import time
from collections import defaultdict
from statistics import median

from nodepoint.jobs.models import JobStep

SAMPLES = 10  # the latest ones of each step
ROWS = 200  # the latest finished steps of a kind of job, among which they are looked for
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
    done = JobStep.objects.filter(job__kind=kind, state=JobStep.State.DONE, work_seconds__isnull=False)
    samples = defaultdict(list)
    for name, seconds in done.order_by("-finished_at").values_list("name", "work_seconds")[:ROWS]:
        if len(samples[name]) < SAMPLES:
            samples[name].append(seconds)
    return {name: median(seconds) for name, seconds in samples.items()}


def forget() -> None:
    """Drop what this process has read (tests use one process for many databases)."""
    _readings.clear()

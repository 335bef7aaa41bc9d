"""How long steps really take: learnt from finished ones, for the times of looks and for honest progress bars."""

import time
from statistics import median

from nodepoint.jobs.models import JobStep

SAMPLES = 10  # the latest ones
KEPT = 30.0  # seconds that a reading is used again in this process
KEPT_NOTHING = 2.0  # soon enough after the first one has finished

_readings: dict[tuple[str, str], tuple[float, float | None]] = {}


def usual(kind: str, step: str) -> float | None:
    """Median of the latest durations (seconds) of a step's work, None if it was never done."""
    key, now = (kind, step), time.monotonic()
    until, seconds = _readings.get(key, (0.0, None))
    if now >= until:
        seconds = _measure(kind, step)
        _readings[key] = (now + (KEPT_NOTHING if seconds is None else KEPT), seconds)
    return seconds


def _measure(kind: str, step: str) -> float | None:
    finished = JobStep.objects.filter(
        name=step, job__kind=kind, state=JobStep.State.DONE, work_seconds__isnull=False
    )
    seconds = list(finished.order_by("-finished_at").values_list("work_seconds", flat=True)[:SAMPLES])
    return median(seconds) if seconds else None


def forget() -> None:
    """Drop what this process has read (tests use one process for many databases)."""
    _readings.clear()

"""A POST that starts a job waits for it a while, so that callers mostly get the result itself."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api import jobs
from nodepoint.api.errors import from_job
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job

LONGEST = 20.0  # seconds
WHOLE_REQUEST = 21.0  # seconds from its arrival; a view may have spent some before

# A waiting request occupies a thread of the web process; the other half stays free for those that do not.
_places = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


@dataclass(frozen=True)
class Preference:
    """What the `Prefer` header asks for (RFC 7240): seconds to wait, and how to say that it was followed."""

    seconds: float | None = None
    applied: str = ""


def preference(header: str) -> Preference:
    """Read a `Prefer` header. What is unknown or malformed is ignored, and of two with one name the first
    counts."""
    found: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    wait = found.get("wait", "")
    if wait.isascii() and wait.isdigit():
        seconds = min(int(wait[:9]), int(LONGEST))
        return Preference(seconds, f"wait={seconds}")
    if "respond-async" in found:
        return Preference(0, "respond-async")
    return Preference()


def finish(
    request: Request,
    job: Job,
    answer: Callable[[Job], dict[str, Any]],
    *,
    default_wait: float | None = None,
    within: float = WHOLE_REQUEST,
) -> Response:
    """The answer to a POST that started `job`.

    Waits as the caller prefers, else `default_wait` seconds (None: API_WAIT_SECONDS). Done: what
    `answer(job)` gives. Ended badly: raises the error. Else `answer(job)` with `"state": "running"` and `job`
    beside it; so it gives the fields that are known. `within`: seconds from the request's arrival after which
    nobody waits any more, whatever the caller prefers.
    """
    wish = preference(request.headers.get("Prefer", ""))
    wanted = wish.seconds
    if wanted is None:
        wanted = settings.API_WAIT_SECONDS if default_wait is None else default_wait
    arrived = getattr(request, "arrived_at", None) or time.monotonic()
    seconds = min(wanted, LONGEST, arrived + within - time.monotonic())
    job, waited = _wait(job, seconds)
    headers = {"Preference-Applied": wish.applied} if wish.applied and waited else {}
    if job.state in Job.ENDED_BADLY:
        raise _with_headers(from_job(job), headers)
    running = {} if job.state == Job.State.SUCCEEDED else {"state": "running", "job": jobs.render(job)}
    return Response({"success": True, **answer(job), **running}, headers=headers)


def _wait(job: Job, seconds: float) -> tuple[Job, bool]:
    """The job after at most `seconds`, and whether the wish could be followed: all places for waiting may
    be taken."""
    if seconds <= 0:
        return queue.wait_for(job.pk, 0), True
    with place() as free:
        return queue.wait_for(job.pk, seconds if free else 0), free


@contextmanager
def place() -> Iterator[bool]:
    """One of this process's places for requests that wait for something; False when all are taken."""
    free = _places.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _places.release()


def _with_headers(error: Any, headers: dict[str, str]) -> Any:
    error.headers.update(headers)
    return error

"""A POST that starts a job waits for it a while, so that callers mostly get the result itself.

A waiting request occupies a thread of its web process. Half of the threads stay free for those that do not
wait, and one service, or one DNS user, has two waiting calls at most, in all processes together: who asks for
much at once, or whose site is slow, takes nobody else's place.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api import jobs
from nodepoint.api.errors import from_job
from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job

LONGEST = 20.0  # seconds
WHOLE_REQUEST = 21.0  # seconds from its arrival; a view may have spent some before
SHARE = 2  # waiting calls of one service, or of one DNS user
SHARE_LEASE = 30.0  # seconds; longer than any request, so that only a killed process leaves one behind

log = logging.getLogger("nodepoint.api")

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
    with place(_whose(job)) as free:
        return queue.wait_for(job.pk, seconds if free else 0), free


def _whose(job: Job) -> str:
    """For whom a job works, as callers name him: a service, which may have domains with jobs of their own, a
    DNS user, else the thing itself."""
    for name in ("service_id", "user_id"):
        if job.data.get(name):
            return f"{name}:{job.data[name]}"
    return job.subject


@contextmanager
def place(whose: str) -> Iterator[bool]:
    """One of this process's places for requests that wait for something, and one of the two of `whose`:
    `service_id:…`, or whatever else is held apart. False when all are taken."""
    with spare_thread() as free:
        if not free:
            yield False
            return
        with _share(whose) as has_one:
            yield has_one


@contextmanager
def spare_thread() -> Iterator[bool]:
    """Leave to look at something outside for some seconds, in one of this process's threads that may wait;
    False when all of them do."""
    free = _places.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _places.release()


@contextmanager
def _share(whose: str) -> Iterator[bool]:
    """One of the waiting calls that `whose` may have. A fault of the database costs the wait, not the call:
    what was asked for is stored already."""
    name = f"wait:{sha256(whose.encode()).hexdigest()[:48]}"
    holder = f"wait:{secrets.token_hex(12)}"
    try:
        mine = limits.take(name, SHARE, holder, timezone.now(), SHARE_LEASE)
    except DatabaseError:
        log.warning("no share of the waiting could be taken", exc_info=True)
        mine = False
    try:
        yield mine
    finally:
        if mine:
            _give_back(holder, name)


def _give_back(holder: str, name: str) -> None:
    try:
        limits.release(holder, [name])
    except DatabaseError:  # it ends by itself
        log.warning("a share of the waiting could not be given back", exc_info=True)


def _with_headers(error: Any, headers: dict[str, str]) -> Any:
    error.headers.update(headers)
    return error

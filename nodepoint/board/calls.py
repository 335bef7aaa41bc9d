"""How often each route of the API is called, and how that ends: counted in the process, and added to the rows
of the hour every few seconds by a thread, so that no caller waits for it.

Only what a killed process had not written yet is lost: a few seconds."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import IntegrityError, connections, transaction
from django.db.models import F
from django.db.utils import Error as DatabaseFault
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from nodepoint.board.models import CallCount
from nodepoint.conflicts import duplicate

SECONDS = 5.0  # between two writings
ELSEWHERE = "(no such path)"
NOT_COUNTED = ("admin", "static")  # pages for people

log = structlog.get_logger("nodepoint.board")
Key = tuple[datetime, str, int]


class Counter:
    """Calls since the last writing, of all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Key, list[float]] = defaultdict(lambda: [0, 0.0])

    def add(self, route: str, status: int, ms: float) -> None:
        """One call that ended with an HTTP status after so many milliseconds."""
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        with self._lock:
            count = self._counts[hour, route, status // 100]
            count[0] += 1
            count[1] += ms

    def write(self) -> None:
        """Add what was counted to the rows; what cannot be written is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, defaultdict(lambda: [0, 0.0])
        while counts:
            key, (calls, ms) = counts.popitem()
            try:
                _add(key, int(calls), ms)
            except DatabaseFault:
                self._give_back({**counts, key: [calls, ms]})
                raise

    def _give_back(self, counts: dict[Key, list[float]]) -> None:
        with self._lock:
            for key, (calls, ms) in counts.items():
                self._counts[key][0] += calls
                self._counts[key][1] += ms


def _add(key: Key, calls: int, ms: float) -> None:
    row = dict(zip(("hour", "route", "status"), key, strict=True))
    more = {"calls": F("calls") + calls, "ms": F("ms") + ms}
    if CallCount.objects.filter(**row).update(**more):
        return
    try:
        with transaction.atomic():
            CallCount.objects.create(**row, calls=calls, ms=ms)
    except IntegrityError as error:
        if not duplicate(error):
            raise
        CallCount.objects.filter(**row).update(**more)


counter = Counter()
_writer: threading.Thread | None = None


def start() -> None:
    """Begin to write, in a process that serves requests. Threads do not survive a fork: whoever forks calls
    this in the child."""
    global _writer
    if _writer is None or not _writer.is_alive():
        _writer = threading.Thread(target=_write_for_ever, daemon=True, name="call-counter")
        _writer.start()


def on_begun(**_: object) -> None:
    """A web process has begun."""
    start()


def _write_for_ever() -> None:
    while True:
        time.sleep(SECONDS)
        write()
        connections.close_all()  # one that is used every few seconds needs no connection of its own


def write() -> None:
    """Write once; a database that is away is no reason to stop."""
    try:
        counter.write()
    except DatabaseFault:
        log.warning("calls_not_written", exc_info=True)


class CountingMiddleware:
    """Counts every call of the API by its route, which has no ids in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.monotonic()
        response = self.get_response(request)
        route = route_of(request)
        if route is not None:
            counter.add(route, response.status_code, (time.monotonic() - begun) * 1000)
        return response


def route_of(request: HttpRequest) -> str | None:
    """`action/start`, `jobs/<str:job_id>`; None for what is not counted. Whatever else is asked for is one
    route: strangers must not be able to make rows."""
    if request.path_info.strip("/").partition("/")[0] in NOT_COUNTED:
        return None
    match = request.resolver_match
    return match.route[:64] if match else ELSEWHERE

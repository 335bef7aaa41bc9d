"""How often other systems were called in this process, how that ended, and how long it took, by what was
asked for. Whoever writes it down takes it from here (`nodepoint.board.remote`)."""

import os
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from types import TracebackType

from nodepoint.clients.errors import ClientError

# Upper bounds in seconds. From a look that the same network answers to a certificate that is ordered.
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
MOST = 2000  # kept at most; what is not known yet is then one thing
OTHERS = "others"
COLLECTIONS = frozenset(("nodes", "lxc", "storage", "content", "tasks", "snapshot", "ipset", "pools"))

Key = tuple[str, str, str, int]  # system, operation, outcome, number of the bucket (the last one has no end)
Counts = dict[Key, list[float]]  # calls, seconds of all of them

_lock = threading.Lock()
_counts: Counts = defaultdict(lambda: [0, 0.0])


class observed:
    """`with observed("npm", "GET nginx/proxy-hosts"):` around one call counts it by how the block ends: `ok`,
    what a `ClientError` calls it, or `broken`. A class, since a generator costs twice as much."""

    __slots__ = ("_began", "_operation", "_system")

    def __init__(self, system: str, operation: str) -> None:
        self._system, self._operation = system, operation

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome = "ok" if error is None else error.outcome if isinstance(error, ClientError) else "broken"
        add(self._system, self._operation, outcome, time.monotonic() - self._began)


def add(system: str, operation: str, outcome: str, seconds: float) -> None:
    """One call that is over."""
    key = (system, operation, outcome, bisect_left(BUCKETS, seconds))
    with _lock:
        if key not in _counts and len(_counts) >= MOST:
            key = (system, OTHERS, *key[2:])
        count = _counts[key]
        count[0] += 1
        count[1] += seconds


def operation(method: str, *segments: str | int) -> str:
    """What a call of an API asks for, without the names of things: `GET nodes/*/lxc/*/config`. What follows a
    collection, and what holds a digit, is a name."""
    parts, collection = [], False
    for segment in map(str, segments):
        is_name = collection or not segment.replace("-", "").isalpha()
        parts.append("*" if is_name else segment)
        collection = not is_name and segment in COLLECTIONS
    return f"{method.upper()} {'/'.join(parts)}"


def taken() -> Counts:
    """What was counted since the last time; it begins anew."""
    global _counts
    with _lock:
        found, _counts = _counts, defaultdict(lambda: [0, 0.0])
    return found


def give_back(counts: Counts) -> None:
    """What could not be written down is kept for the next time."""
    with _lock:
        for key, (calls, seconds) in counts.items():
            _counts[key][0] += calls
            _counts[key][1] += seconds


def _begin_anew() -> None:
    """A forked child has made none of its parent's calls, and none of the threads that may hold the lock."""
    global _lock
    _lock = threading.Lock()
    taken()


os.register_at_fork(after_in_child=_begin_anew)

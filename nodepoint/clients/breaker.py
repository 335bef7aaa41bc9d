"""Circuit breakers: a system, or a part of one such as a node, that does not answer is not asked by everybody
again and again. Who would ask it is told so at once and has his thread back for others.

After FAILURES calls in a row that were not delivered or not answered, calls fail at once with `Unreachable`
(nothing has happened), until a pause is over; then one call is let through, whose end decides. Any answer, a
refusal too, says that the system is there. A call that the caller cut short says nothing.

Each process has its own. Sharing them would cost every call a query, or be seconds late; to find out alone
costs a process three calls of one system.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from types import TracebackType

from nodepoint.clients.deadline import left_of
from nodepoint.clients.errors import ClientError, TimedOut, Unreachable

FAILURES = 3
PAUSES = (5.0, 10.0, 20.0, 30.0)  # seconds after the first, second … time; the last one for ever
PATIENT = 5.0  # seconds: a caller with less time says nothing about a system that took more

Key = tuple[str, str]  # a key of `errors.SYSTEMS`, and the part; empty: the system as a whole


@dataclass(frozen=True)
class Silence:
    """A target that does not answer: since when, and when it is asked next (seconds since 1970)."""

    system: str
    part: str
    since: float
    next_try: float


@dataclass(frozen=True)
class _State:
    failures: int = 0
    since: float = 0.0
    pauses: int = 0
    until: float = 0.0
    trying: bool = False

    @property
    def open(self) -> bool:
        return self.failures >= FAILURES


_lock = threading.Lock()
_states: dict[Key, _State] = {}
_asked_anyway: ContextVar[bool] = ContextVar("asked_anyway", default=False)
_now: Callable[[], float] = time.time


class guarded:
    """`with guarded("proxmox", "node1"):` around one call. Raises `Unreachable` instead of beginning it while
    the part, or the system as a whole, is not to be asked.

    `through`: the part is asked through the system's own address, so that a call which could not be delivered
    at all says nothing of the part."""

    __slots__ = ("_hurried", "_keys", "_through", "_tries")

    def __init__(self, system: str, part: str = "", *, through: bool = False) -> None:
        self._keys: tuple[Key, ...] = ((system, part), (system, "")) if part else ((system, ""),)
        self._through = through

    def __enter__(self) -> None:
        self._hurried = left_of(PATIENT) < PATIENT
        self._tries: list[Key] = []
        if not _states:  # mostly all is well
            return
        with _lock:
            if not _asked_anyway.get():
                for key in self._keys:
                    if refusal := _refusal(key, _now()):
                        raise refusal
            for key in self._keys:
                if key in _states and _states[key].open:
                    _states[key] = replace(_states[key], trying=True)
                    self._tries.append(key)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        answered = error is None or (isinstance(error, ClientError) and not _is_silence(error))
        if answered and not _states:
            return
        with _lock:
            for key in self._tries:
                if key in _states:
                    _states[key] = replace(_states[key], trying=False)
            if answered:
                for key in self._keys:
                    _states.pop(key, None)
            elif _is_silence(error) and not (self._hurried and isinstance(error, TimedOut)):
                _note_failure(self._culprit(error))

    def _culprit(self, error: BaseException | None) -> Key:
        """What does not answer."""
        not_delivered = isinstance(error, Unreachable) and isinstance(error.__cause__, OSError)
        return self._keys[-1] if self._through and not_delivered else self._keys[0]


def _is_silence(error: BaseException | None) -> bool:
    return isinstance(error, Unreachable | TimedOut)


def _refusal(key: Key, now: float) -> Unreachable | None:
    state = _states.get(key)
    if state is None or not state.open:
        return None
    left = state.until - now
    if left > PAUSES[-1]:  # the clock was set back
        left = 0.0
    if left <= 0 and not state.trying:
        return None
    since = time.strftime("%H:%M:%S", time.localtime(state.since))
    following = f"next try in {left:.0f} s" if left > 0 else "it is being tried"
    about = f" of {key[1]}" if key[1] else ""
    return Unreachable(key[0], f"not asked: no answer{about} since {since}, {following}")


def _note_failure(key: Key) -> None:
    now, state = _now(), _states.get(key, _State())
    failures = state.failures + 1
    pauses, until = state.pauses, state.until
    if failures >= FAILURES:
        until = now + PAUSES[min(pauses, len(PAUSES) - 1)]
        pauses += 1
    _states[key] = _State(failures, state.since or now, pauses, until)


@contextmanager
def asking_anyway() -> Iterator[None]:
    """Calls in the block are made whatever was found before: a look whether a system is there."""
    token = _asked_anyway.set(True)
    try:
        yield
    finally:
        _asked_anyway.reset(token)


@contextmanager
def timed_by(now: Callable[[], float]) -> Iterator[None]:
    """Pauses pass by another clock in the block: that of jobs whose clock is moved by hand."""
    global _now
    before, _now = _now, now
    try:
        yield
    finally:
        _now = before


def silences() -> list[Silence]:
    """What this process does not ask at the moment, or only now and then."""
    with _lock:
        found = sorted(_states.items())
    return [Silence(*key, state.since, state.until) for key, state in found if state.open]


def forget() -> None:
    """Begin anew, as a forked child does: its parent's threads are not there to end their tries."""
    global _lock
    _lock = threading.Lock()
    _states.clear()


os.register_at_fork(after_in_child=forget)

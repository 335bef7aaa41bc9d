"""How long a call may take: the client's own limit, or less where the caller is in a hurry."""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

_end: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Every client call in the block has to be over `seconds` from now, all of them together.

    Nested blocks can only shorten it. A call that would begin after the end raises `Unreachable`.
    """
    end = time.monotonic() + seconds
    outer = _end.get()
    token = _end.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        _end.reset(token)


def end_of(seconds: float) -> float:
    """The `time.monotonic()` by which a call that may take `seconds` has to be over."""
    end = time.monotonic() + seconds
    outer = _end.get()
    return end if outer is None else min(end, outer)


def left_of(seconds: float) -> float:
    """Seconds that a call which may take `seconds` has here, below 0 where the block's time is over."""
    outer = _end.get()
    return seconds if outer is None else min(seconds, outer - time.monotonic())


def left_until(end: float) -> float:
    """Seconds from now to `end`, never below 0."""
    return max(0.0, end - time.monotonic())

"""Examinations for `manage.py doctor`: can a system be reached, does it let us in and permit what we need?"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nodepoint.clients.breaker import asking_anyway
from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import ClientError, Refused, TimedOut, Unreachable

SECONDS = 15.0  # for all calls of one examination

log = logging.getLogger("nodepoint.doctor")


def nothing_more() -> Iterable[str]:
    """No complaints: where there is nothing to be asked about permissions without changing something."""
    return ()


@dataclass(frozen=True)
class Examination:
    """`probe` raises ClientError unless we are let in; `complaints` then tells, in sentences of what to fix,
    which permissions and things are missing. `where` and `who`: the settings to look at when the system
    cannot be reached, or does not let us in.
    """

    system: str
    probe: Callable[[], None]
    where: tuple[str, ...]
    who: tuple[str, ...] = ()
    complaints: Callable[[], Iterable[str]] = nothing_more


@dataclass(frozen=True)
class Finding:
    """What an examination found; None: not known. `latency_ms` is of the first answer. `fixes`: what to fix,
    nothing when all is well."""

    system: str
    reachable: bool | None = None
    authenticated: bool | None = None
    permitted: bool | None = None
    latency_ms: float | None = None
    fixes: tuple[str, ...] = ()


def examine(one: Examination) -> Finding:
    """Carry out an examination. Never raises: one that is broken must not hide what the others find."""
    begun = time.monotonic()
    try:
        with deadline(SECONDS), asking_anyway():
            one.probe()
            latency = round((time.monotonic() - begun) * 1000, 1)
            fixes = _complaints(one)
    except ClientError as error:
        return _not_let_in(one, error)
    except Exception as error:
        log.exception("examination of %s failed", one.system)
        return Finding(one.system, fixes=(f"The check itself failed: {type(error).__name__}: {error}",))
    return Finding(one.system, True, True, not fixes, latency, fixes)


def _complaints(one: Examination) -> tuple[str, ...]:
    fixes: list[str] = []
    try:
        for sentence in one.complaints():
            fixes.append(sentence)
    except ClientError as error:  # what was found before it counts all the same
        fixes.append(f"A look at permissions failed: {error}")
    return tuple(fixes)


def _not_let_in(one: Examination, error: ClientError) -> Finding:
    if isinstance(error, Unreachable | TimedOut):
        return Finding(one.system, reachable=False, fixes=(_advice(one.where, error),))
    if isinstance(error, Refused):
        advice = _advice(one.who or one.where, error)
        return Finding(one.system, reachable=True, authenticated=False, fixes=(advice,))
    return Finding(one.system, reachable=True, fixes=(_advice(one.where, error),))


def _advice(settings: tuple[str, ...], error: ClientError) -> str:
    return f"Check {', '.join(settings)}: {error.vendor or error.fact}"

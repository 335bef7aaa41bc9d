"""For whom this thread is acting: a token, a staff member, or the platform itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """`kind`: api, staff or system. `name`: of the token, the user, or the part of the platform. `address`:
    the caller's IP address, empty for the platform itself."""

    kind: str
    name: str = ""
    address: str = ""


SYSTEM = Origin("system")
_current: ContextVar[Origin] = ContextVar("audit_origin", default=SYSTEM)
_reason: ContextVar[str] = ContextVar("audit_reason", default="")


def current() -> Origin:
    """The origin of what this thread does now."""
    return _current.get()


def note(origin: Origin) -> None:
    """From now on this thread acts for `origin`. For what finds out in the middle of a request who is
    calling; whoever serves the request puts `acting_as` around it, which forgets it again."""
    _current.set(origin)


@contextmanager
def acting_as(origin: Origin) -> Iterator[None]:
    """What is done inside comes from `origin`."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def reason() -> str:
    """Why this thread does what it does, where somebody said so."""
    return _reason.get()


@contextmanager
def because(text: str) -> Iterator[None]:
    """What is done inside is done for this reason, which every entry of the log then names."""
    token = _reason.set(text)
    try:
        yield
    finally:
        _reason.reset(token)

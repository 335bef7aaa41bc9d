"""Deliberate kindnesses of the lab: each takes one trap of a real system away.

Whoever adds a trap to the lab adds a row to the list of its system, so that nobody takes it away unnoticed.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from unittest import mock


@dataclass(frozen=True)
class Kindness:
    """``what``: what the lab would do then; ``fact``: the test below ``tests.lab`` that holds it against what
    was recorded, run or read, and must fail; ``patch`` makes the lab kind while it lasts."""

    what: str
    fact: str
    patch: Callable[[], AbstractContextManager[object]]


def instead(target: object, name: str, replacement: object) -> Callable[[], AbstractContextManager[object]]:
    """A patch that puts something in the place of an attribute."""
    return lambda: mock.patch.object(target, name, replacement)


def wrapped(
    target: type, name: str, around: Callable[..., object]
) -> Callable[[], AbstractContextManager[object]]:
    """A patch of a method: ``around(original, self, …)`` is called in its place."""
    original = getattr(target, name)
    return instead(target, name, lambda self, *args, **more: around(original, self, *args, **more))

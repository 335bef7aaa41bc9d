"""The broker that carries wake-up calls: the database, or Redis. What it loses is made up for by the
worker's watch; while it is away, what is due waits."""

import contextlib
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.conf import Conf

LOOK_SECONDS = 0.5  # between two looks at a queue for which nobody on this host has rung


class DatabaseQueue(ORM):
    """django-q2's queue in the database. Its own asks ten times a second whether there is anything; this one
    as soon as somebody on this host has put something in, which a file tells, and else twice a second, for
    what came from another host."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._heard, self._looks_at = 0, 0.0

    def enqueue(self, task: str) -> int:
        """Put a task in, and ring once others can see it."""
        key = super().enqueue(task)
        transaction.on_commit(_ring)
        return key

    def dequeue(self) -> list[tuple[int, str]] | None:
        """The next tasks; None after a pause where there are none."""
        rung = _rung_at()
        if rung == self._heard and time.monotonic() < self._looks_at:
            time.sleep(Conf.POLL)
            return None
        self._heard, self._looks_at = rung, time.monotonic() + LOOK_SECONDS
        if tasks := super().dequeue():
            self._looks_at = 0.0  # it takes few at a time: there may be more
        return tasks


def _bell() -> Path:
    return settings.NODEPOINT_DATA / "queue.bell"


def _ring() -> None:
    with contextlib.suppress(OSError):  # a full disk, say: the next look comes soon enough
        _bell().touch()


def _rung_at() -> int:
    try:
        return _bell().stat().st_mtime_ns
    except OSError:
        return 0


def fault() -> str:
    """Why the broker does not answer; empty when it does. Redis gets the seconds of `servers.broker`."""
    try:
        get_broker().ping()
    except Exception as error:  # noqa: BLE001 - each client has errors of its own, none is a reason to stop
        return f"{type(error).__name__}: {error}"
    return ""

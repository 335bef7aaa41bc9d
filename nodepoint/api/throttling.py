"""The rate limit of a token, exact over all processes, at the cost of about a hundred writes a minute.

A row counts what was taken in one minute of the clock. Each process takes permits out of it in portions of a
hundredth of the limit, by an UPDATE that cannot exceed the limit, and spends them from memory.
"""

import logging
import threading
import time
from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.db.models import F
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from nodepoint.api.models import RateWindow, Token

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself loads this module

PORTIONS = 100

log = logging.getLogger("nodepoint.api")


class _Purse:
    """The permits that this process has taken and not yet spent, by token; those of an earlier minute are
    worthless."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, int]] = {}

    def spend(self, token: Token, minute: int) -> bool:
        with self._lock:
            stamp, permits = self._held.get(token.prefix, (minute, 0))
            if stamp != minute or not permits:
                return False
            self._held[token.prefix] = (minute, permits - 1)
            return True

    def add(self, token: Token, minute: int, permits: int) -> None:
        with self._lock:
            stamp, held = self._held.get(token.prefix, (minute, 0))
            self._held[token.prefix] = (minute, permits + (held if stamp == minute else 0))


_purse = _Purse()


class TokenThrottle(BaseThrottle):
    """429 once a token has used up its `rate_per_minute`; 0 means no limit."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Whether one more request may pass in this minute."""
        token = request.auth
        if not isinstance(token, Token) or not token.rate_per_minute:
            return True
        minute = int(time.time() // 60)
        if _purse.spend(token, minute):
            return True
        try:
            permits = draw(token, minute)
        except DatabaseError:  # a full disk: who only reads goes on; who writes fails at what he came for
            log.exception("requests of a token were not counted")
            return True
        if permits > 1:
            _purse.add(token, minute, permits - 1)
        return permits > 0

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return 60 - time.time() % 60


def draw(token: Token, minute: int) -> int:
    """Take a portion of the permits of a minute, or what is left of them; 0 when all are taken."""
    limit = token.rate_per_minute
    portion = max(1, limit // PORTIONS)
    window = RateWindow.objects.filter(token=token, minute=minute)
    if window.filter(taken__lte=limit - portion).update(taken=F("taken") + portion):
        return portion
    row, first = RateWindow.objects.get_or_create(token=token, minute=minute, defaults={"taken": portion})
    if first:
        RateWindow.objects.filter(token=token, minute__lt=minute).delete()
        return portion
    while (left := limit - row.taken) > 0:
        wanted = min(left, portion)
        if window.filter(taken=row.taken).update(taken=F("taken") + wanted):
            return wanted
        row.refresh_from_db()
    return 0

"""What NPM's tables have in common: the form of times, SQL's LIKE, ids that are never given twice."""

import re
import time
from collections.abc import Callable
from typing import Any

from lab.store import Store

Row = dict[str, Any]


def stamp(seconds: float | None = None) -> str:
    """A time (epoch seconds, default now) as NPM gives it with SQLite: the server's local time, no zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def like(text: str) -> Callable[[str], bool]:
    """A test of SQLite's ``value LIKE '%text%'``: % and _ are wildcards, ASCII letters match in any case."""
    wild = {"%": ".*", "_": "."}
    pattern = "".join(wild.get(letter, re.escape(letter)) for letter in text)
    search = re.compile(pattern, re.IGNORECASE | re.ASCII | re.DOTALL).search
    return lambda value: search(value) is not None


class Counter:
    """The ids of one table, counting up for ever, as with SQLite's AUTOINCREMENT."""

    def __init__(self, store: Store, table: str) -> None:
        self._store, self._table = store, table
        self._last = int(store.load("npm_counter").get(table, 0))

    def next(self) -> int:
        """The next id, from 1."""
        self._last += 1
        self._store.save("npm_counter", self._table, self._last)
        return self._last

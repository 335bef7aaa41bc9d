"""The panel's tables: rows of texts, and the one generic way in which all read functions look for them."""

import re
from collections.abc import Iterable
from typing import Any

from lab.store import Store

Row = dict[str, Any]

# The tables are utf8mb3 (install/sql/ispconfig3.sql: DEFAULT CHARSET=utf8; run with MariaDB 10.11 and a lax
# sql_mode): a character beyond U+FFFF is stored as one question mark for each of its bytes.
_ASTRAL = re.compile("[\U00010000-\U0010ffff]+")


class Fault(Exception):
    """The function refuses; the text is all that a caller gets to know."""


class Table:
    """Rows by id. Every value is a text or None, as PHP gets them from the database.

    Use it inside the lab's lock.
    """

    def __init__(self, store: Store, name: str, key: str = "id", first: int = 1) -> None:
        self.name, self.key = name, key
        self._store, self._kind = store, f"ispconfig_{name}"
        self._rows: dict[int, Row] = {
            int(id): row for id, row in sorted(store.load(self._kind).items(), key=lambda item: int(item[0]))
        }
        self._next = int(store.load("ispconfig_next").get(name, first))

    def add(self, values: Row) -> int:
        """Insert a row; its id is never given twice."""
        id = self._next
        self._next += 1
        self._store.save("ispconfig_next", self.name, self._next)
        self._rows[id] = {self.key: str(id), **{name: _text(value) for name, value in values.items()}}
        self._store.save(self._kind, id, self._rows[id])
        return id

    def update(self, id: int, values: Row) -> int:
        """Change a row; 1, or 0 when it holds these values already or is not there."""
        row = self._rows.get(id)
        changed = {name: _text(value) for name, value in values.items()}
        if row is None or all(row.get(name) == value for name, value in changed.items()):
            return 0
        row.update(changed)
        self._store.save(self._kind, id, row)
        return 1

    def clear(self) -> None:
        """Delete all rows; ids go on."""
        for id in list(self._rows):
            self.delete(id)

    def delete(self, id: int) -> int:
        """1, or 0 when it is not there."""
        if self._rows.pop(id, None) is None:
            return 0
        self._store.delete(self._kind, id)
        return 1

    def row(self, id: int) -> Row | None:
        """One row, or None."""
        return self._rows.get(id)

    def rows(self) -> Iterable[Row]:
        """All rows, oldest first."""
        return self._rows.values()

    def where(self, **columns: Any) -> list[Row]:
        """The rows with exactly these values, without regard to case."""
        wanted = {name: str(value).lower() for name, value in columns.items()}
        return [
            row
            for row in self._rows.values()
            if all(str(row[name]).lower() == value for name, value in wanted.items())
        ]

    def get(self, primary_id: Any) -> Row | list[Row] | None:
        """What `*_get` answers: a row or None for an id, a list for -1 or a filter.

        An empty filter finds everything; what makes no sense, or names an unknown column, finds nothing.
        """
        if isinstance(primary_id, dict | list):
            return self._filtered(dict(primary_id) if isinstance(primary_id, dict) else {})
        try:
            id = int(primary_id)
        except (TypeError, ValueError):
            return []
        if id == -1:
            return list(self._rows.values())
        if id <= 0:
            raise Fault("The ID has to be > 0 or -1.")
        return self._rows.get(id)

    def _filtered(self, filter: Row) -> list[Row]:
        offset, limit = int(filter.pop("#OFFSET#", 0) or 0), int(filter.pop("#LIMIT#", 0) or 0)
        tests = [(name, _test(str(value))) for name, value in filter.items()]
        found = [
            row
            for row in self._rows.values()
            if all(name in row and row[name] is not None and test(row[name]) for name, test in tests)
        ]
        return found[offset : offset + limit] if limit > 0 else found


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return _ASTRAL.sub(lambda found: "?" * len(found[0].encode()), value)
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def _test(value: str) -> Any:
    """`=`, or LIKE when there is a `%` in the value; both without regard to case (the tables' collation)."""
    if "%" not in value:
        wanted = value.lower()
        return lambda text: text.lower() == wanted
    pattern = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in value)
    like = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda text: like.fullmatch(text) is not None

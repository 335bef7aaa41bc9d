"""Write-through persistence: every saved object survives a SIGKILL of the process."""

import json
import sqlite3
import threading
from pathlib import Path
from types import TracebackType
from typing import Any


class Store:
    """JSON objects by (kind, id) in one SQLite file; with ``path=None`` nothing is kept.

    Not thread-safe by itself: call it inside the lab's ``Guard``.
    """

    def __init__(self, path: Path | None) -> None:
        self._db: sqlite3.Connection | None = None
        if path is None:
            return
        # synchronous=OFF trusts the operating system, not the power supply: a killed process loses nothing.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS object"
            " (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )

    def save(self, kind: str, id: str | int, obj: Any) -> None:
        """Keep ``obj`` (anything JSON can say) under (kind, id), replacing what was there."""
        if self._db is not None:
            self._begin()
            self._db.execute("REPLACE INTO object VALUES (?, ?, ?)", (kind, str(id), json.dumps(obj)))

    def delete(self, kind: str, id: str | int) -> None:
        """Forget (kind, id); absent is fine."""
        if self._db is not None:
            self._begin()
            self._db.execute("DELETE FROM object WHERE kind = ? AND id = ?", (kind, str(id)))

    def load(self, kind: str) -> dict[str, Any]:
        """All objects of a kind by id (always text), in no particular order."""
        if self._db is None:
            return {}
        rows = self._db.execute("SELECT id, body FROM object WHERE kind = ?", (kind,))
        return {id: json.loads(body) for id, body in rows}

    def commit(self) -> None:
        """Make durable what was saved since the last commit, all of it or (killed before) nothing."""
        if self._db is not None and self._db.in_transaction:
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Commit and close the file."""
        if self._db is not None:
            self.commit()
            self._db.close()
            self._db = None

    def _begin(self) -> None:
        if self._db is not None and not self._db.in_transaction:
            self._db.execute("BEGIN")


class Guard:
    """The lab's one re-entrant lock. Leaving it for good commits the store.

    So one ``with lab.lock:`` block is one step of the world: a kill -9 shows all of it afterwards or none.
    Nobody sleeps or talks to a socket while holding it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._depth = 0

    def __enter__(self) -> "Guard":
        self._lock.acquire()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._depth -= 1
            if self._depth == 0:
                # Also after an error: memory has changed, and the file must tell the same story.
                self._store.commit()
        finally:
            self._lock.release()

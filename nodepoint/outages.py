"""What an outage of our own database or broker writes into the log: one line a minute and cause."""

import logging
import sys
import threading
import time

from django.db.utils import DatabaseError, InterfaceError

EVERY = 60.0  # seconds between two lines of one cause
CAUSES = 100  # kept in mind at most


class OutageFilter(logging.Filter):
    """Turns the tracebacks of a database that is away, one for each request and step, into one line a minute
    and cause, which says how many there were. Other errors pass as they are."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else sys.exc_info()[1]
        if record.levelno < logging.ERROR or not isinstance(error, DatabaseError | InterfaceError):
            return True
        cause = f"{type(error).__name__}: {error}"[:200]
        unsaid = self._unsaid(cause)
        if unsaid is None:
            return False
        record.exc_info = record.exc_text = None
        said = {"error": cause, "more_since_the_last_line": unsaid}
        if isinstance(record.msg, dict):
            record.msg = {k: v for k, v in record.msg.items() if k not in ("exception", "exc_info")} | said
        else:
            record.msg, record.args = (
                f"{record.getMessage()}: {cause} (and {unsaid} more since the last line)",
                (),
            )
        return True

    def _unsaid(self, cause: str) -> int | None:
        """How many of this cause were left out since the last line; None when this one is, too."""
        now = time.monotonic()
        with self._lock:
            last, left_out = self._seen.get(cause, (now - EVERY, 0))
            if now - last < EVERY:
                self._seen[cause] = (last, left_out + 1)
                return None
            if len(self._seen) >= CAUSES:
                self._seen.clear()
            self._seen[cause] = (now, 0)
            return left_out


class AnsweredFilter(logging.Filter):
    """Leaves out what django.request says of answers without an exception: each has its line in
    nodepoint.access."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        return bool(record.exc_info)

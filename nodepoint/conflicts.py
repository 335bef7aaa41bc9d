"""What the database refuses because somebody else was quicker, told from everything else that it refuses."""

import re

from django.db import IntegrityError, OperationalError

DUPLICATE = 1062  # MariaDB's ER_DUP_ENTRY
CROSSED = {1205, 1213}  # its ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK
QUOTED = re.compile(r"for key '(?:[^']*\.)?([^'.]+)'\Z")
SQLITE = "UNIQUE constraint failed: "


def duplicate(error: IntegrityError) -> bool:
    """Whether a unique column or constraint was violated. A column without value, or a row that is referred
    to and missing, is a fault of ours or of a schema that is ahead: never “somebody was quicker”."""
    return error.args[:1] == (DUPLICATE,) or str(error).startswith(SQLITE)


def duplicate_of(error: IntegrityError, column: str) -> bool:
    """Whether it was the unique column of this name. SQLite names table and column; MariaDB the index, which
    is called like the column where Django made the column itself unique."""
    if not duplicate(error):
        return False
    if found := QUOTED.search(str(error.args[-1])):
        return found[1] == column
    columns = str(error).removeprefix(SQLITE).split(", ")
    return [name.rpartition(".")[2] for name in columns] == [column]


def crossed(error: OperationalError) -> bool:
    """Whether another transaction was in the way, so that the same may be tried again."""
    return not CROSSED.isdisjoint(error.args[:1]) or "locked" in str(error)

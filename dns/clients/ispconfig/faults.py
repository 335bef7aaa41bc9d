"""What ISPConfig means by a fault. There are no codes, only texts, untranslated keys and whole SQL
statements."""

import re

from nodepoint.clients.errors import BadAnswer, Busy, ClientError, Conflict, NotFound, Refused

SYSTEM = "ispconfig"
BLOCKED = 300.0  # seconds without a failure until the throttle opens again
MAINTENANCE = 60.0  # seconds until it is worth asking again

EXPIRED = "The Session is expired or does not exist."
OTHER_ADDRESS = "Session IP mismatch."
WRONG_LOGIN = "The login failed."

_KEY = re.compile(r"[a-z0-9_]+")
_UNIQUE = {"origin_error_unique", "customer_no_error_unique", "username_error_unique"}
_SQL = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|SELECT)\b.*", re.DOTALL)


class SessionLost(Refused):
    """The session is not valid any more: log in anew. Each such answer counts as a failure in their
    throttle."""


def error_of(function: str, message: str) -> ClientError:
    """The error that a `remote_fault` of a function stands for. Statements are cut off: they hold password
    hashes and keys."""
    if _SQL.search(message) and not message.startswith("Duplicate entry"):
        return BadAnswer(SYSTEM, f"{function}: database error: {_SQL.sub('', message)}")
    parts = [part.strip() for part in re.split(r"<br\s*/?>", message) if part.strip()]
    vendor = f"{function}: {_SQL.sub('', '; '.join(parts))}"
    if message in (EXPIRED, OTHER_ADDRESS):
        return SessionLost(SYSTEM, vendor)
    if message.endswith("failure limit has been reached."):
        return Busy(SYSTEM, vendor, retry_after=BLOCKED)
    if "currently under maintenance" in message:
        return Busy(SYSTEM, vendor, retry_after=MAINTENANCE)
    if message.startswith(("There is no ", "Invalid client_id ")):
        return NotFound(SYSTEM, vendor)
    if message.startswith("Duplicate entry") or _UNIQUE & {part for part in parts if _KEY.fullmatch(part)}:
        return Conflict(SYSTEM, vendor)
    return Refused(SYSTEM, vendor)

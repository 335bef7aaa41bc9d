"""Why Let's Encrypt issued no certificate, from what NPM passes on of certbot's words.

NPM passes on what certbot wrote to stderr only (backend/lib/utils.js: execFile). What the authority said
about a failed challenge certbot prints to stdout (auth_handler.py: _report_failed_authzrs, certbot 5.8), so
that as a rule nothing but "Some challenges have failed." arrives; a refused order (rate limits, CAA) comes in
full.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from nodepoint.clients.errors import Refused

LINE = 500  # characters of a line that are looked at
LINES = 40
# What stands before the reason: certbot's own prefixes, and the authority's titles and type.
_BEFORE = re.compile(
    r"(?:(?:CommandError|Error|Detail|Type|acme\.messages\.Error|urn:ietf:params:acme:error:\w+"
    r"|There were too many requests of a given type|Error finalizing order"
    r"|The client lacks sufficient authorization|During secondary validation"
    r"|While processing CAA for [\w.*-]+)\s*(?:::|:)\s*|\d+\.\d+\.\d+\.\d+:\s+)*"
)


class Cause(StrEnum):
    """What stood in the way. `CHALLENGE`: the name was not proven, and certbot's reason did not arrive."""

    NAME = "name"
    PORT = "port"
    CAA = "caa"
    LIMIT = "limit"
    CHALLENGE = "challenge"
    UNKNOWN = "unknown"


# Beginnings of a reason, in the words of Let's Encrypt's Boulder and of certbot; the first that fits counts.
_REASONS = (
    (Cause.LIMIT, re.compile(r"too many (?:certificates|failed authorizations|new orders|currently|reg)")),
    (Cause.LIMIT, re.compile(r"rate ?limit", re.IGNORECASE)),
    (Cause.CAA, re.compile(r"CAA record for [\w.*-]+ prevents issuance|caa\b")),
    (
        Cause.NAME,
        re.compile(r"DNS problem|no valid (?:A|AAAA|IP)|dns\b|No valid IP addresses", re.IGNORECASE),
    ),
    (Cause.PORT, re.compile(r"Timeout during connect|Connection (?:refused|reset)|Network unreachable")),
    (Cause.PORT, re.compile(r"Fetching https?://|Invalid response from https?://|Error getting validation")),
    (Cause.PORT, re.compile(r"(?:connection|unauthorized)\b")),
)
_CHALLENGE = re.compile(r"(?:Some challenges have failed|All authorizations were not finalized)")
_RETRY_AFTER = re.compile(r"retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?: UTC|Z)")


class NoCertificate(Refused):
    """The authority did not issue one. `cause` says why; `retry_after` in seconds is known of rate limits.

    Unlike other refusals this one may pass: orders are repeated, rarely, since the authority counts them.
    """

    def __init__(self, system: str, vendor: str, cause: Cause, retry_after: float | None = None) -> None:
        super().__init__(system, vendor)
        self.cause = cause
        self.retry_after = retry_after


def cause_of(stack: Iterable[str]) -> Cause:
    """The cause by the lines of `debug.stack`. Only the beginning of a line counts: what follows may quote
    what a stranger's web server has answered."""
    found = Cause.UNKNOWN
    for line in list(stack)[:LINES]:
        text = line.strip()[:LINE]
        reason = text[_BEFORE.match(text).end() :]  # type: ignore[union-attr] - it matches the empty text
        for cause, beginning in _REASONS:
            if beginning.match(reason):
                return cause
        if _CHALLENGE.match(reason):
            found = Cause.CHALLENGE
    return found


def retry_after(text: str, now: datetime | None = None) -> float | None:
    """Seconds until the time that a rate limit names (`retry after 2026-12-01 10:00:00 UTC`), else None."""
    found = _RETRY_AFTER.search(text)
    if not found:
        return None
    try:
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    except ValueError:
        return None
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())

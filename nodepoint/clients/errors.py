"""The error family of all clients: seven answers to the question "what may the caller do now?"."""

import json
import re
from typing import ClassVar
from urllib.parse import quote, quote_plus

SYSTEMS = {
    "proxmox": "Proxmox VE",
    "ssh": "The SSH service of the node",
    "cloudflare": "Cloudflare",
    "npm": "Nginx Proxy Manager",
    "ispconfig": "ISPConfig",
    "dns": "The DNS resolver",
    "webhook": "The webhook",
}

_VENDOR_LENGTH = 500
_secrets: set[str] = set()
_SECRET_FORMS = re.compile(
    r"""(?ix) ( \b(?:Bearer|Basic)\s+ | APIToken=[^\s=]+=
              | \b(?:password|passwd|secret|token|api_key)["']?\s*[=:]\s*["']? ) [^\s"',;&}]+"""
)


def keep_secret(*values: str) -> None:
    """Masks `values` (a password, a token) from now on in whatever `mask` is given, in any usual escaping."""
    for value in values:
        if len(value) >= 4:  # masking shorter ones would black out every text, and they are no secrets
            _secrets.update((value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]))


def mask(text: str) -> str:
    """`text` as one line without control characters, without known secrets and what looks like one."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _SECRET_FORMS.sub(r"\1***", " ".join("".join(c if c.isprintable() else " " for c in text).split()))


class ClientError(Exception):
    """A call to an outside system did not end well. Raised as one of the seven below, never itself.

    `system` is a key of `SYSTEMS`; `vendor` is what the vendor said, for staff: one line, masked, at most
    500 characters. `permanent`: repeating the same call cannot help. `unknown_outcome`: the call may have had
    its effect, so look before you repeat it.
    """

    permanent: ClassVar[bool] = False
    unknown_outcome: ClassVar[bool] = False
    fact: ClassVar[str] = "failed"
    outcome: ClassVar[str] = "failed"  # as it is counted

    def __init__(self, system: str, vendor: str = "") -> None:
        self.system = system
        self.vendor = mask(vendor)[:_VENDOR_LENGTH]
        super().__init__(system, self.vendor)

    def __str__(self) -> str:
        return f"{self.system}: {self.vendor or self.fact}"

    @property
    def sentence(self) -> str:
        """What a customer may read: the system's full name and the fact, never an address or vendor text."""
        return f"{SYSTEMS[self.system]} {self.fact}."


class Unreachable(ClientError):
    """The call was not delivered, nothing has happened: repeat it later."""

    fact = "could not be reached"
    outcome = "unreachable"


class TimedOut(ClientError):
    """Delivered, but no whole answer came in time. The outcome is unknown: look, then decide."""

    unknown_outcome = True
    fact = "did not answer in time"
    outcome = "timed_out"


class Refused(ClientError):
    """Permission, credentials, or a value that is not accepted: nothing has happened. Tell staff."""

    permanent = True
    fact = "refused the request"
    outcome = "refused"


class NotFound(ClientError):
    """The thing is not there (any more), or not on the node that was asked: look where it is now."""

    permanent = True
    fact = "does not have what was asked for"
    outcome = "missing"


class Conflict(ClientError):
    """Something stands in the way: a duplicate or something foreign. Look whose it is; adopt or give up."""

    permanent = True
    fact = "already has something else in this place"
    outcome = "conflict"


class Busy(ClientError):
    """A lock, a rate limit, another run: nothing has happened. Repeat later, in `retry_after` s if known.

    `in_line`: somebody else's work has to end first, which may take long and is nobody's failure.
    """

    fact = "is busy"
    outcome = "busy"
    in_line: ClassVar[bool] = False

    def __init__(self, system: str, vendor: str = "", retry_after: float | None = None) -> None:
        super().__init__(system, vendor)
        self.retry_after = retry_after


class BadAnswer(ClientError):
    """An internal error of theirs, or an answer that makes no sense. The outcome is unknown: look."""

    unknown_outcome = True
    fact = "failed with an internal error"

"""Where a customer's host name leads, and whether Let's Encrypt may issue a certificate for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from django.conf import settings

from nodepoint.clients.deadline import deadline
from nodepoint.resolver import Answer, Resolver, Status

SECONDS = 9.0  # for all questions about one name
QUESTION_SECONDS = 3.0
AUTHORITY = "letsencrypt.org"
CRITICAL = 128  # flag of a CAA record that no authority may pass over
SHOWN = 5  # values of one kind in a sentence


class Leading(Enum):
    """Where visitors of a name come to. `UNKNOWN`: DNS gave no answer, which says nothing about the name."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Look:
    """What one look at a name has found. `why`: what was found and what to set, in sentences for customers;
    empty where it leads here."""

    leading: Leading
    why: str = ""

    @property
    def is_here(self) -> bool:
        """Whether it certainly leads here at this moment."""
        return self.leading is Leading.HERE


def look(name: str, address: str, seconds: float = SECONDS) -> Look:
    """Whether visitors of `name` (ASCII) come to `address`, and nowhere else, at this moment: through any
    alias its only A, and no AAAA. The one place that answers this; takes at most `seconds`, never raises for
    what the network does.
    """
    resolver = _resolver()
    with deadline(seconds):
        for type, wrong in (("A", _wrong_address), ("AAAA", _wrong_address6)):
            answer = resolver.lookup(name, type)
            if answer.status is Status.FAILED:
                return Look(Leading.UNKNOWN, _no_answer(name))
            if why := wrong(name, address, answer):
                return Look(Leading.ELSEWHERE, why)
    return Look(Leading.HERE)


def forbidden(name: str, seconds: float = SECONDS) -> str:
    """What keeps Let's Encrypt from issuing (RFC 8659): CAA records of the nearest name upwards that has any,
    as sentences. Empty when nothing does; takes at most `seconds`.

    No answer is no reason to refuse the name: it is served over HTTP meanwhile, and the order tells.
    """
    resolver = _resolver()
    with deadline(seconds):
        for at in _upwards(name):
            answer = resolver.lookup(at, "CAA")
            if answer.status is Status.FAILED:
                return ""
            if answer.records:
                records = [Permit.parse(record) for record in answer.records]
                return "" if _permitted(records) else _refusal(at, records)
    return ""


def _resolver() -> Resolver:
    return Resolver(settings.DNS_RESOLVERS, timeout=QUESTION_SECONDS)


def _wrong_address(name: str, address: str, answer: Answer) -> str:
    remedy = f"Please set one A record for {name} with the address {address}, and nothing else."
    if answer.status is Status.NO_SUCH_NAME:
        return f"{name} does not exist in DNS. {remedy}"
    if answer.status is Status.NO_DATA:
        return f"{name} has no A record. {remedy}"
    found = sorted(set(answer.records))
    if found == [address]:
        return ""
    through = f" through its alias {_printable(answer.aliases[-1])}" if answer.aliases else ""
    return (
        f"{name} leads to {_listed(found)}{through}. Please set one A record for it with the address"
        f" {address}, and nothing else; at Cloudflare, switch the proxy (orange cloud) off for it."
    )


def _wrong_address6(name: str, address: str, answer: Answer) -> str:
    if not answer.records:
        return ""
    through = f" through its alias {_printable(answer.aliases[-1])}" if answer.aliases else ""
    found = _listed(sorted(answer.records))
    return f"{name} has an AAAA record{through}: {found}. Please remove it, as many visitors would go there."


def _no_answer(name: str) -> str:
    return (
        f"The name servers of {name} gave no answer. Please check them, or try again in a few minutes if you"
        " have only just set the name up."
    )


def _upwards(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition(".")[2]


@dataclass(frozen=True)
class Permit:
    """A CAA record. `value`: who may issue (may be empty: nobody), `parameters` under which conditions."""

    flags: int
    tag: str
    value: str
    parameters: dict[str, str]

    @classmethod
    def parse(cls, record: str) -> "Permit":
        """From the resolver's text: `0 issue "ca.example; validationmethods=dns-01"`."""
        flags, tag, quoted = record.split(" ", 2)
        value, *parameters = quoted[1:-1].split(";")
        pairs = (parameter.partition("=") for parameter in parameters)
        return cls(
            int(flags), tag, value.strip().lower(), {key.strip(): text.strip() for key, _, text in pairs}
        )

    def permits(self) -> bool:
        """Whether it lets Let's Encrypt issue over HTTP (RFC 8657)."""
        methods = self.parameters.get("validationmethods")
        return self.value == AUTHORITY and (methods is None or "http-01" in methods.split(","))


def _permitted(records: list[Permit]) -> bool:
    known = ("issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc")
    if any(record.flags & CRITICAL and record.tag not in known for record in records):
        return False
    issue = [record for record in records if record.tag == "issue"]
    return not issue or any(record.permits() for record in issue)


def _refusal(at: str, records: list[Permit]) -> str:
    names = [_printable(record.value) for record in records if record.tag == "issue" and record.value]
    who = f"permits {_listed(names)} only" if names else "permits nobody"
    return (
        f"The CAA record of {at} {who}, so that Let's Encrypt cannot issue a certificate."
        f' Please add the CAA record 0 issue "{AUTHORITY}" to it, or remove all of them.'
    )


def _listed(values: list[str]) -> str:
    more = [f"{len(values) - SHOWN} more"] if len(values) > SHOWN else []
    *first, last = [*values[:SHOWN], *more]
    return f"{', '.join(first)} and {last}" if first else last


def _printable(name: str) -> str:
    """A name that a stranger's server sent, without what no host name holds."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in ".-_") else "?" for sign in name)[
        :253
    ]

"""Where a customer's host name leads, and whether Let's Encrypt may issue a certificate for it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from nodepoint.clients.deadline import deadline
from nodepoint.resolver import Answer, Resolver, Status

SECONDS = 9.0  # for all questions about one name
QUESTION_SECONDS = 3.0
AUTHORITY = "letsencrypt.org"
CRITICAL = 128  # flag of a CAA record that no authority may pass over
SHOWN = 5  # values of one kind in a sentence


def trouble(name: str, address: str) -> str:
    """Why visitors of `name` (ASCII) do not come to `address` alone, or no certificate can be issued, as
    sentences: what was found and what to set. Empty when all is well. Takes at most `SECONDS`.
    """
    resolver = Resolver(settings.DNS_RESOLVERS, timeout=QUESTION_SECONDS)
    with deadline(SECONDS):
        return (
            _wrong_address(name, address, resolver.lookup(name, "A"))
            or _wrong_address6(name, resolver.lookup(name, "AAAA"))
            or _forbidden(name, resolver)
        )


def _wrong_address(name: str, address: str, answer: Answer) -> str:
    remedy = f"Please set one A record for {name} with the address {address}."
    if answer.status is Status.NO_SUCH_NAME:
        return f"{name} does not exist in DNS. {remedy}"
    if answer.status is Status.NO_DATA:
        return f"{name} has no A record. {remedy}"
    if answer.status is Status.FAILED:
        return _no_answer(name)
    found = sorted(set(answer.records))
    if found == [address]:
        return ""
    through = f" through its alias {_printable(answer.aliases[-1])}" if answer.aliases else ""
    if len(found) > 1:
        return f"{name} leads to several addresses{through}: {_listed(found)}. Please leave {address} alone."
    return f"{name} leads to {found[0]}{through}. Please set its A record to {address}."


def _wrong_address6(name: str, answer: Answer) -> str:
    if answer.status is Status.FAILED:
        return _no_answer(name)
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


def _forbidden(name: str, resolver: Resolver) -> str:
    """What keeps Let's Encrypt from issuing (RFC 8659): CAA records of the nearest name upwards that has any.

    No answer is no reason to refuse the name: it is served over HTTP meanwhile, and the order tells.
    """
    for at in _upwards(name):
        answer = resolver.lookup(at, "CAA")
        if answer.status is Status.FAILED:
            return ""
        if answer.records:
            records = [Permit.parse(record) for record in answer.records]
            return "" if _permitted(records) else _refusal(at, records)
    return ""


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

"""Whose a name in DNS is. Sites and zones are products of their own that know nothing of each other, and one
domain may be in both: each app registers what its customers hold, and asks here before it takes a name in.

A name that is somebody else's can still be had by who proves that it is his: with a TXT record that only its
holder can set. The value is made for one owner and one name, the same at every request, and tells nothing.
"""

import base64
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from django.conf import settings

from nodepoint import installation
from nodepoint.models import Installation
from nodepoint.resolver import Resolver, Status

LABEL = "_nodepoint"
LONGEST = 253  # characters of a name in DNS
QUESTION_SECONDS = 3.0


@dataclass(frozen=True)
class Claim:
    """That `name` is held. `holder`: the row that holds it, as jobs name it; `user_id`: the customer in the
    billing portal, empty where nobody has said. `settled`: False while a job is at work, after which it is
    held or is not."""

    name: str
    holder: str
    user_id: str = ""
    settled: bool = True

    def is_of(self, holder: str, user_id: str) -> bool:
        """Whether it is this row's, or of the same customer. Who is not named is nobody's fellow."""
        return self.holder == holder or bool(user_id and self.user_id == user_id)


Claims = Callable[[Sequence[str], str], Iterable[Claim]]
"""What an app brings: the claims on any of the names, and on those below a name (empty: of none). One
query."""

_sources: list[Claims] = []


def register(claims: Claims) -> None:
    """Have what an app's customers hold respected by the other apps."""
    _sources.append(claims)


def anothers(
    name: str, *, holder: str = "", user_id: str = "", below: bool = False, unsettled: bool = False
) -> Claim | None:
    """The claim of somebody else's that `name` is, or lies under; with `below` also one that lies under it,
    with `unsettled` also one that is not settled, after those that are. None when there is none. One query
    for each app."""
    above = [name, *ancestors(name)]
    found = (claim for source in _sources for claim in source(above, name if below else ""))
    others = [claim for claim in found if not claim.is_of(holder, user_id)]
    settled = [claim for claim in others if claim.settled]
    return next(iter(settled or (others if unsettled else [])), None)


def ancestors(name: str) -> list[str]:
    """Every name above this one, the nearest first."""
    labels = name.split(".")
    return [".".join(labels[i:]) for i in range(1, len(labels))]


def lock() -> None:
    """Nobody else takes a name in until the transaction ends, in whichever app. To be taken before any other
    lock."""
    Installation.objects.select_for_update().filter(pk=1).first()


class Shown(Enum):
    """What DNS says of a proof. `UNKNOWN`: it gave no answer, which is not the same as there being none."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Proof:
    """The TXT record by which an owner shows that a domain is his."""

    name: str
    value: str

    @property
    def body(self) -> dict[str, str]:
        """As it stands in an answer: `{name, type, value}`."""
        return {"name": self.name, "type": "TXT", "value": self.value}

    @property
    def request(self) -> str:
        """What is to be done, in a sentence."""
        return f"Please set a TXT record for {self.name} with the value {self.value}, and try again."

    def shown(self) -> Shown:
        """Ask DNS whether it is there: among several TXT records, through any alias. Never raises for what
        the network does."""
        if len(self.name) > LONGEST:
            return Shown.NO
        answer = Resolver(settings.DNS_RESOLVERS, timeout=QUESTION_SECONDS).lookup(self.name, "TXT")
        if answer.status is Status.FAILED:
            return Shown.UNKNOWN
        # Some panels keep the quotes that were typed.
        texts = [text.strip().strip('"').encode() for text in answer.records]
        return (
            Shown.YES if any(hmac.compare_digest(text, self.value.encode()) for text in texts) else Shown.NO
        )


def proof(owner: str, domain: str) -> Proof:
    """What `owner` (a service, a user: as the app names it) has to show for `domain` (ASCII, lower case)."""
    said = "\0".join(("nodepoint.names", installation.identity(), owner, domain))
    digest = hmac.digest(settings.SECRET_KEY.encode(), said.encode(), "sha256")
    value = base64.b32encode(digest[:15]).decode().lower()
    return Proof(f"{LABEL}.{domain}", f"nodepoint-{value}")

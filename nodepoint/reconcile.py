"""Our rows against what the systems hold: what all apps share. `manage.py reconcile` asks every side."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db.models import Model

from nodepoint.clients.errors import ClientError
from nodepoint.jobs.models import Job


class Kind(StrEnum):
    """What a finding is."""

    MISSING = "missing"  # a row has it, the system does not
    ORPHAN = "orphan"  # it is ours, and no row puts it there
    DIFFERS = "differs"  # it is ours and not as it should be
    FOREIGN = "foreign"  # somebody else's, on a name, VMID or address of ours


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the rows say. `owner`: the row whose it is, or in whose way. `repairable`: a
    job of the owner makes it right. `orphan`: what may be removed, since what it was made for, which `mark`
    names, is long gone. `unproven`: no row of ours says that; only a person has it removed, one at a time.
    """

    kind: Kind
    system: str
    thing: str
    detail: str
    owner: Model | None = None
    repairable: bool = False
    orphan: Any = None
    mark: str = ""
    unproven: bool = False


@dataclass
class Report:
    """`things`: how many of ours were looked at, by system. `unread`: systems that did not answer."""

    findings: list[Finding] = field(default_factory=list)
    things: Counter[str] = field(default_factory=Counter)
    unread: list[ClientError] = field(default_factory=list)


@dataclass(frozen=True)
class Side:
    """What an app brings. `compare` looks and changes nothing. `repair`: a job for an owner, None when
    something else goes on there. `remove`: an orphan, looked at once more before; ClientError."""

    compare: Callable[[], Report]
    repair: Callable[..., Job | None]
    remove: Callable[[Any, str], None]


_sides: list[Side] = []


def register(side: Side) -> None:
    """Have an app's things compared as well."""
    _sides.append(side)


def sides() -> list[Side]:
    """All of them, in the order of the apps."""
    return list(_sides)

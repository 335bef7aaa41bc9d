"""Whether a zone is really published, as the last look at the name servers left it (`dns.watch`). Nobody is
asked here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from dns.models import Parent, Publication, Zone

GRACE = timedelta(minutes=3)  # ISPConfig's server part works once a minute, a secondary follows
OLD = timedelta(minutes=45)  # what was seen before that says nothing any more

SWITCHED_OFF = "This zone is switched off and not served."
NOT_SERVED = "{servers} do not serve this zone. Our staff can see this."
OLD_STATE = (
    "The latest changes are not published: {servers} still answer as before. Our staff can see this and what "
    "causes it."
)


PARENT_OLD = timedelta(hours=3)  # what was seen of the zone above before that says nothing any more
LEADS_AWAY = "The domain {name} does not lead here: its name servers are {servers}. Please set ours."
LEADS_NOWHERE = "The domain {name} leads nowhere: no name servers are set for it. Please set ours."
DS_UNSIGNED = (
    "The zone above holds a DS record, but this zone is not signed: many resolvers refuse it. Please delete "
    "the DS record at your registrar, or switch DNSSEC on and set ours."
)
DS_WRONG = (
    "The DS record of the zone above belongs to other keys than ours: many resolvers refuse this zone. "
    "Please set ours at your registrar."
)


@dataclass(frozen=True)
class Verdict:
    """`published`: None where it is not known. `problem`: a sentence for customers where it is not."""

    published: bool | None
    problem: str | None = None


UNKNOWN = Verdict(None)


def verdict(row: Zone | None, serial: int, active: bool, now: datetime | None = None) -> Verdict:
    """Of a zone as the panel holds it now, by our row of it with its `publication`: what was changed after
    the look is not known yet."""
    if row is None or row.state != Zone.State.ACTIVE or row.deletion_requested_at:
        return UNKNOWN
    if not active:
        return Verdict(False, SWITCHED_OFF)
    seen: Publication | None = getattr(row, "publication", None)
    if seen is None or not seen.served or seen.looked_at < (now or timezone.now()) - OLD:
        return UNKNOWN
    if seen.wrong_since is None:
        return Verdict(True) if seen.serial >= serial else UNKNOWN
    if seen.wrong_since > seen.looked_at - GRACE:
        return UNKNOWN
    return Verdict(False, problem(seen))


def above(row: Zone | None, signed: bool | None, ds: Sequence[str], now: datetime | None = None) -> Verdict:
    """What the last looks at the zone above say: `UNKNOWN` where nothing speaks against it. `signed`, `ds`:
    as the panel has the zone."""
    seen: Parent | None = getattr(row, "parent", None)
    if row is None or seen is None or seen.looked_at < (now or timezone.now()) - PARENT_OLD:
        return UNKNOWN
    if seen.away_since is not None and seen.away_since < seen.looked_at:  # two looks at least
        to = ", ".join(seen.servers)
        where = LEADS_AWAY.format(name=row.name, servers=to) if to else LEADS_NOWHERE.format(name=row.name)
        return Verdict(False, where)
    if seen.ds and not signed:
        return Verdict(False, DS_UNSIGNED)
    if seen.ds and not set(seen.ds) & set(ds):
        return Verdict(False, DS_WRONG)
    return UNKNOWN


def at_parent(row: Zone | None, ds: Sequence[str], now: datetime | None = None) -> str | None:
    """How the DS records above stand to those of the zone: none, right or wrong; None where that is not
    known."""
    seen: Parent | None = getattr(row, "parent", None)
    if seen is None or seen.looked_at < (now or timezone.now()) - PARENT_OLD:
        return None
    if not seen.ds:
        return "none"
    return "right" if set(seen.ds) & set(ds) else "wrong"


def problem(seen: Publication) -> str:
    """What is wrong, for customers: with names that are public, without what staff read."""
    absent = [server for server, serial in seen.served.items() if serial is None]
    if absent:
        return NOT_SERVED.format(servers=" and ".join(absent)).replace("do not", _do(absent), 1)
    others = [server for server, serial in seen.served.items() if serial != max(seen.served.values())]
    late = others or list(seen.served)
    return OLD_STATE.format(servers=" and ".join(late)).replace("answer", _answers(late), 1)


def _do(servers: list[str]) -> str:
    return "do not" if len(servers) > 1 else "does not"


def _answers(servers: list[str]) -> str:
    return "answer" if len(servers) > 1 else "answers"


def for_staff(seen: Publication) -> str:
    """The same with serials and, where known, the words of named-checkzone."""
    said = ", ".join(f"{server} {'none' if at is None else at}" for server, at in seen.served.items())
    words = f". {' '.join(seen.detail.split())}" if seen.detail else ""
    return f"not published: serial {seen.serial} in the panel; at the name servers: {said}{words}"


def unpublished(now: datetime | None = None) -> QuerySet[Publication]:
    """What the last looks found of zones that are not published as they should be, the longest first. By
    index."""
    now = now or timezone.now()
    return (
        Publication.objects.filter(wrong_since__lt=now - GRACE, looked_at__gt=now - OLD)
        .filter(wrong_since__lte=F("looked_at") - GRACE)
        .filter(zone__state=Zone.State.ACTIVE, zone__deletion_requested_at=None)
        .select_related("zone__customer")
        .order_by("wrong_since")
    )

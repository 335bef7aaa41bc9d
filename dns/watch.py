"""The periodic look at our name servers: does each of them serve what ISPConfig holds?

ISPConfig applies changes by a cron job on the name server and says nothing to who asked for them; a zone that
named-checkzone refuses stays as it was. Only the serials at the name servers tell.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from django.db import connection
from django.utils import timezone

from dns import history, live, published
from dns.clients.ispconfig import FailedChange
from dns.clients.ispconfig import Zone as PanelZone
from dns.clients.nameservers import Serials
from dns.connections import ispconfig, nameservers
from dns.models import Known, Publication, Zone
from nodepoint.clients.deadline import deadline, end_of, left_until
from nodepoint.clients.errors import ClientError
from nodepoint.jobs.models import Job

AGAIN = timedelta(minutes=15)  # a zone in which nothing has changed is looked at again after that
PANEL_SECONDS, SECONDS = 12.0, 20.0  # for all calls of the panel, for all questions to the name servers
COMPARE_SECONDS = 20.0  # for reading zones in which something has changed
PART = 500  # rows of one statement
MOST = 1500  # zones of one look, the longest unseen first; the next looks have the others
BEFORE = timedelta(minutes=10)  # before a change was seen to be missing, it may have failed

MOST_WORDS = 2000  # characters

T = TypeVar("T")
log = structlog.get_logger("nodepoint.dns")


def look(now: datetime | None = None) -> int:
    """Note what the name servers serve of each zone that was changed, is behind, or was not looked at for a
    while; and the highest serial of all. Returns how many zones were looked at; 0 where ISPConfig does not
    answer: then all stays as it was known, and grows old."""
    try:
        with deadline(PANEL_SECONDS):
            held = {zone.origin: zone for zone in ispconfig().zones()}
    except ClientError as error:
        log.warning("zones_unread", error=str(error))
        return 0
    now = now or timezone.now()
    pairs = [(row, held[row.origin]) for row in _standing() if row.origin in held]
    _remember_serials(pairs)
    _compare(pairs)
    due = [(row, zone) for row, zone in pairs if zone.active and _is_due(row, zone, now)]
    due.sort(key=lambda pair: _looked_at(pair[0]))
    due = due[:MOST]
    served = nameservers().serials([row.name for row, _ in due], SECONDS)
    seen = [_seen(row, zone, served[row.name], now) for row, zone in due if row.name in served]
    _explain(seen, [zone for _, zone in due])
    _keep(seen)
    return len(seen)


def _keep(seen: list[Publication]) -> None:
    # SQLite wants to be told which unique key may be in the way; MariaDB takes whichever it is.
    named = connection.features.supports_update_conflicts_with_target
    Publication.objects.bulk_create(
        seen,
        batch_size=PART,
        update_conflicts=True,
        update_fields=["serial", "served", "looked_at", "wrong_since", "detail"],
        unique_fields=["zone"] if named else None,
    )


def _standing() -> Iterable[Zone]:
    rows = Zone.objects.filter(state=Zone.State.ACTIVE, deletion_requested_at=None, name_key__isnull=False)
    return rows.select_related("publication")


def _remember_serials(pairs: Iterable[tuple[Zone, PanelZone]]) -> None:
    for row, zone in pairs:
        if zone.serial > row.serial:
            Zone.objects.filter(pk=row.pk, serial__lt=zone.serial).update(serial=zone.serial)


def _compare(pairs: Iterable[tuple[Zone, PanelZone]]) -> None:
    """Note what others have done in zones whose serial is not the one of the last comparison: one call for
    each. Where a job is at work, or has been, that is not told from its own doing: the next look is."""
    known = {zone: rest for zone, *rest in Known.objects.values_list("zone", "version", "serial")}
    due = [(row, zone) for row, zone in pairs if known.get(row.pk, [0, None])[1] != zone.serial]
    end = end_of(COMPARE_SECONDS)
    for row, zone in due:
        if not left_until(end):
            return
        if not _is_at_work(row):
            try:
                with deadline(PANEL_SECONDS):
                    now = history.state(live.of(zone))
            except ClientError as error:
                log.warning("records_unread", zone=row.name, error=str(error))
                return
            if not _is_at_work(row):
                history.compared(row, now, zone.serial, known.get(row.pk, [None])[0])


def _is_at_work(row: Zone) -> bool:
    return Job.objects.filter(subject=row.key, state__in=Job.ALIVE).exists()


def _looked_at(row: Zone) -> datetime:
    seen = getattr(row, "publication", None)
    return seen.looked_at if seen else row.created_at - timedelta(days=365)


def _is_due(row: Zone, zone: PanelZone, now: datetime) -> bool:
    seen = getattr(row, "publication", None)
    if seen is None or seen.serial != zone.serial or seen.wrong_since:
        return True
    return seen.looked_at < now - AGAIN


def _seen(row: Zone, zone: PanelZone, served: Serials, now: datetime) -> Publication:
    """What this look says, with what the one before said. A server that has moved on since is given its time
    anew."""
    before = getattr(row, "publication", None)
    seen = Publication(zone=row, serial=zone.serial, served=served, looked_at=now)
    if all(serial in zone.published_serials for serial in served.values()):
        return seen
    was_wrong = before is not None and before.wrong_since is not None
    stands_still = was_wrong and all(before.served.get(one, at) == at for one, at in served.items())
    seen.wrong_since = before.wrong_since if stands_still else now
    seen.detail = before.detail if stands_still else ""
    return seen


def _explain(seen: Iterable[Publication], zones: Iterable[PanelZone]) -> None:
    """Have what has been wrong for a while say why, where the remote user may make the calls for it: what
    named-checkzone said, else how much the server part has before it."""
    stuck = {
        one.zone.origin: one
        for one in seen
        if one.wrong_since and one.wrong_since <= one.looked_at - published.GRACE
    }
    if not stuck:
        return
    since = min(one.wrong_since for one in stuck.values()) - BEFORE
    with deadline(PANEL_SECONDS):
        failed: list[FailedChange] = _allowed(partial(ispconfig().failed_changes, since)) or []
        pending = _allowed(ispconfig().pending_changes) or 0
    waiting = f"{pending} changes wait for ISPConfig's server part." if pending else ""
    for zone in zones:
        if one := stuck.get(zone.origin):
            words = next((change.error for change in failed if change.is_about(zone)), "")
            one.detail = (f"named-checkzone: {words}" if words else waiting)[:MOST_WORDS] or one.detail


def _allowed(ask: Callable[[], T]) -> T | None:
    """What it says; None where it cannot be had: most often the right is missing, which doctor tells."""
    try:
        return ask()
    except ClientError as error:
        log.info("reason_unread", error=str(error))
        return None

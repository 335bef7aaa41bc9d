"""The periodic look at the zones above: do they still refer to our name servers, and do their DS records fit
the keys of the zone? What the world sees of a zone depends on these as much as on our own servers."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from dns import connections
from dns.clients.delegation import Parent as Said
from dns.models import Parent, Zone
from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import ClientError

AGAIN, SOONER = timedelta(hours=1), timedelta(minutes=10)  # until the next look; of what leads elsewhere
MOST, AT_ONCE = 200, 8  # zones of one look, questions under way
SECONDS = 6.0  # for one zone

log = structlog.get_logger("nodepoint.dns")


def look(now: datetime | None = None) -> int:
    """Ask for the zones that were not looked at for an hour, the longest first. Returns for how many an
    answer came; what was known of the others grows old."""
    now = now or timezone.now()
    due = list(_due(now))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="parents") as pool:
        said = list(pool.map(_asked, [zone.name for zone in due]))
    for zone, found in zip(due, said, strict=True):
        if found is not None:
            note(zone, found, now)
    return sum(found is not None for found in said)


def _due(now: datetime) -> Iterable[Zone]:
    standing = Zone.objects.filter(
        state=Zone.State.ACTIVE, deletion_requested_at=None, name_key__isnull=False
    )
    late = Q(parent=None) | Q(parent__looked_at__lte=now - AGAIN)
    late |= Q(parent__away_since__isnull=False, parent__looked_at__lte=now - SOONER)
    return (
        standing.filter(late, name_key__isnull=False)
        .select_related("parent")
        .order_by("parent__looked_at", "pk")[:MOST]
    )


def _asked(name: str) -> Said | None:
    try:
        with deadline(SECONDS):
            return connections.delegation().parent(name)
    except ClientError as error:
        log.info("parent_silent", zone=name, error=str(error))
        return None


def ask(zone: Zone, seconds: float) -> Parent:
    """What the zone above says at this moment. ClientError when nobody who would know answers."""
    with deadline(seconds):
        said = connections.delegation().parent(zone.name)
    return note(zone, said, timezone.now())


def note(zone: Zone, said: Said, now: datetime) -> Parent:
    """Write down what was found."""
    before = Parent.objects.filter(zone=zone).first()
    wanted = {server.lower().rstrip(".") for server in settings.NAMESERVERS}
    leads_here = wanted <= set(said.servers)
    until = now + timedelta(seconds=said.ds_ttl) if said.ds else (before.ds_until if before else None)
    facts = {
        "servers": [printable(server) for server in sorted(said.servers)],
        "ds": list(said.ds),
        "looked_at": now,
        "away_since": None if leads_here else (before and before.away_since) or now,
        "ds_until": until,
    }
    return Parent.objects.update_or_create(zone=zone, defaults=facts)[0]


def printable(name: str) -> str:
    """A name that a stranger's server sent, without what no host name holds."""
    return "".join(sign if sign.isalnum() or sign in ".-_" else "?" for sign in name)[:253]

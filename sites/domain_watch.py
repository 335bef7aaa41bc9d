"""The hourly look at customers' domains: does each still lead here? A name is never settled for good: it
lapses, or moves, and then whoever holds it must get neither the site's visitors nor its login links.

Evidence is a sure answer of DNS alone. No answer counts for nothing, neither do looks that were missed while
nobody was looking, and where the platform's own name of a site does not lead here by the same resolvers, they
or our zone are wrong, and so is all that they say.
"""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from sites import belonging, pointing
from sites.models import CustomDomain, Site
from sites.pointing import Leading, Look
from sites.services import lapses

EVERY = timedelta(hours=1)
LAPSES_AFTER = timedelta(hours=6)
FEWEST_LOOKS = 3
MINUTES = 1  # between two rounds, which share the domains among them
CATCHING_UP = 1.5  # of an even share a round takes at most, so that a pause does not bring all at once
FEWEST = 20  # of a round
SECONDS = 20.0  # for all questions of a round: it takes one of the few workers meanwhile
AT_ONCE = 32  # 10,000 domains are 167 a minute; name servers that do not answer hold one up for 6 s

CANARY_SECONDS = 3.0  # for the look at one of our own names

log = structlog.get_logger("nodepoint.sites")


def look(now: datetime | None = None) -> int:
    """Look at the next domains in line, the longest unseen first. Returns at how many."""
    now = now or timezone.now()
    rows = due(now)
    found = belonging.looks(rows, SECONDS, AT_ONCE)
    sure = {name: one for name, one in found.items() if one.leading is not Leading.UNKNOWN}
    if any(one.leading is Leading.ELSEWHERE for one in sure.values()) and not _believable(rows):
        log.warning("domains_unread", looked_at=len(rows))
        sure = {name: one for name, one in sure.items() if one.is_here}
    CustomDomain.objects.filter(pk__in=[row.pk for row in rows]).update(looked_at=now)
    for row in rows:
        if row.domain in sure:
            _note(row, sure[row.domain], now)
    return len(rows)


def due(now: datetime) -> list[CustomDomain]:
    """The domains of this round: active ones, and those that lapsed, not seen for an hour."""
    watched = _watched()
    share = max(FEWEST, math.ceil(CATCHING_UP * MINUTES * watched.count() / 60))
    unseen = watched.filter(Q(looked_at=None) | Q(looked_at__lte=now - EVERY))
    return list(unseen.select_related("site").order_by("looked_at", "pk")[:share])


def _watched() -> QuerySet[CustomDomain]:
    stands = Q(status=CustomDomain.Status.ACTIVE) | Q(lapsed_at__isnull=False)
    return CustomDomain.objects.filter(stands, site__state=Site.State.LIVE, site__deletion_requested_at=None)


def _believable(rows: Iterable[CustomDomain]) -> bool:
    """Whether the resolvers know where a site's own name leads, which nobody but us decides. Asked only where
    something seems to lead elsewhere; three of them, since one may be in repair."""
    sites = {row.site_id: row.site for row in rows}
    known = list(sites.values())[:3]
    return any(pointing.look(site.hostname, site.public_ip, CANARY_SECONDS).is_here for site in known)


def _note(row: CustomDomain, found: Look, now: datetime) -> None:
    """Keep what a sure answer says, and do what follows from it."""
    if found.is_here:
        if row.astray_since:
            CustomDomain.objects.filter(pk=row.pk).update(astray_since=None, astray_looks=0)
        if row.lapsed_at:
            lapses.come_back(row)
        return
    row.astray_since, row.astray_looks = row.astray_since or now, row.astray_looks + 1
    CustomDomain.objects.filter(pk=row.pk).update(
        astray_since=row.astray_since, astray_looks=row.astray_looks
    )
    long_enough = now - row.astray_since >= LAPSES_AFTER and row.astray_looks >= FEWEST_LOOKS
    if long_enough and not row.lapsed_at:
        lapses.lapse(row, found.why, now)

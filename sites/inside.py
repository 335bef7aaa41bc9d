"""The daily look at each site from inside its container, spread over the day, few at once."""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from nodepoint import installation
from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import ClientError
from sites import answers, diagnosis, install
from sites.connections import console
from sites.models import Site, SiteHealth
from sites.steps.proxmox import require

AGAIN = timedelta(hours=1)  # after a look that failed
MINUTES = 2  # between two rounds, which share the sites among them
CATCHING_UP = 1.5  # of an even share a round takes at most
FEWEST = 2  # of a round
AT_ONCE = 6  # containers: on a node that runs hundreds, a look costs as much as some pages
SECONDS = 25.0  # for a round; 10,000 sites are 21 of them, which take some 3 s each

log = structlog.get_logger("nodepoint.sites")


def look(now: datetime | None = None) -> int:
    """Look at the next sites in line, the longest unseen first. Returns at how many. One that does not answer
    keeps what was seen last, whose age tells."""
    now = now or timezone.now()
    sites = due(now)
    installation.identity()  # part of the marks that the threads read: it is known from now on
    end = time.monotonic() + SECONDS
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # Each in a context of its own: the threads ask Proxmox VE and the containers, and no database.
        asked = [pool.submit(copy_context().run, _ask, site, end) for site in sites]
        found = [one.result() for one in asked]
    for site, values in zip(sites, found, strict=True):
        SiteHealth.objects.update_or_create(site=site, defaults={"tried_at": now, **_seen(values, now)})
    return len(sites)


def due(now: datetime) -> list[Site]:
    """The sites of this round: those that should run, not looked at for a day."""
    live = Site.objects.filter(state=Site.State.LIVE, deletion_requested_at=None)
    running = live.filter(suspended_at=None, wanted_power="running")
    share = max(FEWEST, math.ceil(CATCHING_UP * running.count() * MINUTES / (24 * 60)))
    return list(_unseen(running, now).order_by("health__tried_at", "pk")[:share])


def _unseen(sites: QuerySet[Site], now: datetime) -> QuerySet[Site]:
    never = Q(health=None)
    failed = ~Q(health__error="") & Q(health__tried_at__lte=now - AGAIN)
    return sites.filter(never | failed | Q(health__tried_at__lte=now - SiteHealth.EVERY))


def _ask(site: Site, end: float) -> dict[str, Any]:
    """What the site says, or why it says nothing, for staff."""
    try:
        with deadline(max(0.1, end - time.monotonic())):
            container = require(site)
            command = ["bash", "-s", "health"]
            output = console().run(container.node, container.vmid, command, install.health_script())
        if output.exit_code:
            return {"error": answers.complaint(output)}
        return {"facts": diagnosis.read(output.stdout)}
    except ClientError as error:
        return {"error": answers.words(str(error))}
    except diagnosis.NotWhole:
        return {"error": "Its answer was not whole."}


def _seen(values: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The columns of a row."""
    if "error" in values:
        return values
    troubles = diagnosis.troubles(values["facts"])
    return {
        "looked_at": now,
        "error": "",
        "facts": values["facts"],
        "troubles": troubles,
        "trouble_count": len(troubles),
        "minor": str(values["facts"].get("minor", ""))[:32],
        "security": str(values["facts"].get("security", "")),
    }

"""The periodic look at suspended sites: what runs in spite of the suspension, as after the reboot of a node,
is stopped again, and what would make it run is taken away.

Four places tell: the container's state, what HA wants, its proxy hosts, its autostart. The first three are
one call each for all sites; autostart stands in each container's own configuration, so that each look takes
the next few of them.
"""

from collections.abc import Iterator
from datetime import datetime

import structlog
from django.utils import timezone

from nodepoint.clients.errors import ClientError
from nodepoint.models import Restoration
from sites import live, marks, services
from sites.connections import npm, proxmox
from sites.models import Site
from sites.steps import hosts
from sites.steps.proxmox import Foreign, NotSeen, find

MINUTES = 3  # between two looks
CONFIGURATIONS = 20  # read in one look

log = structlog.get_logger("nodepoint.sites")


def enforce_suspensions() -> int:
    """Have suspended sites put right that are not as their suspension wants. Returns how many.

    What a job of ours has verified later than a reading is believed; a system that does not answer is asked
    again at the next look."""
    if Restoration.is_open():
        return 0  # the rows may be older than an unsuspension
    suspended = Site.objects.filter(suspended_at__isnull=False, state=Site.State.LIVE)
    suspended = list(suspended.filter(deletion_requested_at=None).select_related("plan").order_by("pk"))
    if not suspended:
        return 0
    found: dict[int, Site] = {}
    for look in (_running, _wanted_by_ha, _served, _autostarting):
        try:
            found.update((site.pk, site) for site in look(suspended))
        except ClientError as error:
            log.warning("enforcement.unread", look=look.__name__, error=str(error))
    return sum(services.enforce_suspension(site) for site in found.values())


def _running(suspended: list[Site]) -> Iterator[Site]:
    """By the shared reading of the cluster."""
    reading = live.reading()
    if reading.stale:
        return
    for site in suspended:
        usage = reading.guests.get(site.vmid)
        if usage and usage.status == "running" and _settled(site, reading.taken_at):
            yield site


def _settled(site: Site, taken_at: datetime) -> bool:
    return site.power_verified_at is None or site.power_verified_at <= taken_at - live.LAG


def _wanted_by_ha(suspended: list[Site]) -> Iterator[Site]:
    """What HA is told to keep running will be started sooner or later."""
    wanted = {service.vmid for service in proxmox().ha_status() if service.request_state == "started"}
    yield from (site for site in suspended if site.vmid in wanted)


def _served(suspended: list[Site]) -> Iterator[Site]:
    """Proxy hosts that are on, of any of its names; of the next few sites also those that nginx serves
    although their rows say off."""
    listed = npm().proxy_hosts()
    served = {hosts.mark_of(host) for host in listed if host.enabled} - {""}
    yield from (site for site in suspended if not served.isdisjoint(marks.forms(site)))
    found = {name: host for host in listed for name in host.domain_names}
    for site in _next(suspended):
        pairs = ((name, found[name.name]) for name in hosts.names(site) if name.name in found)
        if any(name.owns(host) and hosts.still_served(name, host) for name, host in pairs):
            yield site


def _autostarting(suspended: list[Site]) -> Iterator[Site]:
    """Of the next few containers, those that would start with their node."""
    for site in _next(suspended):
        try:
            container = find(site)
        except (Foreign, NotSeen):
            continue  # shown by reconcile; not ours to change
        if container and container.config.onboot:
            yield site


def _next(suspended: list[Site]) -> list[Site]:
    """Another part at each look, by the clock: all have had their turn before one has it again."""
    turn = int(timezone.now().timestamp() // (60 * MINUTES))
    parts = -(-len(suspended) // CONFIGURATIONS)
    begin = turn % parts * CONFIGURATIONS
    return suspended[begin : begin + CONFIGURATIONS]

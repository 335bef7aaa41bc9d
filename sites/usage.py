"""Disk and traffic of each site, by the readings of the cluster; who is told when a disk fills up."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction

from nodepoint.jobs import queue
from sites import thresholds
from sites.clients.proxmox import Guest
from sites.flows.notices import DISK_FILLS
from sites.measured import disk_percent, month
from sites.models import Site, SiteUsage

AGAIN = timedelta(minutes=10)  # a row whose disk has not changed is written again after that
PART = 500  # rows of one statement
COLUMNS = ["disk_percent", "month", "in_bytes", "out_bytes", "last_in", "last_out", "measured_at"]


def note(guests: Iterable[Guest], now: datetime) -> None:
    """Keep what a reading of the cluster, taken at `now`, says of the sites. A container that does not run
    has no figures: what was known of its disk stays. Three queries where nothing is to be written."""
    running = {guest.vmid: guest for guest in guests if guest.status == "running"}
    live = Site.objects.filter(state=Site.State.LIVE, deletion_requested_at=None)
    sites = dict(live.values_list("vmid", "pk"))
    known = {row.site_id: row for row in SiteUsage.objects.filter(site__in=live)}
    rows = list(_measured(running, sites, known, now))
    # SQLite wants to be told which unique key may be in the way; MariaDB takes whichever it is.
    named = connection.features.supports_update_conflicts_with_target
    SiteUsage.objects.bulk_create(
        rows,
        batch_size=PART,
        update_conflicts=True,
        update_fields=COLUMNS,
        unique_fields=["site"] if named else None,
    )
    for row in rows:
        if row.disk_percent is not None:
            _tell(row.site_id, row.disk_percent, row.disk_told)


def _measured(
    running: dict[int, Guest], sites: dict[int, int], known: dict[int, SiteUsage], now: datetime
) -> Iterator[SiteUsage]:
    """The rows that are to be written, with what is known now."""
    for vmid, guest in running.items():
        if (pk := sites.get(vmid)) is None:
            continue
        row = known.get(pk) or SiteUsage(site_id=pk)
        percent = disk_percent(guest.disk, guest.maxdisk)
        is_late = row.measured_at is None or row.measured_at <= now - AGAIN
        if is_late or (percent is not None and percent != row.disk_percent):
            _count(row, guest, now)
            row.disk_percent = row.disk_percent if percent is None else percent
            yield row


def _count(row: SiteUsage, guest: Guest, now: datetime) -> None:
    """Add what has come since the last look. A counter that is lower than before has begun anew; the first
    one of all is where counting begins, unless the container has started since."""
    if row.month != month(now):
        row.month, row.in_bytes, row.out_bytes = month(now), 0, 0
    is_first = row.measured_at is None
    row.in_bytes += 0 if is_first else _since(guest.netin, row.last_in)
    row.out_bytes += 0 if is_first else _since(guest.netout, row.last_out)
    row.last_in, row.last_out, row.measured_at = guest.netin, guest.netout, now


def _since(counter: int, before: int) -> int:
    return counter - before if counter >= before else counter


def _tell(site_id: int, percent: int, before: int) -> None:
    """Have the customer told of a threshold that his disk has reached, once until it has fallen well below
    it."""
    after = thresholds.told(percent, before)
    if after == before:
        return
    with transaction.atomic():
        changed = SiteUsage.objects.filter(pk=site_id, disk_told=before).update(disk_told=after)
        if changed and after > before:
            site = Site.objects.get(pk=site_id)
            queue.tell(DISK_FILLS, site.key, data={"service_id": site.service_id})

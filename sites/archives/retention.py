"""Which archives of a site the schedule lets go: those beyond so many nights and so many weeks."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from sites.archives.rows import Archive


def superseded(made: Sequence[Archive], daily: int, weekly: int) -> list[Archive]:
    """Those of the schedule that are kept no longer, the oldest first. `made`: all of a site that are ready.

    Kept are the newest of each of the last `daily` days and of each of the `weekly` weeks before (of those in
    which there is one, so that a month without archives costs none), and, whatever the numbers say, the
    newest good one of all. What people protect at Proxmox VE, what the customer has made himself and what
    remains of a site that goes are not the schedule's."""
    newest_first = sorted(made, key=lambda row: (_day(row), _moment(row)), reverse=True)
    ours = [row for row in newest_first if row.origin == Archive.Origin.SCHEDULE]
    days = _newest_of(ours, _day, daily)
    weeks_covered = {_week(row) for row in days}
    rest = [row for row in ours if row not in days and _week(row) not in weeks_covered]
    kept = [*days, *_newest_of(rest, _week, weekly), *newest_first[:1]]
    return [row for row in reversed(ours) if row not in kept and not row.protected]


def _moment(row: Archive) -> float:
    return (row.made_at or row.created_at).timestamp()


def _day(row: Archive) -> date:
    """The night that it was made for: one that was late belongs to it all the same."""
    return row.night or timezone.localdate(row.made_at or row.created_at)


def _week(row: Archive) -> tuple[int, int]:
    year, week, _ = _day(row).isocalendar()
    return year, week


def _newest_of(rows: Iterable[Archive], period: Callable[[Archive], Any], count: int) -> list[Archive]:
    found: dict[Any, Archive] = {}
    for row in rows:
        found.setdefault(period(row), row)
    return list(found.values())[:count]

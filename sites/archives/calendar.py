"""What was archived when, and what was not."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from sites.archives import nightly
from sites.archives.rows import Archive
from sites.models import Site

NIGHTS, SHOWN = 14, 20  # that are looked back at; sites that are named of each
MADE = (Archive.State.READY, Archive.State.DELETED)
LATE = timedelta(hours=2)  # after the window of a night


@dataclass(frozen=True)
class Line:
    """One night: how many archives were made and how many tries failed; how many sites have none, and the
    first of them."""

    date: date
    made: int
    failed: int
    missing: int
    sites: list[Site]


def lines(count: int = NIGHTS) -> list[Line]:
    """The last nights, the newest first. Two queries each, and one."""
    last = nightly.night()
    nights = [
        nightly.Night(last.date - timedelta(days=n), last.begins - timedelta(days=n)) for n in range(count)
    ]
    of_night = Archive.objects.filter(night__gte=nights[-1].date).order_by().values("night")
    counted = of_night.annotate(
        made=Count("pk", filter=Q(state__in=MADE)), failed=Count("pk", filter=Q(state=Archive.State.FAILED))
    )
    counts = {row["night"]: row for row in counted}
    return [_line(night, counts.get(night.date, {})) for night in nights]


def _line(night: nightly.Night, counts: dict[str, int]) -> Line:
    rows = without(night)
    return Line(night.date, counts.get("made", 0), counts.get("failed", 0), rows.count(), list(rows[:SHOWN]))


def without(night: nightly.Night) -> QuerySet[Site]:
    """The sites of plans with daily archives that stood all through a night's window and have none of it."""
    end = night.begins + nightly.WINDOW
    stood = Site.objects.filter(live_at__lt=night.begins).filter(Q(ended_at=None) | Q(ended_at__gt=end))
    made = Archive.objects.filter(site=OuterRef("pk"), night=night.date, state__in=MADE)
    daily = stood.filter(plan__archives_daily__gt=0).exclude(Exists(made))
    return daily.filter(Q(deletion_requested_at=None) | Q(deletion_requested_at__gt=end)).order_by("pk")

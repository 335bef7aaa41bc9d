"""What the board knows of archives."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from nodepoint.board.registry import SHOWN, Group, Level, Trouble, source
from sites.archives import calendar, nightly
from sites.archives.rows import Archive
from sites.models import Site

COUNTED = 100


@source("sites.view_archive", 57)
def missing() -> Iterator[Group]:
    """Sites that have no archive of the last night that should be over; not of those before the first one.
    Two or three queries."""
    if not settings.ARCHIVE_STORAGE:
        return
    last = nightly.night()
    if timezone.now() < last.begins + nightly.WINDOW + calendar.LATE:
        last = nightly.Night(last.date - timedelta(days=1), last.begins - timedelta(days=1))
    if not Archive.objects.filter(night__lt=last.date).exists():
        return
    rows = calendar.without(last)
    if shown := list(rows[: SHOWN + 1]):
        total = len(shown) if len(shown) <= SHOWN else rows.count()
        every = reverse("admin:sites_archive_nights")
        unsafe = [_unarchived(row, last) for row in shown[:SHOWN]]
        title = "Sites without an archive of the night"
        yield Group(title, Level.WAITING, unsafe, total, every, COUNTED)


def _unarchived(row: Site, night: nightly.Night) -> Trouble:
    url = reverse("admin:sites_site_change", args=[row.pk])
    detail = "Its jobs say why. It is tried again in the coming night, and by the button of its job."
    return Trouble(f"{row.service_id}: not archived in the night of {night.date}", detail, url, night.begins)

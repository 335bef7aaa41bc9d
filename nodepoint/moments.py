"""Times on the pages of staff: how long ago, and on hover the moment itself with its zone."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

NONE = "–"
FAR = timedelta(days=30)  # from then on the day says more
UNITS = ((60, "min"), (3600, "h"), (86400, "day"))


def words(at: datetime, now: datetime | None = None) -> str:
    """`3 min ago`, `in 2 h`, `5 days ago`; the day where it is far away."""
    now = now or timezone.now()
    apart = abs(now - at)
    if apart >= FAR:
        return f"{timezone.localtime(at):%Y-%m-%d}"
    seconds = apart.total_seconds()
    if seconds < 60:
        return "just now" if at <= now else "in a moment"
    size, unit = next((one for one in reversed(UNITS) if seconds >= one[0]), UNITS[0])
    number = int(seconds // size)
    length = f"{number} {unit}{'s' if unit == 'day' and number > 1 else ''}"
    return f"{length} ago" if at <= now else f"in {length}"


def moment(at: datetime | None) -> SafeString | str:
    """The element of a page; a dash for None."""
    return _element(at, words(at)) if at else NONE


def stamp(at: datetime | None) -> SafeString | str:
    """The moment to the second, where people compare it with logs; on hover how long ago."""
    return _element(at, f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}", words(at)) if at else NONE


def _element(at: datetime, shown: str, more: str = "") -> SafeString:
    local = timezone.localtime(at)
    title = f"{local:%Y-%m-%d %H:%M:%S %Z}" + (f", {more}" if more else "")
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), title, shown)

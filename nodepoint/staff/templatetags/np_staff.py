"""Words for numbers and times on the pages of staff."""

from datetime import datetime, timedelta

from django import template

from nodepoint import moments

register = template.Library()


@register.filter
def seconds_label(value: float | timedelta | None) -> str:
    """Seconds in the unit a person would use: `0.4 s`, `42 s`, `3 min`, `5 h`, `2 days`; `-` for None."""
    if value is None:
        return "-"
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 86400)} days"


@register.filter
def moment(at: datetime | None) -> str:
    """How long ago, and the moment on hover."""
    return moments.moment(at)


@register.filter
def stamp(at: datetime | None) -> str:
    """The moment to the second."""
    return moments.stamp(at)

"""Pictures of how it has been going. Their figures are counted beforehand, by hour and by day."""

from datetime import timedelta

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from nodepoint.board import statistics
from nodepoint.board.models import CallCount, DayOfJobs
from nodepoint.board.registry import OTHERS, Picture, Series, picture

HOURS = 24
ROUTES = 12  # the busiest ones
STEPS = 8  # told apart in one picture; the others are one
SHORT_DAYS = 14  # that fit beside one another with two bars each


def per_day(title: str, kind: str, what: str) -> Picture:
    """How many jobs of a kind were asked for on each of the last days, and how many of every hundred
    succeeded. One query."""
    days = statistics.recent(kind, statistics.DAYS)
    share = [_share(day) for day in days]
    return Picture(
        title,
        labels=[f"{day.day:%d %b}" for day in days],
        series=[
            Series("succeeded", [day.succeeded for day in days], stack="all", colour=1),
            Series("failed", [day.failed for day in days], stack="all", colour=3),
            Series("under way or cancelled", [_rest(day) for day in days], stack="all", colour=OTHERS),
            Series("success in %", share, line=True, percent=True, colour=0),
        ],
        note=_in_short(days, what),
        headers=("day", what, "succeeded", "failed", "success"),
        rows=[
            (f"{day.day:%Y-%m-%d}", day.asked, day.succeeded, day.failed, _percent(_share(day)))
            for day in reversed(days)
        ],
        empty=f"No {what} in the last {statistics.DAYS} days.",
        wide=True,
    )


def time_to_goal(title: str, kind: str) -> Picture:
    """Where the time went: of the job in the middle, and of the one at 95 %, of each day. One query."""
    days = [day for day in statistics.recent(kind, SHORT_DAYS) if day.median_seconds is not None]
    steps = _longest(days)
    bars = [day_of for day in days for day_of in (day.median_steps, day.p95_steps)]
    labels = [label for day in days for label in (f"{day.day:%d %b} median", f"{day.day:%d %b} p95")]
    series = [Series(step, [_seconds(bar, step) for bar in bars], stack="one") for step in steps]
    others = [round(sum(seconds for step, seconds in bar if step not in steps), 1) for bar in bars]
    return Picture(
        title,
        labels=labels,
        series=[*series, Series("all other steps", others, stack="one", colour=OTHERS)],
        unit="s",
        note=_times(days),
        headers=("day", "median", "p95", "longest steps of the median"),
        rows=[
            (f"{day.day:%Y-%m-%d}", f"{day.median_seconds:.1f} s", f"{day.p95_seconds:.1f} s", _top(day))
            for day in reversed(days)
        ],
        empty="Nothing has reached its goal in the last days.",
        wide=True,
    )


@picture("board.view_callcount")
def api_calls() -> Picture:
    """Calls of the last hours by route, and how they ended. One query."""
    since = timezone.now() - timedelta(hours=HOURS)
    counts = CallCount.objects.filter(hour__gt=since).order_by().values_list("route", "status")
    found: dict[str, dict[int, tuple[int, float]]] = {}
    for route, status, calls, ms in counts.annotate(Sum("calls"), Sum("ms")):
        found.setdefault(route, {})[status] = (calls, ms)
    routes = sorted(found, key=lambda route: -_calls(found[route]))
    shown = routes[:ROUTES]

    def of(*statuses: int) -> list[float]:
        return [sum(found[route].get(status, (0, 0))[0] for status in statuses) for route in shown]

    return Picture(
        f"API calls of the last {HOURS} hours",
        labels=shown,
        series=[
            Series("answered", of(1, 2, 3), stack="all", colour=1),
            Series("refused (4xx)", of(4), stack="all", colour=2),
            Series("failed (5xx)", of(5), stack="all", colour=3),
        ],
        horizontal=True,
        note=_errors(found),
        headers=("path", "calls", "refused", "failed", "mean time"),
        rows=[_row(route, found[route]) for route in routes],
        url=reverse("admin:board_callcount_changelist"),
        empty=f"Nobody has called in the last {HOURS} hours.",
    )


def _calls(ends: dict[int, tuple[int, float]]) -> int:
    return sum(calls for calls, _ in ends.values())


def _errors(found: dict[str, dict[int, tuple[int, float]]]) -> str:
    calls = sum(map(_calls, found.values()))
    failed = sum(ends.get(5, (0, 0))[0] for ends in found.values())
    return f"{calls} calls, {failed} failed." if calls else ""


def _row(route: str, ends: dict[int, tuple[int, float]]) -> tuple:
    calls, ms = _calls(ends), sum(ms for _, ms in ends.values())
    return route, calls, ends.get(4, (0, 0))[0], ends.get(5, (0, 0))[0], f"{ms / max(1, calls):.0f} ms"


def _rest(day: DayOfJobs) -> int:
    return max(0, day.asked - day.succeeded - day.failed)


def _share(day: DayOfJobs) -> float | None:
    """Of what has ended; None for a day on which nothing did."""
    ended = day.succeeded + day.failed
    return round(100 * day.succeeded / ended, 1) if ended else None


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:g} %"


def _in_short(days: list[DayOfJobs], what: str) -> str:
    asked, succeeded = sum(day.asked for day in days), sum(day.succeeded for day in days)
    failed = sum(day.failed for day in days)
    if not asked:
        return ""
    share = _share(DayOfJobs(succeeded=succeeded, failed=failed))
    rate = "none has ended" if share is None else f"{share:g} % succeeded"
    what = what.removesuffix("s") if asked == 1 else what
    return f"{asked} {what} in {len(days)} days, {rate}; today {days[-1].asked}."


def _longest(days: list[DayOfJobs]) -> list[str]:
    """The steps that took longest in all, in the order in which they come first."""
    total: dict[str, float] = {}
    for day in days:
        for step, seconds in (*day.median_steps, *day.p95_steps):
            total[step] = total.get(step, 0.0) + seconds
    longest = set(sorted(total, key=lambda step: -total[step])[:STEPS])
    return [step for step in total if step in longest]


def _seconds(bar: list[list], step: str) -> float:
    return round(sum(seconds for title, seconds in bar if title == step), 1)


def _times(days: list[DayOfJobs]) -> str:
    if not days:
        return ""
    last = days[-1]
    return f"Last: median {last.median_seconds:.1f} s, p95 {last.p95_seconds:.1f} s ({last.day:%d %b})."


def _top(day: DayOfJobs) -> str:
    longest = sorted(day.median_steps, key=lambda one: -one[1])[:3]
    return ", ".join(f"{step} {seconds:.1f} s" for step, seconds in longest)

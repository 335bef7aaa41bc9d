"""Which archives are kept, when a site has its turn, and how notes are read: without a lab."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.test import SimpleTestCase, override_settings

from lab.clock import SECONDS
from sites.archives import nightly, retention
from sites.archives.rows import mark_in, name_in


def archive(day: int, **more: Any) -> Any:
    """A row as far as retention looks at it; `day` of October 2026."""
    made = datetime(2026, 10, 1, 3, tzinfo=UTC) + timedelta(days=day - 1)
    values = {"night": made.date(), "made_at": made, "origin": "schedule", "protected": False} | more
    return SimpleNamespace(**values, __repr__=lambda self: str(self.night))


class RetentionTests(SimpleTestCase):
    def gone(self, rows: list[Any], daily: int, weekly: int) -> list[int]:
        return [row.night.day for row in retention.superseded(rows, daily, weekly)]

    def test_nights_and_weeks_are_kept(self) -> None:
        month = [archive(day) for day in range(1, 32)]  # 1 October 2026 is a Thursday
        kept = {row.night.day for row in month} - set(self.gone(month, 7, 4))
        self.assertEqual({25, 26, 27, 28, 29, 30, 31, 18, 11, 4}, kept)

    def test_the_last_good_one_stays_whatever_the_numbers_say(self) -> None:
        self.assertEqual([1, 2], self.gone([archive(1), archive(2), archive(3)], 0, 0))
        self.assertEqual([], self.gone([archive(1)], 0, 0))

    def test_gaps_cost_nothing(self) -> None:
        self.assertEqual([], self.gone([archive(1), archive(12), archive(30)], 2, 2))

    def test_only_what_the_schedule_has_made_and_nobody_protects_goes(self) -> None:
        rows = [archive(1, origin="customer"), archive(2, protected=True), archive(3, origin="deletion")]
        self.assertEqual([4], self.gone([*rows, archive(4), archive(5)], 1, 0))


class ScheduleTests(SimpleTestCase):
    @override_settings(ARCHIVE_HOUR=2, TIME_ZONE="UTC", ARCHIVE_STORAGE="nas")
    def test_500_sites_are_through_in_six_hours(self) -> None:
        """By the schedule's own minutes, and the lab's durations: one at work on a node, four in all, and no
        more begun in a minute than stand in line."""
        seconds, nodes = max(SECONDS["backup"] + 2, 60 / nightly.IN_LINE), 3
        this = nightly.night(datetime(2026, 10, 1, 12, tzinfo=UTC))
        due = sorted(nightly.minute_of(SimpleNamespace(pk=pk), this) for pk in range(1, 501))
        free = [this.begins] * min(nodes, 4)
        for moment in due:
            free.sort()
            free[0] = max(free[0], moment) + timedelta(seconds=seconds)
        self.assertLess(max(free) - this.begins, nightly.WINDOW)
        alone = this.begins
        for moment in due:
            alone = max(alone, moment) + timedelta(seconds=seconds)
        self.assertLess(alone - this.begins, nightly.WINDOW, "even on one node")

    def test_a_night_begins_at_its_hour(self) -> None:
        with override_settings(ARCHIVE_HOUR=2, TIME_ZONE="UTC"):
            for hour, day in ((1, 30), (3, 1)):
                self.assertEqual(day, nightly.night(datetime(2026, 10, 1, hour, tzinfo=UTC)).date.day)

    def test_weekly_ones_are_due_once_a_week(self) -> None:
        monday, sunday = date(2026, 10, 5), date(2026, 10, 11)
        self.assertTrue(nightly._served("weekly", monday, sunday))
        self.assertFalse(nightly._served("weekly", monday, sunday + timedelta(days=1)))
        self.assertFalse(nightly._served("daily", monday, sunday))


class NotesTests(SimpleTestCase):
    def test_mark_and_name_are_found_whatever_people_write_beside(self) -> None:
        mark = "nodepoint:here:1001:7"
        for notes, name in (
            (f"{mark} ARC30112026-abcdef", "ARC30112026-abcdef"),
            (f"{mark} ARC30112026-abcdef before the move", "ARC30112026-abcdef"),
            (f"before the move\n{mark}", ""),
            ("nothing of ours", ""),
        ):
            with self.subTest(notes):
                self.assertEqual(
                    (mark if "nodepoint" in notes else "", name), (mark_in(notes), name_in(notes))
                )

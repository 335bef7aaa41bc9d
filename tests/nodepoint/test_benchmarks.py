"""What benchmarks aim at is judged as it should be, and docs/performance.md has a place for every table."""

import tempfile
from pathlib import Path

from django.test import SimpleTestCase

from benchmarks import tables
from benchmarks.tables import Goal, markdown, write

PLACES = ("an order", "API on SQLite", "API on MariaDB", "memory", "hosts", "a cold order", "orders")


class GoalTests(SimpleTestCase):
    def test_a_figure_that_is_worse_than_its_goal_by_more_than_the_slack_is_missed(self) -> None:
        for goal, slack, missed in (
            (Goal("a", 0.5, least=0.5), 0, False),
            (Goal("a", 0.49, least=0.5), 0, True),
            (Goal("a", 0.38, least=0.5), 1 / 3, False),
            (Goal("a", 0.37, least=0.5), 1 / 3, True),
            (Goal("a", 1.2, most=1.2), 0, False),
            (Goal("a", 1.59, most=1.2), 1 / 3, False),
            (Goal("a", 1.61, most=1.2), 1 / 3, True),
        ):
            with self.subTest(str(goal), slack=slack):
                self.assertEqual(goal.is_missed(slack), missed)


class PageTests(SimpleTestCase):
    def test_a_table_stands_between_its_comments(self) -> None:
        table = markdown([["a", "b"], ["1", "2"]])
        self.assertEqual(table, "| a | b |\n| --- | --- |\n| 1 | 2 |")
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "page.md")
            page.write_text("x\n<!-- t -->\nold\nrows\n<!-- end of t -->\ny\n")
            for _ in range(2):
                write("t", table, page)
            self.assertEqual(page.read_text(), f"x\n<!-- t -->\n{table}\n<!-- end of t -->\ny\n")
            with self.assertRaises(ValueError):
                write("u", table, page)

    def test_the_page_has_a_place_for_every_table(self) -> None:
        page, script = tables.PAGE.read_text(), (tables.PAGE.parent.parent / "benchmarks/all.py").read_text()
        for place in PLACES:
            with self.subTest(place):
                self.assertIn(f"<!-- {place} -->\n", page)
                self.assertIn(f"\n<!-- end of {place} -->", page)
        named = [place for place in PLACES if f'"{place}"' in script or place == "orders"]
        self.assertEqual(named, list(PLACES))

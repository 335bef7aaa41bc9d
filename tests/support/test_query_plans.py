"""With 100,000 keys every question is still answered from an index, on either database."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext

from support.models import SearchTerm, SupportKey
from tests.support.base import WRONG, SupportMixin

ROWS = 100_000
OURS = re.compile(r"\bsupport_(supportkey|searchterm|wrongkeys|historyentry)\b")
MARIADB = connection.vendor == "mysql"
NUMBERS = """
    WITH RECURSIVE digits(d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM digits WHERE d < 9)
    SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS n
    FROM digits a, digits b, digits c, digits d, digits e
"""


def text(*parts: str) -> str:
    """SQL that joins texts; MariaDB takes || for OR."""
    return f"CONCAT({', '.join(parts)})" if MARIADB else " || ".join(parts)


def fill() -> None:
    """Keys without history: SUP-F000000000000000, service F0, f0@example.com, First0 Last0, and so on."""
    number = f"CAST(n AS {'CHAR' if MARIADB else 'TEXT'})"
    padded = "substr(" + text("'000000000000000'", number) + ", -15)"
    values = {
        "service_id": text("'F'", number),
        "support_key": text("'SUP-F'", padded),
        "key_hash": text(f"'{'x' * 49}'", padded),
        "status": "'ACTIVE'",
        "email": text("'f'", number, "'@example.com'"),
        "firstname": text("'First'", number),
        "lastname": text("'Last'", number),
        "created_at": "'2026-01-01'",
    }
    insert("support_supportkey", values, f"({NUMBERS}) AS numbers")
    for column in ("service_id", "email", "firstname", "lastname"):
        term = {"text": f"LOWER({column})", "support_key_id": "id"}
        insert("support_searchterm", term, "support_supportkey")
    with connection.cursor() as cursor:
        for table in ("support_supportkey", "support_searchterm"):
            cursor.execute(f"ANALYZE {'TABLE ' if MARIADB else ''}{table}")


def insert(table: str, values: dict[str, str], source: str) -> None:
    """Rows made by the database itself: through Django they would take half a minute."""
    with connection.cursor() as cursor:
        columns, expressions = ", ".join(values), ", ".join(values.values())
        cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {expressions} FROM {source}")  # noqa: S608


class QueryPlanTests(SupportMixin, TransactionTestCase):
    """One test, since filling the tables takes a second; no roll-back, since ANALYZE commits on MariaDB."""

    def setUp(self) -> None:
        super().setUp()
        fill()
        self.assertEqual(SupportKey.objects.count(), ROWS)
        self.assertEqual(SearchTerm.objects.count(), 4 * ROWS)

    def test_every_question_is_answered_from_an_index(self) -> None:
        self.check_that_a_walk_is_noticed()
        self.check_verify()
        self.check_calls_of_the_billing_portal()
        self.check_search_in_the_admin()

    def check_that_a_walk_is_noticed(self) -> None:
        with self.assertRaises(AssertionError):
            self.assert_indexed("SELECT id FROM support_supportkey WHERE firstname LIKE '%x%'")

    def check_verify(self) -> None:
        self.verify(WRONG)  # the next one only updates
        key = self.create().support_key
        self.assert_all_indexed(lambda: self.assertIs(self.verify(key).json()["valid"], True), 2)
        self.assert_all_indexed(lambda: self.assertIs(self.verify(WRONG).json()["valid"], False), 4)

    def check_calls_of_the_billing_portal(self) -> None:
        self.assert_all_indexed(lambda: self.get("/support/status?service_id=F77"), 1)
        self.assert_all_indexed(lambda: self.post("/support/suspend", {"service_id": "F77"}), 2)

    def check_search_in_the_admin(self) -> None:
        self.client.force_login(get_user_model().objects.create_superuser("anna"))
        for query in (
            "sup f0 0000 0000 0777 77",
            "SUP-F000000000077777",
            "f77777",
            "F77777@EXAMPLE.com",
            "first77777",
            "last77777 first7777",
            "f77777@ last7",
        ):
            self.assert_all_indexed(partial(self.search, query, "F77777"), 2)

    def search(self, query: str, service_id: str) -> None:
        page = self.client.get("/admin/support/supportkey/", {"q": query})
        self.assertEqual([row.service_id for row in page.context["cl"].result_list], [service_id])

    def assert_all_indexed(self, act: Callable[[], None], least: int) -> None:
        """Every query of `act` on our tables, of which there are `least` or more."""
        with CaptureQueriesContext(connection) as captured:
            act()
        queries = [one["sql"] for one in captured if OURS.search(one["sql"])]
        queries = [sql for sql in queries if sql.lstrip("( ").upper().startswith(("SELECT", "UPDATE"))]
        self.assertGreaterEqual(len(queries), least, captured.captured_queries)
        for sql in queries:
            self.assert_indexed(sql)

    def assert_indexed(self, sql: str) -> None:
        """No table of ours is walked through: each is entered by an index, for a small part of its rows."""
        with connection.cursor() as cursor:
            cursor.execute(f"{'EXPLAIN' if MARIADB else 'EXPLAIN QUERY PLAN'} {sql}")
            plan = cursor.fetchall()
        self.assertTrue(plan)
        for step in plan:
            if MARIADB:
                self.assert_step_of_mariadb(step, sql)
            else:
                self.assertFalse(step[3].startswith("SCAN support_"), (sql, plan))

    def assert_step_of_mariadb(self, step: tuple[Any, ...], sql: str) -> None:
        _, _, table, kind, _, index, _, _, rows, extra = step
        if table is None:  # the unique index was asked while planning: no such row
            self.assertIn("Impossible WHERE noticed after reading const tables", extra, (sql, step))
            return
        self.assertNotIn(kind, ("ALL", "index"), (sql, step))
        self.assertTrue(index, (sql, step))
        self.assertLess(int(rows), ROWS / 50, (sql, step))

"""Two runs of the test runner share the tests for which one database is enough."""

from importlib import import_module
from unittest import TestLoader

from django.test import SimpleTestCase, TransactionTestCase
from django.test.utils import iter_test_cases

from tests.runner import has_its_turn


class ShareTests(SimpleTestCase):
    def test_with_a_lab_and_one_thread_or_without_rows_it_is_on_one_database_and_all_else_on_both(
        self,
    ) -> None:
        names = (
            "tests.nodepoint.test_shares",
            "tests.sites.test_create_site",
            "tests.nodepoint.jobs.test_runner",
            "tests.support.test_keys",
        )
        suites = [TestLoader().loadTestsFromModule(import_module(name)) for name in names]
        shares = {
            f"{type(test).__module__}.{type(test).__name__}": (
                has_its_turn(test, "sqlite"),
                has_its_turn(test, "mysql"),
                "one_database" in getattr(test, "tags", ()) or not isinstance(test, TransactionTestCase),
            )
            for suite in suites
            for test in iter_test_cases(suite)
        }
        self.assertEqual({one for *_, one in shares.values()}, {True, False})
        for name, (on_sqlite, on_mariadb, one) in shares.items():
            self.assertEqual(on_sqlite + on_mariadb, 1 if one else 2, name)

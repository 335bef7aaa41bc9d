"""Django's test runner, with a last line that a machine can read."""

import logging
import re
import tempfile
import time
import unittest
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any
from zlib import crc32

from django.conf import settings
from django.db import connection, connections
from django.test import TransactionTestCase
from django.test.runner import DiscoverRunner
from django.test.utils import TimeKeeper, iter_test_cases

from nodepoint.clients import breaker, http

SLOWEST = 60  # lines of `--timing`


class CountingResult(unittest.TextTestResult):
    """Also counts what passed: the total alone does not tell, since set-ups and subtests fail uncounted. And
    how long each test took, and each class beside its tests (set-up, the database between them)."""

    passed = 0

    def startTestRun(self) -> None:
        super().startTestRun()
        self.seconds: Counter[str] = Counter()
        self.processor_seconds: Counter[str] = Counter()
        self._since = time.monotonic(), time.process_time()

    def startTest(self, test: unittest.TestCase) -> None:
        self._note(f"{unittest.util.strclass(type(test))}, beside its tests")
        breaker.forget()  # the systems of the test before are others
        super().startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self._note(test.id())

    def _note(self, what: str) -> None:
        """That the time since the last note went into this."""
        now = time.monotonic(), time.process_time()
        self.seconds[what] += now[0] - self._since[0]
        self.processor_seconds[what] += now[1] - self._since[1]
        self._since = now

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1

    def addExpectedFailure(self, test: unittest.TestCase, error: Any) -> None:
        super().addExpectedFailure(test, error)
        self.passed += 1


class Runner(DiscoverRunner):
    """Closes with `N passed, N failed`, after unittest's summary. Log lines are shown only with `-v 2`, where
    the seconds went with `--timing`; what failed stands in the file of `--failed-to`, a label a line.

    With `--share` a class for which one database is enough (`tests.base.on_one_database`) is run on SQLite or
    on MariaDB, by its name, and one that has no rows on SQLite: two runs, one on each, have it once."""

    def __init__(self, failed_to: str = "", share: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._failed_to = failed_to
        self._share = share

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--failed-to", metavar="FILE", default="", help="Write labels of what failed there."
        )
        parser.add_argument(
            "--share",
            action="store_true",
            help="Leave those classes out whose turn it is on the other database.",
        )

    def load_tests_for_label(self, label: str, discover_kwargs: dict[str, Any]) -> Any:
        found = super().load_tests_for_label(label, discover_kwargs)
        if not self._share:
            return found
        mine = (test for test in iter_test_cases(found) if has_its_turn(test, connection.vendor))
        return self.test_suite(mine)

    def setup_databases(self, **kwargs: Any) -> list[Any]:
        # In a file as in real life: between the threads of one process a database in memory answers "table is
        # locked" at once instead of waiting. In a folder of this run's own: several may run at once.
        self._folder = tempfile.TemporaryDirectory(prefix="nodepoint-test-")
        for database in connections.all():
            if database.vendor == "sqlite":
                database.settings_dict["TEST"]["NAME"] = f"{self._folder.name}/test.sqlite3"
        return super().setup_databases(**kwargs)

    def teardown_databases(self, old_config: list[Any], **kwargs: Any) -> None:
        super().teardown_databases(old_config, **kwargs)
        self._folder.cleanup()

    def setup_test_environment(self, **kwargs: Any) -> None:
        super().setup_test_environment(**kwargs)
        # A real one takes a third of a second for each password, which is what it is for.
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        # Otherwise each client of each test reads all static files: an eighth of the time of a test of sites.
        settings.WHITENOISE_AUTOREFRESH = True
        http.RETRY_PAUSE = 0.01  # seconds; the lab is ready for the next try at once
        if self.verbosity < 2:  # most of the log of a test run is of failures that are meant
            for handler in logging.getLogger().handlers:
                handler.setLevel(logging.CRITICAL)

    def get_resultclass(self) -> type[unittest.TextTestResult] | None:
        return super().get_resultclass() or CountingResult

    def suite_result(self, suite: unittest.TestSuite, result: Any, **kwargs: Any) -> int:
        if isinstance(result, CountingResult):
            failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
            skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
            if isinstance(self.time_keeper, TimeKeeper):
                for what, seconds in result.seconds.most_common(SLOWEST):
                    work = result.processor_seconds[what]
                    print(f"{seconds:7.2f} s, {work:6.2f} s of the processor  {what}")  # noqa: T201
            if self._failed_to:
                labels = {_label(test) for test, _ in result.failures + result.errors}
                Path(self._failed_to).write_text("".join(f"{label}\n" for label in sorted(labels)))
            print(f"{result.passed} passed, {failed} failed{skipped}", flush=True)  # noqa: T201
        return super().suite_result(suite, result, **kwargs)


def has_its_turn(test: unittest.TestCase, vendor: str) -> bool:
    """Whether a run that shares tests with another has it: its database's vendor is `sqlite` or `mysql`."""
    if not isinstance(test, TransactionTestCase):
        return vendor == "sqlite"  # it has no rows
    if "one_database" not in getattr(test, "tags", ()):
        return True
    name = unittest.util.strclass(type(test))
    # A fifth on MariaDB, where the same test takes twice as long.
    return (crc32(name.encode()) % 5 == 0) == (vendor == "mysql")


def _label(test: Any) -> str:
    """By what the test runner is asked for it: of a subtest its test, of a set-up its class or module."""
    whole = getattr(test, "test_case", test).id()
    within = re.search(r"\(([\w.]+)\)", whole)
    return within[1] if within else whole

"""Who may change the schema: one process at a time, on a database that is ours and not ahead of us."""

import tempfile
import threading
from unittest import mock

from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from nodepoint import schema
from nodepoint.env import WRONG_SETTINGS
from nodepoint.management.commands import prepare


class NewerTests(TestCase):
    def test_a_schema_that_is_ahead_of_this_release_is_refused_with_what_to_do(self) -> None:
        MigrationRecorder(connection).record_applied("sites", "9999_what_comes")
        with self.assertRaises(schema.Refused) as refused:
            call_command("migrate", verbosity=0)
        self.assertIn("sites.9999_what_comes", str(refused.exception))
        self.assertIn("Start that release again", str(refused.exception))
        self.assertEqual(refused.exception.returncode, WRONG_SETTINGS)

    def test_what_was_renamed_since_or_belongs_to_an_app_that_is_gone_is_not_ahead(self) -> None:
        for app, name in (("sites", "0002_what_it_was_called_once"), ("gone", "9999_x")):
            MigrationRecorder(connection).record_applied(app, name)
        self.assertEqual(schema.newer(connection), "")
        call_command("migrate", verbosity=0)


class OthersTests(SimpleTestCase):
    databases = {"default"}  # the name of the one in the file, too

    def database(self, *statements: str):
        """A database in a file that holds what the statements make."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        config = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db"}
        found = ConnectionHandler({"default": config})["default"]
        self.addCleanup(found.close)
        with found.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        return found

    def test_the_database_of_another_application_is_refused(self) -> None:
        migrations = "CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app, name, applied)"
        row = "INSERT INTO django_migrations (app, name) VALUES ('{}', '0001_initial')"
        for statements in (
            ["CREATE TABLE customers (id INTEGER)"],
            [migrations, row.format("auth"), row.format("accounts")],
        ):
            with self.assertRaisesRegex(schema.Refused, r"\ADATABASE_URL leads to [^\n]+\Z"):
                schema.refuse_others(self.database(*statements))
        # Nothing yet, and a first migration that broke off:
        schema.refuse_others(self.database())
        schema.refuse_others(self.database(migrations, row.format("auth"), "CREATE TABLE auth_user (id)"))


class AloneTests(TransactionTestCase):
    def test_a_second_process_waits_for_the_first(self) -> None:
        entered = threading.Event()

        def second() -> None:
            other = connection.copy()
            with schema.alone(other):
                entered.set()
            other.close()

        thread = threading.Thread(target=second)
        with schema.alone(connection):
            thread.start()
            self.assertFalse(entered.wait(0.3))
        self.assertTrue(entered.wait(20))
        thread.join()


class PrepareTests(SimpleTestCase):
    def test_it_waits_as_long_as_it_takes_and_says_so_once_a_minute(self) -> None:
        now = iter(range(0, 100_000, 7))
        faults = iter([*["gone"] * 40, ""])
        clock = mock.patch.object(prepare.time, "monotonic", lambda: next(now))
        with clock, mock.patch.object(prepare, "PAUSE", 0), mock.patch.object(prepare, "log") as log:
            prepare.wait_for("database", lambda: next(faults))
        self.assertEqual(log.warning.call_count, 40 * 7 // 60 + 1)
        self.assertEqual(log.warning.call_args.kwargs["error"], "gone")
        log.info.assert_called_once()

    def test_a_server_that_is_away_is_waited_for_and_a_file_that_cannot_be_opened_is_not(self) -> None:
        with mock.patch.object(prepare, "connection") as connection:
            connection.ensure_connection.side_effect = OperationalError(2002, "Can't connect")
            connection.vendor = "mysql"
            self.assertEqual(prepare.database_fault(), "Can't connect")
            connection.vendor = "sqlite"
            connection.ensure_connection.side_effect = OperationalError("unable to open database file")
            with self.assertRaisesRegex(schema.Refused, "DATABASE_URL"):
                prepare.database_fault()

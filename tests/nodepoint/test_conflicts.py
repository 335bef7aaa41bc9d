"""What the database refuses is taken for what it is, on both databases."""

from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from nodepoint.conflicts import crossed, duplicate, duplicate_of
from nodepoint.jobs import limits
from nodepoint.jobs.models import Lease
from support import services
from support.errors import KeyExists
from support.models import HistoryEntry, SupportKey


class KindTests(TestCase):
    def refused(self, model, **values) -> IntegrityError:
        with self.assertRaises(IntegrityError) as refused, transaction.atomic():
            model.objects.create(**values)
            connection.check_constraints()
        return refused.exception

    def test_each_unique_column_is_known_by_its_name(self) -> None:
        facts = {"email": "a@example.com", "firstname": "A"}
        SupportKey.objects.create(service_id="a", support_key="k", key_hash="h", **facts)
        for column in ("service_id", "support_key", "key_hash"):
            new = {"service_id": "b", "support_key": "l", "key_hash": "i"}
            old = {"service_id": "a", "support_key": "k", "key_hash": "h"}
            error = self.refused(SupportKey, **new | {column: old[column]}, **facts)
            found = [name for name in new if duplicate_of(error, name)]
            self.assertEqual((found, duplicate(error)), ([column], True), error)

    def test_a_duplicate_of_several_columns_is_one_of_none_of_them(self) -> None:
        Lease.objects.create(name="x", slot=1, holder="a", until=timezone.now())
        error = self.refused(Lease, name="x", slot=1, holder="b", until=timezone.now())
        self.assertTrue(duplicate(error))
        self.assertFalse(any(duplicate_of(error, name) for name in ("name", "slot", "id")))

    def test_a_missing_value_and_a_missing_row_are_no_duplicates(self) -> None:
        error = self.refused(
            SupportKey, service_id="a", support_key="k", key_hash="h", email="x", firstname=None
        )
        self.assertFalse(duplicate(error), error)
        if connection.vendor == "mysql":  # SQLite looks at the end of the transaction, which a test has not
            error = self.refused(
                HistoryEntry, support_key_id=999_999, kind="created", after="ACTIVE", actor="x"
            )
            self.assertFalse(duplicate(error), error)


class CrossedTests(SimpleTestCase):
    def test_deadlocks_and_locks_are_tried_again_and_nothing_else(self) -> None:
        for error in (
            OperationalError(1213, "Deadlock"),
            OperationalError(1205, "Lock wait timeout exceeded"),
        ):
            self.assertTrue(crossed(error))
        self.assertTrue(crossed(OperationalError("database is locked")))
        for error in (OperationalError(1364, "Field 'x' doesn't have a default value"), OperationalError()):
            self.assertFalse(crossed(error))


class SupportKeyTests(TestCase):
    """A schema that is ahead of this release must not read as “no key could be made, try again later”."""

    def test_a_refused_column_is_neither_a_taken_key_nor_a_known_service(self) -> None:
        facts = {"service_id": "a", "email": "a@example.com", "firstname": None, "lastname": ""}
        with self.assertRaises(IntegrityError), transaction.atomic():
            services.create_support_key(**facts, actor="t")

    def test_a_known_service_is_one(self) -> None:
        facts = {"service_id": "a", "email": "a@example.com", "firstname": "A", "lastname": "", "actor": "t"}
        services.create_support_key(**facts)
        with self.assertRaises(KeyExists):
            services.create_support_key(**facts)


class LimitTests(TestCase):
    def test_a_slot_that_cannot_be_written_is_not_a_taken_one(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            limits.take(None, 1, "a", timezone.now(), 5)

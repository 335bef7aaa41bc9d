"""The code of the last release works on the schema of this one: while hosts are upgraded one after the other,
and after a release was rolled back (CONTRIBUTING.md, “Migrations”).

Its inserts and reads are run as they are, by the models that its migrations describe.
"""

import itertools
from typing import Any

from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

# The last migration of each app in the last release. A release moves these lines, and nothing else does.
RELEASED = {
    "api": "0002_token_limits",
    "audit": "0002_indexes",
    "board": "0005_remote_calls",
    "dns": "0005_belonging",
    "jobs": "0005_refusal_and_secret",
    "nodepoint": "0002_restoration",
    "notices": "0007_held_too",
    "sites": "0022_occupancy",
    "staff": "0001_roles",
    "support": "0003_filters",
}


class OldCode:
    """The models of the last release, and rows as it writes them."""

    def __init__(self) -> None:
        self.apps = MigrationLoader(connection).project_state(list(RELEASED.items())).apps
        self._number = itertools.count(1)

    def tables(self) -> list[type[models.Model]]:
        """Those of ours."""
        return [model for model in self.apps.get_models() if model._meta.app_label in RELEASED]

    def insert(self, model: type[models.Model]) -> models.Model:
        """A new row with all columns that the release knew, and what it refers to."""
        fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
        row = model(**{field.name: self._value(field) for field in fields})
        row.save(force_insert=True)
        return row

    def _value(self, field: models.Field) -> Any:
        number = next(self._number)
        if field.is_relation:
            return None if field.null else self.insert(field.related_model)
        if field.has_default():
            return field.get_default()
        if field.null:
            return None
        if field.choices:
            return field.choices[0][0]
        for kind, value in (
            (models.EmailField, f"a{number}@example.com"),
            (models.CharField | models.TextField, f"x{number}"),
            (models.GenericIPAddressField, f"10.1.{number // 250}.{number % 250 + 1}"),
            (models.BooleanField, False),
            (models.IntegerField | models.FloatField, number),
            (models.DateTimeField, timezone.now()),
            (models.DateField, timezone.localdate()),
            (models.JSONField, {}),
        ):
            if isinstance(field, kind):
                return value
        raise AssertionError(f"No value is known for {field}.")


class OldCodeTests(TestCase):
    def test_rows_of_the_last_release_can_be_written_and_read_again(self) -> None:
        old = OldCode()
        self.assertGreater(len(old.tables()), 20)
        for model in old.tables():
            with self.subTest(model=model._meta.label), transaction.atomic():
                row = old.insert(model)
                self.assertEqual(model._base_manager.get(pk=row.pk), row)


class ProofTests(TransactionTestCase):
    """That the test above would notice."""

    def test_a_new_column_that_the_database_does_not_fill_by_itself_is_noticed(self) -> None:
        old = OldCode()
        model = old.apps.get_model("support", "WrongKeys")
        for column, breaks in (
            (models.CharField(max_length=10, default="x"), True),
            (models.CharField(max_length=10, default="x", db_default="x"), False),
        ):
            column.set_attributes_from_name("newcomer")
            column.model = model
            with connection.schema_editor() as editor:
                editor.add_field(model, column)
            try:
                if breaks:
                    with self.assertRaises(DatabaseError):
                        old.insert(model)
                else:
                    old.insert(model)
            finally:
                with connection.schema_editor() as editor:
                    editor.remove_field(model, column)

"""Who changed what and when: kept for ever."""

from datetime import timedelta

from django.core.exceptions import FieldError
from django.db.models import ProtectedError
from django.utils import timezone

from support.models import HistoryEntry
from tests.support.base import SupportTestCase


class HistoryTests(SupportTestCase):
    def test_every_change_says_who_when_and_in_which_request(self) -> None:
        order = {"service_id": "1", "email": "a@example.com", "firstname": "A", "lastname": "B"}
        self.post("/support/create", order, **{"X-Request-ID": "r0"})
        for number, act in enumerate(("suspend", "unsuspend", "terminate"), 1):
            self.post(f"/support/{act}", {"service_id": "1"}, **{"X-Request-ID": f"r{number}"})
        entries = list(HistoryEntry.objects.order_by("pk"))
        self.assertEqual(
            [(e.kind, e.before, e.after, e.request_id) for e in entries],
            [
                ("created", "", "ACTIVE", "r0"),
                ("suspended", "ACTIVE", "SUSPENDED", "r1"),
                ("unsuspended", "SUSPENDED", "ACTIVE", "r2"),
                ("terminated", "ACTIVE", "INACTIVE", "r3"),
            ],
        )
        self.assertEqual({e.actor for e in entries}, {"token tests"})
        self.assertLess(timezone.now() - entries[0].at, timedelta(minutes=1))

    def test_it_can_be_neither_changed_nor_deleted(self) -> None:
        row = self.create()
        entry = HistoryEntry.objects.get()
        entry.actor = "nobody"
        for act in (
            entry.save,
            entry.delete,
            HistoryEntry.objects.all().delete,
            lambda: HistoryEntry.objects.update(actor="nobody"),
            lambda: HistoryEntry.objects.bulk_update([entry], ["actor"]),
            lambda: row.history.all().delete(),
        ):
            with self.assertRaises(FieldError):
                act()
        with self.assertRaises(ProtectedError):
            row.delete()
        self.assertEqual(HistoryEntry.objects.get().actor, "token tests")

    def test_a_change_that_fails_leaves_no_history(self) -> None:
        self.create()
        self.assert_error(self.post("/support/suspend", {"service_id": "2"}), 404, "not_found")
        self.assertEqual(HistoryEntry.objects.count(), 1)

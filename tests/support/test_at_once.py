"""Two clients at the same moment."""

from support import services
from support.errors import KeyReplaced
from support.models import HistoryEntry, SearchTerm, SupportKey
from tests.support.base import ORDER, AtOnceTestCase


class AtOnceTests(AtOnceTestCase):
    def test_of_two_equal_orders_one_gets_a_key_and_the_other_409(self) -> None:
        for place in range(5):
            order = {**ORDER, "service_id": f"S{place}"}
            answers = self.at_once(*[self.poster("/support/create", order)] * 2)
            self.assertEqual(sorted(answer.status_code for answer in answers), [200, 409])
            refused = next(answer for answer in answers if answer.status_code == 409)
            self.assertEqual(refused.json()["code"], "exists")
            row = SupportKey.objects.get(service_id=f"S{place}")
            self.assertIn(row.support_key, [answer.json().get("support_key") for answer in answers])
            self.assertEqual(row.history.count(), 1)
        self.assertEqual(SupportKey.objects.count(), 5)
        self.assertEqual(
            SearchTerm.objects.count(), 5 * len({"s0", "jane@example.com", "example.com", "jane", "doe"})
        )

    def test_equal_changes_at_once_are_one_change(self) -> None:
        self.create()
        answers = self.at_once(*[self.poster("/support/suspend", {"service_id": "1001"})] * 4)
        self.assertEqual([answer.json().get("status") for answer in answers], ["SUSPENDED"] * 4)
        self.assertEqual(HistoryEntry.objects.filter(kind="suspended").count(), 1)

    def test_the_history_of_different_changes_at_once_is_a_chain(self) -> None:
        row = self.create()
        names = ["suspend", "terminate", "unsuspend"] * 2
        answers = self.at_once(*[self.poster(f"/support/{name}", {"service_id": "1001"}) for name in names])
        self.assertEqual({answer.status_code for answer in answers}, {200})
        entries = list(HistoryEntry.objects.order_by("pk"))
        row.refresh_from_db()
        self.assertEqual([e.after for e in entries], [e.before for e in entries[1:]] + [row.status])

    def test_two_rotations_of_one_key_make_one_new_key(self) -> None:
        row = self.create()

        def rotate(client) -> str:
            try:
                facts = {"actor": "staff anna", "reason": "lost"}
                return services.rotate_key("1001", old_key=row.support_key, **facts).support_key
            except KeyReplaced:
                return "refused"

        given = self.at_once(rotate, rotate)
        row.refresh_from_db()
        self.assertEqual(sorted(given), sorted([row.support_key, "refused"]))
        self.assertEqual(HistoryEntry.objects.filter(kind="rotated").count(), 1)

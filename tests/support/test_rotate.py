"""A new key for a service."""

from unittest import mock

from nodepoint.api.errors import Unavailable
from support import keys, services
from support.errors import KeyReplaced, UnknownService
from support.models import HistoryEntry
from tests.support.base import SupportTestCase

FIRST, SECOND = "SUP-AAAAAAAAAAAAAAAA", "SUP-BBBBBBBBBBBBBBBB"


class RotateTests(SupportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.row = self.create()
        self.old = self.row.support_key

    def rotate(self, **changes: str):
        facts = {"old_key": self.old, "actor": "staff anna", "reason": "Posted in a forum", **changes}
        return services.rotate_key("1001", **facts)

    def test_the_old_key_is_dead_at_once(self) -> None:
        new = self.rotate().support_key
        self.assertRegex(new, r"\ASUP-[A-Z0-9]{16}\Z")
        self.assertIs(self.verify(self.old).json()["valid"], False)
        self.assertEqual(self.verify(new).json()["service_id"], "1001")
        self.assertEqual(self.get("/support/status?service_id=1001").json()["support_key"], new)

    def test_the_history_says_who_and_why_and_which_key(self) -> None:
        self.rotate()
        entry = HistoryEntry.objects.first()
        self.assertEqual(
            (entry.kind, entry.actor, entry.reason), ("rotated", "staff anna", "Posted in a forum")
        )
        self.assertEqual((entry.before, entry.after, entry.replaced_key), ("ACTIVE", "ACTIVE", self.old))

    def test_the_status_stays_as_it_is(self) -> None:
        services.suspend_support("1001", actor="x")
        self.assertEqual(self.rotate().status, "SUSPENDED")

    def test_a_key_that_is_not_the_services_any_more_is_not_replaced(self) -> None:
        new = self.rotate().support_key
        with self.assertRaises(KeyReplaced):
            self.rotate()
        self.assert_status("1001", "ACTIVE")
        self.assertIs(self.verify(new).json()["valid"], True)

    def test_unknown_services_have_none(self) -> None:
        with self.assertRaises(UnknownService):
            services.rotate_key("7", old_key=self.old, actor="x", reason="x")

    def test_a_key_that_is_taken_is_not_given_twice(self) -> None:
        with mock.patch.object(keys, "generate", return_value=FIRST):
            self.create(service_id="2")
        with mock.patch.object(keys, "generate", side_effect=[FIRST, SECOND]):
            self.assertEqual(self.rotate().support_key, SECOND)

    def test_a_source_that_only_repeats_itself_changes_nothing(self) -> None:
        taken = self.create(service_id="2").support_key
        with mock.patch.object(keys, "generate", return_value=taken), self.assertRaises(Unavailable):
            self.rotate()
        self.assertIs(self.verify(self.old).json()["valid"], True)
        self.assertFalse(HistoryEntry.objects.filter(kind="rotated").exists())


class RotateCallTests(SupportTestCase):
    """POST /support/rotate."""

    def test_the_key_is_replaced_once(self) -> None:
        old = self.create().support_key
        body = {"service_id": "1001", "support_key": old}
        answer = self.post("/support/rotate", body).json()
        self.assertRegex(answer["support_key"], r"\ASUP-[A-Z0-9]{16}\Z")
        self.assertNotEqual(answer["support_key"], old)
        self.assertEqual((answer["service_id"], answer["status"]), ("1001", "ACTIVE"))
        self.assert_error(self.post("/support/rotate", body), 409, "wrong_state")
        self.assertIs(self.verify(answer["support_key"]).json()["valid"], True)
        self.assertEqual(HistoryEntry.objects.first().reason, "Asked for by the billing portal.")

    def test_it_names_service_and_key(self) -> None:
        key = self.create().support_key
        self.assert_error(
            self.post("/support/rotate", {"service_id": "7", "support_key": key}), 404, "not_found"
        )
        self.assert_error(
            self.post("/support/rotate", {"service_id": "1001"}), 400, "validation", "support_key"
        )

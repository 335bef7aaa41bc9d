"""POST /support/verify."""

from unittest import mock

from support import services
from support.models import WrongKeys
from tests.support.base import WRONG, SupportTestCase


class VerifyTests(SupportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.row = self.create()

    def test_an_active_key_tells_whose_it_is(self) -> None:
        person = {"firstname": "Jane", "lastname": "Doe", "email": "jane@example.com"}
        expected = {"success": True, "valid": True, "service_id": "1001", **person}
        self.assertEqual(self.verify(self.row.support_key).json(), expected)

    def test_everything_else_is_invalid_and_tells_nothing(self) -> None:
        suspended, terminated = self.create(service_id="2"), self.create(service_id="3")
        services.suspend_support("2", actor="x")
        services.terminate_support("3", actor="x")
        key = self.row.support_key
        wrong = [suspended.support_key, terminated.support_key, WRONG, key.lower(), key[:-1], key + "A"]
        for given in [*wrong, key[4:], "x", "SUP-ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ", "' OR 1=1 --", "%", 5]:
            with self.subTest(given=given):
                answer = self.verify(given)
                self.assertEqual(
                    (answer.status_code, answer.json()), (200, {"success": True, "valid": False})
                )

    def test_blanks_around_it_are_forgiven(self) -> None:
        self.assertIs(self.verify(f" {self.row.support_key}\n").json()["valid"], True)

    def test_what_is_no_text_is_400(self) -> None:
        for given in (None, "", "  ", [], {}, True, "x" * 256):
            with self.subTest(given=given):
                self.assert_error(self.verify(given), 400, "validation", "support_key")
        self.assert_error(self.post("/support/verify", {}), 400, "validation", "support_key")
        self.assertFalse(WrongKeys.objects.exists())

    def test_known_and_unknown_keys_are_compared_in_constant_time(self) -> None:
        for key in (self.row.support_key, WRONG):
            with mock.patch.object(services, "hmac") as hmac:
                hmac.compare_digest.return_value = False
                self.assertIs(self.verify(key).json()["valid"], False)
            ((ours, given),) = (call.args for call in hmac.compare_digest.call_args_list)
            self.assertEqual((len(ours), given), (20, key.encode()))

    def test_a_hash_that_matches_is_not_enough(self) -> None:
        with mock.patch.object(services.keys, "digest", return_value=self.row.key_hash):
            self.assertIs(self.verify(WRONG).json()["valid"], False)

    def test_a_valid_key_costs_three_queries_and_no_write(self) -> None:
        self.verify(self.row.support_key)
        with self.assertNumQueries(3):  # the token, the key, the count of wrong ones
            self.verify(self.row.support_key)
        self.assertFalse(WrongKeys.objects.exists())

    def test_a_wrong_key_costs_two_more(self) -> None:
        self.verify(WRONG)
        with self.assertNumQueries(5):
            self.verify(WRONG)

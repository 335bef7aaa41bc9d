"""Keys cannot be guessed: 30 wrong ones a minute by token and by address, over all processes."""

from datetime import UTC, datetime, timedelta
from unittest import mock

from django.test import override_settings

from support import guessing
from support.models import WrongKeys
from tests.support.base import WRONG, AtOnceTestCase, SupportTestCase, issue

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class GuessingTests(SupportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.row = self.create()
        self.clock = self.enterContext(mock.patch.object(guessing.timezone, "now", return_value=NOW))

    def after(self, seconds: float) -> None:
        self.clock.return_value = NOW + timedelta(seconds=seconds)

    def guess(self, count: int, address: str = "127.0.0.1") -> list[int]:
        self.client.defaults["REMOTE_ADDR"] = address
        return [self.verify(WRONG).status_code for _ in range(count)]

    def test_thirty_wrong_keys_are_answered_and_no_more(self) -> None:
        self.assertEqual(self.guess(32), [200] * 30 + [429] * 2)

    def test_a_refusal_says_when_to_come_back(self) -> None:
        self.guess(30)
        self.after(17.5)
        response = self.verify(WRONG)
        self.assertIn("43 seconds", self.assert_error(response, 429, "rate_limited")["error"])
        self.assertEqual(response["Retry-After"], "43")

    def test_a_right_key_is_refused_too_then(self) -> None:
        self.guess(30)
        self.assert_error(self.verify(self.row.support_key), 429, "rate_limited")

    def test_right_keys_are_never_counted(self) -> None:
        for _ in range(35):
            self.assertEqual(self.verify(self.row.support_key).status_code, 200)
        self.assertEqual(self.guess(1), [200])

    def test_suspended_keys_count_like_unknown_ones(self) -> None:
        self.post("/support/suspend", {"service_id": "1001"})
        self.guess(29)
        self.assertEqual([self.verify(self.row.support_key).status_code for _ in range(2)], [200, 429])

    def test_a_minute_after_the_first_it_begins_anew(self) -> None:
        self.guess(1)
        self.after(30)
        self.guess(29)
        self.after(59.9)
        self.assertEqual(self.guess(1), [429])
        self.after(60)
        self.assertEqual(self.guess(31), [200] * 30 + [429])

    def test_refusals_do_not_prolong_it(self) -> None:
        self.guess(30)
        self.after(59)
        self.guess(5)
        self.after(60)
        self.assertIs(self.verify(self.row.support_key).json()["valid"], True)

    def test_a_token_is_counted_wherever_it_comes_from(self) -> None:
        self.guess(15, "10.0.0.1")
        self.guess(15, "10.0.0.2")
        self.assertEqual(self.guess(1, "10.0.0.3"), [429])

    def test_an_address_is_counted_whatever_its_token(self) -> None:
        self.guess(30, "10.0.0.1")
        self.secret = issue()
        self.assertEqual(self.guess(1, "10.0.0.1"), [429])
        self.assertEqual(self.guess(1, "10.0.0.2"), [200])

    def test_ipv6_callers_are_counted_by_their_network(self) -> None:
        self.guess(30, "2001:db8:0:1::1")
        self.secret = issue()
        self.assertEqual(self.guess(1, "2001:db8:0:1:ffff::2"), [429])
        self.assertEqual(self.guess(1, "2001:db8:0:2::1"), [200])

    def test_ipv4_written_as_ipv6_is_the_same_address(self) -> None:
        self.guess(30, "10.0.0.1")
        self.secret = issue()
        self.assertEqual(self.guess(1, "::ffff:10.0.0.1"), [429])

    def test_odd_addresses_are_counted_as_they_are(self) -> None:
        self.assertEqual(self.guess(2, ""), [200, 200])
        self.secret = issue()
        self.assertEqual(self.guess(2, "unix:" + "x" * 500), [200, 200])
        self.assertEqual(WrongKeys.objects.count(), 4)

    def test_behind_tls_the_forwarded_address_counts(self) -> None:
        with override_settings(BEHIND_TLS=True):
            self.verify(WRONG, **{"X-Forwarded-For": "203.0.113.9"})
        self.assertTrue(WrongKeys.objects.filter(source="address 203.0.113.9").exists())

    def test_old_counts_are_swept(self) -> None:
        self.guess(1, "10.0.0.1")
        self.after(25 * 3600)
        self.secret = issue()
        self.guess(1, "10.0.0.2")
        self.assertEqual(set(WrongKeys.objects.values_list("began_at", flat=True)), {self.clock.return_value})

    def test_kept_answers_are_not_counted_again(self) -> None:
        for _ in range(40):
            self.assertEqual(self.verify(WRONG, **{"Idempotency-Key": "one"}).status_code, 200)
        self.assertEqual(WrongKeys.objects.first().count, 1)


class ManyAtOnceTests(AtOnceTestCase):
    def test_many_guessers_together_get_thirty_answers(self) -> None:
        def guess(client) -> list[int]:
            one = self.poster("/support/verify", {"support_key": WRONG})
            return [one(client).status_code for _ in range(12)]

        statuses = [status for found in self.at_once(*[guess] * 4) for status in found]
        self.assertEqual(sorted(statuses), [200] * 30 + [429] * 18)
        self.assertEqual(set(WrongKeys.objects.values_list("count", flat=True)), {30})

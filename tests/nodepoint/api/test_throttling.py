"""The rate limit: exact over all processes, cheap, and told with the time to come back."""

import threading
from unittest import mock

from django.db import connections

from nodepoint.api import throttling
from nodepoint.api.models import RateWindow, Token
from tests.nodepoint.api.base import ApiTestCase, SeveralConnectionsTestCase

NOW = 1_800_000_030.0  # the middle of a minute


class RateTests(ApiTestCase):
    def setUp(self) -> None:
        self.secret = self.make_token(rate_per_minute=5)
        self.clock = self.enterContext(mock.patch.object(throttling.time, "time", return_value=NOW))

    def statuses(self, count: int) -> list[int]:
        return [self.call("/whoami").status_code for _ in range(count)]

    def test_the_limit_is_exact(self) -> None:
        self.assertEqual(self.statuses(7), [200] * 5 + [429] * 2)

    def test_a_refusal_says_when_to_come_back(self) -> None:
        self.statuses(5)
        response = self.call("/whoami")
        self.assert_error(response, 429, "rate_limited", "30 seconds")
        self.assertEqual(response["Retry-After"], "30")

    def test_the_next_minute_is_free_again_and_old_windows_go(self) -> None:
        self.statuses(6)
        self.clock.return_value = NOW + 30
        self.assertEqual(self.statuses(1), [200])
        self.assertEqual(RateWindow.objects.get().taken, 1)

    def test_zero_means_no_limit_and_costs_nothing(self) -> None:
        self.secret = self.make_token(rate_per_minute=0)
        self.assertEqual(self.statuses(20), [200] * 20)
        self.assertFalse(RateWindow.objects.filter(token=self.token).exists())

    def test_tokens_do_not_share_a_limit(self) -> None:
        self.statuses(5)
        self.secret = self.make_token(rate_per_minute=5)
        self.assertEqual(self.statuses(1), [200])

    def test_requests_without_a_token_are_not_counted(self) -> None:
        self.assertEqual(self.call("/whoami", token=None).status_code, 401)
        self.assertEqual(self.call("/health", token=None).status_code, 200)
        self.assertFalse(RateWindow.objects.exists())

    def test_a_portion_is_a_hundredth_and_spent_from_memory(self) -> None:
        self.secret = self.make_token(rate_per_minute=6000)
        self.statuses(1)
        with self.assertNumQueries(59):  # the token's look-up each, nothing for the limit
            self.statuses(59)
        self.assertEqual(RateWindow.objects.get().taken, 60)
        self.statuses(1)
        self.assertEqual(RateWindow.objects.get().taken, 120)


class PortionTests(ApiTestCase):
    def test_the_last_portion_is_what_is_left(self) -> None:
        token, _ = Token.issue("x", [], rate_per_minute=250)
        RateWindow.objects.create(token=token, minute=7, taken=247)
        self.assertEqual([throttling.draw(token, 7) for _ in range(4)], [2, 1, 0, 0])
        self.assertEqual(RateWindow.objects.get().taken, 250)

    def test_a_limit_that_was_lowered_holds_at_once(self) -> None:
        token, _ = Token.issue("x", [], rate_per_minute=10)
        RateWindow.objects.create(token=token, minute=7, taken=50)
        self.assertEqual(throttling.draw(token, 7), 0)

    def test_permits_of_a_past_minute_are_worthless(self) -> None:
        token, _ = Token.issue("x", [])
        throttling._purse.add(token, 7, 3)
        self.assertTrue(throttling._purse.spend(token, 7))
        self.assertFalse(throttling._purse.spend(token, 8))
        throttling._purse.add(token, 8, 1)
        self.assertEqual([throttling._purse.spend(token, 8) for _ in range(2)], [True, False])


class ManyProcessesTests(SeveralConnectionsTestCase):
    def test_many_drawers_together_never_exceed_the_limit(self) -> None:
        token, _ = Token.issue("x", [], rate_per_minute=230)
        drawn, start = [], threading.Barrier(4)

        def work() -> None:
            try:
                start.wait()
                while permits := throttling.draw(token, 7):
                    drawn.append(permits)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(drawn), 230)

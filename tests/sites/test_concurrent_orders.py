"""Orders at the same moment: nobody gets what another has, nothing is lost, nobody waits for ever."""

from collections import Counter

from django.test import override_settings

from sites.models import Site
from tests.sites.base import ORDER, SiteTransactionTestCase, at_once


class ConcurrentOrderTests(SiteTransactionTestCase):
    def _orders(self, count: int, threads: int, email: str = "same@example.com") -> list:
        def order(number: int):
            return lambda: self.post_from_thread(
                "/create-site", {**ORDER, "service_id": f"S{number}", "email": email}
            )

        return at_once([order(number) for number in range(count)], threads)

    def assert_all_different(self, answers: list) -> None:
        bodies = [answer.json() for answer in answers]
        for name in ("service_id", "vmid", "private_ip", "subdomain", "url"):
            with self.subTest(name):
                self.assertEqual(len({body[name] for body in bodies}), len(bodies))
        self.assertEqual(Site.objects.count(), len(bodies))

    def test_two_at_the_same_moment(self):
        answers = self._orders(2, 2)
        self.assertEqual([answer.status_code for answer in answers], [200, 200])
        self.assert_all_different(answers)
        self.assertEqual({answer.json()["vmid"] for answer in answers}, {900, 901})

    def test_twenty_from_eight_threads_while_jobs_run(self):
        answers = self._orders(20, 8)
        self.assertEqual(Counter(answer.status_code for answer in answers), {200: 20})
        self.assert_all_different(answers)
        self.assertEqual({answer.json()["vmid"] for answer in answers}, set(range(900, 920)))

    def test_orders_and_running_jobs_do_not_block_one_another(self):
        self.create(service_id="running")
        self.fault("proxmox", "refuse", "/status/start", count=1000)  # it will be undone: reservations go
        order = {**ORDER, "email": "x@example.com"}
        calls = [self.run_jobs] + [
            lambda n=n: self.post_from_thread("/create-site", {**order, "service_id": f"S{n}"})
            for n in range(6)
        ]
        answers = [answer for answer in at_once(calls, 4) if not isinstance(answer, int)]
        self.assertEqual([answer.status_code for answer in answers], [200] * 6)
        self.run_jobs()
        self.assertEqual(set(Site.objects.values_list("state", flat=True)), {"failed"})
        self.assert_nothing_left()

    def test_the_same_service_at_once_is_accepted_once(self):
        call = lambda: self.post_from_thread("/create-site", ORDER)  # noqa: E731
        answers = at_once([call] * 6)
        self.assertEqual(Counter(answer.status_code for answer in answers), {200: 1, 409: 5})
        refused = [answer.json() for answer in answers if answer.status_code == 409]
        accepted = next(answer.json() for answer in answers if answer.status_code == 200)
        self.assertEqual({body["code"] for body in refused}, {"exists"})
        self.assertEqual({body["job"]["id"] for body in refused}, {accepted["job"]["id"]})
        self.run_jobs()
        self.assert_live(Site.objects.get())
        self.assertEqual(self.creations(), 1)

    @override_settings(SITE_IP_RANGE="192.168.1.100-192.168.1.102")
    def test_the_last_addresses_are_given_once_each(self):
        answers = self._orders(6, 6)
        self.assertEqual(Counter(answer.status_code for answer in answers), {200: 3, 409: 3})
        self.assertEqual(Site.objects.count(), 3)

"""Two hosts at once: a ready container is had once, by an order or by its destruction, and the pool is filled
once."""

from collections import Counter
from functools import partial

from django.test import override_settings

from sites.models import Site, Spare
from sites.pool import ends, refill
from tests.sites.base import ORDER, SiteTransactionTestCase, at_once
from tests.sites.pool import PoolMixin


class AtOnceTests(PoolMixin, SiteTransactionTestCase):
    size = 2

    def order_at_once(self, number: int) -> int:
        order = {**ORDER, "service_id": f"S{number}", "email": f"a{number}@example.com"}
        return self.post_from_thread("/create-site", order).status_code

    def test_orders_and_destructions_at_the_same_moment(self) -> None:
        self.fill()
        spares = self.ready()
        orders = [partial(self.order_at_once, number) for number in range(4)]
        ending = [lambda spare=spares[0]: ends.destroy(spare, "a test") is None for _ in range(2)]
        answers = at_once([*orders, *ending], 6)
        self.assertEqual(Counter(answers)[200], 4)
        claimed = Counter(Site.objects.exclude(claimed="").values_list("claimed", flat=True))
        self.assertLessEqual(max(claimed.values(), default=0), 1)
        first = Spare.objects.get(pk=spares[0].pk)
        self.assertEqual(first.state, "claimed" if first.build_id in claimed else "draining")
        self.assertIn(spares[1].build_id, claimed)
        places = [
            *Site.objects.values_list("vmid", "private_ip"),
            *Spare.objects.values_list("vmid", "private_ip"),
        ]
        held = [one for place in places for one in place if one]
        self.assertEqual(len(held), len(set(held)))
        with override_settings(POOL_SIZE=0):
            self.run_jobs()
        self.assertEqual(set(Site.objects.values_list("state", flat=True)), {"live"})
        self.assertEqual(len(self.leftovers()["containers"]), 4)

    def test_the_pool_is_filled_once(self) -> None:
        begun = at_once([refill.top_up] * 4)
        self.assertEqual((sum(begun), Spare.objects.count()), (2, 2))
        self.run_jobs()
        self.assertEqual(len(self.ready()), 2)

"""The database comes back from a dump, and ready containers have been made, claimed and destroyed since."""

from django.test import override_settings

from nodepoint.models import Restoration
from sites.models import Site, Spare
from sites.pool import refill
from tests.dumps import Dump
from tests.sites.base import SiteTransactionTestCase
from tests.sites.pool import PoolMixin
from tests.sites.test_restored import RestoredMixin


class RestoredPoolTests(PoolMixin, RestoredMixin, SiteTransactionTestCase):
    size = 2

    def test_what_an_order_has_got_since_is_the_sites_and_what_was_made_since_is_listed(self) -> None:
        self.live_site(service_id="old", email="old@example.com")
        self.fill()
        claimed, kept = sorted(self.ready(), key=lambda spare: spare.ready_at)
        dump = Dump()
        site = self.live_site(service_id="new", email="new@example.com")
        self.assertEqual(site.vmid, claimed.vmid)
        self.fill()
        younger = Spare.objects.filter(state="ready").latest("pk")
        dump.restore()
        said = self.restored()
        self.assertIn(f"container {claimed.vmid} of the pool", said)
        self.assertIn(f"container {younger.vmid}", said)
        self.assertTrue(Restoration.is_open())
        adopted = Site.objects.get(service_id="new")
        self.assertEqual((adopted.vmid, adopted.state), (claimed.vmid, "live"))
        self.assertEqual([spare.pk for spare in self.ready()], [kept.pk])
        self.assertEqual(Spare.objects.get(pk=claimed.pk).vmid, None)
        self.assertEqual(refill.top_up(), 0, "nothing is made while it is open")
        self.restored("--release")
        with override_settings(POOL_SIZE=1):
            order = self.live_site(service_id="next", email="next@example.com")
        self.assertEqual(order.vmid, kept.vmid)

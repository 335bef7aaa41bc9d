"""A thousand dashboards: the number of calls to Proxmox VE does not grow with the number of sites."""

import time

from sites.models import Plan, Site
from tests.factories import SiteFactory
from tests.sites.base import SiteTestCase

SITES = 1000
KEPT = 5  # seconds that a reading is shared


class ManyStatusesTests(SiteTestCase):
    def test_a_thousand_statuses_of_a_thousand_sites(self):
        plan = Plan.objects.get(name="basic")
        Site.objects.bulk_create(SiteFactory.build(service_id=f"M{n}", plan=plan) for n in range(SITES))
        self.calls.clear()
        began = time.monotonic()
        for number in range(SITES):
            answer = self.get(f"/status?service_id=M{number}")
            self.assertEqual((answer.status_code, answer.json()["service_id"]), (200, f"M{number}"))
        seconds = time.monotonic() - began
        self.assertEqual({what for _, what in self.calls}, {"GET /api2/json/cluster/resources"})
        self.assertLessEqual(len(self.calls), 1 + -(-seconds // KEPT), f"in {seconds:.1f} s")

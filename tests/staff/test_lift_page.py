"""Lifting sites from the platform's page; the board says how many are below the level."""

from sites.install import LEVEL
from sites.models import Platform, Site
from sites.services import lift
from tests.factories import SiteFactory
from tests.staff.acts import ActsCase
from tests.staff.base import make_staff

PAGE = "/admin/sites/platform/1/change/"
ACT = "/admin/sites/platform/1/act/"


class LiftPageTests(ActsCase):
    def page(self, path: str = PAGE) -> str:
        return " ".join(self.client.get(path).content.decode().split())

    def test_sites_below_the_level_are_counted_lifted_and_stopped(self):
        self.assertIn("All sites have level", self.page())
        site = self.live_site()
        SiteFactory(service_id="off", wanted_power="stopped", level=0)
        Site.objects.filter(pk=site.pk).update(level=0)
        self.assertIn(f"2 sites below level {LEVEL} of the install script, 1 of them running.", self.page())
        self.assertIn(f"1 site below level {LEVEL}", self.page("/admin/"))
        self.assertIn("in 1 sites, some at a time", self.page(f"{ACT}lift/"))
        self.client.post(f"{ACT}lift/", {"batch": "51", "reason": ""})
        self.assertIsNone(lift.lifting())
        self.client.post(f"{ACT}lift/", {"batch": "2", "reason": ""})
        self.assertEqual((lift.lifting().actor, lift.lifting().data["batch"]), ("staff anna", 2))
        self.assertNotIn("below level", self.page("/admin/"))
        self.client.post(f"{ACT}stop_lifting/", {"reason": ""})
        self.assertIsNotNone(Platform.current().lift_stopped_at)
        self.assertIn("being stopped", self.page())
        self.run_jobs()
        self.client.post(f"{ACT}lift/", {"batch": "2", "reason": ""})
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.level, LEVEL)
        self.assertIn("1 lifted, 0 failed, 0 at work, 1 in all", self.page())

    def test_support_may_not(self):
        self.client.force_login(make_staff("sam", "support"))
        SiteFactory(level=0)
        self.assertEqual(self.client.post(f"{ACT}lift/", {"batch": "2", "reason": ""}).status_code, 403)
        self.assertIsNone(lift.lifting())

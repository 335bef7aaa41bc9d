"""POST /action/toggle: traffic of all host names on or off; the container is left alone."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from nodepoint.jobs.models import Job
from sites.connections import npm
from sites.models import CustomDomain
from tests.factories import SiteFactory
from tests.sites.domains import SHOP, DomainTestCase


class ToggleTests(DomainTestCase):
    def switched(self, *names: str) -> list[tuple[bool, bool]]:
        """(on by NPM's row, served by nginx) for each name."""
        return [(self.host_of(name)["enabled"], self.served(name)) for name in names]

    def test_off_and_on_again_for_all_host_names(self):
        self.add()
        names = (self.site.hostname, SHOP)
        for wish in (False, True):
            self.calls.clear()
            answer = self.toggle().json()
            self.assertEqual((answer["enabled"], answer["job"]["kind"]), (wish, "sites.toggle"))
            self.run_jobs()
            self.assertEqual(self.switched(*names), [(wish, wish)] * 2, self.tale(self.site))
            self.assertEqual(self.get("/status?service_id=1001").json()["proxy_enabled"], wish)
        self.assertEqual(self.container(self.site.vmid)["status"], "running")

    def test_the_container_is_not_asked_for(self):
        self.toggle()
        self.run_jobs()
        self.assertEqual(self.counts().keys(), {"npm"})

    def test_a_wish_that_is_said_is_no_flip(self):
        for wish in (False, False, True, True):
            self.assertEqual(self.toggle(enabled=wish).json()["enabled"], wish)
            self.run_jobs()
            self.assertEqual(self.switched(self.site.hostname), [(wish, wish)])

    def test_what_somebody_changed_by_hand_is_put_right(self):
        npm().disable_proxy_host(self.host_of(self.site.hostname)["id"])
        self.toggle(enabled=True)
        self.run_jobs()
        self.assertEqual(self.switched(self.site.hostname), [(True, True)])

    def test_a_host_that_somebody_has_removed_is_made_again(self):
        npm().delete_proxy_host(self.host_of(self.site.hostname)["id"])
        self.toggle(enabled=True)
        self.run_jobs()
        self.assertEqual(self.switched(self.site.hostname), [(True, True)], self.tale(self.site))
        self.assertTrue(self.host_of(self.site.hostname)["ssl_forced"])

    def test_foreign_hosts_are_left_alone(self):
        host = self.host_of(self.site.hostname)
        npm().update_proxy_host(host["id"], meta={"made_by": "hand"})
        self.toggle(enabled=False)
        self.run_jobs()
        self.assertEqual(self.switched(self.site.hostname), [(True, True)])

    def test_the_wish_outlives_a_suspension(self):
        for wish in (False, True):
            self.toggle(enabled=wish)
            self.run_jobs()
            self.post("/suspend", {"service_id": "1001"}, Prefer="wait=0")
            self.run_jobs()
            self.assertEqual(self.switched(self.site.hostname), [(False, False)], self.tale(self.site))
            self.post("/unsuspend", {"service_id": "1001"}, Prefer="wait=0")
            self.run_jobs()
            self.assertEqual(self.switched(self.site.hostname), [(wish, wish)], self.tale(self.site))

    def test_a_failure_is_told_and_the_wish_stays(self):
        self.fault("npm", "refuse", "", 10_000)
        self.toggle(enabled=False)
        self.run_jobs()
        job = self.job(self.site, "sites.toggle")
        self.assertEqual(job.state, "failed")
        self.assert_readable(job.error)
        self.clear_faults()
        self.toggle(enabled=False)
        self.run_jobs()
        self.assertEqual(self.switched(self.site.hostname), [(False, False)])

    def test_bad_input_and_other_refusals(self):
        self.assertEqual(self.post("/action/toggle", {}).status_code, 400)
        self.assert_refused(self.toggle(enabled="perhaps"), 400, "validation")
        self.assert_refused(self.toggle("never"), 404, "not_found")
        suspended = SiteFactory(suspended_at="2026-01-01T00:00:00Z")
        self.assert_refused(self.toggle(suspended.service_id), 401, "service_suspended")
        self.assert_refused(self.toggle(SiteFactory(provisioning=True).service_id), 409, "wrong_state")
        self.assertFalse(Job.objects.filter(kind="sites.toggle").exists())
        self.toggle()
        self.assert_refused(self.toggle(), 409, "busy")

    def test_budgets(self):
        for number in range(3):
            CustomDomain.objects.create(site=self.site, domain=f"{number}.example.com", status="active")
        with CaptureQueriesContext(connection) as queries:
            self.toggle(enabled=False)
        self.assertLessEqual(len(queries), 25)
        self.run_jobs()
        self.assertLessEqual(self.counts()["npm"], 6, self.calls)

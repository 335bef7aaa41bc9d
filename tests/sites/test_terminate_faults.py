"""A deletion never gives up: whatever fails, and for however long, in the end nothing is left anywhere."""

from django.test import override_settings

from nodepoint.jobs.models import Job
from sites.flows import TERMINATE as FLOW
from sites.models import Site
from tests.sites.base import SiteTestCase
from tests.sites.faults import DNS_DELETED, HA_STOPPED, TERMINATE, Act, acts


class TerminateFaultTests(SiteTestCase):
    number = 0

    def _site(self, act: Act) -> Site:
        """A live site with its own certificate; with HA where the act needs it."""
        self.number += 1
        service = f"S{self.number}"
        plan = act.plan
        self.enterContext(override_settings(NPM_CERTIFICATE="letsencrypt"))
        return self.live_site(service_id=service, email=f"{service}@example.com", plan=plan)

    def assert_deleted(self, site: Site) -> None:
        site.refresh_from_db()
        job = self.job(site, "sites.terminate")
        self.assertEqual((site.state, job.state), ("deleted", "succeeded"), self.tale(site))
        self.assertEqual((site.vmid, site.private_ip, site.subdomain, site.live_key), (None,) * 4)
        self.assert_nothing_left()
        self.assertEqual(self.get(f"/status?service_id={site.service_id}").status_code, 404)

    def test_every_step_has_its_row(self):
        self.assertEqual(set(TERMINATE), set(FLOW.by_name))

    def test_a_lost_answer_of_any_call(self):
        for step, act in acts(TERMINATE):
            with self.subTest(step=step, call=act.match):
                site = self._site(act)
                self.fault(act.system, "drop_after", act.match)
                self.delete(site.service_id)
                self.run_jobs()
                self.assertEqual(self.lab.faults.view(), [], "the fault met nothing")
                self.assert_deleted(site)

    def test_faults_that_pass_in_every_call_of_one_deletion(self):
        for plan in ("basic", "premium"):
            for kind in ("error", "drop_before", "hang"):
                with self.subTest(kind=kind, plan=plan):
                    site = self._site(HA_STOPPED if plan == "premium" else DNS_DELETED)
                    faulty = [act for _, act in acts(TERMINATE) if act.plan == plan]
                    for act in faulty:
                        self.fault(act.system, kind, act.match, seconds=0.02)
                    self.delete(site.service_id)
                    self.run_jobs()
                    self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                    self.assert_deleted(site)

    def test_a_lasting_refusal_is_waited_out_for_days(self):
        for step, act in acts(TERMINATE):
            with self.subTest(step=step, call=act.match):
                site = self._site(act)
                self.fault(act.system, "refuse", act.match, 100_000)
                self.delete(site.service_id)
                self.run_for(3600)
                job = self.job(site, "sites.terminate")
                self.assertIn(job.state, Job.ADVANCING, self.tale(site))
                held_up = self.step(site, step, "sites.terminate")
                self.assertEqual(held_up.state, "waiting", self.tale(site))
                self.assert_readable(held_up.error)
                status = self.get(f"/status?service_id={site.service_id}").json()
                self.assertEqual((status["status"], status["job"]["state"]), ("deleting", "waiting"))
                self.assertEqual(self.order(service_id=site.service_id).status_code, 409)
                self.clear_faults()
                self.run_jobs()
                self.assert_deleted(site)

"""A deletion never gives up: whatever fails, and for however long, in the end nothing is left anywhere."""

from django.test import override_settings

from nodepoint.jobs.models import Job
from sites.flows import TERMINATE as FLOW
from sites.models import Site
from tests.base import on_one_database
from tests.sites.base import SiteTestCase
from tests.sites.faults import PASSING, STOPPED, STOPPING, TERMINATE, Act, acts, without_followers


@on_one_database
class TerminateFaultTests(SiteTestCase):
    number = 0

    def _site(self, plan: str) -> Site:
        """A live site with its own certificate."""
        self.number += 1
        service = f"S{self.number}"
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

    def test_faults_that_pass_in_every_call_of_one_deletion(self):
        for plan, faulty in self._calls():
            for kind in PASSING:
                with self.subTest(kind=kind, plan=plan):
                    site = self._site(plan)
                    for act in without_followers(faulty, kind):
                        self.fault(act.system, kind, act.match, seconds=0.02)
                    self.delete(site.service_id)
                    self.run_jobs()
                    self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                    self.assert_deleted(site)

    def test_a_lasting_refusal_of_each_call_is_waited_out(self):
        for plan, faulty in self._calls():
            site = self._site(plan)
            self.delete(site.service_id)
            for held_up in self.refuse_one_after_the_other(faulty):
                with self.subTest(plan=plan, call=held_up.match):
                    job = self.job(site, "sites.terminate")
                    self.assertEqual(job.state, Job.State.WAITING, self.tale(site))
                    self.assert_readable(job.steps.get(state="waiting").error)
                    status = self.get(f"/status?service_id={site.service_id}").json()
                    self.assertEqual((status["status"], status["job"]["state"]), ("deleting", "waiting"))
                    self.assertEqual(self.order(service_id=site.service_id).status_code, 409)
            self.assert_deleted(site)

    def _calls(self) -> list[tuple[str, list[Act]]]:
        """The calls of a deletion by plan. Where HA stops the container, its own step has nothing to stop."""
        found = [act for _, act in acts(TERMINATE)]
        return [
            ("basic", [act for act in found if act.plan == "basic"]),
            ("premium", [act for act in found if act not in (STOPPED, STOPPING)]),
        ]

"""An undo never gives up, and leaves nothing: with a fault in each of its calls that passes, or lasts until somebody mends it."""

from django.test import override_settings

from nodepoint.jobs.models import Job
from sites.flows import PROVISION as FLOW
from sites.models import Site
from tests.sites.base import SiteTestCase
from tests.sites.faults import UNDO, Act, acts

CULPRIT = Act("ssh", "curl")  # the step before the point of no return: everything was made by then


class UndoFaultTests(SiteTestCase):
    number = 0

    def _order(self, plan: str = "premium") -> Site:
        """An order that will fail when everything is made, where each site has its own certificate."""
        self.number += 1
        service = f"S{self.number}"
        self.fault(CULPRIT.system, "refuse", CULPRIT.match, 1)
        self.enterContext(override_settings(NPM_CERTIFICATE="letsencrypt"))
        return self.create(service_id=service, email=f"{service}@example.com", plan=plan)

    def _plan(self, act: Act) -> str:
        # Where HA stops the container, nothing is left to stop for the undo of the container itself.
        return "basic" if act.match == "/status/stop" else "premium"

    def test_every_undo_has_its_row(self):
        self.assertEqual(set(UNDO), {step.name for step in FLOW.steps if step.undo})

    def test_everything_that_was_made_is_undone_last_first(self):
        site = self._order()
        self.run_jobs()
        self.assert_undone(site)
        undone = [what for _, what in self.calls if what.startswith(("DELETE ", "PUT /api2/json/cluster"))]
        kinds = [what.split("/")[4] if "api2" in what else what.split("/")[3] for what in undone]
        self.assertEqual(kinds[:2], ["ha", "ha"], undone)
        self.assertEqual(kinds[2:], ["proxy-hosts", "certificates", "zones", "node1"][: len(kinds) - 2])

    def test_a_lost_answer_of_any_call(self):
        for step, act in acts(UNDO):
            with self.subTest(step=step, call=act.match):
                site = self._order(self._plan(act))
                self.fault(act.system, "drop_after", act.match)
                self.run_jobs()
                self.assertEqual(self.lab.faults.view(), [], "the fault met nothing")
                self.assert_undone(site)

    def test_faults_that_pass_in_every_call_of_one_undo(self):
        for plan in ("basic", "premium"):
            for kind in ("error", "drop_before", "hang"):
                faulty = [act for _, act in acts(UNDO) if act.plan in ("basic", plan)]
                if plan == "premium":
                    faulty = [act for act in faulty if self._plan(act) == plan]
                with self.subTest(kind=kind, plan=plan):
                    site = self._order(plan)
                    for act in faulty:
                        self.fault(act.system, kind, act.match, seconds=0.02)
                    self.run_jobs()
                    self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                    self.assert_undone(site)

    def test_a_lasting_refusal_is_waited_out_for_days(self):
        for step, act in acts(UNDO):
            with self.subTest(step=step, call=act.match):
                site = self._order(self._plan(act))
                self.fault(act.system, "refuse", act.match, 10_000)
                self.run_for(3600)
                job = self.job(site)
                self.assertEqual(job.state, Job.State.ROLLING_BACK, self.tale(site))
                self.assertEqual(self.step(site, step).state, "undoing")
                self.assert_readable(self.step(site, step).error)
                self.assertEqual(self.order(service_id=site.service_id).status_code, 409)
                self.clear_faults()
                self.run_jobs()
                self.assert_undone(site)

"""An undo never gives up and leaves nothing: each of its calls fails once, or until somebody mends it."""

from django.test import override_settings

from nodepoint.jobs.models import Job
from sites.flows import PROVISION as FLOW
from sites.models import Site
from tests.base import on_one_database
from tests.sites.base import SiteTestCase
from tests.sites.faults import PASSING, STOPPED, UNDO, Act, acts, without_followers

CULPRIT = Act("ssh", "curl")  # the step before the point of no return: everything was made by then


@on_one_database
class UndoFaultTests(SiteTestCase):
    number = 0

    def _order(self, plan: str) -> Site:
        """An order that will fail when everything is made, where each site has its own certificate."""
        self.number += 1
        service = f"S{self.number}"
        self.fault(CULPRIT.system, "refuse", CULPRIT.match, 1)
        self.enterContext(override_settings(NPM_CERTIFICATE="letsencrypt"))
        return self.create(service_id=service, email=f"{service}@example.com", plan=plan)

    def test_every_undo_has_its_row(self):
        self.assertEqual(set(UNDO), {step.name for step in FLOW.steps if step.undo})

    def test_everything_that_was_made_is_undone_last_first(self):
        site = self._order("premium")
        self.run_jobs()
        self.assert_undone(site)
        undone = [what for _, what in self.calls if what.startswith(("DELETE ", "PUT /api2/json/cluster"))]
        kinds = [what.split("/")[4] if "api2" in what else what.split("/")[3] for what in undone]
        self.assertEqual(kinds[:2], ["ha", "ha"], undone)
        self.assertEqual(kinds[2:], ["proxy-hosts", "certificates", "zones", "node1"][: len(kinds) - 2])

    def test_faults_that_pass_in_every_call_of_one_undo(self):
        for plan, faulty in self._calls():
            for kind in PASSING:
                with self.subTest(kind=kind, plan=plan):
                    site = self._order(plan)
                    for act in without_followers(faulty, kind):
                        self.fault(act.system, kind, act.match, seconds=0.02)
                    self.run_jobs()
                    self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                    self.assert_undone(site)

    def test_a_lasting_refusal_of_each_call_is_waited_out(self):
        for plan, faulty in self._calls():
            site = self._order(plan)
            for held_up in self.refuse_one_after_the_other(faulty):
                with self.subTest(plan=plan, call=held_up.match):
                    job = self.job(site)
                    self.assertEqual(job.state, Job.State.ROLLING_BACK, self.tale(site))
                    self.assert_readable(job.steps.get(state="undoing").error)
                    self.assertEqual(self.order(service_id=site.service_id).status_code, 409)
            self.assert_undone(site)

    def _calls(self) -> list[tuple[str, list[Act]]]:
        """The calls of an undo by plan. Where HA stops the container, its own undo has nothing to stop."""
        found = [act for _, act in acts(UNDO)]
        return [
            ("basic", [act for act in found if act.plan == "basic"]),
            ("premium", [act for act in found if act != STOPPED]),
        ]

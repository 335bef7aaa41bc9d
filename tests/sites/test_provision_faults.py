"""Whatever fails on the way, an order ends live, or undone with nothing left anywhere and a sentence that says why."""

from django.test import override_settings

from sites.flows import PROVISION as FLOW
from sites.models import Site
from tests.sites.base import SiteTestCase
from tests.sites.faults import PASSING, PROVISION, Act, acts

AFTER_IT_IS_LIVE = {"snapshot", "customer_told"}  # what fails here is a warning, the customer keeps the site


class ProvisionFaultTests(SiteTestCase):
    """One lab for a whole table: every order is deleted again before the next one."""

    def _order(self, act: Act, kind: str, count: int) -> Site:
        self.calls.clear()
        self.fault(act.system, kind, act.match, count, seconds=0.02)
        site = self.create(plan=act.plan)
        self.run_for(3600)
        self.clear_faults()  # an undo waits as long as it must
        self.run_jobs()
        site.refresh_from_db()
        return site

    def _clean(self) -> None:
        self.clear_faults()
        self.delete()
        self.run_jobs()
        self.assert_nothing_left()

    def _walk(self, kinds: tuple[str, ...], count: int, check) -> None:
        for step, act in acts(PROVISION):
            for kind in kinds:
                certificate = "letsencrypt" if act.letsencrypt else self.lab.settings["NPM_CERTIFICATE"]
                with self.subTest(step=step, act=act.match, kind=kind):
                    made = self.creations()
                    with override_settings(NPM_CERTIFICATE=certificate):
                        site = self._order(act, kind, count)
                        self.assertGreater(self.count(act.system, act.match), 0, "the fault met nothing")
                        check(step, kind, site)
                        self.assertLessEqual(self.creations(), made + 1, "two containers for one order")
                        self._clean()

    def test_every_step_has_its_row(self):
        self.assertEqual(set(PROVISION), set(FLOW.by_name))

    def test_a_fault_that_passes_delays_an_order_and_no_more(self):
        def check(step: str, kind: str, site: Site) -> None:
            self.assert_live(site)
            self.assertEqual(self.job(site).warning, "")
            self.assertEqual(self.container(site.vmid)["snapshots"], ["initial"])

        self._walk(PASSING, 1, check)

    def test_a_lasting_refusal_undoes_an_order_and_leaves_nothing(self):
        def check(step: str, kind: str, site: Site) -> None:
            if step in AFTER_IT_IS_LIVE:
                self.assert_live(site)
                self.assertRegex(self.job(site).warning, "Proxmox VE")
                return
            self.assert_undone(site)
            self.assertTrue(self.job(site).detail.startswith(f"{step}: "), self.tale(site))

        self._walk(("refuse",), 1000, check)

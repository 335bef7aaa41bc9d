"""Whatever fails on the way, an order ends live, or undone with nothing left and a sentence that says why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.test import override_settings

from sites import connections
from sites.clients.npm import calls
from sites.flows import PROVISION as FLOW
from sites.models import Occupancy, Site
from tests.base import on_one_database
from tests.sites.base import SiteTestCase
from tests.sites.faults import PROVISION, Act, acts

AFTER_IT_IS_LIVE = {"snapshot"}  # what fails here is a warning, the customer keeps the site


@on_one_database
class ProvisionFaultTests(SiteTestCase):
    """One lab for a whole table: every order is deleted again before the next one."""

    number = 0

    @contextmanager
    def _order(self, kind: str, count: int, *faulty: Act, letsencrypt: bool = False) -> Iterator[Site]:
        """An order of its own customer in which these calls fail, run to its end and then deleted."""
        self.number += 1
        service = f"S{self.number}"
        connections.npm.cache_clear()
        calls._logins.clear()  # so that a fault of the login meets one
        Occupancy.objects.update(taken_at=None)  # likewise, of the look at what is in use
        made = self.creations()
        plan = "premium" if any(act.plan == "premium" for act in faulty) else "basic"
        certificate = "letsencrypt" if letsencrypt else self.lab.settings["NPM_CERTIFICATE"]
        for act in faulty:
            self.fault(act.system, kind, act.match, count, seconds=0.02)
        with override_settings(NPM_CERTIFICATE=certificate):
            try:
                site = self.create(service_id=service, email=f"{service}@example.com", plan=plan)
                self.run_for(3600)
                met = {fault["match"] for fault in self.lab.faults.view() if fault["count"] == count}
                self.assertEqual(met, set(), "these faults met nothing")
                self.clear_faults()  # an undo waits as long as it must
                self.run_jobs()
                yield site
                self.assertLessEqual(self.creations(), made + 1, "two containers for one order")
            finally:
                self.clear_faults()
                self.delete(service)
                self.run_jobs()
                self.assert_nothing_left()

    def _each(self, kind: str, count: int, check: Callable[[str, Site], None]) -> None:
        for step, act in acts(PROVISION):
            with (
                self.subTest(step=step, call=act.match),
                self._order(kind, count, act, letsencrypt=act.letsencrypt) as site,
            ):
                check(step, site)

    def test_every_step_has_its_row(self):
        self.assertEqual(set(PROVISION), set(FLOW.by_name))

    def test_a_lost_answer_of_any_call_delays_an_order_and_no_more(self):
        self._each("drop_after", 1, lambda step, site: self.assert_whole(site))

    def test_faults_that_pass_in_every_step_of_one_order_delay_it_and_no_more(self):
        for kind in ("error", "drop_before", "hang"):
            for letsencrypt in (False, True):
                unmet = "shared" if letsencrypt else "letsencrypt"
                faulty = [act for _, act in acts(PROVISION) if not getattr(act, unmet)]
                with (
                    self.subTest(kind=kind, letsencrypt=letsencrypt),
                    self._order(kind, 1, *faulty, letsencrypt=letsencrypt) as site,
                ):
                    self.assert_whole(site)

    def test_a_lasting_refusal_undoes_an_order_and_leaves_nothing(self):
        def check(step: str, site: Site) -> None:
            if step in AFTER_IT_IS_LIVE:
                self.assert_live(site)
                self.assertRegex(self.job(site).warning, "Proxmox VE")
            else:
                self.assert_undone(site)
                self.assertTrue(self.job(site).detail.startswith(f"{step}: "), self.tale(site))

        self._each("refuse", 1000, check)

    def assert_whole(self, site: Site) -> None:
        """Live, with nothing to complain of."""
        self.assert_live(site)
        self.assertEqual(self.job(site).warning, "")
        self.assertEqual(self.container(site.vmid)["snapshots"], ["initial"])

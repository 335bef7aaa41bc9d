"""An HA resource in the state `error` is started, stopped, suspended and deleted like any other. Its wish is
`started` all the while."""

from sites.models import Site
from tests.independent.base import IndependentCase


class InError(IndependentCase):
    """The plan premium, on 9.2."""

    plan = "premium"

    def assert_well(self, runs: bool) -> None:
        self.clock.move(30)
        self.api.asked("")
        self.cluster.tasks.settle()
        self.assertEqual(self.guest(self.site).running, runs, self.tale())
        self.assertEqual(self.cluster.ha.verbose(self.site.vmid), "started" if runs else "stopped")
        self.assert_all_succeeded()


class Ended(InError):
    """It is to run no more."""

    def test_it_is_stopped(self):
        for running in (True, False):
            with self.subTest(running=running):
                self.cluster.ha.error(self.site.vmid, running)
                self.good("/action/stop")
                self.assertFalse(self.guest(self.site).running)
                self.good("/action/start")
                self.assert_well(runs=True)

    def test_it_is_deleted(self):
        self.cluster.ha.error(self.site.vmid, running=True)
        self.good("/delete-site")
        self.run_jobs()
        self.site.refresh_from_db()
        self.assertEqual(self.site.state, Site.State.DELETED, self.tale())
        self.assertEqual((self.cluster.guests, self.cluster.ha.resources), ({}, {}))


class EndedOn84(Ended):
    """The same on 8.4."""

    version = "8.4"


class Stubborn(InError):
    """What does not end when it is asked to."""

    def test_a_guest_that_does_not_obey_is_stopped_and_suspended_all_the_same(self):
        """HA's shutdown never kills: the resource comes into the state `error`."""
        for path, back in (("/action/stop", "/action/start"), ("/suspend", "/unsuspend")):
            with self.subTest(path):
                self.guest(self.site).stubborn = True
                self.good(path)
                self.assertFalse(self.guest(self.site).running)
                self.assertEqual(self.cluster.ha.resources[self.site.vmid]["state"], "stopped")
                self.guest(self.site).stubborn = False
                self.good(back)
                self.assert_well(runs=True)


class OtherActs(InError):
    """It is to run."""

    def test_it_is_started(self):
        self.cluster.ha.error(self.site.vmid)
        self.good("/action/start")
        self.assert_well(runs=True)

    def test_it_is_suspended_and_comes_back(self):
        self.cluster.ha.error(self.site.vmid, running=True)
        self.good("/suspend")
        self.assertFalse(self.guest(self.site).running)
        self.good("/unsuspend")
        self.assert_well(runs=True)

    def test_it_is_rolled_back_and_upgraded(self):
        self.cluster.ha.error(self.site.vmid)
        self.good("/action/reset")
        self.assert_well(runs=True)

"""The end of an install script that is known to be short is seen when it comes; whatever happens to the call
that waits for it, the script is run once and its end found."""

import threading
from unittest import mock

from nodepoint.jobs import experience
from sites import install
from sites.steps import wordpress
from tests.base import on_one_database
from tests.sites.base import SiteTestCase


@on_one_database
class ShortScriptTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.live_site(
            service_id="before", email="before@example.com"
        )  # how long it takes is known from here on
        experience.forget()
        self.calls.clear()
        self.enterContext(mock.patch.object(wordpress, "SHORT", 8.0))

    def inside(self) -> list[str]:
        """What was called inside the container, the look that verifies it left out."""
        return [
            call.split("--", 2)[-1].strip()
            for system, call in self.calls
            if system == "ssh" and "curl" not in call
        ]

    def scripts(self) -> int:
        """How often the script was handed over."""
        return sum("bash -s install" in call for call in self.inside())

    def looks(self) -> int:
        """How often its status was looked at."""
        return sum("install.status" in call for call in self.inside())

    def test_its_end_costs_no_look(self) -> None:
        site = self.live_site()
        self.assertEqual((self.scripts(), self.looks()), (1, 0), self.inside())
        self.assertEqual((site.serves_as, site.level), (site.hostname, install.LEVEL))

    def test_an_answer_that_is_lost_is_no_second_run(self) -> None:
        self.fault("ssh", "drop_after", "bash -s install")
        self.live_site()
        runs = [call for call in self.inside() if "bash -s install" in call]
        self.assertLessEqual(len(runs), 2, self.inside())

    def test_one_that_fails_is_tried_again_and_then_undone(self) -> None:
        self.fault("ssh", "error", "INSTALL", count=100)
        site = self.create()
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((self.scripts(), site.state), (wordpress.TRIES, "failed"), self.tale(site))

    def test_one_that_takes_longer_than_it_stays_is_looked_at(self) -> None:
        self.fault("ssh", "slow", "INSTALL", seconds=0.2)
        site = self.create()
        self.run_until(site, "wordpress", ref="install")
        step = self.step(site, "wordpress")
        self.assertEqual(step.data["primary"], site.hostname)
        self.assertEqual(step.data["begun"], step.claimed_at.timestamp(), "its stay counts as work")
        threading.Event().wait(0.2)  # the script itself goes by the real time
        self.run_jobs()
        self.assertEqual((self.scripts(), self.state_of(site)), (1, "live"), self.tale(site))

    def test_no_more_wait_than_may(self) -> None:
        for _ in range(wordpress.MOST_WAITING):
            self.assertTrue(wordpress._places.acquire(blocking=False))
            self.addCleanup(wordpress._places.release)
        self.live_site()
        self.assertEqual((self.scripts(), self.looks()), (1, 1), self.inside())

    def state_of(self, site) -> str:
        """Its state as the row says."""
        site.refresh_from_db()
        return site.state

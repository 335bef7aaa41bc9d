"""A site whose HA resource has come into the state `error`, which takes nothing but `disabled`: every act
leads out of it, and none is refused."""

from sites.models import Site
from tests.base import on_one_database
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase


@on_one_database
class HaErrorTests(ActsMixin, SiteTestCase):
    def fails(self, running: bool = True) -> None:
        """The HA manager has given the container up, which runs all the same, or does not."""
        with self.lab.lock:
            self.lab.proxmox.cluster.ha._resources["ct:900"]["crm"] = "error"
            self.lab.proxmox.cluster.containers[900].running = running

    def test_power_suspension_and_deletion(self) -> None:
        site = self.live_site(plan="premium")
        for path, running, status, container, ha in (
            ("/action/restart", False, "running", "running", "started"),
            ("/suspend", True, "suspended", "stopped", ("stopped", "disabled")),
            ("/suspend", False, "suspended", "stopped", ("stopped", "disabled")),
            ("/unsuspend", False, "running", "running", "started"),
            ("/action/stop", True, "stopped", "stopped", ("stopped", "disabled")),
            ("/action/start", False, "running", "running", "started"),
        ):
            with self.subTest(path, running=running):
                self.fails(running)
                self.assert_answer(self.act(path), status=status)
                places = self.places(site)
                self.assertEqual(places["container"], container, self.tale(site))
                self.assertIn(places["ha"], ha)
        self.fails()
        self.assertEqual(self.delete().status_code, 200)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.DELETED, self.tale(site))
        self.assert_nothing_left()

    def test_a_restart_of_what_runs_leaves_it_running(self) -> None:
        site = self.live_site(plan="premium")
        self.fails()
        self.assert_answer(self.act("/action/restart"), status="running")
        self.assertEqual(self.places(site)["container"], "running")

"""HA moves a container in the middle of whatever is done with it: it is followed, and its node is noted. `pct
exec` says so with exit code 2."""

from functools import partial

from tests.independent.base import IndependentCase

PLACES = ("node2", "node3")


class MovedWhileMade(IndependentCase):
    """An order whose container wanders."""

    def test_a_site_that_is_moved_again_and_again_goes_live(self):
        site = self.order(plan="premium")
        for number, call in enumerate(
            (
                r"GET .*/firewall/rules",
                r"POST .*/firewall/rules",
                r"POST .*/status/start",
                r"EXEC pct exec \d+ .*install",
                r"EXEC pct exec \d+ .*cat",
                r"POST /cluster/ha/resources",
                r"EXEC pct exec \d+ .*curl",
                r"POST .*/snapshot$",
            )
        ):
            self.api.before(call, partial(self.move, PLACES[number % 2]))
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(self.api.traps, [], "some calls were never made")
        self.assertEqual(site.node, self.guest(site).node)
        self.assertEqual(len(self.cluster.tasks.of("vzcreate")), 1)
        self.assert_no_difference()

    def move(self, node: str) -> None:
        """HA takes it away, unless it is locked."""
        for vmid, guest in self.cluster.guests.items():
            if "lock" not in guest.config:
                self.cluster.move(vmid, node)


class MovedWhileActedOn(IndependentCase):
    """All acts of a live site."""

    plan = "premium"

    def test_the_link_of_a_login_is_made_where_the_container_is_now(self):
        """No job: the API asks while the customer waits."""
        self.api.before(r"EXEC pct exec \d+ .*login", partial(self.cluster.move, self.site.vmid, "node3"))
        self.assertTrue(self.good("/action/login")["url"].startswith("https://janedoe.nodepoint.eu/"))
        self.assertEqual(self.api.traps, [], "the call was never made")

    def test_each_act_finds_the_container_that_was_moved_just_before_a_call(self):
        backup = self.good("/action/mkbak")["backup"]
        for number, (path, body, call) in enumerate(self.acts(backup)):
            with self.subTest(path, call=call):
                node = PLACES[number % 2]
                self.api.traps.clear()
                self.api.before(call, partial(self.cluster.move, self.site.vmid, node))
                self.good(path, **body)
                self.assertEqual(self.api.traps, [], "the call was never made")
                self.assertEqual((self.guest(self.site).node, self.site.node), (node, node))
        self.assert_all_succeeded()
        self.assert_no_difference()

    def acts(self, backup: str) -> list[tuple[str, dict, str]]:
        """Paths, bodies, and the call before which it is moved."""
        return [
            ("/action/stop", {}, r"PUT /cluster/ha/resources/"),
            ("/action/start", {}, r"GET .*/status/current"),
            ("/action/restart", {}, r"POST .*/status/reboot"),
            ("/action/mkbak", {}, r"EXEC pct exec \d+ .*hold"),
            ("/action/mkbak", {}, r"POST .*/snapshot$"),
            ("/action/rollback", {"bak": backup}, r"POST .*/rollback$"),
            ("/action/rollback", {"bak": backup}, r"EXEC pct exec \d+ .*install"),
            ("/action/delbak", {"bak": backup}, r"DELETE .*/snapshot/"),
            ("/suspend", {}, r"PUT .*/config$"),
            ("/unsuspend", {}, r"PUT /cluster/ha/resources/"),
        ]

"""HA moves a container in the middle of whatever is done with it: it is followed. `pct exec` says so with
exit code 2."""

from functools import partial

from tests.independent.base import IndependentCase


class MovedDuringLogin(IndependentCase):
    """No job: the API asks while the customer waits."""

    plan = "basic"

    def test_the_link_is_made_where_the_container_is_now(self):
        self.api.before(r"EXEC pct exec \d+ .*login", partial(self.cluster.move, self.site.vmid, "node3"))
        self.assertTrue(self.good("/action/login")["url"].startswith("https://janedoe.nodepoint.eu/"))
        self.assertEqual(self.api.traps, [], "the call was never made")

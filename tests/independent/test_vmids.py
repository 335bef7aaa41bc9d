"""VMIDs that others have, also where the token does not see them."""

from tests.independent.base import IndependentCase


class TakenVmids(IndependentCase):
    """`nextid` and the creation know guests that the list hides."""

    def test_a_hidden_guest_is_passed_by_at_once(self):
        for vmid in (900, 901):
            self.cluster.stranger(vmid, hidden=True)
        site = self.order()
        began = self.clock.time
        self.run_for(40)
        site.refresh_from_db()
        self.assertEqual(site.vmid, 902, self.tale())
        (creation,) = [r for r in self.api.asked(r"POST /nodes/\w+/lxc$") if r.status == 200]
        self.assertLess(creation.at - began.timestamp(), 5)
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(self.cluster.guests[900].config["hostname"], "theirs")

    def test_one_that_comes_between_look_and_creation_is_passed_by_too(self):
        site = self.order()
        self.api.before(r"POST /nodes/\w+/lxc$", lambda: self.cluster.stranger(900, hidden=True))
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(site.vmid, 901)

    def test_a_guest_that_everybody_sees_is_no_trouble_either(self):
        self.cluster.stranger(900)
        site = self.live_site()
        self.assertEqual(site.vmid, 901)

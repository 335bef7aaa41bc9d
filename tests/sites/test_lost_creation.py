"""A container is made for the better part of a minute, in which it bears no mark."""

from sites.models import Site
from tests.base import on_one_database
from tests.sites.base import SiteTestCase, make_foreign

CREATE = "POST /api2/json/nodes/node1/lxc"


@on_one_database
class CreationTakesTimeTests(SiteTestCase):
    """The lab takes 0.2 s for what takes 45: the steps look at it in between."""

    def setUp(self) -> None:
        super().setUp()
        self.control("speed", factor=0.005)

    def test_a_creation_whose_answer_was_lost_is_found_and_waited_for(self):
        self.fault("proxmox", "drop_after", CREATE)
        site = self.create()
        self.run_jobs(most=5000)
        self.assert_live(site)
        self.assertEqual((site.vmid, self.creations()), (900, 1))

    def test_an_order_that_fails_meanwhile_leaves_no_container(self):
        self.fault("cloudflare", "refuse", "POST ", count=1000)
        site = self.create()
        self.run_jobs(most=5000)
        self.assertEqual(self.creations(), 1)
        self.assert_undone(site)

    def test_a_deletion_meanwhile_leaves_no_container(self):
        self.control("speed", factor=0.03)  # it still goes on when it is looked at, on a busy machine too
        for lost in (False, True):
            with self.subTest(answer_lost=lost):
                if lost:
                    self.fault("proxmox", "drop_after", CREATE)
                site = self.create()
                self.run_until(site, "container", calls=1)
                self.assertEqual(self.container(900)["lock"], "create")
                self.delete()
                self.run_jobs(most=5000)
                site.refresh_from_db()
                self.assertEqual(site.state, Site.State.DELETED, self.tale(site))
                self.assert_nothing_left()

    def test_somebody_elses_creation_with_our_vmid_is_left_alone(self):
        make_foreign(self, 900)
        site = self.create()
        self.assertEqual(site.vmid, 900)
        self.run_jobs(most=5000)
        site.refresh_from_db()
        self.assertEqual(site.vmid, 901)
        self.delete()
        self.run_jobs(most=5000)
        self.assertEqual([c["vmid"] for c in self.state()["proxmox"]["containers"]], [900])

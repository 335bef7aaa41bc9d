"""Whose container it is: a mark among people's notes is one, a container without it is not gone."""

from sites.models import Site
from tests.independent.base import IndependentCase


class NotesTests(IndependentCase):
    """The description is the Notes panel: people write there."""

    plan = "basic"

    def test_notes_around_the_mark_change_nothing_and_stay(self):
        mark = self.site.owner_mark
        for notes in (
            f"{mark}\nCustomer called on Monday.",
            f"# Jane's shop\n\n{mark}\n\nno reboots, please",
        ):
            with self.subTest(notes):
                self.cluster.write_notes(self.site.vmid, notes)
                self.good("/action/stop")
                self.good("/action/start")
                name = self.good("/action/mkbak")["backup"]
                self.good("/action/rollback", bak=name)
                self.good("/action/delbak", bak=name)
                self.assert_no_difference()
                self.assertEqual(self.guest(self.site).config["description"], notes)
        self.good("/wp/upgrade/", plan="standard")
        self.assertEqual(self.guest(self.site).config["description"], notes)
        self.assert_no_difference()

    def test_a_mark_inside_of_a_line_is_none(self):
        self.cluster.write_notes(self.site.vmid, f"was {self.site.owner_mark} once")
        self.assertNotEqual(self.act("/action/stop").status_code, 200)
        self.assertTrue(self.guest(self.site).running)


class StrangeMarks(IndependentCase):
    """A container that is not ours any more keeps its place."""

    plan = "basic"

    def strangers(self) -> dict[str, str]:
        """Notes of containers that are not ours."""
        return {"removed": "", "of another installation": f"nodepoint:0123456789ab:1001:{self.site.pk}"}

    def test_nothing_is_done_to_it_and_staff_see_it(self):
        for name, notes in self.strangers().items():
            with self.subTest(name):
                self.cluster.write_notes(self.site.vmid, notes)
                for path in ("/action/stop", "/action/mkbak", "/action/restart"):
                    answer = self.act(path)
                    self.assertNotEqual(answer.status_code, 200, path)
                self.assertTrue(self.guest(self.site).running)
                self.assertEqual(list(self.guest(self.site).snapshots), ["initial"])
                self.assertIn(f"container {self.site.vmid}", self.differences())

    def test_a_deletion_leaves_it_and_gives_its_place_to_nobody(self):
        for name, notes in self.strangers().items():
            with self.subTest(name):
                self.cluster.write_notes(self.site.vmid, notes)
        vmid, address = self.site.vmid, self.site.private_ip
        self.post("/delete-site", {"service_id": "1001"})
        self.run_for(150)
        self.assertIn(vmid, self.cluster.guests)
        self.assertTrue(self.cluster.guests[vmid].running)
        other = self.order(service_id="1002", email="other@example.com")
        self.run_for(150)
        other.refresh_from_db()
        self.assertEqual(other.state, Site.State.LIVE, self.tale())
        self.assertNotEqual((other.vmid, other.private_ip), (vmid, address))
        self.assertNotIn(other.private_ip, address)
        self.assertNotEqual(other.vmid, vmid)
        self.assertIn(f"container {vmid}", self.differences())

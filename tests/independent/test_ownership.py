"""Ours, not seen, gone: what our token may look at decides which of them can be said."""

from sites.models import Site
from tests.independent.base import IndependentCase


class NotSeen(IndependentCase):
    """Rights of the token change while a site stands."""

    plan = "basic"

    def delete(self) -> None:
        answer = self.post("/delete-site", {"service_id": "1001"})
        self.assertEqual(answer.status_code, 200, answer.content)

    def test_a_token_that_lost_its_right_to_look_frees_nothing_until_it_has_it_again(self):
        for path in ("/vms", "/pool/nodepoint"):
            self.cluster.permissions.revoke(path, "VM.Audit")
        self.assertIn("VM.Audit on it is missing", self.differences())
        self.delete()
        self.run_for(600)
        self.site.refresh_from_db()
        self.assertEqual((self.site.state, self.site.vmid), (Site.State.LIVE, 900), self.tale())
        self.assertTrue(self.guest(self.site).running)
        self.cluster.permissions.everything()
        self.run_jobs()
        self.site.refresh_from_db()
        self.assertEqual((self.site.state, self.site.vmid), (Site.State.DELETED, None), self.tale())
        self.assert_nothing_left()

    def test_rights_from_the_pool_go_with_the_container_and_it_is_gone_all_the_same(self):
        self.cluster.permissions.by_pool()
        self.good("/delete-site")
        self.site.refresh_from_db()
        self.assertEqual((self.site.state, self.site.vmid), (Site.State.DELETED, None), self.tale())
        self.assert_nothing_left()


class Notes(IndependentCase):
    """People write into the Notes panel."""

    plan = "basic"

    def test_notes_of_people_keep_nothing_from_being_done(self):
        guest = self.guest(self.site)
        guest.config["description"] = f"Ask Bob\n\n{self.site.owner_mark}\nmoved in May"
        self.assert_no_difference()
        self.good("/wp/upgrade", plan="standard")
        self.assertIn("Ask Bob", self.guest(self.site).config["description"])
        self.good("/delete-site")
        self.assert_nothing_left()

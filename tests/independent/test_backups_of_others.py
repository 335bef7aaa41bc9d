"""The cluster's own nightly backup: lock `backup`, and a snapshot `vzdump` in the way of ZFS. Both are waited
for."""

from tests.independent.base import IndependentCase


class NightlyBackup(IndependentCase):
    """A vzdump in snapshot mode that takes a minute."""

    plan = "basic"

    def test_what_is_asked_meanwhile_is_done_afterwards(self):
        name = self.good("/action/mkbak")["backup"]
        for path, body in self.acts(name):
            with self.subTest(path):
                self.cluster.backup_by_hand(self.site.vmid, 60)
                self.good(path, **body)
                self.assertNotIn("vzdump", self.guest(self.site).snapshots)
                self.clock.move(70)
        self.assert_all_succeeded()
        self.assert_no_difference()

    def acts(self, name: str) -> list[tuple[str, dict[str, str]]]:
        """Paths and bodies."""
        return [
            ("/action/rollback", {"bak": name}),
            ("/action/mkbak", {}),
            ("/action/stop", {}),
            ("/action/start", {}),
            ("/action/delbak", {"bak": name}),
            ("/suspend", {}),
            ("/unsuspend", {}),
            ("/wp/upgrade/", {"plan": "standard"}),
        ]


class NightlyBackupOnZfs(NightlyBackup):
    """ZFS goes back to the newest snapshot only, which is vzdump's for a while."""

    storage = "local-zfs"

    def acts(self, name: str) -> list[tuple[str, dict[str, str]]]:
        return super().acts(name)[:2]


class BackupsOnZfs(IndependentCase):
    """What the customer is told there."""

    plan, storage = "basic", "local-zfs"

    def test_newer_backups_stand_in_the_way_unless_they_may_go(self):
        name = self.good("/action/mkbak")["backup"]
        answer = self.act("/action/reset")
        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "backups_in_the_way"))
        self.assertIn(name, answer.json()["error"])
        self.assertTrue(self.guest(self.site).running)
        self.good("/action/reset", discard_backups=True)
        self.assertNotIn(name, self.guest(self.site).snapshots)
        self.assert_no_difference()

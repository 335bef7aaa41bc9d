"""A full storage is told in the storage's own words, in the task's exit status. It is refused at once: the
next try would find it as full."""

from tests.independent.base import IndependentCase

LVM = "lvcreate 'global-lvm/vm-900-disk-1' error:   "
WORDS = {
    "LVM": f'{LVM}Volume group "global" has insufficient free space (100 extents): 5120 required.',
    "thin pool": f"{LVM}Cannot create new thin volume, free space in thin pool pve/data reached threshold.",
    "ZFS": "zfs error: cannot create 'rpool/data/subvol-900-disk-1': out of space",
    "dir": "command 'mkfs.ext4 /var/lib/vz/images/900/vm-900-disk-1.raw' failed: No space left on device",
    "NFS": "unable to create image: Disk quota exceeded",
}


class FullStorages(IndependentCase):
    """Orders, and an upgrade."""

    def test_an_order_is_refused_at_its_first_try(self):
        for number, (storage, words) in enumerate(WORDS.items()):
            with self.subTest(storage):
                self.cluster.storages["global-lvm"].full = words
                before = len(self.cluster.tasks.of("vzcreate"))
                self.order(service_id=f"F{number}", email=f"f{number}@example.com")
                self.run_jobs()
                job = self.job("sites.provision")
                self.assertEqual(job.state, "rolled_back", self.tale())
                self.assertEqual(len(self.cluster.tasks.of("vzcreate")) - before, 1, job.detail)
                self.assertRegex(job.error.lower(), "storage|space|full", job.detail)
                self.assertIn(words[:20], job.detail)
                self.assertEqual(self.cluster.guests, {})


class FullStoragesOfLiveSites(IndependentCase):
    """What is refused leaves the site as it was."""

    plan = "basic"

    def test_an_upgrade_is_refused_and_the_site_goes_on(self):
        for storage, words in WORDS.items():
            with self.subTest(storage):
                self.cluster.storages["global-lvm"].full = words
                before = len(self.cluster.tasks.of("resize"))
                answer = self.act("/wp/upgrade/", plan="standard")
                self.assertEqual(answer.status_code, 500, answer.content)
                self.assertEqual(len(self.cluster.tasks.of("resize")) - before, 1, self.tale())
                self.assertEqual(self.guest(self.site).config["memory"], "2048")
                self.assertTrue(self.guest(self.site).running)

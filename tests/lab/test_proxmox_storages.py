"""Storages that are full: each kind says so in its own words, and some do not say it at all."""

from tests.lab.cluster import ClusterCase

NO_SPACE = "No space left on device"
THIN = "Cannot create new thin volume, free space in thin pool pve/data reached threshold."
FULL = {
    "global-lvm": "Could not create resource definition",
    "local-zfs": "zfs error: cannot create 'rpool/data/subvol-900-disk-0': out of space",
    "thin": f"lvcreate 'pve/vm-900-disk-0' error:   {THIN}",
    "thick": "not enough free space (1048576 < 20971520)",
    "ceph": f"rbd create 'vm-900-disk-0' error: rbd: create error: (28) {NO_SPACE}",
    "local": NO_SPACE,
    "share": NO_SPACE,
}
"""What the end of the task says, by storage; sources in docs/lab-sources.md."""


class FullTests(ClusterCase):
    def fill(self, storage: str, free: int = 0) -> None:
        self.assertEqual(200, self.control("POST", "storage", {"storage": storage, "free": free}).status_code)

    def test_a_creation_fails_in_the_words_of_the_storage_and_leaves_nothing(self) -> None:
        for storage, text in FULL.items():
            with self.subTest(storage):
                self.fill(storage, 1024**3)
                status = self.exitstatus(self.fork_create(rootfs=f"{storage}:20"))
                self.assertTrue(status.startswith("unable to create CT 900 - "), status)
                self.assertIn(text, status)
                self.assertNotIn("\n", status)
                self.assertEqual([], self.api.cluster.resources.get(type="vm"))

    def test_a_snapshot_of_it_fails_and_leaves_no_lock(self) -> None:
        texts = {
            "global-lvm": "cluster wide snapshot",
            "local-zfs": "out of space",
            "thin": THIN,
            "ceph": NO_SPACE,
        }
        for vmid, (storage, text) in enumerate(texts.items(), 900):
            with self.subTest(storage):
                ct = self.create(vmid, rootfs=f"{storage}:20")
                self.fill(storage)
                self.assertIn(text, self.exitstatus(ct.snapshot.post(snapname="initial")))
                self.assertNotIn("lock", ct.config.get())
                self.assertEqual(["current"], [entry["name"] for entry in ct.snapshot.get()])

    def test_only_some_refuse_to_grow(self) -> None:
        refusing = {"global-lvm": "Could not set size", "thick": "Insufficient free space", "thin": ""}
        for vmid, (storage, text) in enumerate(refusing.items(), 900):
            with self.subTest(storage):
                ct = self.create(vmid, rootfs=f"{storage}:20")
                self.fill(storage)
                status = self.exitstatus(ct.resize.put(disk="rootfs", size="40G"))
                self.assertIn(text or "OK", status)

    def test_what_is_left_is_told(self) -> None:
        self.fill("thin", 3 * 1024**3)
        self.assertEqual(3 * 1024**3, self.api.nodes("node1").storage("thin").status.get()["avail"])

    def test_a_storage_that_holds_no_containers_is_named_by_its_parameter(self) -> None:
        """pve-container 6.1.10, src/PVE/API2/LXC.pm:340-350 raises a parameter error."""
        for wrong in ({"storage": "nowhere", "free": 1}, {"storage": "thin", "free": "much"}):
            self.assertEqual(400, self.control("POST", "storage", wrong).status_code)

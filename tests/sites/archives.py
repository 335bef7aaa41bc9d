"""What the tests of archives share."""

from datetime import datetime, timedelta
from typing import Any

from django.test import override_settings
from django.utils import timezone

from sites.archives import nightly
from tests.sites.backups import BackupsCase


class ArchivesCase(BackupsCase):
    """A live site, and where its archives go."""

    kept_on = "nas"

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(override_settings(ARCHIVE_STORAGE=self.kept_on))

    def volumes(self, storage: str = "") -> list[dict[str, Any]]:
        """What lies on the storage."""
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            return cluster.volumes.content(
                "node1", cluster.storage(storage or self.kept_on), {"content": "backup"}
            )

    def listed(self) -> list[dict[str, Any]]:
        """GET /action/archives."""
        answer = self.get("/action/archives?service_id=1001")
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()["archives"]

    def tonight(self, *, days: int = 0) -> datetime:
        """A moment at which every site's turn has come."""
        return nightly.night().begins + nightly.SPREAD + timedelta(days=days)

    def foreign_volume(self, notes: str) -> str:
        """One that somebody else has made of the same VMID."""
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            values = {
                "vmid": "900",
                "storage": self.kept_on,
                "mode": "snapshot",
                "compress": "zstd",
                "remove": 0,
            }
            before = {entry["volid"] for entry in self.volumes()}
            cluster.backups.dump("node1", "root@pam", timezone.now().timestamp(), values)
            self.lab.world.settle()
            (volid,) = {entry["volid"] for entry in self.volumes()} - before
            cluster.volumes.update("node1", self.kept_on, volid, {"notes": notes})
        return volid

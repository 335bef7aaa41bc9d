"""A backup of the cluster's own is at work on the container, with the lock `backup` and the snapshot
`vzdump`: every act waits for its end and is then done, however long it takes."""

from django.utils import timezone

from nodepoint.jobs.models import Job
from sites.models import Site
from tests.base import on_one_database
from tests.sites.acts import SUSPENDED
from tests.sites.backups import BackupsCase

MINUTES = 15  # longer than the deadline of any of these acts


@on_one_database
class BackupAtWorkTests(BackupsCase):
    storage = "local-zfs"  # goes back to its newest snapshot alone, so that `vzdump` is in the way

    def backup_begins(self) -> None:
        """As `vzdump` in mode `snapshot` leaves the container while it writes the archive."""
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            container, now = cluster.containers[900], timezone.now().timestamp()
            cluster.snapshots.take(container, "vzdump", "vzdump backup snapshot", now)
            cluster.snapshots.commit(container, "vzdump", now)
            container.config["lock"] = "backup"

    def backup_ends(self) -> None:
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            container = cluster.containers[900]
            container.config.pop("lock")
            cluster.snapshots.remove(container, "vzdump")

    def assert_waits(self, path: str, status: int = 200, **body: str) -> None:
        """It is accepted, waits with a sentence that says for what, and is done in the end."""
        self.backup_begins()
        self.assertEqual(self.ask(path, **body).status_code, status)
        self.run_for(60 * MINUTES)
        job = Job.objects.filter(subject=self.site.key).latest("created_at")
        self.assertEqual(job.state, Job.State.WAITING, self.tale(self.site))
        self.assertIn("backup", next(step.error for step in job.steps.exclude(error="")))
        self.backup_ends()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.SUCCEEDED, self.tale(self.site))

    def test_backups_are_made_and_deleted_after_it(self) -> None:
        self.assert_waits("/action/mkbak")
        self.assertEqual(self.names(), [self.today(1)])
        self.assert_waits("/action/delbak", bak=self.today(1))
        self.assertEqual(self.names(), [])

    def test_a_rollback_and_a_reset_come_after_it(self) -> None:
        self.done("/action/mkbak")
        self.assert_waits("/action/rollback", bak=self.today(1))
        self.assertEqual(self.names(), [self.today(1)])
        self.done("/action/delbak", bak=self.today(1))
        self.assert_waits("/action/reset")
        self.assertEqual(self.snapshots(), ["initial"])

    def test_a_suspension_and_a_deletion_come_after_it(self) -> None:
        self.assert_waits("/suspend")
        self.assertEqual(self.places(self.site), SUSPENDED)
        self.backup_begins()
        self.assertEqual(self.delete().status_code, 200)
        self.run_for(60 * MINUTES)
        self.assertEqual(self.container(900)["vmid"], 900)
        self.backup_ends()
        self.run_jobs()
        self.site.refresh_from_db()
        self.assertEqual(self.site.state, Site.State.DELETED, self.tale(self.site))
        self.assert_nothing_left()

"""What the tests of backups share."""

from typing import Any

from django.test import override_settings
from django.utils import timezone

from nodepoint.jobs.models import Job
from sites.models import Site
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase

NOTE = "/root/note"  # a file in the container


class BackupsCase(ActsMixin, SiteTestCase):
    """A live site, 1001 on VMID 900, of this plan and on this storage."""

    plan = "basic"
    storage = "global-lvm"

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(override_settings(PROXMOX_STORAGE=self.storage))
        self.site = self.live_site(plan=self.plan)
        self.calls.clear()

    def done(self, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """POST that waits for its job; the body of the answer, which must have this status."""
        return self._answered(self.act(path, **body), status)

    def begun(self, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """POST that does not wait: its job is still to be carried out."""
        return self._answered(self.ask(path, **body), status)

    def refused(self, path: str, status: int, code: str, **body: Any) -> dict[str, Any]:
        """POST that is refused at once: no job is begun."""
        before = Job.objects.count()
        answer = self.assert_refused(self.ask(path, **body), status, code)
        self.assertEqual(Job.objects.count(), before)
        return answer

    def _answered(self, answer: Any, status: int) -> dict[str, Any]:
        self.assertEqual(answer.status_code, status, answer.content)
        return answer.json()

    def site_jobs(self, kind: str):
        """The jobs of this kind, the latest first."""
        return Job.objects.filter(subject=self.site.key, kind=kind).order_by("-created_at")

    def today(self, number: int) -> str:
        """The name of today's backup of this number."""
        return f"BAK{timezone.localdate():%d%m%Y}-{number}"

    def snapshots(self) -> list[str]:
        """The names of all snapshots, the oldest first."""
        return self.container(900)["snapshots"]

    def snapshot(self, name: str) -> dict[str, Any]:
        """The snapshot of the root file system in the lab."""
        return self.lab.guest._snapshots[f"900/{name}"]

    def getbak(self) -> dict[str, Any]:
        """GET /action/getbak."""
        answer = self.get("/action/getbak?service_id=1001")
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()

    def names(self) -> list[str]:
        """The names of the backups that it lists."""
        return [entry["name"] for entry in self.getbak()["backups"]]

    def foreign_snapshot(self, name: str) -> None:
        """One that staff made by hand."""
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            now = timezone.now().timestamp()
            cluster.snapshots.create(cluster.containers[900], "root@pam", now, name, "by hand")
            self.lab.world.settle()


class RollbackCase(BackupsCase):
    """Going back to a backup, seen by a file in the container."""

    def write(self, text: str) -> None:
        """A file of the customer's in the container."""
        with self.lab.lock:
            self.lab.guest._guests[900]["files"][NOTE] = text

    def read(self) -> str | None:
        return self.lab.guest._guests[900]["files"].get(NOTE)

    def kept(self, name: str) -> str | None:
        """What the file says in a snapshot."""
        return self.snapshot(name)["files"].get(NOTE)

    def backup(self, text: str = "then") -> str:
        """A backup in which the file says this; it says `now` afterwards."""
        self.write(text)
        name = self.done("/action/mkbak")["backup"]
        self.write("now")
        return name

    def verify(self, text: str | None, power: str = "running") -> None:
        """The container is as it was then, with the size and the address of now."""
        site = Site.objects.select_related("plan").get(pk=self.site.pk)
        self.assertEqual((self.read(), self.container(900)["status"]), (text, power), self.tale(site))
        config = self.config(900)
        self.assertEqual((config["memory"], config["cores"]), (site.plan.memory_mb, site.plan.cores))
        self.assertGreaterEqual(self.container(900)["disk"], site.plan.disk_gb)
        self.assertIn(f"ip={site.private_ip}/", config["net0"])
        self.assertEqual((config["description"].strip(), config.get("onboot")), (site.owner_mark, 1))
        self.assertNotIn("lock", config)
        self.assertEqual(site.power, power)

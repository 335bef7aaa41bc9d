"""What the tests of restoring share: a site, and an archive of it on the storage for archives."""

from typing import Any

from django.test import override_settings

from sites.archives.rows import Archive, new_name
from sites.connections import proxmox
from sites.models import Site
from tests.sites.backups import BackupsCase

STORAGE = "nas"
NOTE = "/root/note"
MB = 1 << 20


class ArchivedCase(BackupsCase):
    """A live site whose note says `old` in its archive, and `new` since."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(override_settings(ARCHIVE_STORAGE=STORAGE))
        self.note("old")
        self.archive = self.archived(self.site)
        self.note("new")
        self.calls.clear()

    def note(self, text: str) -> None:
        self.lab.guest._guests[self.vmid]["files"][NOTE] = text

    @property
    def vmid(self) -> int:
        return Site.objects.get(pk=self.site.pk).vmid

    def noted(self) -> str:
        """What stands in the site's container, whichever that is now."""
        return self.lab.guest._guests[self.vmid]["files"][NOTE]

    def archived(self, site: Site, **values: Any) -> Archive:
        """What the flow that makes archives leaves: a volume with our mark, and its row."""
        facts = {"site": site, "service_id": site.service_id, "plan": site.plan, "vmid": site.vmid}
        row = Archive.objects.create(
            **facts,
            name=new_name(),
            origin=Archive.Origin.CUSTOMER,
            storage=STORAGE,
            node=site.node,
            shared=True,
            disk_gb=site.plan.disk_gb,
            serves_as=site.serves_as,
            level=site.level,
            job_id="0" * 32,
        )
        task = proxmox().archive(site.node, site.vmid, STORAGE, row.notes)
        self.assertTrue(proxmox().task_status(task).ok)
        listed = proxmox().storage_content(site.node, STORAGE, content="backup", vmid=site.vmid)
        volume = next(volume for volume in listed if volume.notes.startswith(row.notes))
        values = {"state": Archive.State.READY, "volid": volume.volid, "made_at": site.created_at, **values}
        Archive.objects.filter(pk=row.pk).update(**values)
        row.refresh_from_db()
        return row

    def restored(self, state: str = "succeeded") -> Any:
        """The job of a restore that was asked for and carried out."""
        self.begun("/action/restore", archive=self.archive.name)
        self.run_jobs()
        job = self.site_jobs("sites.restore").first()
        self.assertEqual(job.state, state, self.tale(self.site))
        return job

    def assert_one_whole_site(self, note: str) -> None:
        """One container of the site's, running, with this in it; no second one."""
        site = Site.objects.get(pk=self.site.pk)
        self.assertEqual((site.state, site.other_vmid), (Site.State.LIVE, None), self.tale(site))
        self.assertEqual(self.noted(), note)
        ours = [c for c in self.state()["proxmox"]["containers"] if site.owner_mark in c["description"]]
        self.assertEqual([(c["vmid"], c["status"]) for c in ours], [(site.vmid, "running")])
        self.assertEqual(self.config(site.vmid)["net0"].count(f"ip={site.private_ip}/"), 1)

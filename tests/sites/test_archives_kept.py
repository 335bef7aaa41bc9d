"""What becomes of archives: held against their storages, shown to staff, kept of a site that is deleted."""

from datetime import timedelta
from unittest import mock

from django.contrib.auth import get_user_model
from django.core import mail
from django.test import override_settings
from django.utils import timezone

from lab.proxmox.state.files import path_of
from nodepoint import anonymity
from nodepoint.jobs import steering
from nodepoint.jobs.models import Job
from sites import checkup, tasks
from sites.archives import calendar, nightly
from sites.archives.rows import Archive, name_in
from sites.models import Site
from sites.reconcile import compare
from sites.steps import last_archive
from tests.sites.archives import ArchivesCase


class LookTests(ArchivesCase):
    """What the comparison and the doctor say of archives."""

    def found(self) -> list[tuple[str, str]]:
        Job.objects.update(finished_at=timezone.now() - timedelta(hours=1))
        report = compare()
        self.assertEqual([], report.unread)
        return [(finding.kind, finding.thing) for finding in report.findings]

    def test_a_row_without_archive_and_an_archive_without_row_are_told(self) -> None:
        first, second = (self.done("/action/mkarchive")["archive"] for _ in range(2))
        self.assertEqual([], self.found())
        volids = dict(Archive.objects.values_list("name", "volid"))
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            cluster.files.delete("node1", path_of(volids[first]))
        Archive.objects.filter(name=second).delete()
        missing, orphan = self.found()
        self.assertEqual(("missing", f"archive {first}"), missing)
        self.assertEqual(("orphan", f"archive {volids[second]}"), orphan)
        self.control("storage", storage="nas", online=0)
        self.assertEqual([], self.found(), "of a storage that is away nothing is said")

    def test_one_that_the_backup_server_found_damaged_is_told(self) -> None:
        with override_settings(ARCHIVE_STORAGE="pbs"):
            name = self.done("/action/mkarchive")["archive"]
            self.lab.proxmox.cluster.backups.spoil("node1", Archive.objects.get().volid)
            self.assertEqual([("differs", f"archive {name}")], self.found())

    def test_the_doctor_names_what_is_missing(self) -> None:
        self.assertEqual([], [line for line in checkup.proxmox(False) if "ARCHIVE" in line])
        self.control("storage", storage="nas", **{"prune-backups": "keep-last=3"})
        self.assertIn("nas keeps keep-last=3 by itself", " ".join(checkup.proxmox(False)))
        with override_settings(ARCHIVE_STORAGE="local"):
            self.assertIn("local is on each node by itself", " ".join(checkup.proxmox(False)))
        with override_settings(ARCHIVE_STORAGE="thin"):
            self.assertIn("thin may not hold backups", " ".join(checkup.proxmox(False)))
        every = self.lab.proxmox.cluster.access.permissions("/")
        rights = [name for name in every if name != "VM.Backup"]
        self.control("rights", rights={"/": rights})
        self.assertIn("VM.Backup on /vms", " ".join(checkup.proxmox(False)))

    def test_the_nights_are_shown_to_staff(self) -> None:
        Site.objects.update(live_at=timezone.now() - timedelta(days=3))
        nightly.begin_due(self.tonight())
        self.run_jobs()
        tonight, before, *_ = calendar.lines(3)
        self.assertEqual((1, 0, []), (tonight.made, tonight.missing, tonight.sites))
        self.assertEqual((0, 1, [self.site]), (before.made, before.missing, before.sites))
        self.client.force_login(get_user_model().objects.create_superuser("anna"))
        for path in ("/admin/sites/archive/nights/", "/admin/sites/archive/"):
            self.assertContains(self.client.get(path, follow=True), "1001")


class DeletionTests(ArchivesCase):
    """A deletion makes the last archive before the container goes, and keeps it for some days."""

    def test_the_last_archive_is_kept_and_ends_by_itself_with_the_personal_data(self) -> None:
        own = self.done("/action/mkarchive")["archive"]
        self.ask("/delete-site", keep_days=3)
        self.run_jobs()
        last, first = Archive.objects.order_by("-pk")
        self.assertEqual(("deletion", "ready", own), (last.origin, last.state, first.name))
        self.assertEqual(3, round((last.expires_at - timezone.now()) / timedelta(days=1)))
        self.assertEqual([], self.state()["proxmox"]["containers"])
        letter = mail.outbox[-1]
        self.assertIn("What is kept of your site 1001", letter.subject)
        self.assertIn(last.name, letter.body)
        (entry,) = [e for e in self.listed() if e["origin"] == "deletion"]
        self.assertIsNotNone(entry["expires_at"])

        self.assertLessEqual(first.expires_at, self.clock.time)
        Archive.objects.filter(pk=first.pk).update(expires_at=timezone.now())
        tasks.expire_archives()
        self.run_jobs()
        self.assertEqual([last.name], [name_in(volume["notes"]) for volume in self.volumes()])
        with self.assertRaises(anonymity.StillThere):
            anonymity.anonymise("1001")
        Archive.objects.filter(pk=last.pk).update(expires_at=timezone.now())
        tasks.expire_archives()
        self.run_jobs()
        self.assertEqual([], self.volumes())
        self.assertNotEqual(anonymity.NOBODY, Site.objects.get().email)
        tasks.expire_archives()
        self.assertEqual(anonymity.NOBODY, Site.objects.get().email)

    def test_none_is_made_where_none_is_wanted(self) -> None:
        self.done("/action/mkarchive")
        self.ask("/delete-site", keep_days=0)
        self.run_jobs()
        row = Archive.objects.get()
        self.assertEqual("customer", row.origin)
        self.assertLessEqual(row.expires_at, self.clock.time)
        self.assert_refused(self.ask("/delete-site", keep_days=-1), 400, "validation")

    def test_one_that_cannot_be_made_holds_the_deletion_up_and_keeps_the_container_stopped(self) -> None:
        self.enterContext(mock.patch.object(last_archive, "PATIENCE", timedelta(minutes=2)))
        self.control("storage", storage="nas", online=0)
        self.ask("/delete-site")
        self.run_for(60)
        self.assertEqual("running", self.container(900)["status"])
        self.run_for(120)
        job = Job.objects.get(kind="sites.terminate")
        step = job.steps.get(name="last_archive")
        self.assertEqual(("stopped", True), (self.container(900)["status"], job.alive))
        self.assertEqual(0, self.config(900).get("onboot", 0))
        self.assertIn("until staff decide", step.error)
        self.assertEqual([], self.state()["cloudflare"]["records"], "its names are gone meanwhile")
        with self.subTest("staff pass it over"):
            steering.skip(job.pk, step.name, "the customer has his own")
            self.run_jobs()
            self.assertEqual([], self.state()["proxmox"]["containers"])
            self.assertEqual("failed", Archive.objects.get().state)

    def test_where_nothing_of_ours_stands_there_is_nothing_to_keep(self) -> None:
        self.lab.proxmox.cluster.containers[900].config["description"] = "not yours any more"
        self.ask("/delete-site")
        self.run_jobs()
        self.assertEqual(("failed", []), (Archive.objects.get().state, self.volumes()))
        self.assertEqual("deleted", Site.objects.get().state)

    def test_it_goes_on_by_itself_once_the_storage_is_back(self) -> None:
        self.enterContext(mock.patch.object(last_archive, "PATIENCE", timedelta(minutes=2)))
        self.control("storage", storage="nas", online=0)
        self.ask("/delete-site")
        self.run_for(200)
        self.control("storage", storage="nas", online=1)
        self.run_jobs()
        self.assertEqual((1, []), (len(self.volumes()), self.state()["proxmox"]["containers"]))

    def test_a_deletion_amid_an_archive_ends_it_cleanly(self) -> None:
        self.begun("/action/mkarchive")
        self.lab.clock.factor = 1
        self.run_calls(2)
        self.assertEqual("backup", self.config(900)["lock"])
        self.ask("/delete-site", keep_days=0)
        self.lab.clock.factor = 0
        self.lab.world.settle(timezone.now().timestamp() + 60)
        self.run_jobs()
        self.assertEqual([], self.state()["proxmox"]["containers"])

"""Archives: made when a customer asks and every night, kept as the plan says, deleted when they are not
wanted any more; at a storage of their own, and never anybody else's."""

from datetime import timedelta

from django.core import mail
from django.test import override_settings
from django.utils import timezone

from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from nodepoint.notices.models import STAFF
from sites.archives import nightly
from sites.archives.rows import Archive, name_in
from sites.models import Plan, Site
from sites.services import archives as services
from tests.sites.archives import ArchivesCase


class AskedForTests(ArchivesCase):
    def test_one_is_made_listed_and_deleted(self) -> None:
        made = self.done("/action/mkarchive")
        self.assertEqual("1/7", made["quota"])
        (volume,) = self.volumes()
        self.assertEqual(
            (f"{self.site.owner_mark} {made['archive']}", 900), (volume["notes"], volume["vmid"])
        )
        (entry,) = self.listed()
        self.assertEqual(
            (made["archive"], "customer", "ready", None),
            tuple(entry[name] for name in ("name", "origin", "status", "expires_at")),
        )
        self.assertGreater(entry["size_mb"], 100)
        row = Archive.objects.get()
        self.assertEqual(
            (volume["volid"], "nas", True, 20), (row.volid, row.storage, row.shared, row.disk_gb)
        )
        self.assertEqual("running", self.container(900)["status"])
        self.assertEqual([], self.snapshots_without_first())
        self.assertIn("is ready", mail.outbox[-1].subject)
        self.assertIn(made["archive"], mail.outbox[-1].body)

        theirs = self.foreign_volume("mine")
        self.assertEqual("0/7", self.done("/action/delarchive", archive=made["archive"])["quota"])
        self.assertEqual([theirs], [volume["volid"] for volume in self.volumes()])
        self.assertEqual([], self.listed())
        self.refused("/action/delarchive", 404, "not_found", archive=made["archive"])

    def snapshots_without_first(self) -> list[str]:
        return [name for name in self.snapshots() if name != "initial"]

    def test_what_is_refused_at_once(self) -> None:
        with override_settings(ARCHIVE_STORAGE=""):
            self.refused("/action/mkarchive", 409, "wrong_state")
        Plan.objects.update(archives_daily=1)
        self.done("/action/mkarchive")
        refusal = self.refused("/action/mkarchive", 409, "quota_exceeded")
        self.assertEqual("1 of 1 archives exist. Delete one to make another.", refusal["error"])
        Archive.objects.update(protected=True)
        self.refused("/action/delarchive", 409, "protected", archive=Archive.objects.get().name)
        self.refused("/action/delarchive", 404, "not_found", archive="ARC01012026-abcdef")
        Site.objects.update(suspended_at=timezone.now())
        self.assert_refused(self.ask("/action/mkarchive"), 401, "service_suspended")

    def test_a_storage_that_cannot_take_it_leaves_nothing_and_is_told(self) -> None:
        self.control("storage", storage="nas", free=10)
        answer = self.done("/action/mkarchive", 500)
        self.assertIn("no room left", answer["error"])
        self.assertEqual([], self.volumes())
        self.assertNotIn("lock", self.config(900))
        self.assertEqual(("failed", []), (Archive.objects.get().state, self.listed()))
        self.assertTrue(any("could not be made" in letter.subject for letter in mail.outbox))
        self.control("storage", storage="nas", free=10**12)
        self.done("/action/mkarchive")

    def test_a_lost_answer_makes_no_second_one(self) -> None:
        self.fault("proxmox", "drop_after", match="POST /api2/json/nodes/node1/vzdump")
        self.done("/action/mkarchive")
        self.assertEqual(1, len(self.volumes()))

    def test_one_that_proxmox_could_not_note_is_found_by_its_time(self) -> None:
        self.begun("/action/mkarchive")
        notes = self.lab.proxmox.cluster.backups._note
        self.lab.proxmox.cluster.backups._note = lambda *args: None
        self.run_jobs()
        self.lab.proxmox.cluster.backups._note = notes
        (volume,) = self.volumes()
        self.assertEqual(Archive.objects.get().notes, volume["notes"])
        self.assertEqual(["ready"], [entry["status"] for entry in self.listed()])

    def test_what_is_not_ours_any_more_is_not_deleted(self) -> None:
        name = self.done("/action/mkarchive")["archive"]
        (volume,) = self.volumes()
        self.lab.proxmox.cluster.volumes.update(
            "node1", "nas", volume["volid"], {"notes": "kept for the court"}
        )
        self.done("/action/delarchive", archive=name)
        self.assertEqual(1, len(self.volumes()))
        self.assertEqual("missing", Archive.objects.get().state)

    def test_one_that_people_protect_stays_and_says_so(self) -> None:
        name = self.done("/action/mkarchive")["archive"]
        (volume,) = self.volumes()
        self.lab.proxmox.cluster.volumes.update("node1", "nas", volume["volid"], {"protected": 1})
        answer = self.done("/action/delarchive", 500, archive=name)
        self.assertIn("protected", answer["error"])
        self.assertEqual(["ready"], [entry["status"] for entry in self.listed()])
        self.refused("/action/delarchive", 409, "protected", archive=name)


class OnABackupServerTests(ArchivesCase):
    kept_on = "pbs"

    def test_one_is_made_and_deleted(self) -> None:
        name = self.done("/action/mkarchive")["archive"]
        self.assertRegex(Archive.objects.get().volid, r"^pbs:backup/ct/900/.*Z$")
        self.done("/action/delarchive", archive=name)
        self.assertEqual([], self.volumes())


class NightTests(ArchivesCase):
    def nightly(self, days: int = 0) -> int:
        """What one look begins, carried out."""
        begun = nightly.begin_due(self.tonight(days=days))
        self.run_jobs()
        return begun

    def test_each_site_has_one_a_night_whoever_looks(self) -> None:
        now = self.tonight()
        self.assertEqual([1, 0], [nightly.begin_due(now), nightly.begin_due(now)])
        self.run_jobs()
        self.assertEqual((0, 1), (nightly.begin_due(now), len(self.volumes())))
        (entry,) = self.listed()
        self.assertEqual(("schedule", "ready"), (entry["origin"], entry["status"]))
        answer = self.get("/action/archives?service_id=1001").json()
        self.assertEqual(
            ("daily", "7 daily, 4 weekly", "0/7"), tuple(answer[k] for k in ("schedule", "kept", "quota"))
        )
        self.assertGreater(answer["next_at"], timezone.now().isoformat()[:10])
        self.assertEqual(1, self.nightly(days=1))
        self.assertEqual(2, len(self.volumes()))

    def test_a_turn_that_another_host_has_taken_is_passed_over(self) -> None:
        now = self.tonight()
        turn = f"{self.site.pk}:{nightly.night(now).date:%Y%m%d}:1"
        values = nightly.described(Site.objects.select_related("plan").get())
        Archive.objects.create(**values, origin="schedule", turn=turn, job_id="x")
        before = Job.objects.count()
        self.assertEqual((0, before), (nightly.begin_due(now), Job.objects.count()))

    def test_older_ones_go_when_a_new_one_is_there(self) -> None:
        Plan.objects.update(archives_daily=2, archives_weekly=0)
        own = self.done("/action/mkarchive")["archive"]
        for day in range(4):
            self.nightly(days=day)
        nights = [
            row.night for row in Archive.objects.filter(state="ready", origin="schedule").order_by("night")
        ]
        self.assertEqual([self.tonight(days=day).date() for day in (2, 3)], nights)
        self.assertEqual(3, len(self.volumes()))
        self.assertIn(own, [entry["name"] for entry in self.listed()])

    def test_one_that_fails_is_tried_again_later_and_told_once(self) -> None:
        self.control("storage", storage="nas", free=10)
        now = self.tonight()
        self.assertEqual(1, self.nightly())
        failed = Archive.objects.get()
        self.assertEqual("failed", failed.state)
        self.assertEqual(1, Job.objects.filter(kind=STAFF).count())
        Archive.objects.update(created_at=now)
        self.assertEqual(0, nightly.begin_due(now + timedelta(minutes=14)))
        self.assertEqual(1, nightly.begin_due(now + timedelta(minutes=16)))
        self.run_jobs()
        self.assertEqual(1, Job.objects.filter(kind=STAFF).count())
        self.control("storage", storage="nas", free=10**12)
        Archive.objects.update(created_at=now)
        self.assertEqual(1, nightly.begin_due(now + timedelta(hours=2)))
        self.run_jobs()
        self.assertEqual(1, len(self.volumes()))

    def test_who_asks_for_something_meanwhile_stands_in_line(self) -> None:
        nightly.begin_due(self.tonight())
        self.begun("/action/stop")
        self.run_jobs()
        self.assertEqual(("stopped", 1), (self.container(900)["status"], len(self.volumes())))

    def test_none_is_begun_where_nothing_is_to_be_archived(self) -> None:
        now = self.tonight()
        with override_settings(ARCHIVE_STORAGE=""):
            self.assertEqual(0, nightly.begin_due(now))
        Plan.objects.update(archives_daily=0, archives_weekly=0)
        self.assertEqual(0, nightly.begin_due(now))
        self.assertEqual("none", self.get("/action/archives?service_id=1001").json()["schedule"])

    def test_another_backup_on_the_node_is_waited_for(self) -> None:
        self.lab.clock.factor = 0.04
        self.foreign = self.lab.proxmox.cluster.tasks.fork(
            "node1",
            "vzdump",
            999,
            "root@pam",
            "backup",
            timezone.now().timestamp(),
            options={"storage": "nas"},
        )
        self.lab.clock.factor = 0
        self.assertTrue(self.done("/action/mkarchive")["success"])


class ExpiryTests(ArchivesCase):
    def test_one_whose_time_is_over_goes_by_itself_unless_it_is_protected(self) -> None:
        names = [self.done("/action/mkarchive")["archive"] for _ in range(2)]
        Archive.objects.update(expires_at=timezone.now())
        Archive.objects.filter(name=names[1]).update(protected=True)
        self.assertEqual([1, 0], [services.expire_archives(), services.expire_archives()])
        self.run_jobs()
        self.assertEqual([names[1]], [name_in(volume["notes"]) for volume in self.volumes()])

    def test_nothing_goes_while_a_restored_database_is_open(self) -> None:
        self.done("/action/mkarchive")
        Archive.objects.update(expires_at=timezone.now())
        Restoration.objects.create()
        self.assertEqual((0, 0), (services.expire_archives(), services.forget_owners()))
        self.assertEqual(0, nightly.begin_due(self.tonight()))

    def test_what_a_cancelled_job_has_left_is_deleted_a_day_later(self) -> None:
        self.done("/action/mkarchive")
        for name in ("begun", "never begun"):
            with self.subTest(name):
                Archive.objects.update(state="creating", created_at=timezone.now() - timedelta(hours=23))
                self.assertEqual(0, services.expire_archives())
                Archive.objects.update(created_at=timezone.now() - timedelta(hours=25))
                self.assertEqual(1, services.expire_archives())
                self.run_jobs()
                self.assertEqual([], self.volumes())
                Archive.objects.update(node="")
        self.assertEqual("failed", Archive.objects.get().state)

"""Archives: made when a customer asks and every night, kept as the plan says, deleted when they are not
wanted any more; at a storage of their own, and never anybody else's."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.contrib.auth import get_user_model
from django.core import mail
from django.test import SimpleTestCase, override_settings
from django.utils import timezone

from lab.clock import SECONDS
from lab.proxmox.state.files import path_of
from nodepoint import anonymity
from nodepoint.jobs import steering
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from nodepoint.notices.models import STAFF
from sites import checkup, tasks
from sites.archives import calendar, nightly, retention
from sites.archives.rows import Archive, mark_in, name_in
from sites.models import Plan, Site
from sites.reconcile import compare
from sites.services import archives as services
from sites.steps import last_archive
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


def archive(day: int, **more: Any) -> Any:
    """A row as far as retention looks at it; `day` of October 2026."""
    made = datetime(2026, 10, 1, 3, tzinfo=UTC) + timedelta(days=day - 1)
    values = {"night": made.date(), "made_at": made, "origin": "schedule", "protected": False} | more
    return SimpleNamespace(**values, __repr__=lambda self: str(self.night))


class RetentionTests(SimpleTestCase):
    def gone(self, rows: list[Any], daily: int, weekly: int) -> list[int]:
        return [row.night.day for row in retention.superseded(rows, daily, weekly)]

    def test_nights_and_weeks_are_kept(self) -> None:
        month = [archive(day) for day in range(1, 32)]  # 1 October 2026 is a Thursday
        kept = {row.night.day for row in month} - set(self.gone(month, 7, 4))
        self.assertEqual({25, 26, 27, 28, 29, 30, 31, 18, 11, 4}, kept)

    def test_the_last_good_one_stays_whatever_the_numbers_say(self) -> None:
        self.assertEqual([1, 2], self.gone([archive(1), archive(2), archive(3)], 0, 0))
        self.assertEqual([], self.gone([archive(1)], 0, 0))

    def test_gaps_cost_nothing(self) -> None:
        self.assertEqual([], self.gone([archive(1), archive(12), archive(30)], 2, 2))

    def test_only_what_the_schedule_has_made_and_nobody_protects_goes(self) -> None:
        rows = [archive(1, origin="customer"), archive(2, protected=True), archive(3, origin="deletion")]
        self.assertEqual([4], self.gone([*rows, archive(4), archive(5)], 1, 0))


class ScheduleTests(SimpleTestCase):
    @override_settings(ARCHIVE_HOUR=2, TIME_ZONE="UTC", ARCHIVE_STORAGE="nas")
    def test_500_sites_are_through_in_six_hours(self) -> None:
        """By the schedule's own minutes, and the lab's durations: one at work on a node, four in all, and no
        more begun in a minute than stand in line."""
        seconds, nodes = max(SECONDS["backup"] + 2, 60 / nightly.IN_LINE), 3
        this = nightly.night(datetime(2026, 10, 1, 12, tzinfo=UTC))
        due = sorted(nightly.minute_of(SimpleNamespace(pk=pk), this) for pk in range(1, 501))
        free = [this.begins] * min(nodes, 4)
        for moment in due:
            free.sort()
            free[0] = max(free[0], moment) + timedelta(seconds=seconds)
        self.assertLess(max(free) - this.begins, nightly.WINDOW)
        alone = this.begins
        for moment in due:
            alone = max(alone, moment) + timedelta(seconds=seconds)
        self.assertLess(alone - this.begins, nightly.WINDOW, "even on one node")

    def test_a_night_begins_at_its_hour(self) -> None:
        with override_settings(ARCHIVE_HOUR=2, TIME_ZONE="UTC"):
            for hour, day in ((1, 30), (3, 1)):
                self.assertEqual(day, nightly.night(datetime(2026, 10, 1, hour, tzinfo=UTC)).date.day)

    def test_weekly_ones_are_due_once_a_week(self) -> None:
        monday, sunday = date(2026, 10, 5), date(2026, 10, 11)
        self.assertTrue(nightly._served("weekly", monday, sunday))
        self.assertFalse(nightly._served("weekly", monday, sunday + timedelta(days=1)))
        self.assertFalse(nightly._served("daily", monday, sunday))


class NotesTests(SimpleTestCase):
    def test_mark_and_name_are_found_whatever_people_write_beside(self) -> None:
        mark = "nodepoint:here:1001:7"
        for notes, name in (
            (f"{mark} ARC30112026-abcdef", "ARC30112026-abcdef"),
            (f"{mark} ARC30112026-abcdef before the move", "ARC30112026-abcdef"),
            (f"before the move\n{mark}", ""),
            ("nothing of ours", ""),
        ):
            with self.subTest(notes):
                self.assertEqual(
                    (mark if "nodepoint" in notes else "", name), (mark_in(notes), name_in(notes))
                )

"""getbak, mkbak, delbak: snapshots of the customer's, their names, their quota."""

from datetime import datetime, timedelta
from unittest import mock

from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nodepoint.jobs.models import Job
from sites.models import Backup, Plan, Site
from tests.factories import SiteFactory
from tests.sites.acts import ActsMixin
from tests.sites.backups import BackupsCase
from tests.sites.base import SiteTransactionTestCase, at_once
from tests.sites.faults import PASSING

BAD_NAMES = [None, "", " ", True, [], {}, ["initial"], "x" * 65]
UNKNOWN = ["BAK01012020-1", "bak", "current", "../initial", "Initial", "initial ; reboot", "ü", 7, "a/b"]


class MakeBackupTests(BackupsCase):
    def test_it_is_a_snapshot_with_our_mark_while_the_database_was_held(self):
        answer = self.done("/action/mkbak")
        self.assertEqual(answer, {"success": True, "backup": self.today(1), "quota": "1/2"})
        self.assertEqual(self.snapshots(), ["initial", self.today(1)])
        made = self.lab.proxmox.cluster.containers[900].snapshots[self.today(1)]
        self.assertEqual(made["description"], f"{self.site.owner_mark}\n")
        self.assertTrue(self.snapshot(self.today(1))["consistent"])
        self.assertNotIn("held_until", self.lab.guest._guests[900], "released at once")

    def test_getbak_lists_the_newest_first_without_the_first_snapshot(self):
        self.assertEqual(
            self.getbak(), {"success": True, "backups": [], "quota": "0/2", "used": 0, "allowed": 2}
        )
        self.done("/action/mkbak")
        self.done("/action/mkbak")
        answer = self.getbak()
        self.assertEqual([b["name"] for b in answer["backups"]], [self.today(2), self.today(1)])
        self.assertEqual({b["status"] for b in answer["backups"]}, {"ready"})
        self.assertEqual((answer["quota"], answer["used"], answer["allowed"]), ("2/2", 2, 2))
        created = datetime.fromisoformat(answer["backups"][0]["created_at"])
        self.assertLess(abs(timezone.now() - created), timedelta(minutes=5))
        status = self.get("/status?service_id=1001").json()
        self.assertEqual(status["backups"], {"used": 2, "allowed": 2})

    def test_it_counts_and_shows_from_the_answer_on(self):
        answer = self.begun("/action/mkbak")
        self.assertEqual(
            (answer["state"], answer["backup"], answer["quota"]), ("running", self.today(1), "1/2")
        )
        self.assertEqual(answer["job"]["kind"], "sites.backup")
        self.assertEqual(self.getbak()["backups"][0]["status"], "creating")
        self.run_jobs()
        self.assertEqual(self.getbak()["backups"][0]["status"], "ready")

    def test_no_more_than_the_quota(self):
        for _ in range(2):
            self.done("/action/mkbak")
        answer = self.refused("/action/mkbak", 409, "quota_exceeded")
        self.assertIn("2 of 2 backups", answer["error"])
        self.assertEqual(len(self.snapshots()), 3)
        Site.objects.update(backup_quota=3)  # staff's word for this site goes before the plan's
        self.assertEqual(self.done("/action/mkbak")["quota"], "3/3")
        Site.objects.update(backup_quota=0)
        self.refused("/action/mkbak", 409, "quota_exceeded")
        self.assertEqual(self.getbak()["quota"], "3/0")

    def test_a_name_is_never_given_twice(self):
        self.done("/action/mkbak")
        self.done("/action/mkbak")
        self.done("/action/delbak", bak=self.today(2))
        self.assertEqual(self.done("/action/mkbak")["backup"], self.today(3))
        self.done("/action/delbak", bak=self.today(1))
        self.assertEqual(self.done("/action/mkbak")["backup"], self.today(4))
        self.assertEqual(self.names(), [self.today(4), self.today(3)])

    @override_settings(TIME_ZONE="Pacific/Auckland")
    def test_the_day_is_that_of_the_time_zone(self):
        late = datetime.fromisoformat("2026-11-25T23:30:00+00:00")
        with mock.patch("django.utils.timezone.now", return_value=late):
            self.assertEqual(self.begun("/action/mkbak")["backup"], "BAK26112026-1")

    def test_another_site_counts_for_itself(self):
        self.live_site(service_id="1002", email="other@example.com")
        self.done("/action/mkbak")
        answer = self.done("/action/mkbak", service_id="1002")
        self.assertEqual((answer["backup"], answer["quota"]), (self.today(1), "1/2"))

    def test_a_stopped_site_too(self):
        self.done("/action/stop")
        self.assertEqual(self.done("/action/mkbak")["quota"], "1/2")
        self.assertFalse(self.snapshot(self.today(1))["consistent"])
        self.assertIn("not running", self.step(self.site, "snapshot", "sites.backup").detail)

    def test_a_console_that_is_away_does_not_keep_it_from_being_made(self):
        for kind in ("refuse", "drop_before", "hang"):
            with self.subTest(kind):
                self.fault("ssh", kind, "bash -s", count=100, seconds=0.1)
                name = self.done("/action/mkbak")["backup"]
                self.clear_faults()
                self.assertFalse(self.snapshot(name)["consistent"])
                self.done("/action/delbak", bak=name)

    def test_the_number_of_remote_calls(self):
        self.done("/action/mkbak")
        # config, snapshots, POST, task, config, snapshots; held and released once.
        self.assertEqual(dict(self.counts()), {"proxmox": 6, "ssh": 2}, self.calls)

    def test_queries_do_not_grow_with_the_number_of_backups(self):
        Site.objects.update(backup_quota=50)

        def queries() -> int:
            with CaptureQueriesContext(connection) as context:
                self.getbak()
            return len(context.captured_queries)

        self.getbak()
        before = queries()
        for number in range(20):
            self.site.backups.create(name=f"BAK01012020-{number}", state="ready", job_id="x")
        self.assertEqual(queries(), before)
        self.assertLessEqual(before, 4)


class RefusalTests(BackupsCase):
    PATHS = ("/action/mkbak", "/action/delbak", "/action/rollback", "/action/reset")

    def test_a_service_that_is_not_there(self):
        for path in self.PATHS:
            self.refused(path, 404, "not_found", service_id="nope", bak="initial")
        self.assertEqual(self.get("/action/getbak?service_id=nope").status_code, 404)
        self.assertEqual(self.get("/action/getbak").status_code, 400)

    def test_a_service_that_is_no_name(self):
        for path in self.PATHS:
            answer = self.refused(path, 400, "validation", service_id="a b", bak="initial")
            self.assertIn("service_id", answer["fields"])

    def test_a_suspended_site(self):
        Site.objects.update(suspended_at=timezone.now())
        for path in self.PATHS:
            self.refused(path, 401, "service_suspended", bak="initial")
        self.assertEqual(self.getbak()["used"], 0)

    def test_a_site_that_is_not_live(self):
        SiteFactory(service_id="new", provisioning=True)
        SiteFactory(service_id="leaving", deleting=True)
        SiteFactory(service_id="lost", failed=True)
        for service in ("new", "leaving", "lost"):
            for path in self.PATHS:
                with self.subTest(service=service, path=path):
                    self.refused(path, 409, "wrong_state", service_id=service, bak="initial")

    def test_names_that_are_no_names(self):
        for path in ("/action/delbak", "/action/rollback"):
            answer = self.refused(path, 400, "validation")
            self.assertIn("bak", answer["fields"])
            for name in BAD_NAMES:
                with self.subTest(path=path, bak=name):
                    self.assertIn("bak", self.refused(path, 400, "validation", bak=name)["fields"])

    def test_names_that_are_unknown(self):
        for path in ("/action/delbak", "/action/rollback"):
            for name in UNKNOWN:
                with self.subTest(path=path, bak=name):
                    self.refused(path, 404, "not_found", bak=name)
        self.assertEqual(self.calls, [])

    def test_another_sites_backup(self):
        self.live_site(service_id="1002", email="other@example.com")
        self.site.backups.create(name="BAK01012020-1", state="ready", job_id="x")
        for path in ("/action/delbak", "/action/rollback"):
            self.refused(path, 404, "not_found", service_id="1002", bak="BAK01012020-1")

    def test_a_wish_to_discard_that_is_none(self):
        for path in ("/action/rollback", "/action/reset"):
            for wish in ("maybe", [], {}, 2, None):
                with self.subTest(path=path, wish=wish):
                    answer = self.refused(path, 400, "validation", bak="initial", discard_backups=wish)
                    self.assertIn("discard_backups", answer["fields"])

    def test_while_another_job_runs(self):
        Site.objects.update(backup_quota=3)
        self.done("/action/mkbak")
        self.begun("/action/mkbak")
        for path in self.PATHS:
            answer = self.refused(path, 409, "busy", bak=self.today(1))
            self.assertIn("Make backup", answer["error"])


class DeleteBackupTests(BackupsCase):
    def test_the_snapshot_goes_and_the_quota_is_free(self):
        self.done("/action/mkbak")
        answer = self.done("/action/delbak", bak=self.today(1))
        self.assertEqual(answer, {"success": True, "quota": "0/2"})
        self.assertEqual((self.snapshots(), self.names()), (["initial"], []))
        self.refused("/action/delbak", 404, "not_found", bak=self.today(1))
        self.refused("/action/rollback", 404, "not_found", bak=self.today(1))

    def test_it_counts_until_it_is_gone(self):
        self.done("/action/mkbak")
        answer = self.begun("/action/delbak", bak=self.today(1))
        self.assertEqual((answer["state"], answer["quota"]), ("running", "1/2"))
        self.assertEqual(self.getbak()["backups"][0]["status"], "deleting")
        self.run_jobs()
        self.assertEqual(self.names(), [])

    def test_the_first_snapshot_is_protected(self):
        self.refused("/action/delbak", 409, "protected", bak="initial")
        self.assertEqual(self.snapshots(), ["initial"])

    def test_one_in_the_middle(self):
        Site.objects.update(backup_quota=3)
        for _ in range(3):
            self.done("/action/mkbak")
        self.done("/action/delbak", bak=self.today(2))
        self.assertEqual(self.snapshots(), ["initial", self.today(1), self.today(3)])

    def test_a_snapshot_that_is_gone_already(self):
        self.done("/action/mkbak")
        del self.lab.proxmox.cluster.containers[900].snapshots[self.today(1)]
        self.assertEqual(self.done("/action/delbak", bak=self.today(1))["quota"], "0/2")

    def test_a_snapshot_that_lost_our_mark_is_left_alone(self):
        self.done("/action/mkbak")
        self.lab.proxmox.cluster.containers[900].snapshots[self.today(1)]["description"] = "kept by staff"
        self.assertEqual(self.done("/action/delbak", bak=self.today(1))["quota"], "0/2")
        self.assertIn(self.today(1), self.snapshots())
        self.assertIn("Left alone", self.step(self.site, "snapshot_gone", "sites.delete_backup").detail)


class FailureTests(BackupsCase):
    """After ten minutes a backup is given up: nothing of it is left, its place is free, its name is not."""

    def test_a_node_that_stays_away(self):
        self.control("node", node="node1", up=False)
        name = self.begun("/action/mkbak")["backup"]
        self.run_for(700)
        self.control("node", node="node1", up=True)
        self.run_jobs()
        job = self.job(self.site, "sites.backup")
        self.assertEqual(job.state, "rolled_back", self.tale(self.site))
        self.assert_readable(job.error)
        self.assertEqual((self.getbak()["quota"], self.snapshots()), ("0/2", ["initial"]))
        self.assertEqual(Backup.objects.get(name=name).state, "failed")
        self.assertEqual(self.done("/action/mkbak")["backup"], self.today(2))

    def test_a_refusal_is_told_to_the_caller(self):
        self.fault("proxmox", "refuse", "POST /api2/json/nodes/node1/lxc/900/snapshot", count=100)
        answer = self.done("/action/mkbak", status=500)
        self.assertEqual(answer["code"], "infrastructure")
        self.assert_readable(answer["error"])
        self.assertEqual(self.getbak()["quota"], "0/2")

    def test_each_call_that_fails_once(self):
        lxc = "/api2/json/nodes/node1/lxc/900"
        calls = [f"GET {lxc}/config", f"GET {lxc}/snapshot", f"POST {lxc}/snapshot", ":vzsnapshot:"]
        calls += [f"DELETE {lxc}/snapshot", ":vzdelsnapshot:"]
        for kind in PASSING:
            with self.subTest(kind):
                for match in calls:
                    if kind != "drop_after" or not match.startswith(":"):
                        self.fault("proxmox", kind, match, seconds=0.02)
                name = self.done("/action/mkbak")["backup"]
                self.assertEqual(self.snapshots(), ["initial", name])
                self.assertEqual(self.done("/action/delbak", bak=name)["quota"], "0/2")
                self.assertEqual(self.snapshots(), ["initial"])
                self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")

    def test_a_deletion_that_fails_leaves_the_backup(self):
        self.done("/action/mkbak")
        self.fault("proxmox", "refuse", "DELETE /api2/json/nodes/node1/lxc/900/snapshot", count=100)
        self.done("/action/delbak", status=500, bak=self.today(1))
        self.clear_faults()
        self.assertEqual(self.getbak()["backups"][0]["status"], "ready")
        self.assertEqual(self.done("/action/delbak", bak=self.today(1))["quota"], "0/2")

    def test_a_locked_container_is_waited_for_without_holding_its_database(self):
        self.lab.proxmox.cluster.containers[900].config["lock"] = "backup"
        self.begun("/action/mkbak")
        self.run_for(120)
        self.assertEqual(self.job(self.site, "sites.backup").state, "waiting")
        self.assertEqual(self.count("ssh"), 0)
        del self.lab.proxmox.cluster.containers[900].config["lock"]
        self.run_jobs()
        self.assertEqual(self.names(), [self.today(1)])

    def test_a_snapshot_of_this_name_that_is_not_ours_is_left_alone(self):
        self.foreign_snapshot(self.today(1))
        answer = self.done("/action/mkbak", status=500)
        self.assert_readable(answer["error"])
        self.assertEqual((self.snapshots(), self.getbak()["quota"]), (["initial", self.today(1)], "0/2"))
        self.assertEqual(self.done("/action/mkbak")["backup"], self.today(2))

    def test_a_cancelled_backup_counts_no_more_and_the_next_one_clears_up(self):
        name = self.begun("/action/mkbak")["backup"]
        self.run_calls(1)  # the snapshot has been asked for
        job = self.job(self.site, "sites.backup")
        job.state = Job.State.WAITING
        job.save()
        self.begun("/suspend")
        self.run_jobs()
        self.assertEqual(self.job(self.site, "sites.backup").state, "cancelled", self.tale(self.site))
        self.assertEqual((self.getbak()["quota"], self.snapshots()), ("0/2", ["initial", name]))
        self.done("/unsuspend")
        self.assertEqual(self.done("/action/mkbak")["backup"], self.today(2))
        self.assertEqual(self.snapshots(), ["initial", self.today(2)])

    def test_deleting_the_site_takes_all_of_them(self):
        self.done("/action/mkbak")
        self.begun("/action/mkbak")
        self.delete()
        self.run_jobs()
        self.assert_nothing_left()
        site = self.live_site()
        self.assertNotEqual(site.pk, self.site.pk)
        self.assertFalse(Backup.objects.filter(state="ready").exists())
        self.assertEqual((self.names(), self.done("/action/mkbak")["backup"]), ([], self.today(1)))


class AtOnceTests(ActsMixin, SiteTransactionTestCase):
    def test_the_quota_holds_when_several_ask_at_once(self):
        site = self.live_site()
        Plan.objects.filter(name="basic").update(backups=1)
        calls = [lambda: self.ask_from_thread("/action/mkbak")] * 4
        answers = [answer.json() for answer in at_once(calls)]
        codes = [answer.get("code", "done") for answer in answers]
        self.assertEqual(codes.count("done"), 1, codes)
        self.assertLessEqual(set(codes), {"done", "busy", "quota_exceeded"})
        self.run_jobs()
        self.assertEqual(Backup.objects.filter(site=site, state="ready").count(), 1)
        codes = {answer.json()["code"] for answer in at_once(calls)}
        self.assertEqual(codes, {"quota_exceeded"})
        self.assertEqual(len(self.container(900)["snapshots"]), 2)

    def test_one_of_several_deletions_at_once(self):
        site = self.live_site()
        site.backups.create(name="BAK01012020-1", state="ready", job_id="x")
        calls = [lambda: self.ask_from_thread("/action/delbak", bak="BAK01012020-1")] * 4
        codes = sorted(answer.json().get("code", "done") for answer in at_once(calls))
        self.assertEqual(codes, ["busy", "busy", "busy", "done"])
        self.run_jobs()
        self.assertEqual(Backup.objects.get().state, "deleted")

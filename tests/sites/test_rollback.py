"""rollback and reset: back to a snapshot, with the plan, the address and the power of today."""

from unittest import mock

from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sites.models import Backup, Site
from sites.steps import rollback
from tests.sites.backups import RollbackCase

LXC = "/api2/json/nodes/node1/lxc/900"


class RollbackTests(RollbackCase):
    def test_the_files_of_then_and_the_site_runs(self):
        name = self.backup()
        answer = self.done("/action/rollback", bak=name)
        self.assertEqual(answer, {"success": True, "quota": "1/2"})
        self.verify("then")
        self.assertEqual((self.names(), self.snapshots()), (["before", name], ["initial", name, "before"]))
        self.assertEqual(self.job(self.site, "sites.rollback").warning, "")
        self.assertEqual(self.get("/status?service_id=1001").json()["status"], "running")

    def test_older_and_newer_ones_any_number_of_times(self):
        first, second = self.backup("first"), self.backup("second")
        for name, text in ((first, "first"), (second, "second"), (first, "first")):
            self.done("/action/rollback", bak=name)
            self.verify(text)
        self.assertEqual(self.names(), ["before", second, first])

    def test_a_plan_of_later_stays(self):
        name = self.backup()
        self.done("/wp/upgrade", plan="standard")
        self.assertEqual(self.config(900)["memory"], 4096)
        self.done("/action/rollback", bak=name)
        self.verify("then")
        self.assertEqual((self.config(900)["memory"], self.container(900)["disk"]), (4096, 40))

    def test_what_was_changed_behind_our_back_too(self):
        name = self.backup()
        entry = self.lab.proxmox.cluster.containers[900].snapshots[name]["config"]
        entry["net0"] = entry["net0"].replace(self.site.private_ip, "192.168.1.77")
        entry.update(memory=512, cores=1, onboot=0)
        self.done("/action/rollback", bak=name)
        self.verify("then")

    def test_php_and_mariadb_are_fitted_to_the_plan_again(self):
        name = self.backup()
        self.calls.clear()
        self.done("/action/rollback", bak=name)
        self.assertEqual(self.count("ssh", "bash -s install"), 1)
        self.site.refresh_from_db()
        self.assertEqual(self.site.tuned_for_mb, 2048)

    def test_a_stopped_site_stays_stopped(self):
        name = self.backup()
        self.done("/action/stop")
        self.done("/action/rollback", bak=name)
        self.verify("then", power="stopped")

    def test_a_site_that_was_stopped_when_the_backup_was_made_runs(self):
        self.done("/action/stop")
        name = self.backup()
        self.done("/action/start")
        self.done("/action/rollback", bak=name)
        self.verify("then")

    def test_a_backup_of_a_broken_site_is_a_backup_all_the_same(self):
        with self.lab.lock:
            self.lab.guest._guests[900]["site"] = False
        name = self.backup()
        self.fault("ssh", "error", "INSTALL 900 database", count=10)
        self.done("/action/rollback", bak=name)
        self.assertEqual(self.read(), "then")
        self.assertIn("Fitting WordPress", self.job(self.site, "sites.rollback").warning)

    def test_the_answer_while_it_goes_on(self):
        name = self.backup()
        answer = self.begun("/action/rollback", bak=name)
        self.assertEqual((answer["state"], answer["job"]["kind"]), ("running", "sites.rollback"))
        self.run_jobs()
        self.verify("then")

    def test_a_snapshot_that_is_gone(self):
        name = self.backup()
        del self.lab.proxmox.cluster.containers[900].snapshots[name]
        answer = self.done("/action/rollback", status=500, bak=name)
        self.assert_readable(answer["error"])
        self.verify("now")

    def test_a_snapshot_that_lost_our_mark(self):
        name = self.backup()
        self.lab.proxmox.cluster.containers[900].snapshots[name]["description"] = "somebody else's"
        self.assert_readable(self.done("/action/rollback", status=500, bak=name)["error"])
        self.verify("now")

    def test_a_container_that_lost_our_mark_is_left_alone(self):
        name = self.backup()
        self.lab.proxmox.cluster.containers[900].config["description"] = "adopted by staff"
        self.assert_readable(self.done("/action/rollback", status=500, bak=name)["error"])
        self.assertEqual((self.read(), self.container(900)["status"]), ("now", "running"))

    def test_the_number_of_remote_calls(self):
        name = self.backup()
        self.calls.clear()
        self.done("/action/rollback", bak=name)
        self.assertLessEqual(self.count("proxmox"), 31, self.calls)
        self.assertLessEqual(self.count("ssh"), 4, self.calls)


class SafetyTests(RollbackCase):
    """What was there is kept as `before`, where the storage goes back past it."""

    def test_it_can_be_gone_back_to_any_number_of_times_and_counts_for_nobody(self):
        self.done("/action/mkbak")
        name = self.backup()
        self.done("/action/rollback", bak=name)
        self.write("later")
        (safety, *_) = self.getbak()["backups"]
        self.assertEqual(
            (safety["name"], safety["kind"], safety["made_before"]), ("before", "safety", "sites.rollback")
        )
        self.assertEqual(self.getbak()["quota"], "2/2")
        for _ in range(2):
            self.done("/action/rollback", bak="before")
            self.verify("now")
            self.write("later")
        self.assertTrue(self.snapshot("before")["consistent"])

    def test_each_takes_the_place_of_the_one_before(self):
        name = self.backup()
        for text in ("one", "two"):
            self.write(text)
            self.done("/action/rollback", bak=name)
            self.assertEqual(self.kept("before"), text)
        self.write("three")
        self.done("/action/reset")
        self.verify(None)
        self.assertEqual(self.snapshots(), ["initial", name, "before"])
        self.assertEqual(self.getbak()["backups"][0]["made_before"], "sites.reset")
        self.done("/action/rollback", bak="before")
        self.verify("three")

    def test_one_in_safe_mode_is_in_safe_mode_again(self):
        self.done("/action/safemode", enabled=True)
        self.done("/action/reset")
        self.assertFalse(Site.objects.get().safe_mode)
        self.done("/action/rollback", bak="before")
        self.assertTrue(Site.objects.get().safe_mode)

    def test_a_second_one_meanwhile_is_refused_and_takes_no_snapshot(self):
        name = self.backup()
        self.begun("/action/rollback", bak=name)
        self.run_calls(3)
        self.assertEqual(self.refused("/action/reset", 409, "busy")["code"], "busy")
        self.refused("/action/rollback", 409, "busy", bak="initial")
        self.run_jobs()
        self.assertEqual((self.read(), self.kept("before")), ("then", "now"))

    def test_without_room_for_it_nothing_is_changed(self):
        name = self.backup()
        self.lab.proxmox.cluster.filled["global-lvm"] = 10**18
        self.assert_readable(self.done("/action/rollback", status=500, bak=name)["error"])
        self.lab.proxmox.cluster.filled.clear()
        self.verify("now")
        self.assertEqual((self.names(), self.snapshots()), ([name], ["initial", name]))
        self.done("/action/rollback", bak=name)
        self.verify("then")

    def test_a_snapshot_of_others_with_this_name_stays_and_nothing_is_changed(self):
        name = self.backup()
        self.foreign_snapshot("before")
        self.assertIn("another snapshot", self.done("/action/rollback", status=500, bak=name)["error"])
        self.verify("now")

    def test_a_storage_that_refuses_once_the_container_is_killed_is_left_to_staff(self):
        name = self.backup()
        words = (
            "Message: Rollback is only allowed with the most recent snapshot at LINSTORPlugin.pm line 773."
        )
        step = rollback._failed(mock.Mock(), words)
        self.assertEqual((step.error, step.detail), (rollback.FOREIGN_IN_THE_WAY, words))
        self.assertEqual(self.names(), [name])


class HighAvailabilityTests(RollbackCase):
    plan = "premium"

    def ha(self) -> str:
        return self.state()["proxmox"]["ha"][0]["state"]

    def test_the_manager_is_told_first_and_does_not_see_a_failure(self):
        name = self.backup()
        self.calls.clear()
        self.done("/action/rollback", bak=name)
        self.verify("then")
        self.assertEqual(self.ha(), "started")
        order = [what.split("/")[-1] for _, what in self.calls if what.startswith(("PUT", "POST"))]
        self.assertLess(order.index("ct:900"), order.index("rollback"), self.calls)

    def test_a_stopped_site_stays_stopped(self):
        name = self.backup()
        self.done("/action/stop")
        self.done("/action/rollback", bak=name)
        self.verify("then", power="stopped")
        self.assertEqual(self.ha(), "stopped")

    def test_out_of_an_error(self):
        name = self.backup()
        self.lab.proxmox.cluster.ha._resources["ct:900"]["crm"] = "error"
        self.done("/action/rollback", bak=name)
        self.verify("then")
        self.assertEqual(self.ha(), "started")

    def test_a_rollback_that_fails_starts_it_again(self):
        name = self.backup()
        self.fault("proxmox", "refuse", "/rollback", count=100)
        self.assert_readable(self.done("/action/rollback", status=500, bak=name)["error"])
        self.assertEqual((self.container(900)["status"], self.ha()), ("running", "started"))


class NewestOnlyTests(RollbackCase):
    """On ZFS: to the newest snapshot only."""

    storage = "local-zfs"

    def setUp(self) -> None:
        super().setUp()
        Site.objects.update(backup_quota=5)

    def refusal(self, path: str, **body) -> list[str]:
        answer = self.done(path, status=409, **body)
        self.assertEqual(answer["code"], "backups_in_the_way", answer)
        for name in answer["backups"]:
            self.assertIn(name, answer["error"])
        self.verify("now")
        return answer["backups"]

    def test_the_newest_one(self):
        self.backup("older")
        self.done("/action/rollback", bak=self.backup())
        self.verify("then")
        self.assertEqual(len(self.names()), 2, "none is kept: it would be in the way")
        self.assertIn("in the way", self.step(self.site, "before", "sites.rollback").detail)

    def test_the_one_for_safety_of_another_act_can_be_gone_back_to_while_it_is_the_newest(self):
        self.done("/action/replace", **{"from": "www.old.example", "to": self.site.hostname})
        self.write("later")
        self.done("/action/rollback", bak="before")
        self.verify(None)
        self.assertEqual(self.names(), ["before"])

    def test_newer_ones_are_named_and_nothing_is_touched(self):
        names = [self.backup(text) for text in ("1", "2", "3")]
        before = self.tasks()
        self.assertEqual(self.refusal("/action/rollback", bak=names[0]), [names[2], names[1]])
        self.assertEqual(self.refusal("/action/rollback", bak=names[1]), [names[2]])
        self.assertEqual(self.refusal("/action/rollback", bak="initial"), names[::-1])
        self.assertEqual(self.refusal("/action/reset"), names[::-1])
        self.assertEqual((self.names(), self.tasks()), (names[::-1], before))

    def test_newer_ones_go_when_the_customer_says_so(self):
        names = [self.backup(text) for text in ("1", "2", "3")]
        answer = self.done("/action/rollback", bak=names[0], discard_backups=True)
        self.assertEqual(answer["quota"], "1/5")
        self.verify("1")
        self.assertEqual((self.names(), self.snapshots()), ([names[0]], ["initial", names[0]]))
        self.assertEqual(self.done("/action/mkbak")["backup"], self.today(4))

    def test_a_reset_discards_all_of_them(self):
        for text in ("1", "2"):
            self.backup(text)
        self.done("/action/reset", discard_backups=True)
        self.verify(None)
        self.assertEqual((self.names(), self.snapshots()), ([], ["initial"]))

    def test_a_foreign_snapshot_in_the_way_is_never_deleted(self):
        name = self.backup()
        self.foreign_snapshot("before-my-update")
        for discard in (False, True):
            answer = self.done("/action/rollback", status=409, bak=name, discard_backups=discard)
            self.assertEqual((answer["code"], answer["backups"]), ("backups_in_the_way", []))
            self.assertIn("contact support", answer["error"])
        self.verify("now")
        self.assertIn("before-my-update", self.snapshots())

    def test_what_is_left_of_a_failed_backup_goes_unasked(self):
        name = self.backup()
        left = self.backup("left")
        Backup.objects.filter(name=left).update(state="failed")
        self.done("/action/rollback", bak=name)
        self.verify("then")
        self.assertEqual(self.snapshots(), ["initial", name])

    def test_a_storage_that_turns_out_to_be_such_a_one(self):
        name, newer = self.backup(), self.backup("2")
        # Not by its type, but by what its task says.
        with mock.patch("sites.steps.rollback.NEWEST_ONLY", set()):
            self.assertEqual(self.refusal("/action/rollback", bak=name), [newer])

    def tasks(self) -> int:
        return len(self.state()["proxmox"]["tasks"])


class ResetTests(RollbackCase):
    def setUp(self) -> None:
        super().setUp()
        mail.outbox.clear()

    def test_the_site_of_the_first_day_and_an_e_mail_how_to_log_in(self):
        name = self.backup()
        answer = self.done("/action/reset", status_of_paymenter="x")
        self.assertEqual(answer, {"success": True, "status": "running"})
        self.verify(None)
        self.assertEqual((self.names(), self.snapshots()), (["before", name], ["initial", name, "before"]))
        (message,) = mail.outbox
        self.assertEqual(message.to, [self.site.email])
        self.assertIn("was reset", message.subject)
        self.assertIn(self.site.url, message.body)
        self.assertEqual(self.job(self.site, "sites.reset").warning, "")

    def test_a_rollback_to_initial_is_the_same(self):
        self.backup()
        self.assertEqual(self.done("/action/rollback", bak="initial")["quota"], "1/2")
        self.verify(None)
        self.assertEqual(len(mail.outbox), 1)

    def test_a_stopped_site_stays_stopped(self):
        self.done("/action/stop")
        self.assertEqual(self.done("/action/reset")["status"], "stopped")
        self.verify(None, power="stopped")

    def test_a_site_without_a_first_snapshot(self):
        self.lab.proxmox.cluster.containers[900].snapshots.clear()
        self.assert_readable(self.done("/action/reset", status=500)["error"])
        self.verify(None)
        self.assertEqual(mail.outbox, [])

    def test_the_number_of_queries(self):
        self.backup()
        self.get("/status?service_id=1001")  # a fresh reading of the cluster
        with CaptureQueriesContext(connection) as context:
            self.begun("/action/reset")
        self.assertLessEqual(len(context.captured_queries), 20)

"""POST /action/start, /action/stop and /action/restart."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nodepoint.jobs import steering
from nodepoint.jobs.models import Job
from sites.connections import proxmox
from sites.models import Site
from sites.reconcile import compare
from sites.services.repair import repair_site
from sites.steps.power import HA_STATES
from tests.factories import SiteFactory
from tests.sites.acts import RUNNING, STOPPED, ActsMixin
from tests.sites.base import SiteTestCase, SiteTransactionTestCase, at_once

ACTIONS = ("/action/start", "/action/stop", "/action/restart")


class PowerTests(ActsMixin, SiteTestCase):
    def test_stop_and_start(self):
        site = self.live_site()
        self.assert_answer(self.act("/action/stop"), status="stopped")
        self.assertEqual(self.places(site), STOPPED)
        self.assertEqual(self.get("/status?service_id=1001").json()["status"], "stopped")
        self.assert_answer(self.act("/action/start", status="running"), status="running")
        self.assertEqual(self.places(site), RUNNING)
        self.assertEqual(self.get("/status?service_id=1001").json()["status"], "running")

    def test_with_high_availability(self):
        site = self.live_site(plan="premium")
        self.assert_answer(self.act("/action/stop"), status="stopped")
        self.assertEqual(self.places(site), {**STOPPED, "ha": "stopped"})
        self.assert_answer(self.act("/action/start"), status="running")
        self.assertEqual(self.places(site), {**RUNNING, "ha": "started"})
        self.assert_answer(self.act("/action/restart"), status="running")
        self.assertEqual(self.places(site), {**RUNNING, "ha": "started"})

    def test_repeats_change_nothing(self):
        self.live_site()
        self.act("/action/stop")
        self.calls.clear()
        self.assert_answer(self.act("/action/stop"), status="stopped")
        self.act("/action/start")
        self.assert_answer(self.act("/action/start"), status="running")
        self.assertEqual(
            (self.count("proxmox", "/status/shutdown"), self.count("proxmox", "/status/start")), (0, 1)
        )

    def test_a_stop_is_graceful_and_forced_after_a_minute(self):
        site = self.live_site()
        self.lab.proxmox.cluster.containers[900].stubborn = True
        self.control("speed", factor=0.01)
        self.assert_answer(self.act("/action/stop"), status="stopped")
        self.assertEqual(self.places(site), STOPPED)
        (shutdown,) = [task for task in self.lab.proxmox.cluster.tasks.all() if task.type == "vzshutdown"]
        self.assertEqual((shutdown.exitstatus, shutdown.seconds), ("OK", 0.6))
        self.assertEqual(self.count("proxmox", "/status/stop"), 0)

    def test_what_high_availability_cannot_end_is_forced_too(self):
        site = self.live_site(plan="premium")
        self.lab.proxmox.cluster.containers[900].stubborn = True
        self.assert_answer(self.act("/action/stop"), status="stopped")
        self.assertEqual(self.places(site), {**STOPPED, "ha": "stopped"})
        self.assertEqual(proxmox().ha_resource(900).comment, site.owner_mark)

    def test_restart_reboots_once(self):
        self.live_site()
        self.assert_answer(self.act("/action/restart"), status="running")
        self.assertEqual(self.reboots(), 1)

    def test_restart_starts_what_is_stopped(self):
        site = self.live_site()
        self.act("/action/stop")
        self.assert_answer(self.act("/action/restart"), status="running")
        self.assertEqual((self.reboots(), self.places(site)), (0, RUNNING))

    def test_a_reboot_whose_answer_was_lost_is_not_repeated(self):
        self.live_site()
        self.fault("proxmox", "drop_after", "/status/reboot")
        self.assert_answer(self.act("/action/restart"), status="running")
        self.assertEqual(self.reboots(), 1)

    def test_a_lost_reboot_is_not_repeated_though_the_list_of_tasks_fails(self):
        self.live_site()
        for number, kind in enumerate(("error", "drop_before", "hang"), 1):
            with self.subTest(kind):
                self.fault("proxmox", "drop_after", "/status/reboot")
                self.fault("proxmox", kind, "GET /api2/json/nodes/node1/tasks", count=3, seconds=0.02)
                self.assert_answer(self.act("/action/restart"), status="running")
                self.assertEqual(self.lab.faults.view(), [])
                self.assertEqual(self.reboots(), number)

    def test_a_container_that_ha_has_moved(self):
        site = self.live_site(plan="premium")
        self.control("node", node="node1", up=False)
        self.lab.world.settle()
        self.assert_answer(self.act("/action/stop"), status="stopped")
        site.refresh_from_db()
        self.assertEqual(site.node, self.container(900)["node"])

    def test_without_waiting_it_is_told_that_it_goes_on(self):
        self.live_site()
        body = self.ask("/action/stop").json()
        self.assertEqual(
            (body["status"], body["state"], body["job"]["kind"]), ("running", "running", "sites.stop")
        )

    def test_calls_and_queries(self):
        site = self.live_site()
        self.calls.clear()
        self.act("/action/stop")
        calls = [what for _, what in self.calls]
        self.assertLessEqual(len(calls), 6, calls)
        for number in range(20):
            SiteFactory(service_id=f"more{number}")
        self.ask("/action/start")
        Job.objects.filter(subject=site.key).update(state="succeeded", active_key=None)
        with CaptureQueriesContext(connection) as captured:
            self.ask("/action/start")
        self.assertLessEqual(len(captured), 30, [query["sql"][:100] for query in captured])

    def test_a_forced_stop_that_is_cut_off_leaves_nothing_ignored_for_ever(self):
        site = self.live_site(plan="premium")
        self.lab.proxmox.cluster.containers[900].stubborn = True
        self.ask("/action/stop")
        while proxmox().ha_resource(900).state != "ignored":
            self.run_calls(1)
        steering.cancel(self.job(site, "sites.stop").pk, "a test")
        self.run_jobs()
        self.assertEqual(proxmox().ha_resource(900).state, "ignored")
        Job.objects.filter(subject=site.key).update(finished_at=timezone.now() - timedelta(hours=1))
        (finding,) = compare().findings
        self.assertEqual((finding.thing, finding.repairable), ("container 900", True))
        self.assertIn("its HA manager still looks away", finding.detail)
        self.assertIsNotNone(repair_site(site))
        self.run_jobs()
        resource, wished = proxmox().ha_resource(900), Site.objects.get().power_wished
        self.assertEqual((resource.state, resource.comment), (HA_STATES[wished], site.owner_mark))
        self.assertEqual(self.container(900)["status"], wished)

    def test_where_staff_had_the_manager_look_away_it_stays_so(self):
        site = self.live_site(plan="premium")
        proxmox().set_ha_resource(900, "ignored")
        Job.objects.filter(subject=site.key).update(finished_at=timezone.now() - timedelta(hours=1))
        self.assertEqual(compare().findings, [])
        self.assert_answer(self.act("/action/stop"), status="stopped")
        self.assertEqual(self.places(site), {**STOPPED, "ha": "ignored"})

    def reboots(self) -> int:
        return sum(task["type"] == "vzreboot" for task in self.state()["proxmox"]["tasks"])


class RefusalTests(ActsMixin, SiteTestCase):
    def test_bad_input(self):
        for path in ACTIONS:
            for body in ({}, {"service_id": ""}, {"service_id": ["1001"]}, {"service_id": "../x"}):
                with self.subTest(path=path, body=body):
                    answer = self.post(path, body)
                    self.assertEqual((answer.status_code, answer.json()["code"]), (400, "validation"))

    def test_states_in_which_it_is_impossible(self):
        cases = (
            ("never", 404, "not_found"),
            (SiteFactory(deleted=True).service_id, 404, "not_found"),
            (SiteFactory(failed=True).service_id, 409, "wrong_state"),
            (SiteFactory(provisioning=True).service_id, 409, "wrong_state"),
            (SiteFactory(deleting=True).service_id, 409, "wrong_state"),
            (SiteFactory(suspended_at=timezone.now()).service_id, 401, "service_suspended"),
        )
        for path in ACTIONS:
            for service_id, status, code in cases:
                with self.subTest(path=path, service=service_id):
                    answer = self.act(path, service_id)
                    self.assert_refused(answer, status, code)
                    self.assertNotIn("WWW-Authenticate", answer.headers)
        self.assertEqual(Job.objects.count(), 0)

    def test_while_another_job_runs(self):
        site = self.live_site()
        self.ask("/action/stop")
        body = self.assert_refused(self.ask("/action/start"), 409, "busy")
        self.assertIn("Stop site", body["error"])
        site.refresh_from_db()
        self.assertEqual(site.wanted_power, "stopped", "a refused wish is no wish")

    def test_a_node_that_is_away_ends_in_an_error_after_ten_minutes(self):
        site = self.live_site()
        self.control("node", node="node1", up=False)
        body = self.assert_refused(self.act("/action/stop"), 500, "infrastructure")
        self.assert_readable(body["error"])
        self.assertEqual(self.job(site, "sites.stop").state, "failed")
        self.control("node", node="node1", up=True)
        self.assert_answer(self.act("/action/stop"), status="stopped")


class AtOnceTests(ActsMixin, SiteTransactionTestCase):
    def test_of_several_at_once_one_gets_through(self):
        site = self.live_site()
        calls = [
            lambda path=path: self.ask_from_thread(path)
            for path in ("/action/start", "/action/stop", "/action/restart", "/action/stop")
        ]
        answers = at_once(calls)
        codes = sorted(answer.status_code for answer in answers)
        self.assertEqual(codes, [200, 409, 409, 409], [answer.content for answer in answers])
        self.run_jobs()
        (job,) = Job.objects.filter(subject=site.key).exclude(kind="sites.provision")
        site.refresh_from_db()
        wished = "stopped" if job.kind == "sites.stop" else "running"
        self.assertEqual((site.wanted_power, self.places(site)["container"]), (wished, wished))

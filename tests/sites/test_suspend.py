"""POST /suspend and /unsuspend: a wish that is stored at once, carried out in four places, and never lost."""

from datetime import timedelta

from django.core import mail
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from nodepoint.jobs import tasks
from nodepoint.jobs.models import Job
from sites.models import Site
from tests.factories import SiteFactory
from tests.sites.acts import RUNNING, STOPPED, SUSPENDED, ActsMixin
from tests.sites.base import SiteTestCase, SiteTransactionTestCase, at_once


class SuspendTests(ActsMixin, SiteTestCase):
    def test_four_places_are_off_and_on_again(self):
        for plan, ha in (("basic", (None, None)), ("premium", ("stopped", "started"))):
            with self.subTest(plan):
                site = self.live_site(service_id=plan, email=f"{plan}@example.com", plan=plan)
                self.assert_answer(self.act("/suspend", plan), status="suspended")
                self.assertEqual(self.places(site), {**SUSPENDED, "ha": ha[0]})
                self.assertEqual(self.get(f"/status?service_id={plan}").json()["status"], "suspended")
                self.assert_answer(self.act("/unsuspend", plan), status="running")
                self.assertEqual(self.places(site), {**RUNNING, "ha": ha[1]})
                self.assertEqual(self.get(f"/status?service_id={plan}").json()["status"], "running")

    def test_any_number_of_times(self):
        site = self.live_site()
        self.act("/suspend")
        since = Site.objects.get(pk=site.pk).suspended_at
        self.calls.clear()
        self.assert_answer(self.act("/suspend"), status="suspended")
        self.assertEqual([what for _, what in self.calls if not what.startswith("GET")], [])
        self.assertEqual(Site.objects.get(pk=site.pk).suspended_at, since)
        for _ in range(3):
            self.assert_answer(self.act("/unsuspend"), status="running")
        self.assertEqual(Job.objects.filter(kind="sites.unsuspend").count(), 1)
        self.assertEqual(self.places(site), RUNNING)

    def test_repeats_while_it_is_carried_out_get_the_same_job(self):
        self.live_site()
        bodies = [self.ask("/suspend").json() for _ in range(3)]
        self.assertEqual(len({body["job"]["id"] for body in bodies}), 1)
        self.assertEqual({(body["status"], body["state"]) for body in bodies}, {("suspended", "running")})

    def test_what_the_customer_had_wished_comes_back(self):
        site = self.live_site()
        self.act("/action/stop")
        Site.objects.filter(pk=site.pk).update(proxy_enabled=False)
        self.act("/suspend")
        self.assertEqual(self.places(site), SUSPENDED)
        self.assert_answer(self.act("/unsuspend"), status="stopped")
        self.assertEqual(self.places(site), {**STOPPED, "traffic": [False]})

    def test_actions_of_customers_are_refused(self):
        self.live_site()
        self.act("/suspend")
        for path in ("/action/start", "/action/stop", "/action/restart"):
            answer = self.act(path)
            self.assert_refused(answer, 401, "service_suspended")
            self.assertNotIn("WWW-Authenticate", answer.headers)

    def test_a_suspended_site_can_be_deleted(self):
        site = self.live_site(plan="premium")
        self.act("/suspend")
        self.delete()
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.DELETED, self.tale(site))
        self.assert_nothing_left()

    def test_another_site_is_left_alone(self):
        self.live_site()
        other = self.live_site(service_id="other", email="other@example.com")
        self.act("/suspend")
        self.assertEqual(self.places(other), RUNNING)

    def test_calls_and_queries(self):
        self.live_site()
        self.calls.clear()
        self.act("/suspend")
        self.assertLessEqual(len(self.calls), 11, self.calls)
        for number in range(20):
            SiteFactory(service_id=f"more{number}")
        with CaptureQueriesContext(connection) as captured:
            self.ask("/unsuspend")
        self.assertLessEqual(len(captured), 32, [query["sql"][:100] for query in captured])


class RefusalTests(ActsMixin, SiteTestCase):
    def test_refusals(self):
        cases = (
            ("", 400, "validation"),
            ("never", 404, "not_found"),
            (SiteFactory(deleted=True).service_id, 404, "not_found"),
            (SiteFactory(failed=True).service_id, 409, "wrong_state"),
            (SiteFactory(deleting=True).service_id, 409, "wrong_state"),
        )
        for path in ("/suspend", "/unsuspend"):
            for service_id, status, code in cases:
                with self.subTest(path=path, service=service_id):
                    self.assert_refused(self.act(path, service_id), status, code)
        self.assertEqual(Job.objects.count(), 0)
        self.assertFalse(Site.objects.exclude(suspended_at=None).exists())


class NeverLostTests(ActsMixin, SiteTestCase):
    def test_behind_an_order_that_is_still_being_carried_out(self):
        site = self.create()
        self.run_calls(3)
        body = self.ask("/suspend").json()
        self.assertEqual((body["status"], body["job"]["state"]), ("provisioning", "queued"))
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.LIVE, self.tale(site))
        self.assertEqual(self.places(site), SUSPENDED)

    def test_behind_an_order_that_fails_there_is_nothing_to_do(self):
        self.fault("ssh", "refuse", "bash -s install", count=1000)
        site = self.create()
        self.ask("/suspend")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, self.job(site, "sites.suspend").state), ("failed", "succeeded"))
        self.assert_nothing_left()

    def test_behind_a_job_that_gets_ahead(self):
        site = self.live_site()
        self.ask("/action/restart")
        self.assertEqual(self.ask("/suspend").json()["job"]["state"], "queued")
        self.run_jobs()
        self.assertEqual(self.job(site, "sites.restart").state, "succeeded")
        self.assertEqual(self.places(site), SUSPENDED)

    def test_before_a_job_that_only_waits(self):
        site = self.live_site()
        self.control("node", node="node1", up=False)
        self.ask("/action/restart")
        self.run_for(60)
        self.ask("/suspend")
        self.run_for(60)
        self.assertEqual(self.job(site, "sites.restart").state, "cancelled", self.tale(site))
        self.assertEqual(self.places(site)["traffic"], [False], "visitors go at once")
        self.control("node", node="node1", up=True)
        self.run_jobs()
        self.assertEqual(self.places(site), SUSPENDED)

    def test_the_last_wish_wins_whatever_was_going_on(self):
        site = self.live_site()
        for count in range(12):
            with self.subTest(calls=count):
                self.ask("/suspend")
                self.run_calls(count)
                self.ask("/unsuspend")
                self.run_jobs()
                self.assertEqual(self.places(site), RUNNING, self.tale(site))

    def test_an_unsuspension_takes_over_from_a_suspension_that_waits(self):
        site = self.live_site()
        self.control("node", node="node1", up=False)
        self.ask("/suspend")
        self.run_for(60)
        self.ask("/unsuspend")
        self.run_for(60)
        self.assertEqual(self.job(site, "sites.suspend").state, "cancelled", self.tale(site))
        self.control("node", node="node1", up=True)
        self.run_jobs()
        self.assertEqual(self.places(site), RUNNING, self.tale(site))

    @override_settings(STAFF_EMAIL=["staff@example.com"])
    def test_a_node_that_is_away_for_days_delays_and_alarms_once(self):
        site = self.live_site()
        mail.outbox.clear()
        self.control("node", node="node1", up=False)
        self.ask("/suspend")
        self.run_for(400)
        job = self.job(site, "sites.suspend")
        self.assertEqual(job.state, "waiting", self.tale(site))
        self.assert_readable(job.steps.get(state="waiting").error)
        Job.objects.filter(pk=job.pk).update(created_at=job.created_at - timedelta(days=3))
        self.assertEqual([tasks.alarm(), tasks.alarm()], [1, 0])
        self.run_for(120)
        self.assertEqual([message.to for message in mail.outbox], [["staff@example.com"]])
        self.control("node", node="node1", up=True)
        self.run_jobs()
        self.assertEqual(self.places(site), SUSPENDED)

    def test_a_foreign_container_in_its_place_is_never_touched(self):
        site = self.live_site()
        self.lab.proxmox.cluster.containers[900].config["description"] = "adopted by staff"
        self.ask("/suspend")
        self.run_for(300)
        self.assertEqual(self.job(site, "sites.suspend").state, "waiting")
        self.assertEqual(self.container(900)["status"], "running")
        self.assertEqual(self.places(site)["traffic"], [False])


class AtOnceTests(ActsMixin, SiteTransactionTestCase):
    def test_several_at_once_all_succeed_and_the_rows_agree_with_the_world(self):
        site = self.live_site(plan="premium")
        paths = ("/suspend", "/unsuspend", "/suspend", "/unsuspend")
        for _ in range(2):
            answers = at_once([lambda path=path: self.ask_from_thread(path) for path in paths])
            self.assertEqual([answer.status_code for answer in answers], [200] * 4)
            self.run_jobs()
            site.refresh_from_db()
            self.assertFalse(Job.objects.filter(subject=site.key, state__in=Job.ALIVE).exists())
            expected = {**SUSPENDED, "ha": "stopped"} if site.suspended else {**RUNNING, "ha": "started"}
            self.assertEqual(self.places(site), expected, self.tale(site))

    def test_beside_an_action_of_the_customer(self):
        site = self.live_site()
        for _ in range(2):
            paths = ("/suspend", "/action/restart", "/action/start")
            answers = at_once([lambda path=path: self.ask_from_thread(path) for path in paths])
            codes = {answer.request["PATH_INFO"]: answer.status_code for answer in answers}
            self.assertEqual(codes["/suspend"], 200)
            self.assertLessEqual(set(codes.values()), {200, 401, 409})
            self.run_jobs()
            self.assertEqual(self.places(site), SUSPENDED, self.tale(site))
            self.act("/unsuspend")

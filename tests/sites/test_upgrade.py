"""POST /wp/upgrade: the container first, then what runs inside; refusals before anything is touched."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nodepoint.jobs.models import Job
from sites.models import Backup, CustomDomain, Plan, Site
from tests.factories import SiteFactory
from tests.sites.acts import RUNNING, STOPPED, SUSPENDED, ActsMixin
from tests.sites.base import SiteTestCase, SiteTransactionTestCase, at_once

UPGRADE = "/wp/upgrade/"
SIZES = {"basic": (2048, 20, 2), "standard": (4096, 40, 2), "premium": (8192, 80, 4)}


class UpgradeMixin(ActsMixin):
    def assert_on(self, site: Site, plan: str) -> None:
        """Row, container and what runs inside follow the plan."""
        site.refresh_from_db()
        self.assertEqual(site.plan.name, plan, self.tale(site))
        memory, disk, cores = SIZES[plan]
        container = self.container(site.vmid)
        self.assertEqual((container["memory"], container["disk"]), (memory, disk))
        self.assertEqual(self.config(site.vmid)["cores"], cores)
        self.assertEqual(site.tuned_for_mb, memory if container["status"] == "running" else None)

    def upgraded(self, plan: str, service_id: str = "1001") -> Job:
        """An upgrade that went well."""
        answer = self.act(UPGRADE, service_id, plan=plan)
        self.assertEqual((answer.status_code, answer.json()["plan"]), (200, plan), answer.content)
        self.assertEqual(answer.json()["job"]["state"], "succeeded")
        return Job.objects.get(pk=answer.json()["job"]["id"])

    def scripts(self) -> int:
        """How often the install script was handed over."""
        return self.count("ssh", "bash -s install")


class UpgradeTests(UpgradeMixin, SiteTestCase):
    def test_everything_follows_the_plan(self):
        site = self.live_site()
        self.assert_on(site, "basic")
        self.upgraded("standard")
        self.assert_on(site, "standard")
        self.assertEqual(self.places(site), RUNNING)
        self.assertEqual(self.scripts(), 2, "at first, and for the new memory")
        body = self.get("/status?service_id=1001").json()
        self.assertEqual((body["plan"]["name"], body["backups"]["allowed"]), ("standard", 3))
        self.assertEqual(body["quota"]["domains"]["allowed"], 5)

    def test_high_availability_comes_with_the_plan(self):
        site = self.live_site()
        self.upgraded("premium")
        self.assert_on(site, "premium")
        self.assertEqual(self.places(site), {**RUNNING, "ha": "started"})

    def test_a_smaller_plan_with_the_same_disk(self):
        site = self.live_site(plan="premium")
        Plan.objects.create(name="slim", memory_mb=3072, disk_gb=80, cores=1, backups=1, domains=1)
        self.upgraded("slim")
        container = self.container(site.vmid)
        self.assertEqual((container["memory"], self.config(900)["cores"]), (3072, 1))
        self.assertEqual(self.places(site), RUNNING, "high availability went, the container runs on")

    def test_on_a_suspended_site_it_stays_stopped_and_the_inside_follows_at_its_next_start(self):
        site = self.live_site()
        self.act("/suspend")
        self.upgraded("premium")
        self.assert_on(site, "premium")
        self.assertEqual(self.places(site), {**SUSPENDED, "ha": "stopped"})
        self.assert_answer(self.act("/unsuspend"), status="running")
        self.assert_on(site, "premium")
        self.assertEqual(self.scripts(), 2)

    def test_on_a_stopped_site_the_inside_follows_at_its_next_start(self):
        site = self.live_site()
        self.act("/action/stop")
        self.upgraded("standard")
        self.assertEqual((self.places(site), self.scripts()), (STOPPED, 1))
        self.act("/action/start")
        self.assert_on(site, "standard")
        self.act("/action/restart")
        self.assertEqual(self.scripts(), 2)

    def test_the_same_plan_again(self):
        site = self.live_site()
        self.calls.clear()
        self.upgraded("BASIC".lower())
        self.assertEqual([what for _, what in self.calls if not what.startswith("GET")], [])
        self.assert_on(site, "basic")

    def test_names_match_without_regard_to_case(self):
        site = self.live_site()
        answer = self.act(UPGRADE, plan=" Standard ")
        self.assertEqual(answer.json()["plan"], "standard")
        self.assert_on(site, "standard")

    def test_the_same_plan_applies_what_staff_have_changed(self):
        site = self.live_site()
        Plan.objects.filter(name="basic").update(memory_mb=3000, disk_gb=25)
        self.upgraded("basic")
        container = self.container(site.vmid)
        self.assertEqual((container["memory"], container["disk"]), (3000, 25))

    def test_it_queues_behind_what_runs(self):
        site = self.create()
        self.run_calls(4)
        body = self.ask(UPGRADE, plan="premium").json()
        self.assertEqual((body["job"]["state"], body["plan"]), ("queued", "premium"))
        self.assertEqual(self.ask(UPGRADE, plan="premium").json()["job"]["id"], body["job"]["id"])
        self.run_jobs()
        self.assert_on(site, "premium")
        self.assertEqual(self.container(900)["snapshots"], ["initial"])

    def test_a_suspension_goes_before_one_that_waits_and_neither_is_lost(self):
        site = self.live_site()
        self.control("node", node="node1", up=False)
        self.ask(UPGRADE, plan="standard")
        self.run_for(60)
        self.ask("/suspend")
        self.run_for(60)
        self.assertEqual(self.places(site)["traffic"], [False], self.tale(site))
        self.control("node", node="node1", up=True)
        self.run_jobs()
        self.assert_on(site, "standard")
        self.assertEqual(self.places(site), SUSPENDED)

    def test_the_address_and_the_mark_are_as_they_must_be(self):
        site = self.live_site()
        config = self.lab.proxmox.cluster.containers[900].config
        before = config["net0"]
        self.assertIn("hwaddr=", before)
        config["net0"] = before.replace("192.168.1.100/24", "192.168.1.77/24")
        config["tags"] = "vip"
        self.upgraded("standard")
        self.assertEqual(self.config(900)["tags"], "nodepoint;vip")
        self.assertEqual(set(self.config(900)["net0"].split(",")), set(before.split(",")))
        self.assertEqual(self.config(900)["description"].strip(), site.owner_mark)

    def test_a_full_storage_takes_everything_back(self):
        site = self.live_site()
        Plan.objects.create(name="huge", memory_mb=9000, disk_gb=1_000_000, cores=4, backups=9, domains=9)
        body = self.assert_refused(self.act(UPGRADE, plan="huge"), 500, "infrastructure")
        self.assertIn("Proxmox VE", body["error"])
        self.assert_on(site, "basic")
        self.assertEqual(self.job(site, "sites.upgrade").state, "rolled_back", self.tale(site))

    def test_memory_in_use_that_cannot_be_taken_away_takes_everything_back(self):
        site = self.live_site(plan="premium")
        Plan.objects.create(name="tiny", memory_mb=256, disk_gb=80, cores=1, backups=1, domains=1)
        self.assert_refused(self.act(UPGRADE, plan="tiny"), 500, "infrastructure")
        self.assert_on(site, "premium")
        self.assertEqual(self.places(site), {**RUNNING, "ha": "started"})

    def test_an_inside_that_cannot_be_fitted_is_reported_and_done_at_the_next_start(self):
        site = self.live_site()
        self.fault("ssh", "error", "INSTALL 900 database", count=3)
        job = self.upgraded("standard")
        self.assertIn("WordPress", job.warning)
        site.refresh_from_db()
        self.assertEqual((site.plan.name, site.tuned_for_mb), ("standard", 2048))
        self.act("/action/restart")
        self.assert_on(site, "standard")

    def test_calls_and_queries(self):
        self.live_site()
        self.calls.clear()
        self.upgraded("standard")
        self.assertLessEqual(len(self.calls), 16, self.calls)
        for number in range(20):
            SiteFactory(service_id=f"more{number}")
        with CaptureQueriesContext(connection) as captured:
            self.ask(UPGRADE, plan="premium")
        self.assertLessEqual(len(captured), 36, [query["sql"][:100] for query in captured])


class RefusalTests(UpgradeMixin, SiteTestCase):
    def test_bad_input_and_states(self):
        cases = (
            ("1001", {}, 400, "validation"),
            ("1001", {"plan": ["basic"]}, 400, "validation"),
            ("", {"plan": "basic"}, 400, "validation"),
            ("never", {"plan": "basic"}, 404, "not_found"),
            (SiteFactory().service_id, {"plan": "gold"}, 400, "validation"),
            (SiteFactory(deleted=True).service_id, {"plan": "basic"}, 404, "not_found"),
            (SiteFactory(failed=True).service_id, {"plan": "basic"}, 409, "wrong_state"),
            (SiteFactory(deleting=True).service_id, {"plan": "basic"}, 409, "wrong_state"),
        )
        for service_id, body, status, code in cases:
            with self.subTest(service=service_id, body=body):
                self.assert_refused(self.act(UPGRADE, service_id, **body), status, code)
        self.assertEqual(Job.objects.count(), 0)
        self.assertIn(
            "basic, standard, premium", self.act(UPGRADE, SiteFactory().service_id, plan="x").json()["error"]
        )

    def test_a_smaller_disk(self):
        site = SiteFactory(service_id="1001", plan=Plan.objects.get(name="premium"))
        body = self.assert_refused(self.act(UPGRADE, plan="basic"), 409, "disk_too_small")
        self.assertIn("80 GB", body["error"])
        asked = self.assert_refused(self.act(UPGRADE, plan="basic", dry_run=True), 409, "disk_too_small")
        self.assertEqual(asked["error"], body["error"])
        answer = self.act(UPGRADE, plan="premium", dry_run=True).json()
        self.assertEqual(answer, {"success": True, "plan": "premium", "job": None})
        self.assertEqual((self.calls, Job.objects.count()), ([], 0))
        site.refresh_from_db()
        self.assertEqual(site.plan.name, "premium")

    def test_a_smaller_disk_than_that_of_an_upgrade_on_its_way(self):
        site = self.live_site()
        self.ask(UPGRADE, plan="premium")
        self.assert_refused(self.ask(UPGRADE, plan="standard"), 409, "disk_too_small")
        self.run_jobs()
        self.assert_on(site, "premium")

    def test_more_in_use_than_the_plan_allows(self):
        Plan.objects.create(name="slim", memory_mb=1024, disk_gb=80, cores=1, backups=1, domains=1)
        site = SiteFactory(service_id="1001", plan=Plan.objects.get(name="premium"))
        for number in range(3):
            site.backups.create(name=f"BAK01012026-{number}", state=Backup.State.READY)
        site.backups.create(name="BAK01012026-9", state=Backup.State.DELETED)
        for number in range(2):
            CustomDomain.objects.create(site=site, domain=f"example{number}.com")
        body = self.assert_refused(self.act(UPGRADE, plan="slim"), 409, "quota_exceeded")
        self.assertIn("2 backups and 1 domain ", body["error"])
        self.assertEqual((self.calls, Job.objects.count()), ([], 0))
        Site.objects.filter(pk=site.pk).update(backup_quota=3, domain_quota=2)
        self.assertEqual(
            self.ask(UPGRADE, plan="slim").status_code, 200, "staff have allowed more for this site"
        )

    def test_a_suspended_site_is_not_refused(self):
        SiteFactory(service_id="1001", suspended_at=timezone.now())
        self.assertEqual(self.ask(UPGRADE, plan="premium").status_code, 200)


class AtOnceTests(UpgradeMixin, SiteTransactionTestCase):
    def test_two_plans_at_once_end_on_one_of_them(self):
        site = self.live_site()
        plans = ("standard", "premium", "standard", "premium")
        answers = at_once([lambda plan=plan: self.ask_from_thread(UPGRADE, plan=plan) for plan in plans])
        codes = {answer.status_code for answer in answers}
        self.assertLessEqual(codes, {200, 409}, [answer.content for answer in answers])
        self.run_jobs()
        states = set(Job.objects.filter(subject=site.key).values_list("state", flat=True))
        self.assertEqual(states, {"succeeded"}, self.tale(site))
        self.assert_on(site, "premium")

"""POST /delete-site: the intent is stored at once and carried through, whatever the site is doing."""

from datetime import timedelta

from django.core import mail
from django.test import override_settings

from nodepoint.jobs import tasks
from nodepoint.jobs.models import Job
from sites.models import Site
from tests.factories import SiteFactory
from tests.sites.base import SiteTestCase, SiteTransactionTestCase, at_once, foreign_record


class DeleteMixin:
    def assert_deleted(self, site: Site) -> None:
        """Nothing is left of it but a row that remembers."""
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.DELETED, self.tale(site))
        self.assertEqual((site.vmid, site.private_ip, site.subdomain, site.live_key), (None,) * 4)
        self.assertFalse(Job.objects.filter(subject=site.key, state__in=Job.ALIVE).exists(), self.tale(site))
        self.assert_nothing_left()
        answer = self.delete(site.service_id)
        self.assertEqual((answer.status_code, answer.json()), (200, {"success": True, "status": "deleted"}))
        self.assertEqual(self.get(f"/status?service_id={site.service_id}").status_code, 404)


class DeleteSiteTests(DeleteMixin, SiteTestCase):
    def test_a_live_site(self):
        site = self.live_site()
        answer = self.delete().json()
        job = answer.pop("job")
        self.assertEqual(answer, {"success": True, "status": "deleting", "state": "running"})
        self.assertEqual((job["kind"], job["state"]), ("sites.terminate", "running"))
        self.run_jobs()
        self.assert_deleted(site)

    def test_the_name_goes_first_and_the_address_last(self):
        self.live_site(plan="premium")
        self.calls.clear()
        self.delete()
        self.run_jobs()
        deletions = [what for _, what in self.calls if what.startswith("DELETE")]
        order = ["/dns_records/", "/proxy-hosts/", "/ha/resources/", "/lxc/900"]
        self.assertEqual(len(deletions), len(order), deletions)
        for part, deletion in zip(order, deletions, strict=True):
            self.assertIn(part, deletion)

    def test_repeats_while_deleting_get_the_same_job(self):
        self.live_site()
        jobs = {self.delete().json()["job"]["id"] for _ in range(3)}
        self.assertEqual(len(jobs), 1)
        self.assertEqual(Job.objects.filter(kind="sites.terminate").count(), 1)

    def test_a_service_that_never_was(self):
        answer = self.delete("never")
        self.assertEqual((answer.status_code, answer.json()["code"]), (404, "not_found"))
        self.assertEqual(Job.objects.count(), 0)

    def test_a_deleted_one_and_a_failed_one_are_deleted_already(self):
        for site in (SiteFactory(deleted=True), SiteFactory(failed=True)):
            with self.subTest(site.state):
                self.assertEqual(self.delete(site.service_id).json()["status"], "deleted")
                self.assert_deleted(site)
                self.assertEqual(Job.objects.count(), 0)

    def test_the_latest_site_of_the_service_is_meant(self):
        SiteFactory(service_id="1001", deleted=True)
        site = self.live_site()
        self.assertEqual(self.delete().json()["status"], "deleting")
        self.run_jobs()
        self.assert_deleted(site)

    def test_a_caller_that_waits_in_vain_is_told_that_it_goes_on(self):
        self.live_site()
        answer = self.post("/delete-site", {"service_id": "1001"}, Prefer="wait=0").json()
        self.assertEqual((answer["status"], answer["state"]), ("deleting", "running"))

    @override_settings(NPM_CERTIFICATE="letsencrypt")
    def test_at_every_moment_of_its_provisioning(self):
        most = 60
        for count in range(most):
            with self.subTest(calls=count):
                name = f"at{count}"
                site = self.create(service_id=name, email=f"{name}@example.com", plan="premium")
                self.run_calls(count)
                idle = not self.job(site).alive
                self.assertEqual(self.delete(name).json()["status"], "deleting")
                self.run_jobs()
                self.assertEqual(self.job(site).state, "succeeded" if idle else "cancelled", self.tale(site))
                self.assert_deleted(site)
            if idle:
                break
        # The order that nothing cut off took one call more than the last one that was: none between them.
        calls = sum(self.job(site).steps.values_list("calls", flat=True))
        self.assertEqual(count, calls, "some moments were left out")
        self.assertLess(count, most - 1, "the last moment was not reached")

    def test_at_every_moment_of_an_undo_which_is_finished_first(self):
        for count in range(self._calls_until_the_undo(), 60):
            self.fault("ssh", "refuse", "bash -s install", count=1000)
            name = f"undo{count}"
            site = self.create(service_id=name, email=f"{name}@example.com", plan="premium")
            self.run_calls(count)
            before = self.job(site).state
            self.delete(name)
            self.run_jobs()
            with self.subTest(calls=count, before=before):
                self.assertIn(before, ("rolling_back", "rolled_back"))
                self.assertEqual(self.job(site).state, "rolled_back", self.tale(site))
                self.assert_deleted(site)
            if before == "rolled_back":
                break
        self.assertLess(count, 59, "the last moment was not reached")

    def _calls_until_the_undo(self) -> int:
        """How many calls it takes until an order that fails in `wordpress` is being undone."""
        self.fault("ssh", "refuse", "bash -s install", count=1000)
        site = self.create(service_id="probe", email="probe@example.com", plan="premium")
        count = 0
        while self.job(site).state != Job.State.ROLLING_BACK:
            self.run_calls(1)
            count += 1
        self.run_jobs()
        return count

    def test_things_of_others_are_left_alone(self):
        site = self.live_site()
        foreign = foreign_record("janedoe.nodepoint.eu")
        self.delete()
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.DELETED, self.tale(site))
        self.assertEqual([record["id"] for record in self.state()["cloudflare"]["records"]], [foreign])

    def test_a_container_that_lost_our_mark_is_left_alone_and_staff_can_read_it(self):
        site = self.live_site()
        self.lab.proxmox.cluster.containers[900].config["description"] = "adopted by staff"
        self.delete()
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.DELETED, self.tale(site))
        self.assertEqual(self.container(900)["status"], "running")
        self.assertIn("VMID 900", self.step(site, "container_removed", "sites.terminate").detail)

    def test_a_protected_container_waits_for_staff(self):
        site = self.live_site()
        self.lab.proxmox.cluster.containers[900].config["protection"] = 1
        self.delete()
        self.run_for(3600)
        self.assertEqual(self.job(site, "sites.terminate").state, "waiting", self.tale(site))
        self.lab.proxmox.cluster.containers[900].config["protection"] = 0
        self.run_jobs()
        self.assert_deleted(site)

    def test_an_ha_resource_in_error_is_brought_down_first(self):
        site = self.live_site(plan="premium")
        self.lab.proxmox.cluster.ha._resources["ct:900"]["crm"] = "error"
        self.delete()
        self.run_jobs()
        self.assert_deleted(site)


class NodeAwayTests(DeleteMixin, SiteTestCase):
    @override_settings(STAFF_EMAIL=["staff@example.com"])
    def test_a_node_that_is_away_for_an_hour_delays_and_alarms_once(self):
        site = self.live_site()
        mail.outbox.clear()
        self.control("node", node="node1", up=False)
        self.delete()
        self.run_for(4000)
        job = self.job(site, "sites.terminate")
        self.assertEqual(job.state, "waiting", self.tale(site))
        self.assert_readable(job.steps.get(state="waiting").error)
        self.assertEqual(self.leftovers()["records"], [], "visitors go at once")
        Job.objects.filter(pk=job.pk).update(created_at=job.created_at - timedelta(hours=2))
        self.assertEqual([tasks.alarm(), tasks.alarm()], [1, 0])
        self.run_for(120)
        self.assertEqual([message.to for message in mail.outbox], [["staff@example.com"]])
        self.assertIn("1001", mail.outbox[0].subject)
        self.control("node", node="node1", up=True)
        self.run_jobs()
        self.assert_deleted(site)
        self.assertEqual(len(mail.outbox), 1)

    def test_a_container_that_ha_has_moved_is_found_on_its_new_node(self):
        site = self.live_site(plan="premium")
        self.control("node", node="node1", up=False)
        self.lab.world.settle()
        self.assertNotEqual(self.container(900)["node"], "node1")
        self.delete()
        self.run_for(600)
        self.assert_deleted(site)


class AtOnceTests(DeleteMixin, SiteTransactionTestCase):
    def test_from_several_threads_at_once(self):
        site = self.live_site()
        calls = [lambda: self.post_from_thread("/delete-site", {"service_id": "1001"})] * 4
        answers = at_once(calls)
        self.assertEqual([answer.status_code for answer in answers], [200] * 4)
        self.assertEqual(len({answer.json()["job"]["id"] for answer in answers}), 1)
        self.run_jobs()
        self.assert_deleted(site)

    def test_while_an_order_is_repeated(self):
        site = self.create()
        order = {"service_id": "1001", "email": "x@example.com", "plan": "basic", "public_ip": "203.0.113.10"}
        calls = [
            lambda: self.post_from_thread("/delete-site", {"service_id": "1001"}),
            lambda: self.post_from_thread("/create-site", order),
        ]
        answers = {answer.request["PATH_INFO"]: answer.status_code for answer in at_once(calls * 2)}
        self.assertEqual(answers, {"/delete-site": 200, "/create-site": 409})
        self.run_jobs()
        self.assert_deleted(site)

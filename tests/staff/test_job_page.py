"""The page of a job: steps, what they say, and steering where it is legal."""

import re

from nodepoint.audit.models import Entry
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job, JobStep
from sites.models import Site
from sites.services.repair import repair_site
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.staff.base import make_staff

COST = 8  # queries, however many steps there are
MOVES = ("ask_again", "retry", "skip", "give_up", "cancel")


class JobPageCase(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_staff("anna", "operator"))

    def page(self, job: Job, tail: str = "change"):
        return self.client.get(f"/admin/jobs/job/{job.pk}/{tail}/")

    def press(self, job: Job, move: str, **fields: str):
        return self.client.post(f"/admin/jobs/job/{job.pk}/act/{move}/", {"reason": "because", **fields})

    def offered(self, job: Job) -> list[str]:
        """The moves that the page offers, with their steps."""
        body = self.page(job).content.decode()
        found = re.findall(rf"/admin/jobs/job/{job.pk}/act/(\w+)/(?:\?step=(\w+))?", body)
        return sorted({f"{move} {step}".strip() for move, step in found})

    def stuck(self, **changes) -> Job:
        """A provisioning that waits for Nginx Proxy Manager, the rest as far as it gets."""
        site = self.create(**changes)
        self.fault("npm", "drop_before", count=100_000)
        self.run_for(120)
        job = self.job(site)
        self.assertEqual(job.state, Job.State.WAITING, self.tale(site))
        return job


class ContentTests(JobPageCase):
    def test_steps_with_state_calls_remote_id_and_what_was_said(self) -> None:
        job = self.stuck()
        text = " ".join(re.sub(r"<[^>]+>", " ", self.page(job).content.decode()).split())
        for shown in (
            "Create site",
            "Setting up the proxy proxy_host",
            JobStep.objects.get(job=job, name="proxy_host").error,
            "next in",
            "failed",
            "UPID:node1:",
            job.pk,
            "Gives up at",
        ):
            self.assertIn(shown, text)
        self.assertContains(self.page(job), f'href="/admin/sites/site/{job.subject_pk}/change/"')

    def test_a_job_of_another_release_is_shown_and_left_alone(self) -> None:
        job = self.stuck()
        Job.objects.filter(pk=job.pk).update(kind="sites.forgotten")
        self.assertContains(self.page(job), "It is of another release.")
        self.assertEqual(self.offered(job), [])

    def test_a_job_that_is_not_there_is_not_found(self) -> None:
        self.assertEqual(self.client.get("/admin/jobs/job/nothing/change/").status_code, 404)
        self.assertEqual(self.client.get("/admin/jobs/job/nothing/live/").status_code, 403)

    def test_it_moves_by_itself(self) -> None:
        site = self.create()
        job = self.job(site)
        body = self.page(job, "live").json()
        self.assertEqual((body["again"], set(body["parts"])), (2, {"job", "acts", "steps", "entries"}))
        self.run_jobs()
        body = self.page(job, "live").json()
        self.assertEqual((body["again"], body["say"]), (10, "Create site: Succeeded."))

    def test_many_steps_cost_as_little_as_one(self) -> None:
        long, short = self.job(self.live_site()), None
        self.ask("/action/stop")
        short = Job.objects.get(kind="sites.stop")
        for job in (long, short):
            for tail in ("change", "live"):
                self.page(job, tail)
                with self.subTest(job=job.kind, tail=tail), self.assertNumQueries(COST):
                    self.page(job, tail)


class SteeringTests(JobPageCase):
    def test_only_what_is_legal_is_offered(self) -> None:
        job = self.stuck(plan="premium")
        skip = ["skip snapshot"]
        self.assertEqual(self.offered(job), sorted(["cancel", "give_up", "retry proxy_host", *skip]))
        self.clear_faults()
        self.run_jobs()
        self.assertEqual(self.offered(job), [])

    def test_what_is_not_legal_is_refused_with_a_word(self) -> None:
        job = self.job(self.live_site())
        entries = Entry.objects.count()
        for move in MOVES:
            answer = self.press(job, move, step="container")
            if answer.status_code == 302:
                self.assertContains(self.client.get(answer["Location"]), "not possible any more")
        job.refresh_from_db()
        self.assertEqual((job.state, Entry.objects.count()), (Job.State.SUCCEEDED, entries))

    def test_a_mended_system_is_tried_at_once(self) -> None:
        job = self.stuck()
        self.clear_faults()
        self.press(job, "retry", step="proxy_host")
        self.assertEqual(Entry.objects.first().act, "jobs.retry")
        self.run_jobs()
        self.assert_live(Site.objects.get())

    def test_a_cancelled_order_leaves_nothing_and_can_be_ordered_again(self) -> None:
        job = self.stuck()
        self.clear_faults()
        self.press(job, "cancel")
        self.run_jobs()
        self.assert_nothing_left()
        job.refresh_from_db()
        self.assertEqual((job.state, job.error), (Job.State.ROLLED_BACK, "It was cancelled by our staff."))
        self.assertEqual(self.offered(job), ["ask_again"])
        self.press(job, "ask_again")
        self.run_jobs()
        self.assert_live(Site.objects.get(live_key="1001"))

    def test_given_up_now_rather_than_in_half_an_hour(self) -> None:
        job = self.stuck()
        self.press(job, "give_up")
        self.clear_faults()
        self.run_jobs()
        site = Site.objects.get()
        self.assertEqual(site.state, "failed")
        job.refresh_from_db()
        self.assertIn("Given up by staff: because", job.detail)
        self.assert_readable(job.error)

    def test_a_snapshot_that_failed_is_taken_afterwards(self) -> None:
        site = self.create()
        self.run_until(site, "verified", state="done")
        self.fault("proxmox", "error", "/snapshot", 100_000)
        self.run_jobs()
        self.clear_faults()
        site.refresh_from_db()
        job = self.job(site)
        self.assertEqual((site.state, job.state), ("live", "succeeded"), self.tale(site))
        self.assertEqual(self.container(900)["snapshots"], [])
        self.assertEqual(self.offered(job), ["retry snapshot"])
        self.press(job, "retry", step="snapshot")
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, job.warning), (Job.State.SUCCEEDED, ""))
        self.assertEqual(len(self.container(900)["snapshots"]), 1)
        self.assertEqual(self.act("/action/reset").status_code, 200)

    def test_a_high_availability_that_does_not_come_is_skipped(self) -> None:
        site = self.create(plan="premium")
        self.fault("proxmox", "error", "/cluster/ha", 100_000)
        self.run_until(site, "high_availability", state="waiting")
        answer = self.press(self.job(site), "skip", step="high_availability")
        self.assertEqual(answer.status_code, 302)
        self.clear_faults()
        self.run_jobs()
        job = self.job(site)
        self.assertEqual(job.state, Job.State.SUCCEEDED, self.tale(site))
        self.assertIn("skipped by staff", job.warning)
        site.refresh_from_db()
        self.assertEqual(site.state, "live")

    def test_an_undo_that_a_dead_system_holds_up_leaves_its_record_behind(self) -> None:
        site = self.create()
        self.run_until(site, "dns_record", state="done")
        self.fault("cloudflare", "drop_before", count=100_000)
        self.press(self.job(site), "cancel")
        self.run_for(600)
        job = self.job(site)
        self.assertEqual(self.offered(job), ["retry dns_record", "skip dns_record"])
        self.press(job, "skip", step="dns_record")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "failed", self.tale(site))
        self.assertIn("left behind by staff", self.job(site).warning)
        self.clear_faults()
        self.assertEqual([r["comment"] for r in self.leftovers()["records"]], [site.owner_mark])

    def test_skipping_needs_a_reason_and_says_what_is_missing_then(self) -> None:
        job = self.stuck()
        page = self.client.get(f"/admin/jobs/job/{job.pk}/act/skip/?step=snapshot")
        self.assertContains(page, "The site has no first snapshot, so it cannot be reset.")
        self.assertContains(self.press(job, "skip", step="snapshot", reason=""), "This field is required.")
        self.assertEqual(JobStep.objects.get(job=job, name="snapshot").state, "pending")

    def test_a_deletion_can_be_hurried_but_not_taken_back(self) -> None:
        site = self.live_site()
        self.fault("cloudflare", "refuse", count=100_000)
        self.delete()
        self.run_for(300)
        job = self.job(site, "sites.terminate")
        self.assertEqual(
            self.offered(job), ["retry dns_record_gone", "skip certificate_gone", "skip dns_record_gone"]
        )
        self.press(job, "cancel")
        self.press(job, "give_up")
        self.press(job, "skip", step="dns_record_gone")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "deleted", self.tale(site))
        self.assertIn("skipped by staff", self.job(site, "sites.terminate").warning)


class AgainTests(JobPageCase):
    """What ended badly is asked for again, by the same service as before."""

    # The call, what it is asked with, its kind, the step that is given up.
    CALLS = (
        ("/action/stop", {}, "sites.stop", "power"),
        ("/action/start", {}, "sites.start", "power"),
        ("/action/restart", {}, "sites.restart", "rebooted"),
        ("/action/mkbak", {}, "sites.backup", "snapshot"),
        ("/action/rollback", {"bak": "newest"}, "sites.rollback", "possible"),
        ("/action/delbak", {"bak": "newest"}, "sites.delete_backup", "snapshot_gone"),
        ("/action/reset", {}, "sites.reset", "possible"),
        ("/action/toggle", {}, "sites.toggle", "traffic"),
        ("/wp/upgrade", {"plan": "standard"}, "sites.upgrade", "sized"),
        ("/action/setdomain", {"domain": "www.example.com"}, "sites.add_domain", "proxy_host"),
        ("/action/deldomain", {"domain": "www.example.com"}, "sites.remove_domain", "proxy_host_gone"),
    )

    def give_up(self, job: Job, step: str) -> None:
        """As if the step had waited for its next try, and somebody had lost patience."""
        JobStep.objects.filter(job=job, name=step).update(state="waiting", error="It is away.", held=False)
        self.press(job, "give_up")
        self.run_jobs()
        job.refresh_from_db()
        self.assertIn(job.state, Job.ENDED_BADLY)

    def ask_again(self, job: Job) -> None:
        """It is offered once, and leads to the same end."""
        self.assertEqual(self.offered(job), ["ask_again"])
        self.press(job, "ask_again")
        self.assertEqual(self.offered(job), [])
        self.run_jobs()
        again = Job.objects.filter(kind=job.kind).first()
        self.assertNotEqual(again.pk, job.pk)
        self.assertEqual((again.state, again.actor), (Job.State.SUCCEEDED, "staff anna"))

    def test_each_kind(self) -> None:
        site = self.live_site()
        self.lab.dns.set("www.example.com", "A", ["203.0.113.10"])
        for path, body, kind, step in self.CALLS:
            with self.subTest(kind=kind):
                newest = site.backups.filter(state="ready").values_list("name", flat=True).first()
                answer = self.ask(path, **{k: newest if v == "newest" else v for k, v in body.items()})
                self.assertEqual(answer.status_code, 200, answer.content)
                job = Job.objects.filter(kind=kind).first()
                self.give_up(job, step)
                self.ask_again(job)

    def test_the_order_of_a_certificate(self) -> None:
        self.live_site()
        self.lab.dns.set("www.example.com", "A", ["203.0.113.10"])
        self.ask("/action/setdomain", domain="www.example.com")
        while not (job := Job.objects.filter(kind="sites.certificate").first()):
            self.run_calls(1)
        self.give_up(job, "certificate")
        self.ask_again(job)

    def test_a_repair(self) -> None:
        site = self.live_site()
        repair_site(site)
        job = Job.objects.get(kind="sites.repair")
        queue.cancel(site.key)
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.CANCELLED)
        self.ask_again(job)

    def test_not_what_makes_no_sense_any_more(self) -> None:
        site = self.live_site()
        self.ask("/action/stop")
        job = Job.objects.get(kind="sites.stop")
        self.press(job, "cancel")
        self.assertEqual(self.offered(job), ["ask_again"])
        self.act("/suspend")
        self.assertEqual(self.offered(job), [], self.tale(site))

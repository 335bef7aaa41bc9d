"""Whatever may end badly can be asked for again from the page of its job: every flow, and the ways of those
that are not a site's or a zone's everyday work."""

from datetime import timedelta
from unittest import mock

from django.core import mail
from django.test import SimpleTestCase, override_settings
from django.utils import timezone

from nodepoint.board import drift, tasks, troubles
from nodepoint.board.models import Finding
from nodepoint.clients.errors import BadAnswer, NotFound, Refused
from nodepoint.jobs import queue, registry, retry, steering
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Retry
from sites import live
from sites.connections import cloudflare
from sites.models import Site, Template
from sites.services.adoption import adopt_site
from sites.services.template import build_template
from tests.factories import SiteFactory
from tests.sites.base import ORDER
from tests.sites.test_template import PLAIN, TemplateCase
from tests.staff import test_adoption
from tests.staff.base import make_staff
from tests.staff.overrides import BY, OverridesCase
from tests.staff.test_job_page import JobPageCase

# Flows that never end badly by themselves. What another wish has cut off needs nobody: that wish stands.
NEVER_END_BADLY = {
    "dns.delete_zone": "a deletion is carried through, however long it takes",
    "sites.pool_destroy": "a removal is carried through, however long it takes",
    "sites.terminate": "a deletion is carried through, however long it takes",
    "sites.suspend": "a wish of the billing system, carried through; a periodic look sees to it as well",
    "sites.unsuspend": "a wish of the billing system, carried through",
    "sites.primary": "nobody asked for it; its only step spares the job, and can be retried by itself",
}


class EveryFlowTests(SimpleTestCase):
    def flows(self) -> list[registry.Flow]:
        """Those of the product."""
        return [flow for flow in registry.flows() if not flow.name.startswith("test.")]

    def test_each_can_be_asked_for_again_or_never_ends_badly(self) -> None:
        for flow in self.flows():
            with self.subTest(flow=flow.name):
                self.assertNotEqual(
                    flow.name in steering._again,
                    flow.name in NEVER_END_BADLY,
                    "either register a way (asked_again_by), or say here why it never ends badly",
                )

    def test_nothing_is_registered_for_a_flow_that_is_not_there(self) -> None:
        names = {flow.name for flow in self.flows()}
        self.assertLessEqual({name for name in steering._again if not name.startswith("test.")}, names)
        self.assertLessEqual(NEVER_END_BADLY.keys(), names)

    def test_what_never_ends_badly_has_no_deadline_and_no_step_that_could_be_undone(self) -> None:
        for name in NEVER_END_BADLY:
            with self.subTest(flow=name):
                flow = registry.flow(name)
                self.assertIsNone(flow.deadline)
                for step in flow.steps:
                    self.assertIsNone(step.undo)
                    self.assertTrue(step.spares_the_job or step.deadline is None, step.name)

    def test_no_error_is_final_where_a_job_never_gives_up(self) -> None:
        for error in (
            Refused("npm", "403"),
            NotFound("npm", "404"),
            BadAnswer("npm", "?"),
            ValueError("ours"),
        ):
            with self.subTest(error=error):
                self.assertIsInstance(retry.decide(error, before=1000, endless=True), Retry)


class AgainCase(JobPageCase):
    """An operator who asks again for what failed."""

    def newest(self, kind: str) -> Job:
        return Job.objects.filter(kind=kind).order_by("-created_at")[0]

    def failed(self, kind: str) -> Job:
        """The job that has just ended badly; it is on the board."""
        self.clear_faults()
        job = self.newest(kind)
        self.assertIn(job.state, Job.ENDED_BADLY)
        self.assertIn(job, troubles.unsettled())
        return job

    def again(self, job: Job) -> Job:
        """It is offered once, ends well, and is off the board."""
        self.assertEqual(self.offered(job), ["ask_again"])
        self.press(job, "ask_again")
        self.assertEqual(self.offered(job), [])
        self.run_jobs()
        new = self.newest(job.kind)
        self.assertNotEqual(new.pk, job.pk)
        self.assertEqual((new.state, new.actor), (Job.State.SUCCEEDED, "staff anna"), new.detail)
        self.assertEqual(self.offered(job) + self.offered(new), [])
        self.assertNotIn(job, troubles.unsettled())
        return new

    def not_again(self, job: Job) -> str:
        """The sentence that refuses it; no job was made."""
        before = Job.objects.count()
        path = f"/admin/jobs/job/{job.pk}/act/ask_again/"
        answer = self.client.post(path, {"reason": ""}, follow=True)
        self.assertEqual(Job.objects.count(), before)
        *_, message = answer.context["messages"]
        return str(message)

    def assert_not_for_support(self, job: Job) -> None:
        self.client.force_login(make_staff("sam", "support"))
        before = Job.objects.count()
        self.assertEqual(self.offered(job), [])
        self.assertEqual(self.press(job, "ask_again").status_code, 403)
        self.assertEqual(Job.objects.count(), before)


class AdoptionTests(AgainCase):
    read_anew = OverridesCase.read_anew

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(live, "KEPT", timedelta(hours=1)))  # until it is read anew

    def adoption(self) -> tuple[int, Job]:
        """The VMID, and the job of an adoption whose site did not answer."""
        vmid = test_adoption.AdoptTests.stranger(self)
        adopt_site(**{**ORDER, "service_id": "77", "plan": "premium", "vmid": vmid}, **BY)
        self.fault("ssh", "error", count=100_000)
        self.run_jobs()
        job = self.failed("sites.adopt")
        self.read_anew()
        return vmid, job

    def test_the_same_container_is_adopted_for_the_same_service(self) -> None:
        vmid, job = self.adoption()
        self.again(job)
        site = Site.objects.get(live_key="77")
        self.assertNotEqual(site.key, job.subject)
        found = (site.state, site.vmid, site.email, site.plan.name, site.public_ip)
        self.assertEqual(found, ("live", vmid, ORDER["email"], "premium", ORDER["public_ip"]))

    def test_not_once_it_is_gone_or_the_service_has_a_site(self) -> None:
        vmid, job = self.adoption()
        with self.lab.lock:
            kept = self.lab.proxmox.cluster.containers.pop(vmid)
        self.read_anew()
        self.assertEqual(self.not_again(job), f"There is no container {vmid} in the cluster.")
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[vmid] = kept
        self.read_anew()
        self.create(service_id="77")
        self.assertEqual(self.offered(job), [])
        self.assertEqual(self.not_again(job), steering.NOT_NOW)

    def test_not_where_an_earlier_release_has_not_kept_which_container(self) -> None:
        _, job = self.adoption()
        Job.objects.filter(pk=job.pk).update(data={"service_id": "77"})
        self.assertEqual(self.not_again(job), steering.NOT_NOW)

    def test_support_cannot(self) -> None:
        self.assert_not_for_support(self.adoption()[1])


class TemplateTests(AgainCase, TemplateCase):
    def broken(self, **options: str) -> Job:
        """A build whose packages could not be installed."""
        self.fault("ssh", "error", "INSTALL 900 packages", count=10)
        self.assertEqual(self.build(**options).state, "failed")
        return self.failed("sites.template")

    def test_it_is_built_from_the_same_source_where_it_was_wished(self) -> None:
        job = self.broken(node="node2", source=PLAIN)
        with override_settings(PROXMOX_TEMPLATE="local:vztmpl/other.tar.zst"):
            self.again(job)
        new = Template.objects.get(state="ready")
        self.assertEqual((new.source, new.built_on), (PLAIN, "node2"))
        self.assertNotEqual(new.key, job.subject)

    def test_one_that_was_to_be_built_anywhere_is(self) -> None:
        job = self.broken()
        self.assertEqual(job.data["node"], "")
        self.again(job)

    def test_not_once_another_was_begun(self) -> None:
        job = self.broken()
        build_template()
        self.assertEqual(self.not_again(job), steering.NOT_NOW)
        self.assertEqual(troubles.unsettled(), [])

    def test_a_node_that_is_none_of_ours_any_more_is_refused(self) -> None:
        job = self.broken(node="node2")
        with override_settings(PROXMOX_NODES=["node1"]):
            self.assertIn("node2", self.not_again(job))

    def test_support_cannot(self) -> None:
        self.assert_not_for_support(self.broken())


class LeftOverTests(AgainCase):
    """A record of a site that ended long ago, and Cloudflare refusing to delete it."""

    def removal(self) -> Job:
        gone = SiteFactory(deleted=True, ended_at=timezone.now() - timedelta(days=3))
        cloudflare().create_record("A", "gone.nodepoint.eu", "203.0.113.9", comment=gone.owner_mark)
        tasks.compare()
        self.run_jobs()
        drift.put_right(Finding.objects.get(), "staff anna")
        self.fault("cloudflare", "refuse", "DELETE", count=1000)
        self.run_jobs()
        return self.failed("board.remove_orphan")

    def test_what_is_left_over_is_removed(self) -> None:
        self.again(self.removal())
        self.assertEqual(cloudflare().find_records("gone.nodepoint.eu"), [])
        self.assertFalse(Finding.objects.exists())

    def test_not_once_it_is_gone_which_settles_it(self) -> None:
        job = self.removal()
        (record,) = cloudflare().find_records("gone.nodepoint.eu")
        cloudflare().delete_record(record.id)
        tasks.compare()
        self.run_jobs()
        self.assertEqual(troubles.unsettled(), [])
        self.assertEqual(self.not_again(job), steering.NOT_NOW)

    def test_support_cannot(self) -> None:
        self.assert_not_for_support(self.removal())


class ComparisonTests(AgainCase):
    def test_everything_is_compared(self) -> None:
        job = drift.request("staff anna")
        queue.cancel(drift.EVERYTHING)
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.CANCELLED)
        self.again(job)


@override_settings(STAFF_EMAIL=["staff@example.com"])
class NoticeTests(AgainCase):
    """An e-mail to staff that the mail server did not take."""

    def notice(self) -> Job:
        away = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}
        job = self.stuck()
        self.press(job, "give_up")
        self.clear_faults()
        with override_settings(**away, EMAIL_PORT=1):
            self.run_for(60)
            notice = self.newest("notices.staff")
            self.assertEqual(notice.state, Job.State.WAITING)
            self.press(notice, "give_up")
        notice.refresh_from_db()
        self.assertEqual(notice.state, Job.State.FAILED)
        self.assertIn(notice, troubles.unsent())
        return notice

    def test_it_is_sent(self) -> None:
        notice = self.notice()
        new = self.again(notice)
        self.assertEqual(new.data, notice.data)
        to_staff = [message for message in mail.outbox if message.to == ["staff@example.com"]]
        self.assertEqual(len(to_staff), 1)
        self.assertEqual(list(troubles.unsent()), [])

    def test_not_about_a_job_that_is_gone(self) -> None:
        notice = self.notice()
        Job.objects.filter(pk=notice.data["job"]).delete()
        self.assertEqual(self.not_again(notice), steering.NOT_NOW)

    def test_support_cannot(self) -> None:
        self.assert_not_for_support(self.notice())

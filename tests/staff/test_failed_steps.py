"""Steps that failed beside a success: all of them tried again at once, what else helps, and when they are off
the board."""

from nodepoint.audit.models import Entry
from nodepoint.board import troubles
from nodepoint.jobs import steering
from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done
from sites import services
from sites.models import Template
from tests.sites.domains import SHOP, DomainMixin
from tests.staff.steering import NEVER, S, SteeringTestCase
from tests.staff.test_job_page import JobPageCase


class RetryAllTests(SteeringTestCase):
    def job_with_failures(self) -> Job:
        """Succeeded; two of its steps have failed, of which the second comes after the first."""
        self.flow(
            self.step("a", NEVER, Done(), spares_the_job=True),
            self.step("b", NEVER, Done(), after=("a",), spares_the_job=True),
            self.step("c", after=("b",)),
            stands=lambda subject: True,
        )
        job = self.submit()
        self.run_jobs()
        self.assertEqual(self.states(job), {"a": S.FAILED, "b": S.FAILED, "c": S.DONE})
        return job

    def test_all_that_failed_is_done_again_in_its_order_and_nothing_else(self) -> None:
        job = self.job_with_failures()
        self.journal.clear()
        steering.retry_failed(job.pk)
        self.assertEqual(self.state(job), Job.State.RUNNING)
        self.run_jobs()
        self.assertEqual(self.journal, ["a", "b"])
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)
        self.assertEqual((set(self.states(job).values()), job.warning), ({S.DONE}, ""))
        entries = Entry.objects.filter(act="jobs.retry")
        self.assertEqual(sorted(entry.after["step"] for entry in entries), ["a", "b"])

    def test_where_nothing_failed_it_is_refused(self) -> None:
        self.flow(self.step("a"), stands=lambda subject: True)
        job = self.submit()
        self.run_jobs()
        with self.assertRaises(MoveRefused):
            steering.retry_failed(job.pk)
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)


class PageTests(DomainMixin, JobPageCase):
    def reset(self) -> Job:
        """A reset after which nobody could be reached inside: tuning and check have failed."""
        self.live_site()
        self.fault("ssh", "refuse", count=100_000)
        self.act("/action/reset")
        self.clear_faults()
        job = Job.objects.get(kind="sites.reset")
        self.assertEqual(job.steps.filter(state="failed").count(), 2, job.warning)
        return job

    def test_one_button_for_several_and_the_acts_of_the_site(self) -> None:
        job = self.reset()
        self.assertIn("retry_failed", self.offered(job))
        for act in ("restart", "repair"):
            self.assertContains(self.page(job), f"/admin/sites/site/{job.subject_pk}/act/{act}/")
        self.press(job, "retry_failed")
        self.run_jobs()
        self.assertEqual(list(troubles.spared()), [])
        self.assertEqual(self.offered(job), [])
        self.assertNotContains(self.page(job), "/act/restart/")

    def test_a_later_job_that_does_the_step_takes_it_off_the_board(self) -> None:
        job = self.reset()
        JobStep.objects.filter(job=job).exclude(name="tuned").filter(state="failed").update(state="done")
        self.assertEqual([step.name for step in troubles.spared()], ["tuned"])
        self.act("/action/mkbak")  # does nothing of the kind
        self.assertEqual(troubles.spared().count(), 1)
        self.act("/wp/upgrade", plan="premium")
        self.assertEqual(list(troubles.spared()), [])

    def removed(self) -> Job:
        """A domain is gone, and WordPress could not be told its other name."""
        self.live_site()
        self.add()
        self.fault("ssh", "refuse", "bash -s install", 100_000)
        self.del_domain()
        self.run_jobs()
        self.clear_faults()
        job = Job.objects.get(kind="sites.remove_domain")
        self.assertEqual(job.steps.get(state="failed").name, "handed_over", job.warning)
        return job

    def test_wordpress_is_told_its_name_after_the_domain_is_gone(self) -> None:
        job = self.removed()
        site = job.load_subject()
        self.assertEqual(site.serves_as, SHOP)
        self.press(job, "retry", step="handed_over")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.serves_as, site.hostname, self.tale(site))

    def test_a_restart_tells_it_as_well(self) -> None:
        self.removed()
        self.act("/action/restart")
        self.assertEqual(list(troubles.spared()), [])

    def test_a_domain_that_was_added_anew_stays_as_it_is(self) -> None:
        job = self.removed()
        domain = self.add()
        self.press(job, "retry", step="handed_over")
        self.run_jobs()
        domain.refresh_from_db()
        self.assertEqual((domain.status, domain.certificate), ("active", "active"))

    def test_a_template_that_is_not_on_all_nodes_is_copied_when_asked(self) -> None:
        template, job = services.build_template()
        self.fault("ssh", "error", "dd of=", count=100_000)
        self.run_jobs()
        self.clear_faults()
        template.refresh_from_db()
        self.assertEqual(template.state, Template.State.READY)
        self.press(job, "retry", step="spread")
        self.run_jobs()
        self.assertEqual(job.steps.get(name="spread").state, "done")

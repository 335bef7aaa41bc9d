"""Steps that spare the job: what fails after the customer has his site is a warning, not an undo."""

from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Wait
from tests.nodepoint.jobs.base import EngineTestCase, S


class SparedTests(EngineTestCase):
    def test_the_job_succeeds_with_a_warning(self) -> None:
        self.flow(
            self.step("live", undo=Done()),
            self.step(
                "extra", Fail(error="The storage is full.", detail="x"), spares_the_job=True, after=("live",)
            ),
            self.step("last", after=("extra",)),
        )
        job = self.submit()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, job.error), (Job.State.SUCCEEDED, ""))
        self.assertEqual(job.warning, "Doing extra: The storage is full.")
        self.assertEqual(self.journal, ["live", "extra", "last"])
        self.assertEqual((self.row("extra").state, self.row("extra").detail), (S.FAILED, "x"))

    def test_a_spared_step_that_takes_too_long_is_given_up(self) -> None:
        self.flow(self.step("extra", Wait(seconds=10), spares_the_job=True, deadline=60))
        job = self.submit()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, job.warning), (Job.State.SUCCEEDED, "Doing extra: It took too long."))

    def test_no_warning_covers_another(self) -> None:
        self.flow(
            self.step("one", Fail(error="First."), spares_the_job=True),
            self.step("two", Fail(error="Second."), spares_the_job=True, after=("one",)),
        )
        job = self.submit()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.warning, "Doing one: First.\nDoing two: Second.")

    def test_another_steps_failure_undoes_the_spared_one_too(self) -> None:
        self.flow(
            self.step("extra", Fail(error="Full."), undo=Done(), spares_the_job=True),
            self.step("bad", Fail(error="No."), after=("extra",)),
        )
        job = self.submit()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, job.error), (Job.State.ROLLED_BACK, "No."))
        self.assertEqual(self.journal, ["extra", "bad", "undo extra"])

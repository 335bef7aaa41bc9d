"""Steps that staff retry or skip: where it is legal, and what follows."""

from datetime import timedelta

from nodepoint.jobs import engine, steering
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Wait
from tests.staff.steering import NEVER, NOT_YET, S, SteeringTestCase


class RetryTests(SteeringTestCase):
    def test_a_step_that_waits_for_its_next_try_is_called_at_once(self) -> None:
        self.flow(self.step("a", NOT_YET, Done()))
        job = self.submit()
        self.call("a")
        self.assertEqual(self.legal(job), {"cancel": ["job"], "give_up": ["job"], "retry": ["a"]})
        self.assertEqual(self.due(), [])
        steering.retry(job.pk, "a")
        row = self.row("a")
        self.assertLess(row.due_at, self.clock.now() + timedelta(seconds=30))
        self.assertEqual(row.tries, 0)
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)

    def test_an_undo_that_waits_is_called_at_once(self) -> None:
        self.flow(self.step("a", undo=(NOT_YET, Done())), self.step("b", NEVER, after=("a",)))
        job = self.submit()
        self.call("a")
        self.call("b")
        self.call("a")
        self.assertEqual(self.legal(job), {"retry": ["a"]})
        steering.retry(job.pk, "a")
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.ROLLED_BACK)

    def test_a_step_that_is_being_called_is_left_alone(self) -> None:
        self.flow(self.step("a", NOT_YET, NOT_YET))
        job = self.submit()
        self.call("a")
        self.clock.move(61)
        held = self.claim("a")
        self.assertEqual(self.refuse(steering.retry, job.pk, "a"), steering.BEING_CALLED)
        engine.execute(held, self.clock)
        self.assertEqual(self.row("a").tries, 2)

    def test_remote_work_that_goes_on_is_not_asked_again(self) -> None:
        self.flow(self.step("a", Wait(ref="UPID:1", begins=True), Done()))
        job = self.submit()
        self.call("a")
        self.assertEqual(self.legal(job), {"cancel": ["job"]})
        self.assertEqual(self.refuse(steering.retry, job.pk, "a"), steering.NOT_NOW)


class FailedWithoutHarmTests(SteeringTestCase):
    """A step that spares its job is the only thing that an ended job is revived for."""

    def make(self, *outcomes, stands=lambda subject: True) -> Job:
        self.flow(
            self.step("a", undo=Done()),
            self.step("b", *outcomes, after=("a",), spares_the_job=True),
            self.step("c", after=("b",)),
            stands=stands,
        )
        job = self.submit()
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)
        return job

    def test_it_is_done_again_and_nothing_else(self) -> None:
        job = self.make(NEVER, Done(ref="snapshot"))
        self.assertEqual(self.legal(job), {"retry": ["b"]})
        self.assertIn("Doing b: It is refused.", job.warning)
        self.journal.clear()
        steering.retry(job.pk, "b")
        self.assertEqual(self.state(job), Job.State.RUNNING)
        self.assertEqual(job.active_key, self.subject)
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)
        self.assertEqual((self.journal, job.warning, job.active_key), (["b"], "", None))
        self.assertEqual(self.states(job), {"a": S.DONE, "b": S.DONE, "c": S.DONE})

    def test_it_may_fail_again_and_be_tried_again(self) -> None:
        job = self.make(NEVER, NEVER, Done())
        for _ in range(2):
            steering.retry(job.pk, "b")
            self.run_jobs()
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)
        self.assertEqual(job.warning, "")

    def test_not_beside_another_job_of_the_subject(self) -> None:
        job = self.make(NEVER)
        self.flow(self.step("x", NOT_YET), name="other")
        self.submit("other")
        self.assertEqual(self.legal(job), {})
        self.refuse(steering.retry, job.pk, "b")

    def test_others_wait_for_it_as_for_any_job(self) -> None:
        job = self.make(NEVER, Done())
        steering.retry(job.pk, "b")
        with self.assertRaises(JobRefused):
            self.submit(queue=False)

    def test_not_where_the_subject_has_gone(self) -> None:
        job = self.make(NEVER, stands=lambda subject: False)
        self.assertEqual(self.legal(job), {})
        self.refuse(steering.retry, job.pk, "b")

    def test_twice_is_once(self) -> None:
        job = self.make(NEVER, NOT_YET)
        steering.retry(job.pk, "b")
        self.refuse(steering.retry, job.pk, "b")


class SkipTests(SteeringTestCase):
    def test_what_the_job_can_do_without_is_skipped(self) -> None:
        self.flow(
            self.step("a", NOT_YET),
            self.step("b", if_skipped="There is no b.", after=("a",)),
            self.step("c", NOT_YET, if_skipped="There is no c."),
            self.step("d", after=("c",)),
        )
        job = self.submit()
        self.call("a")
        self.call("c")
        self.assertEqual(self.legal(job)["skip"], ["b", "c"])
        steering.skip(job.pk, "c", "it is down for the day")
        self.assertEqual(self.row("d").state, S.RUNNING)
        self.assertEqual(
            Job.objects.get(pk=job.pk).warning,
            "Doing c: skipped by staff. There is no c. (it is down for the day)",
        )
        steering.skip(job.pk, "b", "not wanted")
        self.call("d")
        steering.retry(job.pk, "a")
        self.assertEqual(self.states(job)["b"], S.SKIPPED)

    def test_the_last_step_to_come_ends_the_job(self) -> None:
        self.flow(self.step("a", NOT_YET, if_skipped="There is no a."))
        job = self.submit()
        self.call("a")
        steering.skip(job.pk, "a", "never mind")
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)
        self.assertIsNone(job.active_key)

    def test_what_the_job_needs_is_not_skipped(self) -> None:
        self.flow(self.step("a", NOT_YET))
        job = self.submit()
        self.call("a")
        self.refuse(steering.skip, job.pk, "a", "please")

    def test_a_step_that_is_being_called_is_not_skipped(self) -> None:
        self.flow(self.step("a", NOT_YET, Done(), if_skipped="There is no a."))
        job = self.submit()
        self.call("a")
        self.clock.move(61)
        held = self.claim("a")
        self.assertEqual(self.refuse(steering.skip, job.pk, "a", "now"), steering.BEING_CALLED)
        engine.execute(held, self.clock)
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)

    def test_what_a_skipped_step_had_begun_is_undone_all_the_same(self) -> None:
        self.flow(
            self.step("a", NOT_YET, if_skipped="There is no a.", undo=Done()),
            self.step("b", if_skipped="There is no b.", undo=Done(), after=("a",)),
            self.step("c", NEVER, after=("b",)),
        )
        job = self.submit()
        self.call("a")
        steering.skip(job.pk, "b", "never called")
        steering.skip(job.pk, "a", "called once")
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.ROLLED_BACK)
        self.assertEqual(self.journal, ["a", "c", "undo a"])

    def test_an_undo_that_cannot_be_done_leaves_its_thing_behind(self) -> None:
        self.flow(
            self.step("a", undo=Done()),
            self.step("b", undo=NOT_YET, if_skipped="A record may stay.", after=("a",)),
            self.step("c", NEVER, after=("b",)),
        )
        job = self.submit()
        for name in ("a", "b", "c", "b"):
            self.call(name)
        self.assertEqual(self.legal(job), {"retry": ["b"], "skip": ["b"]})
        steering.skip(job.pk, "b", "the zone is gone")
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.ROLLED_BACK)
        self.assertEqual(self.states(job), {"a": S.UNDONE, "b": S.CANCELLED, "c": S.FAILED})
        self.assertIn("left behind by staff", job.warning)

"""Time that is over: of a step, of a job, and what does not count."""

from datetime import timedelta

from nodepoint.jobs import engine, limits
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Retry, Wait
from nodepoint.jobs.registry import Limit
from tests.nodepoint.jobs.base import EngineTestCase, S

LOOK = Wait(seconds=10)


class DeadlineTests(EngineTestCase):
    def end(self, job: Job) -> float:
        """Run the job to its end; seconds since it was submitted."""
        begun = self.clock.now()
        self.run_jobs()
        job.refresh_from_db()
        return self.seconds_since(begun)

    def test_a_step_that_waits_longer_than_its_deadline_fails(self) -> None:
        self.flow(self.step("a", LOOK, undo=Done(), deadline=60))
        job = self.submit()
        self.assertEqual(self.end(job), 60)
        self.assertEqual(job.state, Job.State.ROLLED_BACK)
        self.assertEqual(job.error, "It took too long.")
        self.assertEqual(job.detail, "a: Deadline passed.")

    def test_the_deadline_of_a_step_begins_with_its_first_call(self) -> None:
        self.flow(
            self.step("a", LOOK, LOOK, LOOK, LOOK, Done()),
            self.step("b", LOOK, LOOK, Done(), after=("a",), deadline=25),
        )
        job = self.submit()
        self.assertEqual(self.end(job), 60)
        self.assertEqual(job.state, Job.State.SUCCEEDED)

    def test_a_first_call_in_which_the_worker_died_is_one(self) -> None:
        self.flow(self.step("a", SystemExit(), LOOK, deadline=60))
        job = self.submit()
        first = self.row("a").due_at
        with self.assertRaises(SystemExit):
            self.call("a")
        self.clock.move(engine.LEASE)
        self.call("a")
        self.assertEqual(self.row("a").started_at, first)
        self.assertEqual(self.end(job), 60 - engine.LEASE)

    def test_a_job_fails_when_its_own_time_is_over(self) -> None:
        self.flow(self.step("a", LOOK, LOOK, Done()), self.step("b", LOOK, after=("a",)), deadline=120)
        job = self.submit()
        self.assertEqual(self.end(job), 120)
        self.assertEqual(job.state, Job.State.FAILED)

    def test_what_a_retry_said_last_is_the_error(self) -> None:
        self.flow(self.step("a", Retry(error="The node is away.", detail="no route to host")), deadline=60)
        job = self.submit()
        self.end(job)
        self.assertEqual(job.error, "The node is away.")
        self.assertEqual(job.detail, "a: Deadline passed. no route to host")

    def test_a_long_pause_does_not_reach_beyond_the_deadline(self) -> None:
        """A vendor that asks for an hour's pause would else keep a customer's action alive for an hour."""
        step = self.step("a", Retry(seconds=3000, error="Too many requests."))
        self.flow(step, deadline=600)
        job = self.submit()
        self.assertEqual(self.end(job), 600)
        self.assertEqual(len(step.run.calls), 2)

    def test_a_last_look_at_the_deadline_may_still_find_it_done(self) -> None:
        self.flow(self.step("a", Wait(seconds=3000), Done()), deadline=600)
        job = self.submit()
        self.assertEqual(self.end(job), 600)
        self.assertEqual(job.state, Job.State.SUCCEEDED)

    def test_success_after_the_deadline_is_success(self) -> None:
        def late(call):
            self.clock.move(500)
            return Done()

        self.flow(self.step("a", late, deadline=60), deadline=120)
        job = self.submit()
        self.end(job)
        self.assertEqual(job.state, Job.State.SUCCEEDED)

    def test_a_job_without_deadline_never_gives_up(self) -> None:
        self.flow(self.step("a", Retry(error="The node is away.")), deadline=None)
        job = self.submit()
        begun = self.clock.now()
        self.run_jobs(until=begun + timedelta(minutes=20))
        job.refresh_from_db()
        self.assertEqual((job.state, job.deadline_at), (Job.State.WAITING, None))

    def test_an_undo_has_no_deadline(self) -> None:
        self.flow(
            self.step("a", undo=(*[LOOK] * 50, Done()), deadline=30),
            self.step("b", Retry(), after=("a",)),
            deadline=60,
        )
        job = self.submit()
        self.assertEqual(self.end(job), 560)
        self.assertEqual(job.state, Job.State.ROLLED_BACK)

    def test_what_was_begun_is_known_to_the_undo_although_time_was_over(self) -> None:
        plan = self.make_plan()
        step = self.step("a", Wait(seconds=1, ref="UPID:1", facts={"cores": 9}), undo=Done())
        self.flow(step, subject="sites.Plan", deadline=1)
        self.submit(subject=f"sites.plan:{plan.pk}")
        self.run_jobs()
        call = step.undo.calls[0]
        self.assertEqual((call.step.data["undoes"], call.subject.cores, call.ref), ("UPID:1", 9, ""))


class InLineTests(EngineTestCase):
    """Time in line for a limit counts against no deadline: a burst of orders must not be undone for being
    many."""

    def setUp(self) -> None:
        super().setUp()
        self.block(0)

    def block(self, seconds: float) -> None:
        limits.take("lane", 1, "somebody", self.clock.now(), seconds)

    def lane(self, *outcomes, **options):
        return self.step("a", *outcomes, limits=(Limit("lane", lambda: 1),), **options)

    def test_time_in_line_before_the_first_call_does_not_count(self) -> None:
        self.flow(self.lane(LOOK, LOOK, Done(), deadline=30), deadline=40)
        job = self.submit()
        self.block(300)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.SUCCEEDED)

    def test_time_in_line_between_two_calls_does_not_count(self) -> None:
        self.flow(self.lane(LOOK, LOOK, Done(), deadline=30), deadline=40)
        job = self.submit()
        self.call("a")
        self.clock.move(10)
        self.block(300)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.SUCCEEDED)

    def test_but_the_steps_own_time_still_does(self) -> None:
        self.flow(self.lane(LOOK, deadline=30), deadline=4000)
        job = self.submit()
        begun = self.clock.now()
        self.call("a")
        self.clock.move(10)
        self.block(300)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.FAILED)
        self.assertAlmostEqual(self.seconds_since(begun), 330, delta=6)

    def test_so_does_the_jobs(self) -> None:
        self.flow(self.lane(LOOK), deadline=40)
        job = self.submit()
        begun = self.clock.now()
        self.block(300)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.FAILED)
        self.assertAlmostEqual(self.seconds_since(begun), 340, delta=6)

    def test_a_step_in_line_shows_what_it_waits_for(self) -> None:
        self.flow(self.lane())
        job = self.submit()
        self.block(300)
        self.call("a")
        row = self.row("a")
        self.assertEqual((row.state, row.awaits, row.calls, row.held), (S.WAITING, "lane", 0, False))
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.RUNNING)  # nothing outside holds it up
        self.clock.move(300)
        self.call("a")
        self.assertEqual((self.row("a").awaits, self.row("a").lined_up_at), ("", None))

    def test_a_holder_that_lost_its_lease_prolongs_nothing(self) -> None:
        self.flow(self.lane(LOOK))
        job = self.submit()
        deadline = job.deadline_at
        self.block(30)
        self.call("a")
        self.clock.move(30)
        late = self.claim("a")
        self.clock.move(20)
        self.call("a")  # another holder
        job.refresh_from_db()
        prolonged = (job.deadline_at - deadline).total_seconds()
        engine.execute(late, self.clock)
        job.refresh_from_db()
        self.assertEqual((job.deadline_at - deadline).total_seconds(), prolonged)

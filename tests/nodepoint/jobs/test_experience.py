"""What is learnt of how long steps take."""

from datetime import timedelta
from unittest import mock

from nodepoint.jobs import experience
from nodepoint.jobs.models import JobStep
from nodepoint.jobs.outcomes import Done, Fail, Wait
from nodepoint.jobs.testing import run_until_idle
from tests.nodepoint.jobs.base import KIND, EngineTestCase


class ExperienceTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.time = 1000.0
        self.enterContext(mock.patch("nodepoint.jobs.experience.time.monotonic", lambda: self.time))

    def learn(self, *durations: float, kind: str = KIND) -> None:
        """Jobs that took so long, one after the other."""
        for seconds in durations:

            def take(call, seconds=seconds):
                self.clock.move(seconds)
                return Done()

            with mock.patch.dict("nodepoint.jobs.registry._flows", clear=True):
                self.flow(self.step("a", take, usual=50), name=kind)
                self.submit(kind, f"thing:{self.clock.now()}")
                self.run_jobs()
        self.time += experience.KEPT_NOTHING

    def test_without_experience_there_is_none(self) -> None:
        self.assertEqual(experience.of(KIND), {})

    def test_the_median_of_the_latest_counts(self) -> None:
        self.learn(100, 100, 100, 4, 2, 6, 4, 4, 5, 3, 4, 300, 4)
        experience.forget()
        self.assertEqual(experience.of(KIND), {"a": 4})

    def test_kinds_of_jobs_do_not_mix(self) -> None:
        self.learn(5)
        self.learn(9, kind="test.other")
        experience.forget()
        self.assertEqual((experience.of(KIND), experience.of("test.other")), ({"a": 5}, {"a": 9}))

    def test_a_burst_of_first_steps_does_not_make_the_last_ones_forgotten(self) -> None:
        self.flow(self.step("a"), self.step("b", Done(), Wait(seconds=3600), after=("a",)))
        self.submit()
        self.run_jobs()
        with mock.patch.object(experience, "ROWS", 5):
            for number in range(5):
                self.submit(subject=f"thing:{number + 2}")
            run_until_idle(self.clock, until=self.clock.now() + timedelta(minutes=1))
            self.assertEqual(JobStep.objects.filter(name="a", state="done").count(), 6)
            experience.forget()
            with self.assertNumQueries(3):
                self.assertEqual(set(experience.of(KIND)), {"a", "b"})

    def test_failures_and_undos_teach_nothing(self) -> None:
        self.flow(self.step("a", undo=Done()), self.step("b", Fail(error="No."), after=("a",)))
        self.submit()
        self.run_jobs()
        self.assertEqual(experience.of(KIND), {})

    def test_a_reading_is_kept_for_a_while_and_then_read_again(self) -> None:
        self.learn(5)
        experience.forget()
        self.assertEqual(experience.of(KIND), {"a": 5})
        self.learn(7, 7)
        with self.assertNumQueries(0):
            self.assertEqual(experience.of(KIND), {"a": 5})
        self.time += experience.KEPT
        self.assertEqual(experience.of(KIND), {"a": 7})

    def test_forgetting_reads_again_at_once(self) -> None:
        self.learn(5)
        experience.of(KIND)
        self.learn(7, 7)
        experience.forget()
        self.assertEqual(experience.of(KIND), {"a": 7})

    def test_a_job_keeps_the_weights_it_began_with(self) -> None:
        self.flow(self.step("a", usual=50))
        before = self.submit()
        self.learn(5)
        experience.forget()
        after = self.submit(subject="thing:2")
        weights = [JobStep.objects.get(job=job).usual_seconds for job in (before, after)]
        self.assertEqual(weights, [50, 5])

    def test_calls_are_told_the_usual_time(self) -> None:
        self.learn(5)
        experience.forget()
        step = self.step("a")
        self.flow(step)
        self.submit(subject="thing:2")
        self.run_jobs()
        self.assertEqual(step.run.calls[0].usual, 5)

    def test_remote_work_is_first_looked_at_near_its_usual_end(self) -> None:
        self.learn(40)
        experience.forget()
        self.flow(self.step("a", lambda call: call.begun("UPID:1"), lambda call: call.look_again(), Done()))
        self.submit(subject="thing:2")
        row = JobStep.objects.get(job__subject="thing:2")
        begun = self.clock.now()
        self.call("a", row.job)
        row.refresh_from_db()
        self.assertEqual(row.due_at - begun, timedelta(seconds=28))
        self.clock.time = row.due_at
        self.call("a", row.job)
        row.refresh_from_db()
        self.assertEqual(row.due_at - self.clock.now(), timedelta(seconds=3))

"""How far a job is said to be."""

import random
from datetime import timedelta
from unittest import mock

from nodepoint.jobs import limits, progress
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from nodepoint.jobs.progress import Progress
from nodepoint.jobs.registry import Limit
from tests.nodepoint.jobs.base import EngineTestCase

LOOK = Wait(seconds=1)


class ProgressTests(EngineTestCase):
    def progress(self, job: Job) -> Progress:
        """What is said at the time of the moved clock."""
        with mock.patch("django.utils.timezone.now", self.clock.now):
            return progress.of(Job.objects.get(pk=job.pk))

    def watch(self, job: Job, step_seconds: float = 0.5, most: int = 2000) -> list[Progress]:
        """Run a job and ask twice a second."""
        seen = [self.progress(job)]
        for _ in range(most):
            if not Job.objects.get(pk=job.pk).alive:
                return seen
            until = self.clock.now() + timedelta(seconds=step_seconds)
            self.run_jobs(until=until)
            self.clock.time = until
            seen.append(self.progress(job))
        raise AssertionError("It does not end.")

    def test_the_bar_runs_from_nought_to_a_hundred_and_never_backwards(self) -> None:
        lane = (Limit("lane", lambda: 1),)
        self.flow(
            self.step("a", usual=2),
            self.step("b", *[LOOK] * 20, Done(), after=("a",), usual=20, limits=lane),
            self.step("c", *[Retry(error="Away.")] * 3, Done(), after=("a",), usual=5, limits=lane),
            self.step("extra", *[LOOK] * 8, Fail(error="No."), after=("c",), usual=9, spares_the_job=True),
            self.step("d", *[LOOK] * 3, Done(), after=("b", "extra"), usual=1),
        )
        job = self.submit()
        limits.take("lane", 1, "somebody", self.clock.now(), 4)
        seen = self.watch(job)
        percents = [one.percent for one in seen]
        self.assertEqual((percents[0], percents[-1]), (0, 100))
        self.assertEqual(percents, sorted(percents))
        self.assertGreater(len(set(percents)), 15)
        self.assertLess(max(percents[:-1]), 100)

    def test_it_never_runs_backwards_when_much_goes_wrong(self) -> None:
        """Crashes, other durations than usual, and limits that are full between two looks."""
        lane = (Limit("lane", lambda: 1),)
        chance = random.Random(7)
        for number in range(5):
            outcomes = {name: [self.draw(chance) for _ in range(12)] for name in "abcd"}
            self.flow(
                *(
                    self.step(
                        name,
                        *outcomes[name],
                        Done(),
                        after=tuple("abcd"[:index][-1:]) if index % 2 else (),
                        usual=chance.choice((0.1, 3, 30)),
                        limits=lane if chance.random() < 0.5 else (),
                    )
                    for index, name in enumerate("abcd")
                ),
                name=f"test.{number}",
            )
            job = self.submit(f"test.{number}", f"thing:{number}")
            limits.take("lane", 1, "somebody", self.clock.now(), 6)
            percents = [one.percent for one in self.watch(job)]
            self.assertEqual(percents, sorted(percents), number)

    def draw(self, chance: random.Random) -> Outcome:
        return chance.choice((LOOK, Wait(seconds=4), Retry(error="Away."), Retry(seconds=2)))

    def test_a_long_first_call_shows(self) -> None:
        self.flow(self.step("a", usual=10))
        job = self.submit()
        self.claim("a")
        self.clock.move(5)
        self.assertEqual(self.progress(job).percent, 50)
        self.clock.move(500)
        self.assertEqual(self.progress(job).percent, 95)

    def test_the_seconds_left_are_those_of_the_longest_chain(self) -> None:
        self.flow(
            self.step("a", LOOK, usual=10),
            self.step("b", after=("a",), usual=30),
            self.step("c", LOOK, usual=20),
            self.step("d", after=("b", "c"), usual=5),
        )
        job = self.submit()
        begun = self.clock.now()
        self.assertEqual(self.progress(job).eta_seconds, 45)
        self.call("a")
        self.call("c")
        self.clock.time = begun + timedelta(seconds=4)
        self.assertEqual(self.progress(job).eta_seconds, 41)

    def test_a_job_that_ended_or_goes_back_has_no_seconds_left(self) -> None:
        self.flow(self.step("a", Fail(error="No."), undo=(Retry(seconds=60), Done())))
        job = self.submit()
        self.call("a")
        self.assertEqual(
            (self.progress(job).step, self.progress(job).eta_seconds), ("Undoing: Doing a", None)
        )
        self.run_jobs()
        self.assertEqual((self.progress(job).step, self.progress(job).eta_seconds), ("Rolled Back", None))

    def test_the_step_named_is_the_one_that_takes_longest(self) -> None:
        self.flow(self.step("a", LOOK, Done(), usual=1), self.step("b", LOOK, Done(), usual=75))
        job, queued = self.submit(), self.submit()
        self.assertEqual(self.progress(job).step, "Doing b")
        self.assertEqual(self.progress(queued), Progress(0, "Waiting for its turn", None))
        self.run_jobs()
        self.assertEqual(self.progress(job), Progress(100, "Done", None))

    def test_a_flow_without_weight_divides_by_nothing(self) -> None:
        self.flow(self.step("a", usual=0.0))
        self.assertEqual(self.progress(self.submit()).percent, 0)

    def test_steps_at_hand_cost_no_query(self) -> None:
        self.flow(self.step("a"))
        job = self.submit()
        steps = list(job.steps.all())
        with self.assertNumQueries(0):
            progress.of(job, steps)

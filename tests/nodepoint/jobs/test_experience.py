"""What is learnt of how long steps take."""

import time
from dataclasses import replace
from datetime import timedelta
from unittest import mock

from nodepoint.jobs import engine, experience
from nodepoint.jobs.models import JobStep
from nodepoint.jobs.outcomes import Done, Fail, Retry, Wait
from nodepoint.jobs.runner import STOOD_STILL, Runner
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

    def remote(self, *outcomes, subject: str) -> JobStep:
        """A step whose remote work is begun and then looked at with these outcomes; its row when all was
        called."""
        begin = outcomes[0] if callable(outcomes[0]) else lambda call: call.begun("UPID:1")
        with mock.patch.dict("nodepoint.jobs.registry._flows", clear=True):
            self.flow(self.step("a", begin, *(one for one in outcomes if one is not begin)))
            job = self.submit(subject=subject)
            self.call("a", job)
            self.away()
            self.run_jobs()
        return self.row("a", job)

    def away(self) -> None:
        """Nothing happens between two calls of a step."""

    def test_our_own_outage_teaches_nothing_and_the_next_order_is_as_fast_as_before(self) -> None:
        self.learn(*[40] * 3)
        with mock.patch.object(self, "away", lambda: self.clock.move(600)):
            rows = [self.remote(Done(), subject=f"late:{number}") for number in range(8)]
        self.assertEqual([row.work_seconds for row in rows], [None] * 8)
        experience.forget()
        self.assertEqual(experience.of(KIND), {"a": 40})
        self.flow(self.step("a", lambda call: call.begun("UPID:2"), Done()))
        job = self.submit(subject="next")
        begun = self.clock.now()
        self.call("a", job)
        self.assertEqual(self.row("a", job).due_at - begun, timedelta(seconds=28))

    def test_an_end_that_was_seen_in_time_teaches(self) -> None:
        self.learn(40)
        for late, known in ((0, True), (2.5, True), (3.5, False)):
            with mock.patch.object(self, "away", lambda late=late: self.clock.move(28 + late)):
                row = self.remote(Done(), subject=f"late:{late}")
            self.assertEqual(row.work_seconds is not None, known, late)

    def test_looks_that_saw_nothing_teach_nothing(self) -> None:
        away = Retry(error="Proxmox VE could not be reached.", seconds=300)
        self.assertIsNone(self.remote(away, Done(), subject="thing:1").work_seconds)
        again = self.remote(away, lambda call: call.look_again(), Done(), subject="thing:2")
        self.assertIsNotNone(again.work_seconds)  # a look between saw it go on

    def test_a_call_whose_worker_died_teaches_nothing(self) -> None:
        self.flow(self.step("a"))
        job = self.submit()
        self.claim("a")
        self.clock.move(engine.LEASE + 1)
        self.run_jobs()
        self.assertEqual((self.row("a", job).state, self.row("a", job).work_seconds), ("done", None))

    def test_work_that_was_found_going_on_teaches_nothing_until_it_is_begun_anew(self) -> None:
        found = self.remote(lambda call: call.adopted("UPID:1"), Done(), subject="thing:1")
        self.assertIsNone(found.work_seconds)
        anew = self.remote(
            lambda call: call.adopted("UPID:1"), lambda call: call.begun("UPID:2"), Done(), subject="thing:2"
        )
        self.assertIsNotNone(anew.work_seconds)

    def test_what_was_called_while_the_process_stood_still_teaches_nothing(self) -> None:
        def stand_still(call):
            self.clock.move(60)
            experience.distrust(self.clock.now())
            return Done()

        self.flow(self.step("a", stand_still, Done()), self.step("b", after=("a",)))
        job = self.submit()
        self.clock.move(1)
        self.run_jobs()
        self.assertIsNone(self.row("a", job).work_seconds)
        self.assertEqual(self.row("b", job).work_seconds, None)  # of the same moment
        later = self.submit(subject="thing:2")
        self.clock.move(1)
        self.run_jobs()
        self.assertIsNotNone(self.row("b", later).work_seconds)

    def test_a_heartbeat_that_comes_late_is_noticed(self) -> None:
        with mock.patch("nodepoint.jobs.runner.Runner._renew_for_ever"):
            runner = Runner(1)
        self.addCleanup(runner.close)
        with mock.patch.object(experience, "distrust") as distrust:
            runner._note_standstill(time.monotonic())
            distrust.assert_not_called()
            runner._note_standstill(time.monotonic() - STOOD_STILL - 1)
            distrust.assert_called_once()

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

    def looks(self, *outcomes, late: float = 0.0) -> list[float]:
        """Seconds from each call of a step that usually takes two until its next one is due; the calls come
        `late`."""
        self.learn(2)
        experience.forget()
        self.flow(self.step("a", *outcomes, Done()))
        self.submit(subject="thing:2")
        row, found = JobStep.objects.get(job__subject="thing:2"), []
        while row.due_at:
            self.clock.time = row.due_at + timedelta(seconds=late)
            self.call("a", row.job)
            row.refresh_from_db()
            found.append((row.due_at - self.clock.now()).total_seconds() if row.due_at else 0.0)
        return [round(seconds, 2) for seconds in found[:-1]]

    def test_an_end_that_is_near_is_looked_for_before_a_second_is_over(self) -> None:
        def again(call):
            return call.look_again()

        self.assertEqual(self.looks(lambda call: call.begun("UPID:1"), again, again), [2, 0.1, 0.1])

    def test_what_begins_anew_is_asked_about_once_a_second(self) -> None:
        def begin(call):
            return replace(call.begun("UPID:1"), seconds=0.1)

        self.assertEqual(self.looks(begin, begin), [0.1, 1.0])

    def test_what_never_began_is_asked_about_once_a_second(self) -> None:
        self.assertEqual(self.looks(lambda call: replace(call.look_again(), seconds=0.1)), [1.0])

    def test_a_host_that_is_late_with_its_calls_makes_no_more_of_them(self) -> None:
        self.assertEqual(
            self.looks(lambda call: call.begun("UPID:1"), lambda call: call.look_again(), late=0.5), [2, 1.0]
        )

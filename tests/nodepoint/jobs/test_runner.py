"""Runners: seats, slices, threads, and what becomes of calls that outlive all of these."""

import threading
import time
from datetime import timedelta
from unittest import mock

from django.db import InterfaceError, OperationalError, connections
from django.test import override_settings
from django.utils import timezone
from django_q.models import OrmQ

from nodepoint.clients.deadline import end_of, left_until
from nodepoint.jobs import engine, limits, queue, registry, runner, tasks, transitions
from nodepoint.jobs.models import Job, JobStep, Lease
from nodepoint.jobs.outcomes import Done, Wait
from nodepoint.jobs.registry import Limit
from tests.base import eventually
from tests.nodepoint.jobs.base import KIND, S, ThreadsTestCase


class RunnerTestCase(ThreadsTestCase):
    """Runners with few threads, whose heartbeats and slices are short."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.multiple(runner, BEAT=0.05, IDLE_PAUSE=0.01))
        self.enterContext(override_settings(JOB_RUNNERS=2))
        self.kick = self.enterContext(mock.patch("nodepoint.jobs.queue.kick"))
        self.addCleanup(setattr, runner._stopping, "value", 0)

    def make_runner(self, threads: int = 4) -> runner.Runner:
        made = runner.Runner(threads)
        self.addCleanup(made.close)
        return made

    def in_background(self, function, *arguments) -> threading.Thread:
        def work() -> None:
            try:
                function(*arguments)
            finally:
                connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def state(self, job: Job) -> str:
        return Job.objects.get(pk=job.pk).state

    def slice_until(self, made: runner.Runner, condition) -> bool:
        """Slice after slice, until the condition is true."""
        end = time.monotonic() + 15
        while not condition() and time.monotonic() < end:
            made.slice(0.1)
        return condition()


class SliceTests(RunnerTestCase):
    def test_a_job_is_carried_out(self) -> None:
        self.flow(
            self.step("a"),
            self.step("b", Wait(seconds=0.05), Done(), after=("a",)),
            self.step("c", after=("b",)),
        )
        job = queue.submit(KIND, "thing:1")
        self.assertTrue(self.slice_until(self.make_runner(), lambda: self.state(job) == Job.State.SUCCEEDED))
        self.assertEqual(self.journal, ["a", "b", "b", "c"])

    def test_steps_that_follow_at_once_need_no_other_look_at_the_queue(self) -> None:
        self.flow(self.step("a"), self.step("b", after=("a",)), self.step("c", after=("b",)))
        job = queue.submit(KIND, "thing:1")
        made = self.make_runner()
        self.assertEqual(made._claim_some(), 1)
        self.assertTrue(eventually(lambda: self.state(job) == Job.State.SUCCEEDED))

    def test_branches_are_called_side_by_side(self) -> None:
        together = threading.Barrier(3, timeout=10)

        def meet(call):
            together.wait()
            return Done()

        self.flow(self.step("a"), *(self.step(name, meet, after=("a",)) for name in "bcd"))
        job = queue.submit(KIND, "thing:1")
        self.assertTrue(self.slice_until(self.make_runner(), lambda: self.state(job) == Job.State.SUCCEEDED))

    def test_no_more_is_called_at_once_than_there_are_threads(self) -> None:
        inside, most, lock = [], [], threading.Lock()
        three = threading.Barrier(3, timeout=10)

        def work(call):
            with lock:
                inside.append(call)
                most.append(len(inside))
            three.wait()
            time.sleep(0.01)
            with lock:
                inside.remove(call)
            return Done()

        self.flow(*(self.step(name, work) for name in "abcdef"))
        jobs = [queue.submit(KIND, f"thing:{number}") for number in range(3)]
        made = self.make_runner(threads=3)
        self.assertTrue(self.slice_until(made, lambda: all(self.state(j) == "succeeded" for j in jobs)))
        self.assertEqual(max(most), 3)
        self.assertTrue(eventually(lambda: made.busy() == 0))

    def test_a_slice_frees_its_seat_at_the_end(self) -> None:
        self.flow(self.step("a", lambda call: Done(data={"seats": limits.taken(queue.SEAT, timezone.now())})))
        queue.submit(KIND, "thing:1")
        made = self.make_runner()
        self.slice_until(made, lambda: self.row("a").state == S.DONE)
        self.assertEqual(self.row("a").data["seats"], 1)
        self.assertEqual(limits.taken(queue.SEAT, timezone.now()), 0)

    def test_there_are_never_more_runners_than_seats(self) -> None:
        most: list[int] = []

        def claim_nothing(made: runner.Runner) -> int:
            most.append(limits.taken(queue.SEAT, timezone.now()))
            return 0

        with mock.patch.object(runner.Runner, "_claim_some", claim_nothing):
            runners = [self.make_runner() for _ in range(5)]
            self.together(lambda number: runners[number].slice(0.3), 5)
        self.assertEqual(max(most), 2)

    def test_without_a_seat_nothing_is_claimed(self) -> None:
        for name in ("one", "two"):
            queue.take_seat(name, self.make_runner().worker, timezone.now(), 60)
        self.flow(self.step("a"))
        queue.submit(KIND, "thing:1")
        begun = time.monotonic()
        self.make_runner().slice(5)
        self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(self.journal, [])

    def test_each_worker_command_has_seats_of_its_own(self) -> None:
        made = self.make_runner()
        for name in ("one", "two"):
            self.assertTrue(queue.take_seat(name, "another-host-7", timezone.now(), 60))
        self.assertFalse(queue.take_seat("three", "another-host-7", timezone.now(), 60))
        self.flow(self.step("a"))
        job = queue.submit(KIND, "thing:1")
        self.assertTrue(self.slice_until(made, lambda: self.state(job) == "succeeded"))

    def test_the_seat_of_a_runner_that_died_is_free_by_time(self) -> None:
        with override_settings(JOB_RUNNERS=1):
            long_ago = timezone.now() - timedelta(seconds=60)
            queue.take_seat("dead", self.make_runner().worker, long_ago, runner.SEAT_LEASE)
            self.flow(self.step("a"))
            job = queue.submit(KIND, "thing:1")
            self.assertTrue(self.slice_until(self.make_runner(), lambda: self.state(job) == "succeeded"))


class StopTests(RunnerTestCase):
    def test_after_stop_nothing_is_claimed(self) -> None:
        self.flow(self.step("a"))
        queue.submit(KIND, "thing:1")
        runner.stop()
        self.make_runner().slice(5)
        self.assertEqual(self.journal, [])

    def test_a_chain_that_is_under_way_stops_after_the_step(self) -> None:
        def stop(call):
            runner.stop()
            return Done()

        self.flow(self.step("a", stop), self.step("b", after=("a",)))
        queue.submit(KIND, "thing:1")
        made = self.make_runner()
        made.slice(5)
        made.close()
        self.assertEqual(self.journal, ["a"])
        self.assertEqual((self.row("a").state, self.row("b").held), (S.DONE, False))
        self.assertEqual(limits.taken(queue.SEAT, timezone.now()), 0)

    def test_a_stopped_runner_wakes_no_other(self) -> None:
        self.flow(self.step("a"))
        queue.submit(KIND, "thing:1")
        self.kick.reset_mock()
        runner.stop()
        with mock.patch.object(runner, "of_this_process", return_value=self.make_runner()):
            tasks.run()
        self.kick.assert_not_called()


class LongCallTests(RunnerTestCase):
    """A call that takes longer than a slice, than a lease, or for ever."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(engine, "LEASE", 0.5))
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)

        def hang(call):
            self.go_on.wait(20)
            return Done()

        self.flow(self.step("long", hang, Done(), limits=(Limit("lane", lambda: 1),)))

    def test_it_is_kept_alive_beyond_slice_and_lease(self) -> None:
        job = queue.submit(KIND, "thing:1")
        made, other = self.make_runner(), self.make_runner()
        made.slice(0.2)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            other.slice(0.1)
        self.assertEqual(self.journal, ["long"])
        self.assertTrue(self.row("long").held)
        self.assertFalse(limits.take("lane", 1, "other", timezone.now(), 1))
        self.go_on.set()
        self.assertTrue(eventually(lambda: self.state(job) == "succeeded"))

    def test_it_delays_no_other_job(self) -> None:
        queue.submit(KIND, "thing:1")
        self.flow(self.step("quick"), name="test.quick")
        made = self.make_runner(threads=2)
        made.slice(0.1)
        job = queue.submit("test.quick", "thing:2")
        self.assertTrue(self.slice_until(made, lambda: self.state(job) == "succeeded"))
        self.go_on.set()

    def test_one_that_hangs_for_ever_is_taken_up_by_another(self) -> None:
        with mock.patch.multiple(runner, LONGEST_CALL=0.3), mock.patch.object(engine, "GRACE", 0.0):
            job = queue.submit(KIND, "thing:1")
            made, other = self.make_runner(), self.make_runner()
            made.slice(0.2)
            self.assertTrue(self.slice_until(other, lambda: self.state(job) == "succeeded"))
        self.assertEqual(self.journal, ["long", "long"])
        before = self.row("long").finished_at
        self.go_on.set()
        made.close()  # the first one's result comes late and is dropped
        self.assertEqual(self.row("long").finished_at, before)

    def test_its_remote_calls_together_end_before_its_heartbeat_does(self) -> None:
        left = []

        def look(call):
            left.append(left_until(end_of(100_000)))
            return Done()

        self.flow(self.step("a", look), self.step("b", look, after=("a",)), name="test.look")
        job = queue.submit("test.look", "thing:1")
        self.assertTrue(self.slice_until(self.make_runner(), lambda: self.state(job) == "succeeded"))
        self.assertEqual([seconds <= runner.LONGEST_CALL for seconds in left], [True, True])

    def test_a_heartbeat_that_cannot_write_goes_on(self) -> None:
        queue.submit(KIND, "thing:1")
        made = self.make_runner()
        failing = mock.patch.object(engine, "renew", side_effect=OperationalError("gone away"))
        with failing as renew:
            made.slice(0.1)
            self.assertTrue(eventually(lambda: renew.call_count > 1))
        with mock.patch.object(engine, "renew") as renew:
            self.assertTrue(eventually(lambda: renew.call_count > 1))
        self.go_on.set()


class TroubleTests(RunnerTestCase):
    """Faults of the database or of ours in the middle of a call."""

    def run_with(self, target, name: str, *errors) -> Job:
        """Carry out a job of two steps while calls of `target.name` fail with these errors, one after the
        other."""
        self.enterContext(mock.patch.object(engine, "LEASE", 0.2))
        self.enterContext(mock.patch.object(engine, "WRITE_PAUSE", 0.0))
        original, left = getattr(target, name), list(errors)

        def failing(*arguments, **options):
            if left:
                raise left.pop(0)
            return original(*arguments, **options)

        self.flow(self.step("a"), self.step("b", after=("a",)))
        job = queue.submit(KIND, "thing:1")
        with mock.patch.object(target, name, failing):
            made = self.make_runner()
            self.assertTrue(self.slice_until(made, lambda: self.state(job) == "succeeded"))
        self.assertEqual(made.busy(), 0)
        return job

    def test_an_outcome_is_recorded_in_spite_of_a_deadlock(self) -> None:
        self.run_with(transitions, "lock", OperationalError(1213, "Deadlock"), InterfaceError("closed"))
        self.assertEqual(self.journal, ["a", "b"])  # no call is repeated for that

    def test_an_outcome_that_cannot_be_recorded_is_found_again_by_looking(self) -> None:
        self.run_with(transitions, "lock", *[OperationalError("gone away")] * 5)
        self.assertEqual(self.journal, ["a", "a", "b"])

    def test_faults_of_ours_do_not_kill_the_runner(self) -> None:
        self.run_with(engine, "_record", ZeroDivisionError(), SystemExit())
        self.assertEqual(self.journal, ["a", "a", "a", "b"])

    def test_a_claim_that_fails_leaves_the_step_due(self) -> None:
        original, fails = engine.claim, [True]

        def claim(step_id, now):
            if JobStep.objects.get(pk=step_id).name == "b" and fails:
                fails.pop()
                raise OperationalError("gone away")
            return original(step_id, now)

        self.flow(self.step("a"), self.step("b", after=("a",)))
        job = queue.submit(KIND, "thing:1")
        made = self.make_runner(threads=1)
        with mock.patch.object(engine, "claim", claim):
            self.assertTrue(self.slice_until(made, lambda: self.state(job) == "succeeded"))
        self.assertEqual((fails, made.busy()), ([], 0))

    def test_a_flow_of_another_release_harms_nobody(self) -> None:
        self.flow(self.step("old"), name="test.old")
        self.flow(self.step("a"))
        old = queue.submit("test.old", "thing:1")
        del registry._flows["test.old"]
        job = queue.submit(KIND, "thing:2")
        made = self.make_runner(threads=1)
        self.assertTrue(self.slice_until(made, lambda: self.state(job) == "succeeded"))
        made.slice(0.1)
        self.assertEqual((self.state(old), made.busy()), (Job.State.RUNNING, 0))


class WakeUpTests(RunnerTestCase):
    """A slice ends with a look: no job is left to a runner that is not there."""

    def run_task(self) -> None:
        with (
            mock.patch.object(runner, "of_this_process", return_value=self.make_runner()),
            mock.patch.object(runner, "SLICE", 0.05),
        ):
            tasks.run()

    def test_the_next_slice_is_asked_for_while_work_is_left(self) -> None:
        self.flow(*(self.step(name, lambda call: (time.sleep(0.3), Done())[1]) for name in "abcdefgh"))
        queue.submit(KIND, "thing:1")
        self.kick.reset_mock()
        self.run_task()
        self.kick.assert_called_once_with()

    def test_and_not_when_there_is_none(self) -> None:
        self.run_task()
        self.kick.assert_not_called()
        self.assertFalse(OrmQ.objects.exists())
        self.assertFalse(Lease.objects.exclude(holder="").exists())

    def test_a_process_has_one_runner(self) -> None:
        with mock.patch.object(runner, "_runner", None):
            first = runner.of_this_process()
            self.addCleanup(first.close)
            self.assertIs(runner.of_this_process(), first)

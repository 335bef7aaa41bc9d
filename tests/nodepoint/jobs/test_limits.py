"""Slots of scarce things: never more than there are, first come first served, and none is lost with its
holder."""

import threading
import time
from collections import Counter
from unittest import mock
from zlib import crc32

from nodepoint.jobs import engine, limits
from nodepoint.jobs.engine import GRACE, LEASE, LIMIT_PAUSE
from nodepoint.jobs.models import Job, JobStep, Lease
from nodepoint.jobs.outcomes import Done, Fail, Retry, Wait
from nodepoint.jobs.registry import Limit
from nodepoint.jobs.testing import due
from tests.nodepoint.jobs.base import EngineTestCase, S, ThreadsTestCase

LANE = Limit("lane", lambda: 1)
KEPT = Limit("kept", lambda: 1, until_done=True)


class SlotTests(EngineTestCase):
    def take(self, holder: str, slots: int = 2, seconds: float = 10) -> bool:
        return limits.take("x", slots, holder, self.clock.now(), seconds)

    def test_there_are_no_more_slots_than_said(self) -> None:
        self.assertEqual([self.take(holder) for holder in "abc"], [True, True, False])
        self.assertEqual(limits.taken("x", self.clock.now()), 2)

    def test_who_has_one_renews_it(self) -> None:
        self.take("a", 1)
        self.clock.move(9)
        self.assertTrue(self.take("a", 1))
        self.clock.move(9)
        self.assertFalse(self.take("b", 1))
        self.assertEqual(limits.taken("x", self.clock.now()), 1)

    def test_a_slot_is_free_when_it_is_given_back_or_its_time_is_over(self) -> None:
        self.take("a", 1)
        limits.release("a", ["x"])
        self.assertTrue(self.take("b", 1))
        self.clock.move(10)
        self.assertTrue(self.take("c", 1))
        limits.release("b", ["x"])  # it was lost meanwhile
        self.assertFalse(self.take("d", 1))

    def test_names_do_not_mix(self) -> None:
        self.take("a", 1)
        self.assertTrue(limits.take("y", 1, "a", self.clock.now(), 10))
        limits.release("a", ["y"])
        self.assertFalse(self.take("b", 1))

    def test_fewer_slots_than_before_let_the_old_ones_run_out(self) -> None:
        for holder in "abc":
            self.take(holder, 3)
        self.assertFalse(self.take("d", 1))
        limits.release("a", ["x"])
        self.assertTrue(self.take("d", 1))

    def test_more_slots_than_before_can_be_had_at_once(self) -> None:
        self.take("a", 1)
        self.assertTrue(self.take("b", 2))

    def test_a_slot_that_was_taken_since_it_was_read_is_not_taken_again(self) -> None:
        first, second = (
            next(str(n) for n in range(99) if crc32(str(n).encode()) % 2 == slot) for slot in (0, 1)
        )
        self.take(first)
        self.take(second)
        limits.release(second, ["x"])
        # The slot that this one tries first is taken, the other free: until a quicker one comes in between.
        late = next(str(n) for n in range(99) if crc32(str(n).encode()) % 2 == 0 and str(n) != first)
        take_slot, quicker = limits._take_slot, []

        def take_after_another(*arguments):
            if not quicker and arguments[1] == 2:
                quicker.append(self.take(second))
            return take_slot(*arguments)

        with mock.patch.object(limits, "_take_slot", take_after_another):
            self.assertFalse(self.take(late))
        self.assertEqual(quicker, [True])


class StepLimitTests(EngineTestCase):
    """What steps do with them."""

    def submit_many(self, count: int) -> list[Job]:
        return [self.submit(subject=f"thing:{number}") for number in range(count)]

    def taken(self, name: str) -> int:
        return limits.taken(name, self.clock.now())

    def test_a_lane_is_held_for_one_call_only(self) -> None:
        self.flow(
            self.step("a", lambda call: Wait(seconds=60, data={"held": self.taken("lane")}), limits=(LANE,))
        )
        self.submit()
        self.call("a")
        self.assertEqual((self.row("a").data["held"], self.taken("lane")), (1, 0))

    def test_a_limit_of_the_remote_work_is_kept_until_it_is_done(self) -> None:
        self.flow(self.step("a", Wait(seconds=60), Retry(), Wait(seconds=300), Done(), limits=(KEPT,)))
        first, second = self.submit_many(2)
        for _ in range(3):
            self.call("a", first)
            self.call("a", second) if self.row("a", second).due_at <= self.clock.now() else None
            self.assertEqual(self.row("a", second).calls, 0)
            self.clock.time = self.row("a", first).due_at
            self.assertEqual(self.taken("kept"), 1)
        self.call("a", first)
        self.assertEqual(self.taken("kept"), 0)
        self.call("a", second)
        self.assertEqual(self.row("a", second).state, S.DONE)

    def test_it_is_given_back_when_the_step_fails(self) -> None:
        self.flow(self.step("a", Fail(error="No."), limits=(KEPT, LANE)))
        self.submit()
        self.call("a")
        self.assertEqual((self.taken("kept"), self.taken("lane")), (0, 0))

    def test_a_slot_whose_holder_died_is_free_by_time(self) -> None:
        self.flow(self.step("a", SystemExit(), Done(), limits=(KEPT,)))
        first, second = self.submit_many(2)
        with self.assertRaises(SystemExit):
            self.call("a", first)
        self.call("a", second)
        self.assertEqual(self.row("a", second).awaits, "kept")
        self.clock.move(LEASE + GRACE)
        self.call("a", second)
        self.assertEqual(self.row("a", second).state, S.DONE)

    def test_remote_work_that_nobody_looks_at_any_more_frees_its_slot_by_time(self) -> None:
        self.flow(self.step("a", Wait(seconds=30), limits=(KEPT,)))
        self.submit()
        self.call("a")
        self.clock.move(30 + GRACE - 1)
        self.assertEqual(self.taken("kept"), 1)
        self.clock.move(1)
        self.assertEqual(self.taken("kept"), 0)

    def test_a_step_gets_all_its_slots_or_none(self) -> None:
        self.flow(self.step("a", limits=(LANE, KEPT)))
        job = self.submit()
        limits.take("kept", 1, "somebody", self.clock.now(), 60)
        self.call("a", job)
        self.assertEqual((self.row("a").awaits, self.taken("lane")), ("kept", 0))

    def test_slots_given_back_for_want_of_another_wake_the_next_in_line(self) -> None:
        self.flow(self.step("a", limits=(LANE, KEPT)))
        self.flow(self.step("b", limits=(LANE,)), name="test.other")
        both, one = self.submit(), self.submit("test.other", "other:1")
        limits.take("lane", 1, "somebody", self.clock.now(), 1)
        limits.take("kept", 1, "somebody", self.clock.now(), 60)
        self.call("b", one)  # in line for the lane
        self.clock.move(1)
        self.call("a", both)  # takes the lane and gives it back
        self.assertEqual(self.row("b").due_at, self.clock.now())

    def test_the_step_that_has_waited_longest_is_woken(self) -> None:
        self.flow(self.step("a", limits=(LANE,)))
        jobs = self.submit_many(4)
        limits.take("lane", 1, "somebody", self.clock.now(), 3)
        for job in (jobs[2], jobs[0], jobs[3], jobs[1]):
            self.call("a", job)
            self.clock.move(0.5)
        self.clock.move(1)
        late = self.submit(subject="late:1")
        order = [late]
        woken = self.call("a", late)  # a slot was free when its turn came: nobody can know of those in line
        while woken:
            (step_id,) = woken
            claim = engine.claim(step_id, self.clock.now())
            order.append(claim.step.job)
            woken = engine.execute(claim, self.clock)
        self.assertEqual(order[1:], [jobs[2], jobs[0], jobs[3], jobs[1]])

    def test_a_step_keeps_its_place_in_line_when_another_was_quicker(self) -> None:
        self.flow(self.step("a", limits=(LANE,)))
        job = self.submit()
        limits.take("lane", 1, "somebody", self.clock.now(), 60)
        self.call("a", job)
        since = self.row("a").lined_up_at
        self.clock.move(LIMIT_PAUSE)
        self.call("a", job)
        self.assertEqual(self.row("a").lined_up_at, since)

    def test_two_slots_freed_at_the_same_moment_wake_two(self) -> None:
        self.flow(self.step("a", limits=(LANE,)))
        jobs = self.submit_many(3)
        limits.take("lane", 1, "somebody", self.clock.now(), 60)
        for job in jobs:
            self.call("a", job)
        now = self.clock.now()
        expected = [self.row("a", job).pk for job in jobs]
        self.assertEqual(limits.wake_next(["lane", "lane"], now), expected[:2])
        self.assertEqual(limits.wake_next(["lane", "other"], now), expected[2:])
        self.assertEqual(limits.wake_next(["lane"], now), [])

    def test_who_is_being_called_is_not_woken(self) -> None:
        self.flow(self.step("a", limits=(LANE,)))
        self.submit()
        limits.take("lane", 1, "somebody", self.clock.now(), 60)
        self.call("a")
        self.clock.move(LIMIT_PAUSE)
        self.claim("a")
        self.assertEqual(limits.wake_next(["lane"], self.clock.now()), [])

    def test_a_lost_wake_up_is_made_up_for(self) -> None:
        self.flow(self.step("a", limits=(LANE,)))
        self.submit()
        limits.take("lane", 1, "somebody", self.clock.now(), 60)
        self.call("a")
        limits.release("somebody", ["lane"])  # and died before waking anybody
        begun = self.clock.now()
        self.run_jobs()
        self.assertEqual(self.seconds_since(begun), LIMIT_PAUSE)

    def test_the_undo_holds_the_same_limits(self) -> None:
        seen = []
        undo = lambda call: (seen.append(self.taken("lane")), Done())[1]  # noqa: E731
        self.flow(self.step("a", Fail(), undo=undo, limits=(LANE,)))
        self.submit()
        self.run_jobs()
        self.assertEqual((seen, self.taken("lane")), ([1], 0))


class CrowdTests(ThreadsTestCase):
    """Many threads of many processes want the same few slots, at both databases."""

    THREADS = 8

    def setUp(self) -> None:
        super().setUp()
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.lock = threading.Lock()

    def enter(self, name: str, change: int) -> None:
        with self.lock:
            self.inside[name] += change
            self.most[name] = max(self.most[name], self.inside[name])

    def test_of_many_that_take_at_once_no_more_get_in_than_there_are_slots(self) -> None:
        now = self.clock.now()
        for number in range(6):
            got = self.together(
                lambda holder, n=number: limits.take(f"x{n}", 3, str(holder), now, 60), self.THREADS
            )
            # A slot can be missed in the rush (the next try gets it), but none is given twice.
            self.assertLessEqual(sum(got), 3)
            self.assertGreaterEqual(sum(got), 1)
            self.assertEqual(Lease.objects.filter(name=f"x{number}").exclude(holder="").count(), sum(got))

    def test_a_crowd_of_jobs_goes_through_narrow_limits_without_harm(self) -> None:
        """Three creations at a time, five calls in flight, one writer: never more, no deadlock, nobody
        forgotten."""
        creations = Limit("creations", lambda: 3, until_done=True)
        calls = Limit("calls", lambda: 5)
        lane = Limit("lane", lambda: 1)

        def work(name: str, *outcomes):
            def function(call):
                self.enter(name, 1)
                time.sleep(0.002)
                self.enter(name, -1)
                return outcomes[min(call.step.calls, len(outcomes) - 1)]

            return function

        self.flow(
            self.step("container", work("calls", Wait(seconds=0.01), Done()), limits=(creations, calls)),
            self.step("host", work("lane", Done()), limits=(lane,)),
            self.step("started", work("calls", Done()), after=("container",), limits=(calls,)),
        )
        jobs = [self.submit(subject=f"thing:{number}") for number in range(30)]
        clock = engine.WallClock()
        end = time.monotonic() + 60

        def run(_: int) -> None:
            while time.monotonic() < end and Job.objects.filter(state=Job.State.RUNNING).exists():
                for step_id in due(clock.now(), 4):
                    if claim := engine.claim(step_id, clock.now()):
                        engine.execute(claim, clock)
                held = (
                    Lease.objects.filter(name="creations", until__gt=clock.now()).exclude(holder="").count()
                )
                self.assertLessEqual(held, 3)

        self.together(run, self.THREADS)
        self.assertEqual(Job.objects.filter(state=Job.State.SUCCEEDED).count(), len(jobs))
        self.assertEqual(self.most["lane"], 1)
        self.assertLessEqual(self.most["calls"], 5)
        self.assertGreater(self.most["calls"], 1)
        self.assertFalse(JobStep.objects.exclude(due_at=None).exists())

"""Claims, leases and fences: one holder at a time, and nothing is lost or written twice when one dies."""

import contextlib
from datetime import timedelta

from django.db import connection
from django.test import skipIfDBFeature

from nodepoint.clients.errors import Unreachable
from nodepoint.jobs import engine, limits, retry
from nodepoint.jobs.engine import LEASE, LOST_LEASES
from nodepoint.jobs.models import Job, JobStep, Lease
from nodepoint.jobs.outcomes import Done, Fail, Retry, Wait
from nodepoint.jobs.registry import Limit
from nodepoint.jobs.testing import due
from tests.nodepoint.jobs.base import EngineTestCase, S, ThreadsTestCase


class ClaimTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("a"))
        self.submit()

    def test_a_claimed_step_cannot_be_claimed_again(self) -> None:
        self.claim("a")
        self.assertIsNone(engine.claim(self.row("a").pk, self.clock.now()))

    def test_it_can_when_the_lease_is_over(self) -> None:
        self.claim("a")
        self.clock.move(LEASE - 0.1)
        self.assertEqual(due(self.clock.now(), 10), [])
        self.clock.move(0.1)
        self.assertEqual(due(self.clock.now(), 10), [self.row("a").pk])
        self.claim("a")

    def test_a_step_that_is_not_due_cannot_be_claimed(self) -> None:
        before = self.row("a").due_at - timedelta(seconds=1)
        self.assertIsNone(engine.claim(self.row("a").pk, before))
        self.assertIsNone(engine.claim(10**9, self.clock.now()))

    def test_the_longest_due_comes_first_and_no_more_than_asked_for(self) -> None:
        self.clock.move(1)
        for number in range(5):
            self.submit(subject=f"other:{number}")
        rows = list(JobStep.objects.order_by("pk"))
        for row, seconds in zip(rows, (3, 1, 2, 6, 5, 4), strict=True):
            JobStep.objects.filter(pk=row.pk).update(due_at=self.clock.now() - timedelta(seconds=seconds))
        expected = [rows[index].pk for index in (3, 4, 5, 0)]
        self.assertEqual(due(self.clock.now(), 4), expected)

    @skipIfDBFeature("has_select_for_update_skip_locked")  # all are taken in one transaction there
    def test_a_step_that_was_called_since_it_was_read_is_not_claimed_by_that_reading(self) -> None:
        """It may be due again, but what was read of it, and of its job, is not true any more."""
        self.flow(self.step("a"), self.step("b", Wait(seconds=0)), name="test.two")
        self.submit("test.two", "other:1")
        claims = engine.claim_due(self.clock.now(), 5)
        next(claims)
        self.call("b")
        self.clock.move(retry.SHORTEST_PAUSE)
        self.assertLessEqual(self.row("b").due_at, self.clock.now())
        self.assertNotIn("b", [claim.step.name for claim in claims])


class FenceTests(EngineTestCase):
    def test_a_holder_that_lost_its_lease_writes_nothing(self) -> None:
        plan = self.make_plan()
        late = Done(ref="late", facts={"cores": 9}, data={"late": True}, note="late")
        self.flow(self.step("a", Wait(ref="good", seconds=60), late), subject="sites.Plan")
        job = self.submit(subject=f"sites.plan:{plan.pk}")
        first = self.claim("a")
        self.clock.move(LEASE)
        self.call("a")  # the second holder goes on
        before = JobStep.objects.values().get()

        self.assertEqual(engine.execute(first, self.clock), [])

        self.assertEqual(self.journal, ["a", "a"])
        self.assertEqual(JobStep.objects.values().get(), before)
        self.assertEqual(before["ref"], "good")
        plan.refresh_from_db()
        self.assertEqual(plan.cores, 1)
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.RUNNING)

    def test_neither_its_failure_nor_its_place_in_line_counts(self) -> None:
        self.flow(self.step("a", Wait(seconds=60), Fail(error="Late.")), self.step("b", Retry(seconds=90)))
        job = self.submit()
        first = self.claim("a")
        self.clock.move(LEASE)
        self.call("a")
        engine.execute(first, self.clock)
        job.refresh_from_db()
        self.assertEqual((job.state, self.row("a").state), (Job.State.RUNNING, S.RUNNING))

    def test_a_holder_that_finds_its_limit_full_after_losing_the_lease_leaves_the_row_alone(self) -> None:
        self.flow(self.step("a", Wait(seconds=60), limits=(Limit("lane", lambda: 1),)))
        self.submit()
        first = self.claim("a")
        self.clock.move(LEASE)
        self.call("a")
        limits.take("lane", 1, "somebody", self.clock.now(), 60)
        before = JobStep.objects.values().get()
        engine.execute(first, self.clock)
        self.assertEqual(JobStep.objects.values().get(), before)

    def test_a_holder_that_lost_its_step_does_not_wake_a_job_that_has_ended(self) -> None:
        """It put the step of a job that was being undone down, and drew the conclusions once more: the job
        that had ended ran again, for ever. Found by tests/model."""
        self.flow(self.step("a", Done(), undo=Done()), self.step("b", Fail(error="No."), undo=Done()))
        job = self.submit()
        self.claim("a")  # its worker dies
        self.call("b")
        self.clock.move(LEASE)
        late = self.claim("a")
        self.clock.move(LEASE)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.ROLLED_BACK)
        self.assertEqual(engine.execute(late, self.clock), [])
        job.refresh_from_db()
        self.assertEqual((job.state, job.steps.exclude(due_at=None).count()), (Job.State.ROLLED_BACK, 0))


class HeartbeatTests(EngineTestCase):
    def test_renewing_keeps_the_step_and_its_slots(self) -> None:
        self.flow(self.step("a", limits=(Limit("lane", lambda: 1),)))
        self.submit()
        claim = self.claim("a")
        limits.take("lane", 1, claim.holder, self.clock.now(), LEASE)
        self.clock.move(10)
        engine.renew([claim], self.clock.now())
        self.clock.move(10)
        self.assertEqual(due(self.clock.now(), 1), [])
        self.assertFalse(limits.take("lane", 1, "other", self.clock.now(), 1))

    def test_renewing_what_was_lost_takes_nothing_back(self) -> None:
        self.flow(self.step("a"))
        self.submit()
        first = self.claim("a")
        self.clock.move(LEASE)
        self.claim("a")
        before = self.row("a").due_at
        self.clock.move(5)
        engine.renew([first], self.clock.now())
        self.assertEqual(self.row("a").due_at, before)


class PoisonTests(EngineTestCase):
    """A step that kills its worker each time: nothing is ever recorded."""

    def test_it_comes_to_an_end(self) -> None:
        step = self.step("a", SystemExit(), undo=Done())
        self.flow(step)
        job = self.submit()
        for _ in range(LOST_LEASES):
            with self.assertRaises(SystemExit):
                self.call("a")
            self.clock.move(LEASE)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.ROLLED_BACK)
        self.assertIn("died again and again", job.detail)
        self.assertEqual(len(step.run.calls), LOST_LEASES)
        self.assertEqual(self.journal[-1], "undo a")

    def test_leases_lost_after_an_outage_are_counted_from_the_first_one(self) -> None:
        away = Unreachable("npm")
        self.flow(
            self.step("a", *[away] * 9, *[SystemExit()] * (LOST_LEASES - 1), away, SystemExit(), Done())
        )
        job = self.submit()
        while self.row("a").due_at:
            self.clock.time = max(self.clock.time, self.row("a").due_at)
            with contextlib.suppress(SystemExit):
                self.call("a")
        job.refresh_from_db()
        self.assertEqual((job.state, self.row("a").data), (Job.State.SUCCEEDED, {}))

    def test_a_job_that_never_gives_up_does_not_either(self) -> None:
        self.flow(self.step("a", *[SystemExit()] * 20, Done()), deadline=None)
        job = self.submit()
        for _ in range(20):
            with self.assertRaises(SystemExit):
                self.call("a")
            self.clock.move(LEASE)
        self.call("a")
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.SUCCEEDED)


class ExclusiveTests(ThreadsTestCase):
    def test_of_many_that_claim_at_once_one_gets_it(self) -> None:
        self.flow(self.step("a"))
        for number in range(10):
            job = self.submit(subject=f"thing:{number}")
            self.clock.move(1)
            step_id = job.steps.get().pk
            claims = self.together(lambda _, step_id=step_id: engine.claim(step_id, self.clock.now()), 6)
            self.assertEqual(len([claim for claim in claims if claim]), 1)

    def test_runners_that_take_several_at_once_take_different_ones(self) -> None:
        self.flow(self.step("a"))
        jobs = [self.submit(subject=f"thing:{number}") for number in range(40)]
        self.clock.move(1)

        def take(_: int) -> list[tuple[str, int]]:
            taken = []
            while claims := list(engine.claim_due(self.clock.now(), 4)):
                taken += [(held.step.job_id, held.version) for held in claims]
            return taken

        taken = [one for found in self.together(take, 6) for one in found]
        # By versions alone, a runner finds none where others were quicker with its first rows.
        left = [(held.step.job_id, held.version) for held in engine.claim_due(self.clock.now(), 40)]
        if connection.features.has_select_for_update_skip_locked:
            self.assertEqual(left, [])
        self.assertEqual(sorted([*taken, *left]), sorted((job.pk, 2) for job in jobs))
        rows = JobStep.objects.values_list("held", "version", "claimed_at", "started_at")
        self.assertEqual(set(rows), {(True, 2, self.clock.now(), self.clock.now())})
        self.assertFalse(list(engine.claim_due(self.clock.now(), 40)))

    def test_every_due_step_is_called_once(self) -> None:
        self.flow(self.step("a"))
        jobs = [self.submit(subject=f"thing:{number}") for number in range(40)]
        self.clock.move(1)

        def work(_: int) -> int:
            called = 0
            while ids := due(self.clock.now(), 5):
                for step_id in ids:
                    if claim := engine.claim(step_id, self.clock.now()):
                        engine.execute(claim, self.clock)
                        called += 1
            return called

        self.assertEqual(sum(self.together(work, 6)), len(jobs))
        self.assertEqual(Job.objects.filter(state=Job.State.SUCCEEDED).count(), len(jobs))
        self.assertEqual(len(self.journal), len(jobs))
        self.assertFalse(Lease.objects.exists())

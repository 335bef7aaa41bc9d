"""A process can die at any moment. Whenever it does, the job ends as it would have, and nothing is made
twice.

The remote is a system that counts: it makes what it is told to, however often, and steps look before they
act, as all of ours do."""

from collections import Counter
from unittest import mock

from django.db import connection

from nodepoint.jobs import engine, limits, transitions
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from nodepoint.jobs.registry import Limit, Step
from nodepoint.jobs.testing import run_until_idle
from tests.nodepoint.jobs.base import KIND, EngineTestCase

NAMES = ("address", "container", "record", "host", "check")


class Crash(BaseException):
    """The process is gone: nothing of ours may catch it."""


class Remote:
    """A system that keeps things and counts how often each was made and destroyed."""

    def __init__(self) -> None:
        self.things: set[str] = set()
        self.made: Counter[str] = Counter()

    def make(self, name: str) -> None:
        self.made[name] += 1
        self.things.add(name)


class CrashTestCase(EngineTestCase):
    """Every border of every call, in a flow with a branch, remote work that takes two calls, and limits."""

    bad = ""  # the step that says no

    def setUp(self) -> None:
        super().setUp()
        self.remote = Remote()
        after = {
            "container": ("address",),
            "record": ("address",),
            "host": ("container",),
            "check": ("host", "record"),
        }
        lane = (Limit("lane", lambda: 1, until_done=True), Limit("calls", lambda: 1))
        self.flow(
            *(
                Step(
                    name,
                    name,
                    lambda call: self.made(call),
                    undo=self.gone,
                    after=after.get(name, ()),
                    limits=lane,
                )
                for name in NAMES
            )
        )

    def made(self, call: Call) -> Outcome:
        """Look, then act: the container takes a second call."""
        name = call.step.name
        if name == self.bad:
            self.remote.things.add(name)  # it has its effect and says no all the same
            return Fail(error="No.")
        if name in self.remote.things:
            return Done(ref=name)
        self.remote.make(name)
        return call.begun(name) if name == "container" else Done(ref=name)

    def gone(self, call: Call) -> Outcome:
        """Look, then destroy: the container takes a second call."""
        if call.step.name not in self.remote.things:
            return Done()
        self.remote.things.discard(call.step.name)
        return call.begun("destroying") if call.step.name == "container" else Done()

    def crash_at(self, border: str, call_number: int) -> bool:
        """Die at a border of the n-th call, then let time pass and go on. False: there were not so many
        calls."""
        job = self.submit(subject=f"thing:{border}:{call_number}")
        patched = mock.patch.object(*BORDERS[border](call_number))
        with patched:
            try:
                run_until_idle(self.clock)
                died = False
            except Crash:
                died = True
        run_until_idle(self.clock)
        self.check(job)
        return died

    def check(self, job: Job) -> None:
        job.refresh_from_db()
        expected = Job.State.ROLLED_BACK if self.bad else Job.State.SUCCEEDED
        self.assertEqual(job.state, expected)
        self.assertEqual(self.remote.things, set() if self.bad else set(NAMES))
        made = NAMES[: NAMES.index(self.bad)] if self.bad else NAMES
        self.assertEqual(self.remote.made, Counter(made))
        self.assertFalse(job.steps.exclude(due_at=None).exists())
        self.assertFalse(job.steps.filter(held=True).exists())
        self.clock.move(60)
        for name in ("lane", "calls"):
            self.assertEqual(limits.taken(name, self.clock.now()), 0)

    def crash_everywhere(self) -> None:
        for border in BORDERS:
            crashes = 0
            for number in range(1, 40):
                with self.subTest(border=border, call=number):
                    self.remote = Remote()
                    if not self.crash_at(border, number):
                        break
                    crashes += 1
            self.assertGreaterEqual(crashes, len(NAMES), border)


def _dies(number: int, original, *, after: bool = False):
    """`original`, dying at its n-th call, before it does anything or after it has done everything."""
    calls = 0

    def function(*args, **kwargs):
        nonlocal calls
        calls += 1
        fatal = calls == number  # what is called within may call it again
        if fatal and not after:
            raise Crash
        result = original(*args, **kwargs)
        if fatal:
            raise Crash
        return result

    return function


BORDERS = {
    "claimed": lambda n: (engine, "claim", _dies(n, engine.claim, after=True)),
    "slots taken": lambda n: (engine, "_take_limits", _dies(n, engine._take_limits, after=True)),
    "called": lambda n: (engine, "_call", _dies(n, engine._call, after=True)),
    "in the middle of the record": lambda n: (transitions, "settle", _dies(n, transitions.settle)),
    "at the end of the record": lambda n: (
        transitions,
        "settle",
        _dies(n, transitions.settle, after=True),
    ),
    "recorded": lambda n: (engine, "_conclude", _dies(n, engine._conclude, after=True)),
    "slots freed": lambda n: (limits, "release", _dies(n, limits.release, after=True)),
}


class SucceedingTests(CrashTestCase):
    def test_whenever_it_dies_the_job_is_done_and_nothing_made_twice(self) -> None:
        self.crash_everywhere()


class FailingTests(CrashTestCase):
    bad = "check"

    def test_whenever_it_dies_the_undo_is_complete(self) -> None:
        self.crash_everywhere()


class FailingBranchTests(CrashTestCase):
    bad = "record"

    def test_whenever_it_dies_the_undo_of_both_branches_is_complete(self) -> None:
        self.crash_everywhere()

    def check(self, job: Job) -> None:
        # Which steps of the other branch were begun depends on the moment; what counts is that nothing is
        # left.
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.ROLLED_BACK)
        self.assertEqual(self.remote.things, set())
        self.assertLessEqual(max(self.remote.made.values()), 1)
        self.assertFalse(job.steps.exclude(due_at=None).exists())


class CancelTests(CrashTestCase):
    """Another job takes over at every border: it starts when the first has stopped, and never beside it."""

    cancel_at = 0  # in the middle of this call

    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("swept", lambda call: self.sweep()), name="test.sweep", deadline=None)

    def sweep(self) -> Outcome:
        self.assertFalse(Job.objects.filter(kind=KIND, state__in=Job.ADVANCING).exists())
        self.remote.things.clear()
        return Done()

    def made(self, call: Call) -> Outcome:
        self.calls += 1
        if self.calls == self.cancel_at:
            self.submit("test.sweep", call.job.subject, cancel=True)
        return super().made(call)

    def begin(self, number: int) -> Job:
        self.remote, self.calls = Remote(), 0
        self.clock.move(60)  # a cancelled job's slots are free by time: its remote work may go on
        return self.submit(subject=f"thing:{number}")

    def check(self, job: Job) -> None:
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.CANCELLED)
        self.assertEqual(Job.objects.get(kind="test.sweep", subject=job.subject).state, Job.State.SUCCEEDED)
        self.assertEqual(self.remote.things, set())
        self.assertNotIn("check", self.remote.made)

    def test_cancelled_in_the_middle_of_a_call_the_job_stops_after_it(self) -> None:
        for number in range(1, 6):
            with self.subTest(call=number):
                self.cancel_at = number
                self.check(self.begin(number))
                self.assertEqual(self.calls, number)

    def test_cancelled_between_two_calls_the_job_stops_at_once(self) -> None:
        for number in range(6):
            with self.subTest(calls=number):
                job = self.begin(number)
                while self.calls < number:
                    step = job.steps.filter(due_at__isnull=False).order_by("due_at", "pk").first()
                    self.clock.time = max(self.clock.time, step.due_at)
                    self.call(step.name, job)
                self.submit("test.sweep", job.subject, cancel=True)
                job.refresh_from_db()
                self.assertEqual(job.state, Job.State.CANCELLED)
                self.check(job)
                self.assertEqual(self.calls, number)

    def test_cancelled_while_its_worker_is_dead_the_job_stops_when_the_lease_is_over(self) -> None:
        job = self.begin(1)
        self.claim("address", job)
        self.submit("test.sweep", job.subject, cancel=True)
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.RUNNING)
        begun = self.clock.now()
        self.check(job)
        self.assertEqual(self.calls, 0)
        self.assertEqual(self.seconds_since(begun), engine.LEASE)

    def test_a_step_that_is_claimed_in_the_very_moment_of_the_cancel_is_waited_for(self) -> None:
        """Between reading the steps and closing them a runner may claim one: it must not go on beside the
        next job."""
        job = self.begin(1)
        claims = []

        def claim_after_reading(execute, sql, params, many, context):
            result = execute(sql, params, many, context)
            if sql.startswith("SELECT") and "FROM `jobs_jobstep`" in sql.replace('"', "`") and not claims:
                claims.append(None)
                claims[0] = engine.claim(self.row("address").pk, self.clock.now())
            return result

        with connection.execute_wrapper(claim_after_reading):
            self.submit("test.sweep", job.subject, cancel=True)
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.RUNNING)
        self.assertEqual(Job.objects.get(kind="test.sweep").state, Job.State.QUEUED)
        engine.execute(claims[0], self.clock)
        self.check(job)

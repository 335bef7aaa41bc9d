"""The engine itself, on real rows, in the places of the machine's acts: a runner's call is cut in two where
the engine calls the step and where it records what that said."""

import contextlib
import copy
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from django.db import connection
from django.utils import timezone

from nodepoint.jobs import engine, halted, queue, registry, steering
from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from nodepoint.jobs.testing import MovedClock
from tests.model.machine import LATER, NEVER, NOW, Act, Hand, Machine, Step, World
from tests.nodepoint.jobs.base import KIND, EngineTestCase

S, J = JobStep.State, Job.State
TABLES = ("jobs_job", "jobs_jobstep")
SAYS = {"done": Done(), "wait": Wait(seconds=1), "retry": Retry(error="Not now."), "fail": Fail(error="No.")}


@dataclass(frozen=True)
class Real:
    """What the rows hold, and what each runner: its claim and, once the step was called, what is to be
    recorded."""

    rows: tuple[tuple[tuple, ...], ...]
    hands: tuple[tuple[engine.Claim, Any] | None, ...]


class RealCase(EngineTestCase):
    """Carries out the acts of a machine with the engine. The clock stands still; `time` makes a step due."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = MovedClock(timezone.now().replace(microsecond=0))
        self.enterContext(mock.patch("django.utils.timezone.now", self.clock.now))

    def use(self, machine: Machine) -> None:
        """Register the machine's flow and submit its job, on empty tables."""
        for flow in (KIND, "test.sweep"):
            registry._flows.pop(flow, None)
        Job.objects.all().delete()
        self.machine = machine
        names = [f"step{n}" for n in range(len(machine.flow))]
        steps = [
            registry.Step(
                name,
                name,
                self.say,
                undo=self.say if part.undo else None,
                nothing_to_undo="" if part.undo else "It is a test.",
                after=tuple(names[n] for n in part.after),
                if_skipped="It is missing." if part.skippable else "",
            )
            for name, part in zip(names, machine.flow, strict=True)
        ]
        self.flow(*steps, gives_way=registry.GivesWay.DROPPED, known=lambda job: True)
        self.flow(self.step("swept"), name="test.sweep", deadline=None)
        self.job_id = queue.submit(KIND, "thing:1").pk
        self.keys = list(JobStep.objects.filter(job_id=self.job_id).values_list("pk", flat=True))

    def say(self, call: Any) -> Outcome:
        return SAYS[self.said]

    def first(self) -> Real:
        return Real(_dump(), (None, None))

    def perform(self, real: Real, act: Act) -> Real:
        """What follows from an act."""
        _restore(real.rows)
        hands = list(real.hands)
        name = act.name.replace(" ", "_")
        if act.name in ("claim", "call", "record", "crash"):
            hands[act.of] = getattr(self, f"_{name}")(hands[act.of], act)
        else:
            with contextlib.suppress(MoveRefused):  # a runner is calling it, which only the update tells
                getattr(self, f"_{name}")(act)
        return Real(_dump(), tuple(hands))

    def _claim(self, hand: None, act: Act) -> tuple[engine.Claim, None]:
        claim = engine.claim(self.keys[int(act.more)], self.clock.now())
        self.assertIsNotNone(claim, f"{act}: it could not be claimed")
        return claim, None

    def _call(self, hand: tuple[engine.Claim, None], act: Act) -> tuple[engine.Claim, Any]:
        claim = replace(hand[0], step=copy.copy(hand[0].step))
        self.said, kept = act.more, []

        def keep(function: Any) -> Any:
            return lambda *arguments: kept.append((function, arguments)) or []

        parts = {name: keep(getattr(engine, name)) for name in ("_conclude", "_put_down")}
        with mock.patch.multiple(engine, **parts):
            engine.execute(claim, self.clock)
        return claim, kept[0]

    def _record(self, hand: tuple[engine.Claim, Any], act: Act) -> None:
        function, arguments = hand[1]
        function(*arguments)

    def _crash(self, hand: Any, act: Act) -> None:
        return None

    def _time(self, act: Act) -> None:
        JobStep.objects.filter(pk=self.keys[act.of]).update(due_at=self.clock.now())

    def _delete(self, act: Act) -> None:
        queue.submit("test.sweep", "thing:1", cancel=True)

    def _take_over(self, act: Act) -> None:
        queue.submit("test.sweep", "thing:1", take_over=True)

    def _turn_back(self, act: Act) -> None:
        steering.cancel(self.job_id, "test")

    def _retry(self, act: Act) -> None:
        steering.retry(self.job_id, f"step{act.of}")

    def _skip(self, act: Act) -> None:
        steering.skip(self.job_id, f"step{act.of}", "test")

    def _halt(self, act: Act) -> None:
        halted.halt()

    def _give_up(self, act: Act) -> None:
        steering.give_up(self.job_id, "test")

    # Compared

    def offered(self) -> set[tuple[str, int]]:
        """What the engine lets staff do with the job, and runners claim, as the rows are now."""
        found = steering.moves(Job.objects.get(pk=self.job_id))
        whole = {"turn back": found.cancel, "give up": bool(found.give_up)}
        offered = {(name, 0) for name, fits in whole.items() if fits}
        for n, row in enumerate(found.rows):
            due = row.due_at is not None and row.due_at <= self.clock.now()
            fits = {"retry": found.retry(row), "skip": found.skip(row), "claim": due}
            offered |= {(name, n) for name, fit in fits.items() if fit}
        return offered

    def world(self, real: Real, like: World) -> World:
        """The machine's world that these rows and hands are. What only the machine knows is taken from
        `like`."""
        rows = JobStep.objects.filter(job_id=self.job_id)
        job = Job.objects.get(pk=self.job_id)
        line = Job.objects.filter(kind="test.sweep").values_list("state", flat=True).first() or ""
        versions = dict(rows.values_list("pk", "version"))
        hands = []
        for hand, known in zip(real.hands, like.hands, strict=True):
            if hand is None:
                hands.append(None)
                continue
            claim, step = hand[0], hand[0].step
            turned = engine._turned_round(step)
            fresh = versions[step.pk] == claim.version
            said = known.said if known and hand[1] else ""
            hands.append(Hand(self.keys.index(step.pk), step.state, turned, fresh, said))
        steps = tuple(self._step_of(row) for row in rows)
        return replace(
            like,
            job=job.state,
            steps=steps,
            cancelled=bool(job.cancel_requested_at),
            line=line,
            hands=tuple(hands),
        )

    def _step_of(self, row: JobStep) -> Step:
        due = NEVER if row.due_at is None else NOW if row.due_at <= self.clock.now() else LATER
        return Step(row.state, due, row.held, row.claimed_at is not None, _error(row.state, bool(row.error)))


def comparable(world: World) -> World:
    """What stands as the error of a step that is not called any more is for people alone."""
    steps = tuple(replace(step, error=_error(step.state, step.error)) for step in world.steps)
    return replace(world, steps=steps)


def _error(state: str, error: bool) -> bool:
    return error and state in (*JobStep.ACTIVE, S.UNDOING)


def _dump() -> tuple[tuple[tuple, ...], ...]:
    with connection.cursor() as cursor:
        return tuple(_all(cursor, table) for table in TABLES)


def _all(cursor: Any, table: str) -> tuple[tuple, ...]:
    cursor.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608
    return tuple(cursor.fetchall())


def _restore(rows: tuple[tuple[tuple, ...], ...]) -> None:
    with connection.cursor() as cursor:
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
        for table, lines in zip(TABLES, rows, strict=True):
            places = ", ".join(["%s"] * len(lines[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})", lines)  # noqa: S608

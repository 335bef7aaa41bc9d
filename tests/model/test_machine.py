"""Whatever two runners, time and people do to a job, in whatever order: the engine's rules hold. All worlds
that a small flow can come to are walked through, by the table of moves that the engine uses.

The short form runs always; with NODEPOINT_WHOLE_MODEL=1 more misfortunes meet in one history (minutes).
"""

import os
from unittest import skipUnless

from django.test import SimpleTestCase

from nodepoint.jobs import states
from nodepoint.jobs.models import Job, JobStep
from tests.model.machine import Machine, Part
from tests.model.walk import Broken, walk

WHOLE = bool(os.environ.get("NODEPOINT_WHOLE_MODEL"))
LINE = (Part(), Part((0,), skippable=True))
BRANCHES = (Part(), Part((0,)), Part((0,), undo=False))
NOTHING_TO_UNDO = (Part(undo=False), Part((0,), undo=False))

# A flow, and how often each thing may happen in one history.
SHORT = [
    (BRANCHES, {"odd": 1, "lease": 1}),
    (LINE, {"odd": 1, "crash": 1, "lease": 1, "submit": 1}),
    (LINE, {"odd": 1, "lease": 1, "steer": 1}),
    (LINE, {"steer": 1, "lease": 1, "halt": 1}),
    (NOTHING_TO_UNDO, {"odd": 1, "crash": 1, "submit": 1, "turn back": 1}),
]
LONG = [
    (BRANCHES, {"odd": 1, "crash": 1, "lease": 1}),
    (NOTHING_TO_UNDO, {"odd": 2, "crash": 1, "lease": 1, "submit": 1, "turn back": 1}),
    (BRANCHES, {"odd": 2, "crash": 1, "lease": 2, "submit": 1}),
    (BRANCHES, {"odd": 2, "lease": 1, "submit": 1, "steer": 1, "turn back": 1}),
    (LINE, {"odd": 3, "crash": 2, "lease": 2, "submit": 1, "steer": 1}),
    (LINE, {"odd": 2, "crash": 1, "lease": 2, "submit": 1, "steer": 2, "turn back": 1}),
]


def machine(flow: tuple[Part, ...], budget: dict[str, int], *without: str) -> Machine:
    return Machine(flow, tuple(budget.items()), frozenset(without))


class WalkTests(SimpleTestCase):
    def walk_all(self, cases: list) -> None:
        for flow, budget in cases:
            with self.subTest(steps=len(flow), **budget):
                seen = walk(machine(flow, budget))
                print(f"engine, {len(flow)} steps, {budget}: {seen}")  # noqa: T201
                self.assertGreater(seen.worlds, 400)

    def test_in_all_worlds_of_a_small_flow_the_rules_hold(self) -> None:
        self.walk_all(SHORT)

    @skipUnless(WHOLE, "NODEPOINT_WHOLE_MODEL=1")
    def test_with_more_misfortunes_at_once_they_hold_too(self) -> None:
        self.walk_all(LONG)


class SeededFaultTests(SimpleTestCase):
    """The walk finds what would be wrong without a part of the engine."""

    def assert_found(self, without: str, what: str) -> None:
        with self.assertRaisesRegex(Broken, what):
            walk(machine(BRANCHES, {"odd": 1, "crash": 1, "lease": 1, "submit": 1}, without))

    def test_without_the_fence_a_lost_lease_writes(self) -> None:
        self.assert_found("fence", "lease was lost wrote")

    def test_without_waiting_for_calls_a_job_ends_in_the_middle_of_one(self) -> None:
        self.assert_found("wait for calls", "still to be called")

    def test_undone_in_the_wrong_order(self) -> None:
        self.assert_found("order of undo", "undone before what came after it")

    def test_with_a_job_that_is_settled_once_more_after_its_end(self) -> None:
        """A runner that had lost its step drew the conclusions again: what had been undone ran again."""
        with self.assertRaisesRegex(states.IllegalMove, "not from"):
            walk(machine(BRANCHES, {"odd": 1, "crash": 1, "lease": 1, "submit": 1}, "an end"))


class TableTests(SimpleTestCase):
    def test_each_state_but_the_first_can_be_reached_and_no_end_is_left_but_by_staff(self) -> None:
        self.assertEqual({move.after for move in states.STEP_MOVES}, set(JobStep.State))
        self.assertEqual({move.after for move in states.JOB_MOVES} | {"queued"}, set(Job.State))
        ends = set(Job.State) - set(Job.ALIVE)
        self.assertEqual([move for move in states.JOB_MOVES if ends & move.before], [states.REVIVE])

    def test_what_is_no_move_is_refused(self) -> None:
        with self.assertRaisesMessage(states.IllegalMove, "done: not from cancelled"):
            states.said(next(iter(states.FORWARD)), JobStep.State.CANCELLED)

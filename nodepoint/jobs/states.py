"""Which state follows which, of jobs and of their steps: the one table. Whoever writes a state takes it from
a move of this table; `tests/model` walks through every order in which runners, time and people can make
them."""

from collections.abc import Collection
from dataclasses import dataclass

from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait

S, J = JobStep.State, Job.State
MADE = {S.RUNNING, S.WAITING, S.DONE, S.FAILED}  # it may have left something behind in another system


class IllegalMove(Exception):
    """A fault of ours: a state was to be written that cannot follow."""


@dataclass(frozen=True)
class Move:
    """From any of the states `before` to `after`."""

    name: str
    before: frozenset[str]
    after: str

    def of(self, state: str) -> str:
        """The state that follows `state`. Raises IllegalMove where this move is not possible."""
        if state not in self.before:
            raise IllegalMove(f"{self.name}: not from {state}")
        return self.after


STEP_MOVES: list[Move] = []
JOB_MOVES: list[Move] = []


def _step(name: str, before: Collection[str], after: str) -> Move:
    STEP_MOVES.append(move := Move(name, frozenset(before), after))
    return move


def _job(name: str, before: Collection[str], after: str) -> Move:
    JOB_MOVES.append(move := Move(name, frozenset(before), after))
    return move


# Of a step that goes forward
RELEASE = _step("release", {S.PENDING}, S.RUNNING)
PASS_OVER = _step("pass over", {S.PENDING}, S.SKIPPED)
LINE_UP = _step("line up", JobStep.ACTIVE, S.WAITING)
CANCEL = _step("cancel", {S.PENDING, *JobStep.ACTIVE}, S.CANCELLED)
FORWARD: dict[type[Outcome], Move] = {
    Done: _step("done", JobStep.ACTIVE, S.DONE),
    Wait: _step("goes on", JobStep.ACTIVE, S.RUNNING),
    Retry: _step("try again", JobStep.ACTIVE, S.WAITING),
    Fail: _step("fail", JobStep.ACTIVE, S.FAILED),
}

# Of a step whose job is undone
UNDO = _step("undo", {*MADE, S.SKIPPED}, S.UNDOING)
# Failed: given up by staff while it rested (`halted`)
NEVER_CALLED = _step("never called", {*JobStep.ACTIVE, S.FAILED}, S.SKIPPED)
NOTHING_TO_UNDO = _step("nothing to undo", {S.RUNNING, S.WAITING, S.DONE, S.SKIPPED}, S.UNDONE)
LINE_UP_TO_UNDO = _step("line up to undo", {S.UNDOING}, S.UNDOING)
BACKWARD: dict[type[Outcome], Move] = {  # it never fails: `deadlines.enforce` makes a Retry of that
    Done: _step("undone", {S.UNDOING}, S.UNDONE),
    Wait: _step("undo goes on", {S.UNDOING}, S.UNDOING),
    Retry: _step("try the undo again", {S.UNDOING}, S.UNDOING),
}

# What staff do with a step
SKIP = _step("skip", {S.PENDING, S.WAITING}, S.SKIPPED)
LEAVE_BEHIND = _step("leave behind", {S.UNDOING}, S.CANCELLED)
GIVE_UP = _step("give up", {S.WAITING}, S.FAILED)
ONCE_MORE = _step("once more", {S.FAILED}, S.PENDING)

# Of a job
START = _job("start", {J.QUEUED}, J.RUNNING)
HOLD_UP = _job("hold up", {J.RUNNING}, J.WAITING)
GO_ON = _job("go on", {J.WAITING}, J.RUNNING)
SUCCEED = _job("succeed", Job.ADVANCING, J.SUCCEEDED)
STOP = _job("stop", Job.ADVANCING, J.CANCELLED)
DROP = _job("drop", {J.QUEUED}, J.CANCELLED)
TURN_BACK = _job("turn back", Job.ADVANCING, J.ROLLING_BACK)
ROLLED_BACK = _job("rolled back", {J.ROLLING_BACK}, J.ROLLED_BACK)
FAILED = _job("failed", {J.ROLLING_BACK}, J.FAILED)  # its flow undoes nothing
REVIVE = _job("revive", {J.SUCCEEDED}, J.RUNNING)


def said(outcome: type[Outcome], state: str) -> str:
    """The state that an outcome makes of the one in which its step was called. Raises IllegalMove."""
    moves = BACKWARD if state == S.UNDOING else FORWARD
    if outcome not in moves:
        raise IllegalMove(f"{outcome.__name__}: not from {state}")
    return moves[outcome].of(state)

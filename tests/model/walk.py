"""A walk through all worlds that can be reached, and what must hold in each, and from each to the next."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nodepoint.jobs import states
from nodepoint.jobs.models import Job, JobStep
from tests.model.machine import NEVER, Act, Hand, Machine, World

S, J = JobStep.State, Job.State
STEP_WAYS = {(before, move.after) for move in states.STEP_MOVES for before in move.before}
JOB_WAYS = {(before, move.after) for move in states.JOB_MOVES for before in move.before}
MISFORTUNE = {"crash", "delete", "take over", "turn back", "retry", "skip", "give up", "halt"}


class Broken(AssertionError):
    """Something that must hold does not; the text is the history that leads there."""


@dataclass(frozen=True)
class Seen:
    """How many worlds there are, ways between them, and worlds in which all has ended."""

    worlds: int
    ways: int
    ends: int


def walk(machine: Machine, most: int = 5_000_000) -> Seen:
    """Every world once. Raises Broken, with the shortest history, where something does not hold."""
    first = machine.first()  # its hands are empty: they are in order
    came: dict[World, tuple[World, Act] | None] = {first: None}
    back: dict[World, list[World]] = {}
    waiting, ways, ends = deque([first]), 0, []
    while waiting:
        world = waiting.popleft()
        going_on = False
        for act in machine.acts(world):
            ways += 1
            following = in_order(after := machine.after(world, act))
            if broken := between(machine, world, act, after):
                raise Broken(history(came, world, act, broken))
            if following not in came:
                came[following] = world, act
                waiting.append(following)
                assert len(came) < most, "more worlds than were bargained for"
            if act.name not in MISFORTUNE:  # what need not happen helps nobody to an end
                going_on = True
                back.setdefault(following, []).append(world)
        if broken := within(machine, world, going_on):
            raise Broken(history(came, world, None, broken))
        if not world.alive:
            ends.append(world)
    if stuck := came.keys() - _lead_to(ends, back):
        world = next(one for one in came if one in stuck)
        raise Broken(history(came, world, None, "the job never ends from here"))
    return Seen(len(came), ways, len(ends))


def in_order(world: World) -> World:
    """The same world; which of the runners holds what makes no difference."""
    return replace(world, hands=tuple(sorted(world.hands, key=_rank)))


def _rank(hand: Hand | None) -> tuple:
    return () if hand is None else (hand.position, hand.state, hand.turned, hand.fresh, hand.said)


def _lead_to(ends: list[World], back: dict[World, list[World]]) -> set[World]:
    reached, waiting = set(ends), list(ends)
    while waiting:
        for before in back.get(waiting.pop(), ()):
            if before not in reached:
                reached.add(before)
                waiting.append(before)
    return reached


def between(machine: Machine, world: World, act: Act, then: World) -> str:
    """What is wrong with a way from one world to the next; empty where nothing is."""
    return next(filter(None, _between(machine, world, act, then)), "")


def _between(machine: Machine, world: World, act: Act, then: World) -> Iterator[str]:
    if world.job != then.job and not _is_way(world.job, then.job):
        yield f"the job went from {world.job} to {then.job}, which is no move"
    pairs = list(enumerate(zip(world.steps, then.steps, strict=True)))
    changed = [(n, before, after) for n, (before, after) in pairs if before != after]
    for n, before, after in changed:
        if before.state != after.state and (before.state, after.state) not in STEP_WAYS:
            yield f"step {n} went from {before.state} to {after.state}, which is no move"
        if after.state == S.UNDOING != before.state and _stands_before(machine, then, n):
            yield f"step {n} is undone before what came after it"
    hand = world.hands[act.of] if act.name == "record" else None
    if hand and not hand.fresh and changed:
        yield f"a runner whose lease was lost wrote step {changed[0][0]}"
    if act.name == "claim" and not world.alive:
        yield f"step {act.more} is called although its job has ended"
    if act.name == "claim" and world.steps[int(act.more)].state not in (*JobStep.ACTIVE, S.UNDOING):
        yield f"step {act.more} is called again after its end"


def _stands_before(machine: Machine, world: World, n: int) -> bool:
    """Whether something that was made after step n still stands when its undo begins."""
    later = zip(world.steps[n + 1 :], machine.flow[n + 1 :], strict=True)
    return any(part.undo and step.state in {*states.MADE, S.UNDOING} for step, part in later)


def _is_way(before: str, after: str) -> bool:
    """A job may make two moves in one transaction, such as to be turned back and to find nothing to undo."""
    middle = {one for start, one in JOB_WAYS if start == before}
    return (before, after) in JOB_WAYS or any((one, after) in JOB_WAYS for one in middle)


def within(machine: Machine, world: World, going_on: bool) -> str:
    """What is wrong with a world; empty where nothing is."""
    return next(filter(None, _within(machine, world, going_on)), "")


def _within(machine: Machine, world: World, going_on: bool) -> Iterator[str]:
    holding = [hand.position for hand in world.hands if hand and hand.fresh]
    if len(holding) != len(set(holding)):
        yield "two runners hold one step"
    if sum(step.state == S.UNDOING for step in world.steps) > 1:
        yield "two undos at a time"
    if world.line == J.RUNNING and world.alive:
        yield "the next job runs beside this one"
    if world.alive and not going_on:
        yield "the job does not get ahead any more"
    if not world.alive:
        yield from _at_the_end(machine, world)


def _at_the_end(machine: Machine, world: World) -> Iterator[str]:
    if any(step.held or step.due != NEVER for step in world.steps):
        yield "the job has ended, and a step of it is still to be called"
    if any(hand and hand.fresh for hand in world.hands):
        yield "the job has ended while one of its steps is being called"
    if world.line == J.QUEUED:
        yield "the job has ended, and the next one does not begin"
    undone = {n for n, part in enumerate(machine.flow) if part.undo and world.steps[n].state != S.CANCELLED}
    if world.job == J.ROLLED_BACK and not world.late and world.made & undone:
        yield f"it was undone, and what steps {sorted(world.made & undone)} made is still there"
    if world.job == J.SUCCEEDED and not all(step.state in JobStep.FINISHED for step in world.steps):
        yield "it succeeded, and not all of its steps did"


def history(came: dict, world: World, act: Act | None, what: str) -> str:
    """How it came to that."""
    acts = [act] if act else []
    here = world
    while (before := came[here]) is not None:
        here, how = before
        acts.append(how)
    return "\n".join([what, *(f"  {one}" for one in reversed(acts)), f"  there: {world}"])

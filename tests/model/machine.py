"""The engine as a small machine, for a walk through everything that can happen to it.

A `World` is what the rows say of one subject's jobs, what two runners have in their hands, and what the steps
have made elsewhere. Which state follows which is asked of the engine's own table (`nodepoint.jobs.states`);
when it does, this machine says in its own words, and `test_same` holds them against the engine. There is no
clock: a step that is to be called later becomes due at any moment, so that a lease may end before, in and
after everything."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from nodepoint.jobs import states
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait

S, J = JobStep.State, Job.State
NOW, LATER, NEVER = "now", "later", "never"
OUTCOMES: dict[str, type[Outcome]] = {"done": Done, "wait": Wait, "retry": Retry, "fail": Fail}
RUNNERS = 2


@dataclass(frozen=True)
class Part:
    """A step of the flow: the positions of its forerunners; whether it can be undone, and left out."""

    after: tuple[int, ...] = ()
    undo: bool = True
    skippable: bool = False


@dataclass(frozen=True)
class Step:
    """A step's row. `error`: its last call went wrong; `called`: it was claimed at least once."""

    state: str = S.PENDING
    due: str = NEVER
    held: bool = False
    called: bool = False
    error: bool = False


@dataclass(frozen=True)
class Hand:
    """What a runner holds: the step as it was when it was claimed. `fresh`: nobody has moved the row since;
    `turned`: its job was already being undone or cancelled; `said`: the outcome that is not recorded yet."""

    position: int
    state: str
    turned: bool
    fresh: bool = True
    said: str = ""


@dataclass(frozen=True)
class World:
    """`line`: the state of the job that was submitted behind this one, empty where there is none. `made`:
    what stands in other systems; `late`: some of it was made by a runner whose lease was over."""

    job: str
    steps: tuple[Step, ...]
    cancelled: bool = False
    line: str = ""
    hands: tuple[Hand | None, ...] = (None,) * RUNNERS
    made: frozenset[int] = frozenset()
    late: bool = False
    left: tuple[tuple[str, int], ...] = ()  # how often what need not happen may still happen

    @property
    def alive(self) -> bool:
        return self.job in Job.ALIVE

    def may(self, name: str) -> bool:
        return dict(self.left).get(name, 0) > 0


@dataclass(frozen=True)
class Act:
    """One thing that happens: `of` is a runner's number or a step's position."""

    name: str
    of: int = 0
    more: str = ""

    def __str__(self) -> str:
        return " ".join([self.name, str(self.of), self.more]).strip()


@dataclass(frozen=True)
class Machine:
    """A flow, and how often each kind of misfortune and of wish may come up in one history. `without`: parts
    of the engine that are taken out, to see that the walk notices."""

    flow: tuple[Part, ...]
    budget: tuple[tuple[str, int], ...]
    without: frozenset[str] = field(default_factory=frozenset)

    def first(self) -> World:
        """A job that was submitted just now."""
        world = World(J.QUEUED, (Step(),) * len(self.flow), left=self.budget)
        return self.settled(replace(world, job=states.START.of(J.QUEUED)))

    def acts(self, world: World) -> Iterator[Act]:
        """Everything that can happen next."""
        for runner, hand in enumerate(world.hands):
            if hand is None:
                due = [n for n, step in enumerate(world.steps) if step.due == NOW]
                yield from (Act("claim", runner, str(n)) for n in due)
                continue
            if hand.said:
                yield Act("record", runner)
            elif hand.turned:
                yield Act("call", runner, "put down")
            else:
                yield from (
                    Act("call", runner, said) for said in OUTCOMES if said == "done" or world.may("odd")
                )
            if world.may("crash"):
                yield Act("crash", runner)
        for n, step in enumerate(world.steps):
            called = any(hand and hand.position == n and hand.fresh for hand in world.hands)
            if step.due == LATER and (not called or world.may("lease")):
                yield Act("time", n)
        yield from self._wishes(world)

    def _wishes(self, world: World) -> Iterator[Act]:
        """What customers and staff may ask for now."""
        going_on = world.job in Job.ADVANCING and not world.cancelled
        if world.may("submit") and not world.line:
            yield from (Act(name) for name in ("delete", "take over"))
        if world.may("turn back") and going_on and any(self._may_fail(step) for step in world.steps):
            yield Act("turn back")
        if world.may("halt") and world.alive and not world.line:
            yield Act("halt")
        if not world.may("steer"):
            return
        for n, step in enumerate(world.steps):
            waits = step.error and step.due != NEVER
            if waits and world.alive and step.state in (S.WAITING, S.UNDOING):
                yield Act("retry", n)
            if self.flow[n].skippable and (
                (going_on and step.state in states.SKIP.before)
                or (world.job == J.ROLLING_BACK and step.state == S.UNDOING and waits and not world.cancelled)
            ):
                yield Act("skip", n)
        if going_on and any(step.state == S.WAITING and step.error for step in world.steps):
            yield Act("give up")

    def after(self, world: World, act: Act) -> World:
        """What the world is like then."""
        return getattr(self, "_" + act.name.replace(" ", "_"))(world, act)

    # Runners

    def _claim(self, world: World, act: Act) -> World:
        n = int(act.more)
        step = world.steps[n]
        turned = step.state != S.UNDOING and (world.job == J.ROLLING_BACK or world.cancelled)
        world = self._write(world, n, held=True, due=LATER, called=True)
        return _hold(world, act.of, Hand(n, step.state, turned))

    def _call(self, world: World, act: Act) -> World:
        hand = world.hands[act.of]
        world = _hold(world, act.of, replace(hand, said=act.more))
        if act.more not in ("done", "put down"):
            world = _spend(world, "odd")
        if hand.turned:
            return world
        if hand.state == S.UNDOING:
            return replace(world, made=world.made - {hand.position} if act.more == "done" else world.made)
        return replace(world, made=world.made | {hand.position}, late=world.late or not hand.fresh)

    def _record(self, world: World, act: Act) -> World:
        hand = world.hands[act.of]
        world = _hold(world, act.of, None)
        if not self._is_ours(hand):
            return self.settled(world) if "an end" in self.without and hand.turned else world
        if hand.said == "put down":
            return self.settled(self._write(world, hand.position, held=False, due=NEVER))
        undoing, said = hand.state == S.UNDOING, hand.said
        if undoing and said == "fail":
            said = "retry"
        outcome = OUTCOMES[said]
        again = LATER if said in ("wait", "retry") and (undoing or world.job != J.ROLLING_BACK) else NEVER
        world = self._write(
            world,
            hand.position,
            state=states.said(outcome, hand.state),
            held=False,
            due=again,
            error=said in ("retry", "fail"),
        )
        if said == "wait" and hand.state == S.RUNNING and world.job == J.RUNNING and not world.cancelled:
            return world
        return self.settled(world)

    def _crash(self, world: World, act: Act) -> World:
        return _spend(_hold(world, act.of, None), "crash")

    def _time(self, world: World, act: Act) -> World:
        step = world.steps[act.of]
        if any(hand and hand.position == act.of and hand.fresh for hand in world.hands):
            world = _spend(world, "lease")
        return replace(world, steps=_with(world.steps, act.of, replace(step, due=NOW)))

    # People

    def _delete(self, world: World, act: Act) -> World:
        world = _spend(world, "submit")
        return self._submitted(self._cancelled(world) if world.job in Job.ADVANCING else world)

    def _take_over(self, world: World, act: Act) -> World:
        world = _spend(world, "submit")
        only_waits = world.job == J.WAITING and not world.cancelled
        return self._submitted(self._cancelled(world) if only_waits else world)

    def _submitted(self, world: World) -> World:
        return replace(world, line=J.QUEUED if world.alive else J.RUNNING)

    def _turn_back(self, world: World, act: Act) -> World:
        return self._turned_back(_spend(world, "turn back"))

    def _retry(self, world: World, act: Act) -> World:
        world, step = _spend(world, "steer"), world.steps[act.of]
        return (
            world if step.held else replace(world, steps=_with(world.steps, act.of, replace(step, due=NOW)))
        )

    def _skip(self, world: World, act: Act) -> World:
        world, step = _spend(world, "steer"), world.steps[act.of]
        if step.held:
            return world
        move = states.LEAVE_BEHIND if step.state == S.UNDOING else states.SKIP
        return self.settled(self._write(world, act.of, state=move.of(step.state), due=NEVER))

    def _give_up(self, world: World, act: Act) -> World:
        world = _spend(world, "steer")
        waits = [n for n, step in enumerate(world.steps) if step.state == S.WAITING and step.error]
        quiet = [n for n in waits if not world.steps[n].held]
        for n in quiet:
            world = self._write(world, n, state=states.GIVE_UP.of(S.WAITING), due=NEVER)
        return self.settled(world) if quiet else world

    def _halt(self, world: World, act: Act) -> World:
        """The database came back from a dump: what was due rests, and goes on by the will of staff."""
        world = _spend(world, "halt")
        for n, step in enumerate(world.steps):
            if step.due != NEVER:
                state = S.UNDOING if step.state == S.UNDOING else S.WAITING
                world = self._write(world, n, state=state, held=False, due=LATER, error=True)
        return replace(world, job=J.WAITING if world.job == J.RUNNING else world.job)

    def _may_fail(self, step: Step) -> bool:
        return step.state not in (*JobStep.FINISHED, S.FAILED)

    # What follows

    def _is_ours(self, hand: Hand) -> bool:
        return hand.fresh or "fence" in self.without

    def _write(self, world: World, n: int, **values: object) -> World:
        """A row that is written with a new version: whoever holds it holds it no more."""
        hands = tuple(
            replace(hand, fresh=False) if hand and hand.position == n else hand for hand in world.hands
        )
        return replace(world, steps=_with(world.steps, n, replace(world.steps[n], **values)), hands=hands)

    def settled(self, world: World) -> World:
        """The conclusions from the states of the steps."""
        if world.job == J.ROLLING_BACK:
            return self._undo_next(world)
        if world.cancelled:
            return self._stopped(world)
        if any(step.state == S.FAILED for step in world.steps):
            return self._turned_back(world)
        finished = {n for n, step in enumerate(world.steps) if step.state in JobStep.FINISHED}
        for n, part in enumerate(self.flow):
            if world.steps[n].state == S.PENDING and finished >= set(part.after):
                world = self._write(world, n, state=states.RELEASE.of(S.PENDING), due=NOW, held=False)
        if len(finished) == len(self.flow):
            return self._ended(world, states.SUCCEED)
        active = [step for step in world.steps if step.state in JobStep.ACTIVE]
        held_up = bool(active) and all(step.state == S.WAITING and step.error for step in active)
        move = states.HOLD_UP if held_up else states.GO_ON
        return replace(world, job=world.job if world.job == move.after else move.of(world.job))

    def _cancelled(self, world: World) -> World:
        return self.settled(replace(world, cancelled=True))

    def _stopped(self, world: World) -> World:
        open_steps = [n for n, step in enumerate(world.steps) if step.state in states.CANCEL.before]
        for n in open_steps:
            step = world.steps[n]
            if not step.held or "wait for calls" in self.without:
                world = self._write(world, n, state=states.CANCEL.of(step.state), due=NEVER)
        if any(world.steps[n].state in states.CANCEL.before for n in open_steps):
            return world
        return self._ended(world, states.STOP)

    def _turned_back(self, world: World) -> World:
        world = replace(world, job=states.TURN_BACK.of(world.job))
        for n, step in enumerate(world.steps):
            if step.held:
                continue
            if step.state == S.PENDING:
                world = self._write(world, n, state=states.PASS_OVER.of(step.state), due=NEVER)
            elif step.state in JobStep.ACTIVE:
                world = self._write(world, n, due=NEVER)
        return self._undo_next(world)

    def _undo_next(self, world: World) -> World:
        wait_for_calls = "wait for calls" not in self.without
        if any((step.held and wait_for_calls) or step.state == S.UNDOING for step in world.steps):
            return world
        order = range(len(self.flow)) if "order of undo" in self.without else reversed(range(len(self.flow)))
        for n in order:
            step = world.steps[n]
            if not (step.state in states.MADE or (step.state == S.SKIPPED and step.called)):
                continue
            if not step.called and step.state != S.DONE:
                world = self._write(world, n, state=states.NEVER_CALLED.of(step.state), due=NEVER)
            elif self.flow[n].undo:
                return self._write(world, n, state=states.UNDO.of(step.state), due=NOW, held=False)
            elif step.state != S.FAILED:
                world = self._write(world, n, state=states.NOTHING_TO_UNDO.of(step.state), due=NEVER)
        undoable = any(part.undo for part in self.flow)
        return self._ended(world, states.ROLLED_BACK if undoable else states.FAILED)

    def _ended(self, world: World, move: states.Move) -> World:
        line = states.START.of(world.line) if world.line == J.QUEUED else world.line
        return replace(world, job=move.of(world.job), line=line)


def _with(steps: tuple[Step, ...], n: int, step: Step) -> tuple[Step, ...]:
    return (*steps[:n], step, *steps[n + 1 :])


def _hold(world: World, runner: int, hand: Hand | None) -> World:
    hands = list(world.hands)
    hands[runner] = hand
    return replace(world, hands=tuple(hands))


def _spend(world: World, name: str) -> World:
    return replace(world, left=tuple((one, count - (one == name)) for one, count in world.left))

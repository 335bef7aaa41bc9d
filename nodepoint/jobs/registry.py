"""Flows: what a job consists of. Apps register theirs in `flows.py`; the engine finds them by name and
imports no app."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from nodepoint.audit import words
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.outcomes import Done, Outcome

if TYPE_CHECKING:
    from nodepoint.jobs.call import Call

StepFunction = Callable[["Call"], Outcome]


@dataclass(frozen=True)
class Limit:
    """At most `slots()` steps at a time hold the limit called `name`.

    `until_done`: kept from the first call until the step is done, because the remote work itself is limited
    (creations on a storage); otherwise it is held for one call only (host writes to one NPM)."""

    name: str
    slots: Callable[[], int]
    until_done: bool = False


@dataclass(frozen=True)
class Step:
    """One thing that will be true afterwards.

    `run` looks, acts where needed, and says how it went; it may be called any number of times. None: it is
    true from the start, made so by the transaction that submits the job. `undo` makes it untrue again,
    equally repeatable; None only where `nothing_to_undo` gives the reason. `after`: names of the steps that
    must be done before. `needed`: asked of the subject when the step's turn comes; where it says no, the step
    is skipped. `deadline`: seconds from its first call until it counts as failed (None: the job's own).
    `spares_the_job`: its failure is reported to staff but the job goes on. `if_skipped`: what is missing
    then, for staff, who may skip it; empty: it cannot be done without. `usual`: seconds it takes as long as
    nothing was measured; the progress bar starts from them."""

    name: str
    title: str
    run: StepFunction | None
    undo: StepFunction | None = None
    nothing_to_undo: str = ""
    after: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    needed: Callable[[Any], bool] | None = None
    deadline: int | None = None
    spares_the_job: bool = False
    if_skipped: str = ""
    usual: float = 1.0

    def __post_init__(self) -> None:
        if (self.undo is None) != bool(self.nothing_to_undo):
            raise ValueError(f"{self.name}: an undo, or the reason why there is nothing to undo.")


def former_step(name: str, title: str, *after: str) -> Step:
    """A step that jobs of an earlier release have and no new one gets: it is passed over when its turn comes,
    and done with where it was begun."""
    return Step(
        name,
        title,
        lambda call: Done(),
        nothing_to_undo="It does nothing any more.",
        after=after,
        needed=lambda subject: False,
        spares_the_job=True,
    )


class GivesWay(Enum):
    """What becomes of a job that only waits when another is submitted with `take_over`."""

    NEVER = "never"  # the other queues behind it: half of it done would be worse than a later suspension
    DROPPED = "dropped"  # cancelled; what takes over makes the same thing right, or the customer asks again
    RESUMED = "resumed"  # cancelled, and carried out anew behind the one that took over


@dataclass(frozen=True)
class Flow:
    """A kind of job. `name` is stored in rows and never changed after a release; neither are its steps'
    names.

    `subject`: model label of what the job works on. `scope`: the API scope that may read the job. `deadline`:
    seconds until the job is undone; None: it never gives up, and staff are told once it is older than
    `alarm_after` seconds. `gives_way`: to a job that takes over while this one only waits. `waited_for`:
    nobody has asked for it, so that nobody is refused because of it: others stand in line. `stands`: asked of
    the subject whether a step that failed without harm to the job may still be tried again once the job has
    ended. `version`: raised when steps are added or removed; running jobs keep the rows they began with.
    `former`: steps of earlier releases that such rows may still name (`former_step`). `tells`: the kind of
    the notice that is submitted when a job of this flow has succeeded, once; `tells_failure`: likewise when
    one has failed, and was not cancelled. `known`: asked of a job that fails whether staff were told of the
    same before; they are not told again then."""

    name: str
    title: str
    subject: str
    scope: str
    steps: tuple[Step, ...]
    deadline: int | None = None
    alarm_after: int = 3600
    gives_way: GivesWay = GivesWay.NEVER
    waited_for: bool = False
    stands: Callable[[Any], bool] | None = None
    version: int = 1
    former: tuple[Step, ...] = ()
    tells: str = ""
    tells_failure: str = ""
    known: Callable[[Any], bool] | None = None
    by_name: dict[str, Step] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_name = {step.name: step for step in self.steps}
        if len(by_name) != len(self.steps):
            raise ValueError(f"{self.name}: two steps have one name.")
        seen: set[str] = set()
        for step in self.steps:
            if missing := set(step.after) - seen:
                raise ValueError(f"{self.name}/{step.name} comes before {', '.join(sorted(missing))}.")
            seen.add(step.name)
        object.__setattr__(self, "by_name", by_name)

    def forerunners(self, name: str, known: Collection[str]) -> set[str]:
        """The steps that must be finished before `name`, of those that a job knows: one that began in an
        earlier release has no row for a step that is new since; what that one comes after counts instead."""
        found: set[str] = set()
        for before in self.step(name).after:
            found |= {before} if before in known else self.forerunners(before, known)
        return found

    def step(self, name: str) -> Step:
        """The step called `name`; UnknownFlow if this release has none."""
        if found := self.by_name.get(name) or next((one for one in self.former if one.name == name), None):
            return found
        raise UnknownFlow(f"{self.name} has no step {name!r} in this release.")


_flows: dict[str, Flow] = {}


def register(flow: Flow) -> Flow:
    """Make a flow known under its name."""
    if _flows.setdefault(flow.name, flow) is not flow:
        raise ValueError(f"Two flows are called {flow.name}.")
    words.name({flow.name: flow.title})
    return flow


def flow(name: str) -> Flow:
    """The flow called `name`; UnknownFlow if this release has none."""
    try:
        return _flows[name]
    except KeyError:
        raise UnknownFlow(f"This release has no flow {name!r}.") from None


def flows() -> list[Flow]:
    """All flows, by name."""
    return [_flows[name] for name in sorted(_flows)]


_periodic: dict[str, int] = {}


def periodic(task: str, minutes: int) -> None:
    """Have the workers call the function with this dotted path every `minutes`."""
    _periodic[task] = minutes


def periodic_tasks() -> dict[str, int]:
    """What apps want called now and then: {dotted path: minutes}."""
    return dict(_periodic)

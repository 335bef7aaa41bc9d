"""What may happen in a history, by name: a function of the world and of small numbers, so that a history is a
list that can be kept, cut and played again. A number stands for one of the things that there are then; where
there is none, nothing happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

from sites.models import Site
from tests.histories.people import SERVICES, USERS
from tests.histories.world import World

T = TypeVar("T")
Play = Callable[..., None]


@dataclass(frozen=True)
class Act:
    """`play(world, **arguments)`; `arguments`: what each may be. `weight`: how often beside others."""

    play: Play
    arguments: dict[str, st.SearchStrategy[Any]]
    weight: int = 1


ACTS: dict[str, Act] = {}


def act(weight: int = 1, **arguments: Sequence[Any]) -> Callable[[Play], Play]:
    """Have the function be an act of its name; each argument is one of these."""

    def note(play: Play) -> Play:
        drawn = {name: st.sampled_from(values) for name, values in arguments.items()}
        ACTS[play.__name__] = Act(play, drawn, weight)
        return play

    return note


def one_of(things: Sequence[T], number: int) -> T | None:
    """The `number`-th, round and round."""
    return things[number % len(things)] if things else None


CUSTOMER = tuple(range(len(SERVICES)))
WHICH = range(4)
ON = (False, True)


def service(number: int) -> str:
    """The service of one of those customers who have a site; where nobody has, of any."""
    standing = Site.objects.exclude(live_key=None).order_by("pk").values_list("live_key", flat=True)
    return one_of(list(standing), number) or SERVICES[number]


def any_service(number: int) -> str:
    """Whether he has a site or not."""
    return SERVICES[number]


def user(number: int) -> str:
    """A customer as DNS knows him."""
    return USERS[number]


def play(world: World, name: str, arguments: dict[str, Any]) -> None:
    """Let an act happen; what it cannot be done with has changed nothing."""
    ACTS[name].play(world, **arguments)

"""What an act is in the tests of every fault."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.staff.test_every_fault import EveryFaultCase as Case

BY = {"actor": "staff olga"}


@dataclass(frozen=True)
class Deed:
    """`before`: makes what it begins from, on a platform on which nothing is. `do`: the act itself; gives the
    answer of the API where that was asked. `stands`: asserts that it has been done wholly. `begun`: what is
    called before the fault comes, for what begins by itself. `place`: where its jobs' troubles stand, if not
    on their own pages."""

    before: Callable[["Case"], object]
    do: Callable[["Case"], object]
    stands: Callable[["Case"], None]
    begun: Callable[["Case"], None] = lambda case: None
    place: str = ""

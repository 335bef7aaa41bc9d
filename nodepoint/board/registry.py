"""What the board shows. Apps register theirs in a module `board`; the board imports no app."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

OTHERS = 8  # the grey in the palette, for what is not told apart
SHOWN = 5  # troubles of one kind on the board; the rest is a link away


class Level(IntEnum):
    """How bad it is."""

    FAILING = 2  # customers feel it, now
    WAITING = 1  # somebody has to look at it today

    @property
    def severity(self) -> str:
        """`urgent`, which breaks quiet hours, or `normal`."""
        return "urgent" if self is Level.FAILING else "normal"


@dataclass(frozen=True)
class Trouble:
    """One thing that needs a human. `url`: where it is put right. `since`: how long it has been so. `key`:
    under which staff may take it off the board; empty where only its cure does."""

    title: str
    detail: str
    url: str
    since: datetime | None = None
    key: str = ""


@dataclass(frozen=True)
class Group:
    """Troubles of one kind, the first SHOWN of `total`. `url`: the list of all. `most`: counted no further
    than this."""

    title: str
    level: Level
    troubles: Sequence[Trouble]
    total: int
    url: str = ""
    most: int = 0

    @property
    def count(self) -> str:
        """`12`, or `200+` where counting stopped."""
        return f"{self.total}+" if self.most and self.total >= self.most else str(self.total)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.troubles)

    @property
    def failing(self) -> bool:
        """Whether it is of the worse sort."""
        return self.level is Level.FAILING


@dataclass(frozen=True)
class Series:
    """Numbers of one name, one for each label of the picture; None: not known. `stack`: bars of one stack
    stand on one another. `line`: drawn as a line."""

    name: str
    values: Sequence[float | None]
    stack: str = ""
    line: bool = False
    percent: bool = False  # on a second axis, 0 to 100
    colour: int | None = None  # place in the palette; None: the next one


@dataclass(frozen=True)
class Picture:
    """A chart, and the same as a table for who cannot see it. `headers`, `rows`: of the table; by default
    made of the series. `scale`: how far the axis goes at least."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    scale: float | None = None
    horizontal: bool = False
    note: str = ""
    empty: str = "Nothing to show yet."
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    url: str = ""
    wide: bool = False

    @property
    def known(self) -> bool:
        """Whether there is anything to draw."""
        return any(value for one in self.series for value in one.values)


Source = Callable[[], Iterable[Group]]
Painter = Callable[[], Picture]


@dataclass
class Board:
    """All that is registered: each with the permission that its reader needs."""

    sources: list[tuple[int, str, Source]] = field(default_factory=list)
    painters: list[tuple[str, Painter]] = field(default_factory=list)

    def groups(self, user: AbstractBaseUser) -> list[Group]:
        """Everything that needs a human and that this user may see, the worst first."""
        ranked = sorted(self.sources, key=lambda one: one[0])
        asked = self._for(user, [(permission, function) for _, permission, function in ranked])
        found = [group for function in asked for group in function()]
        return sorted((group for group in found if group.total), key=lambda group: -group.level)

    def everything(self) -> list[Group]:
        """The same whoever may see it, for notices."""
        return [group for _, _, function in self.sources for group in function() if group.total]

    def pictures(self, user: AbstractBaseUser) -> list[Picture]:
        """The pictures that this user may see, the wide ones first."""
        painted = [paint() for paint in self._for(user, self.painters)]
        return sorted(painted, key=lambda one: not one.wide)

    @staticmethod
    def _for(user: AbstractBaseUser, registered: list[tuple[str, Any]]) -> Iterable[Any]:
        return (one for permission, one in registered if user.has_perm(permission))


board = Board()


def source(permission: str, rank: int) -> Callable[[Source], Source]:
    """Decorator: have the groups that the function yields shown to whoever has the permission; among equally
    bad ones those of a lower rank come first."""

    def keep(function: Source) -> Source:
        board.sources.append((rank, permission, function))
        return function

    return keep


def picture(permission: str) -> Callable[[Painter], Painter]:
    """Decorator: have the picture that the function paints shown to whoever has the permission."""

    def keep(function: Painter) -> Painter:
        board.painters.append((permission, function))
        return function

    return keep

"""A history: how its world begins, and what happens in it. It can be kept in a file, cut, played again."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from tests.histories import customers, processes, staff, troubles  # noqa: F401 - they note their acts
from tests.histories import invariants as rules
from tests.histories.acts import play
from tests.histories.calm import calm, put_right
from tests.histories.people import Broken
from tests.histories.truth import Truth
from tests.histories.world import World

Happening = tuple[str, dict[str, Any]]


@dataclass
class History:
    """`world`: the arguments of `World`; `acts`: what happens, one after the other."""

    world: dict[str, Any] = field(default_factory=dict)
    acts: list[Happening] = field(default_factory=list)

    def as_text(self) -> str:
        """One act a line."""
        acts = ",\n  ".join(json.dumps(list(one)) for one in self.acts)
        return f'{{"world": {json.dumps(self.world)},\n "acts": [\n  {acts}\n]}}\n'

    @classmethod
    def read(cls, path: Path) -> "History":
        """From a file of `as_text`."""
        kept = json.loads(path.read_text())
        return cls(kept["world"], [(name, arguments) for name, arguments in kept["acts"]])

    def without(self, acts: Iterable[int]) -> "History":
        """A shorter one."""
        gone = set(acts)
        return History(self.world, [one for n, one in enumerate(self.acts) if n not in gone])


class Stage:
    """A world in which a history happens, act by act. What it leaves in the database is rolled back."""

    def __init__(self, **world: Any) -> None:
        self.history = History(world)
        self._rows = transaction.atomic()
        self._rows.__enter__()
        try:
            self.world = World(**world).__enter__()
        except BaseException:
            self._close()
            raise

    def play(self, name: str, arguments: dict[str, Any]) -> None:
        """Let it happen."""
        self.history.acts.append((name, arguments))
        play(self.world, name, arguments)

    def judge(self) -> None:
        """Let the world calm down; Broken with all that is not as it has to be."""
        calm(self.world)
        self._require(rules.ALWAYS)
        put_right(self.world)
        self._require(rules.AFTER_REPAIR)

    def _require(self, invariants: Iterable[rules.Invariant]) -> None:
        if said := rules.broken(Truth(self.world), invariants):
            raise Broken("\n".join(said))

    def end(self) -> None:
        """Nothing of it is left."""
        self.world.__exit__()
        self._close()

    def _close(self) -> None:
        transaction.set_rollback(True)
        self._rows.__exit__(None, None, None)


def replay(history: History) -> str:
    """What is broken at the end; empty: nothing."""
    stage = Stage(**history.world)
    try:
        for name, arguments in history.acts:
            stage.play(name, arguments)
        stage.judge()
    except Broken as broken:
        return str(broken)
    finally:
        stage.end()
    return ""


def shortest(history: History, is_broken: Any, most: int = 400) -> History:
    """The history without acts that its end does not need; `is_broken(history)` is asked `most` times."""
    size, asked = max(1, len(history.acts) // 2), 0
    while size:
        begin = 0
        while begin < len(history.acts) and asked < most:
            shorter, asked = history.without(range(begin, begin + size)), asked + 1
            if is_broken(shorter):
                history = shorter
            else:
                begin += size
        size = size // 2 if asked < most else 0
    return history

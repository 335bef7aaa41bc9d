"""Events to come: their order, calling them off, and taking them up again after a kill."""

import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lab.store import Guard, Store
from lab.world import World


class WorldTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "lab.sqlite3"
        self.happened: list[tuple[float, str]] = []

    def world(self, *, awake: bool = True) -> World:
        """A world on the same file; what it does is noted in ``happened``."""
        store = Store(self.path)
        self.addCleanup(store.close)
        parts: Any = SimpleNamespace(store=store, lock=Guard(store))
        world = World(parts)
        world.on("note", lambda now, what: self.happened.append((now, what)))
        world.on("again", lambda now, what: world.at(now + 1, "note", what=what))
        if awake:
            world.wake()
        return world

    def test_events_happen_in_order_of_time_and_with_their_own_time(self) -> None:
        world = self.world()
        for when, what in ((30, "c"), (10, "a"), (20, "b"), (10, "a2"), (99, "later")):
            world.at(when, "note", what=what)
        world.settle(50)
        self.assertEqual([(10, "a"), (10, "a2"), (20, "b"), (30, "c")], self.happened)
        world.settle(50)
        self.assertEqual(4, len(self.happened))

    def test_an_event_may_order_another_that_is_due_too(self) -> None:
        world = self.world()
        world.at(10, "again", what="x")
        world.at(12, "note", what="y")
        world.settle(50)
        self.assertEqual([(11, "x"), (12, "y")], self.happened)

    def test_what_is_called_off_does_not_happen(self) -> None:
        world = self.world()
        id = world.at(10, "note", what="x")
        self.assertEqual(10, world.due(id))
        world.cancel(id)
        world.settle(50)
        self.assertEqual(([], 0), (self.happened, world.due(id)))

    def test_a_new_process_takes_up_what_was_still_to_come(self) -> None:
        first = self.world()
        with first._lab.lock:
            first.at(10, "note", what="done")
            first.at(20, "note", what="called off")
            first.at(30, "note", what="to come")
            first.cancel("2")
        first.settle(15)
        second = self.world(awake=False)
        with second._lab.lock:
            second.at(5, "note", what="ordered while it starts")
        second.settle(50)
        self.assertEqual([(10, "done")], self.happened)
        second.wake()
        second.settle(50)
        self.assertEqual([(5, "ordered while it starts"), (30, "to come")], self.happened[1:])
        self.assertEqual({}, second._lab.store.load("event"))

"""The machine is what the engine is: act by act, the engine's functions make of real rows what the machine
says, and offer the same next. So what was walked through holds for the engine."""

import os
import random
import time
from dataclasses import replace

from tests.base import on_one_database
from tests.model.machine import Machine, World
from tests.model.real import Real, RealCase, comparable
from tests.model.test_machine import BRANCHES, LINE, WHOLE, machine
from tests.model.walk import in_order

EVERYTHING = {"odd": 3, "crash": 2, "lease": 2, "submit": 1, "steer": 2, "turn back": 1, "halt": 1}
HISTORIES = 1000 if WHOLE else 40
SEED = int(os.environ.get("NODEPOINT_SEED", time.time_ns() % 1_000_000))
STAFF = ("turn back", "give up", "retry", "skip", "claim")


@on_one_database
class SameTests(RealCase):
    """The engine beside the machine."""

    def both(self, real: Real, world: World, act) -> tuple[Real, World]:
        """Do the same with both; the machine's world is what the engine's rows say."""
        then = self.machine.after(world, act)
        real = self.perform(real, act)
        self.assertEqual(comparable(self.world(real, then)), comparable(then), f"after {act} in {world}")
        self.assert_offers_the_same(then)
        return real, then

    def assert_offers_the_same(self, world: World) -> None:
        free = None in world.hands
        allowed = Machine(self.machine.flow, ())
        acts = allowed.acts(_free(world))
        said = {
            (act.name, int(act.more) if act.name == "claim" else act.of) for act in acts if act.name in STAFF
        }
        offered = self.offered()
        if not free:
            offered = {one for one in offered if one[0] != "claim"}
            said = {one for one in said if one[0] != "claim"}
        self.assertEqual(offered, said, world)

    def test_in_all_worlds_of_a_short_history(self) -> None:
        budget = {"odd": 1, "crash": 1, "lease": 1} if WHOLE else {"odd": 1, "lease": 1}
        self.use(machine(LINE, budget))
        first = self.machine.first()
        came, waiting = {first}, [(self.first(), first)]
        while waiting:
            real, world = waiting.pop()
            for act in self.machine.acts(world):
                after, then = self.both(real, world, act)
                if in_order(then) not in came:
                    came.add(in_order(then))
                    waiting.append((after, then))

    def test_in_histories_at_random(self) -> None:
        for number in range(HISTORIES):
            seed = SEED + number
            chance = random.Random(seed)
            with self.subTest(NODEPOINT_SEED=seed):
                self.use(machine(chance.choice((BRANCHES, LINE)), EVERYTHING))
                real, world = self.first(), self.machine.first()
                while acts := list(self.machine.acts(world)):
                    real, world = self.both(real, world, chance.choice(acts))
                    if not world.alive and not any(world.hands):
                        break


def _free(world: World) -> World:
    """The world without bounds to what staff may do."""
    return replace(world, left=(("steer", 1), ("turn back", 1)))

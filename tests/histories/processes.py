"""Acts of our own processes: they work, die, are stopped and go on, and rest while time passes."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management import call_command

from dns import watch as zone_watch
from nodepoint.board import tasks as board
from nodepoint.jobs import tasks as jobs
from sites import tasks as sites
from sites import watch
from tests.histories.acts import act, play
from tests.histories.world import BORDERS, World

LOOKS: dict[str, Callable[[], Any]] = {
    "suspensions": sites.enforce_suspensions,
    "domains": sites.look_at_domains,
    "pool": sites.fill_pool,
    "nights": sites.archive_sites,
    "expiry": sites.expire_archives,
    "inside": sites.look_inside,
    "updates": sites.update_sites,
    "cluster": watch.look,
    "zones": zone_watch.look,
    "comparison": board.compare,
    "troubles": board.tell_troubles,
    "late": jobs.alarm,
}


@act(4, seconds=(2, 20, 120, 900))
def work(world: World, seconds: int) -> None:
    """Runners work for so long."""
    world.work(seconds)


@act(3, count=(1, 3, 8), turn=range(4))
def some(world: World, count: int, turn: int) -> None:
    """So many calls, in an order of their own."""
    world.some(count, turn)


@act(4, border=tuple(BORDERS), calls=range(6))
def die(world: World, border: str, calls: int) -> None:
    """The runner dies after so many calls, at this border of the next one."""
    world.dies = border, calls


@act(3, calls=range(6))
def stall(world: World, calls: int) -> None:
    """The runner is stopped in the middle of a call to come, and goes on when another has taken it over."""
    world.stalls = calls


MEANWHILE: dict[str, tuple[str, dict[str, Any]] | None] = {
    "another runner takes it over": None,
    "other steps are called": ("some", {"count": 6, "turn": 1}),
    "the site is suspended": ("suspend", {"who": 0, "back": False}),
    "the suspension ends": ("suspend", {"who": 0, "back": True}),
    "the site is deleted": ("delete", {"who": 0, "keep_days": None}),
    "the plan is changed": ("upgrade", {"who": 0, "plan": "premium"}),
    "another order comes": ("order", {"who": 1, "plan": "basic", "twice": False}),
    "a zone is deleted": ("zone", {"who": 0, "zone": "alpha.com", "delete": True}),
    "staff cancel": ("steer", {"which": 0, "move": "cancel"}),
    "its node goes away": ("node", {"node": "node1", "up": False}),
    "it is moved": ("moved", {"which": 0, "to": "node2"}),
}


@act(3, calls=range(10), what=tuple(MEANWHILE))
def meanwhile(world: World, calls: int, what: str) -> None:
    """In the middle of a step, before one of its remote calls, something else happens."""
    happening = MEANWHILE[what]
    happen = partial(play, world, *happening) if happening else world.take_over
    world.meanwhile = calls, happen


@act(minutes=(1, 20, 90, 60 * 26))
def rest(world: World, minutes: int) -> None:
    """Nobody works for so long, as when all hosts are down."""
    world.clock.move(minutes * 60)


@act(3, which=tuple(LOOKS))
def periodic(world: World, which: str) -> None:
    """One of the periodic looks."""
    world.runs(LOOKS[which])


@act()
def prune(world: World) -> None:
    call_command("prune", verbosity=0, stdout=world.nowhere)

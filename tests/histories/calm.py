"""After the storm: faults are mended, staff do what only they can do, and all work comes to its end."""

from nodepoint import reconcile
from nodepoint.jobs.models import Job
from sites.services.unlocking import locked_step
from tests.histories.processes import LOOKS
from tests.histories.troubles import mended
from tests.histories.world import World

ROUNDS = 8
HOUR, DAYS = 3600, 9 * 24 * 3600
"""Seconds; certificates are ordered for a week before they are given up."""


def calm(world: World) -> None:
    """Everything that was asked for comes to its end."""
    mended(
        world,
    )
    world.dies = world.stalls = world.meanwhile = None
    for _ in range(ROUNDS):
        world.work(HOUR)
        unlock(world)
        look(world)
        if not working():
            break
    world.work(DAYS)
    look(world)
    world.work(DAYS)
    unlock(world)
    world.work(HOUR)


def working() -> bool:
    """Whether any job is at work."""
    return Job.objects.filter(state__in=Job.ALIVE).exists()


def look(world: World) -> None:
    """All periodic looks once."""
    for each in LOOKS.values():
        world.runs(each)


def unlock(world: World) -> None:
    """Locks that dead tasks have left are for staff to take off: a site's by its button, else on the node."""
    for job in Job.objects.filter(state__in=Job.ALIVE, subject__startswith="sites.site:"):
        if locked_step(job):
            world.press(f"/admin/sites/site/{job.subject_pk}/act/unlock/")
    world.work(120)
    with world.lab.lock:
        for container in world.cluster.containers.values():
            if container.lock and not container.held:
                world.cluster.unlock(container.node, container.vmid)


def put_right(world: World) -> list[str]:
    """Staff have everything repaired that the comparison shows and that can be; what it finds still."""
    for _ in range(2):
        world.clock.move(HOUR)
        found = [finding for side in reconcile.sides() for finding in side.compare().findings]
        for side in reconcile.sides():
            for finding in side.compare().findings:
                if finding.repairable and finding.owner:
                    side.repair(finding.owner)
        world.work(HOUR)
    return [f"{one.kind}: {one.system} {one.thing} {one.detail}" for one in found]

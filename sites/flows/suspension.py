"""Suspension and its end: the same four places, made as the site's rows say when their turn comes. They never
give up. Each gives way to the other while it only waits."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, periodic, register
from sites.flows.notices import SITE_BACK, SITE_SUSPENDED
from sites.flows.power import is_live, tuning
from sites.steps import configuration, power, traffic
from sites.steps.hosts import WRITES
from sites.steps.proxmox import CALLS

NOTHING_TO_UNDO = "It is carried through, however long it takes."

periodic("sites.tasks.enforce_suspensions", minutes=3)


def _traffic(title: str, after: tuple[str, ...] = ()) -> Step:
    return Step(
        "traffic",
        title,
        traffic.as_wished,
        nothing_to_undo=NOTHING_TO_UNDO,
        after=after,
        limits=(WRITES,),
        needed=is_live,
        usual=0.5,
    )


def _autostart(title: str) -> Step:
    return Step(
        "autostart",
        title,
        configuration.autostart_as_wished,
        nothing_to_undo=NOTHING_TO_UNDO,
        limits=(CALLS,),
        needed=is_live,
        usual=0.3,
    )


def _power(title: str, usual: float) -> Step:
    return Step(
        "power",
        title,
        power.power_as_wished,
        nothing_to_undo=NOTHING_TO_UNDO,
        after=("autostart",),
        limits=(CALLS,),
        needed=is_live,
        usual=usual,
    )


SUSPEND = register(
    Flow(
        "sites.suspend",
        title="Suspend site",
        subject="sites.Site",
        scope="sites",
        gives_way=GivesWay.DROPPED,
        tells=SITE_SUSPENDED,
        steps=(
            _traffic("Switching traffic off"),
            _autostart("Switching autostart off"),
            _power("Stopping the container", usual=5),
        ),
    )
)

UNSUSPEND = register(
    Flow(
        "sites.unsuspend",
        title="Unsuspend site",
        subject="sites.Site",
        scope="sites",
        gives_way=GivesWay.DROPPED,
        stands=is_live,
        tells=SITE_BACK,
        steps=(
            _autostart("Switching autostart on"),
            _power("Starting the container", usual=7),
            _traffic("Switching traffic on", after=("power",)),
            tuning("power"),
        ),
    )
)

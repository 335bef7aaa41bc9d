"""What a customer does with the container."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, register
from sites.models import Site
from sites.steps import power, wordpress
from sites.steps.proxmox import CALLS

DEADLINE = 10 * 60
THE_WISH_STANDS = "The wish stands; asking again carries it out."


def is_live(site: Site) -> bool:
    """Whether there is a container at all: an order that a suspension was queued behind may have failed."""
    return site.state == Site.State.LIVE


def tuning(*after: str) -> Step:
    """PHP and MariaDB sized for the plan, and WordPress told its name, where that has changed while the
    container was stopped."""
    return Step(
        "tuned",
        "Fitting WordPress to plan and name",
        wordpress.tuned,
        nothing_to_undo="It is done anew with the next plan.",
        after=after,
        needed=wordpress.needs_tuning,
        deadline=15 * 60,
        spares_the_job=True,
        if_skipped="Sizes and name inside stay as they are until the next start or plan.",
        usual=3,
    )


START = register(
    Flow(
        "sites.start",
        title="Start site",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        gives_way=GivesWay.DROPPED,
        stands=is_live,
        steps=(
            Step(
                "power",
                "Starting the container",
                power.power_as_wished,
                nothing_to_undo=THE_WISH_STANDS,
                limits=(CALLS,),
                usual=7,
            ),
            tuning("power"),
        ),
    )
)

STOP = register(
    Flow(
        "sites.stop",
        title="Stop site",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        gives_way=GivesWay.DROPPED,
        steps=(
            Step(
                "power",
                "Stopping the container",
                power.power_as_wished,
                nothing_to_undo=THE_WISH_STANDS,
                limits=(CALLS,),
                usual=5,
            ),
        ),
    )
)

RESTART = register(
    Flow(
        "sites.restart",
        title="Restart site",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        gives_way=GivesWay.DROPPED,
        stands=is_live,
        steps=(
            Step(
                "rebooted",
                "Restarting the container",
                power.rebooted,
                nothing_to_undo=THE_WISH_STANDS,
                limits=(CALLS,),
                usual=12,
            ),
            Step(
                "power",
                "Starting the container",
                power.power_as_wished,
                nothing_to_undo=THE_WISH_STANDS,
                after=("rebooted",),
                limits=(CALLS,),
                usual=0.3,
            ),
            tuning("power"),
        ),
    )
)

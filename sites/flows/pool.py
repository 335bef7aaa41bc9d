"""A container of the pool: how it is made ready, and how it ends where no order takes it."""

from dataclasses import replace

from nodepoint.jobs.registry import Flow, Step, periodic, register
from nodepoint.restoration import after_release
from sites.flows.place import PLACE
from sites.pool import steps
from sites.pool.claims import TOP_UP
from sites.pool.ends import DESTROY
from sites.pool.refill import FILL, is_known
from sites.steps import container, firewall
from sites.steps.proxmox import CALLS, CREATIONS

MINUTES = 60
GOES_WITH_IT = "It goes with the container."

periodic(TOP_UP, minutes=1)
periodic("sites.tasks.prune", minutes=24 * 60)

POOL_FILL = register(
    Flow(
        FILL,
        title="Make a container ready",
        subject="sites.Spare",
        scope="sites",
        deadline=24 * 60 * MINUTES,  # orders may be at work for long
        known=is_known,
        steps=(
            Step(
                "reserved",
                "Reserving an address",
                None,  # in the transaction that finds the pool short
                undo=steps.given_up,
                usual=0.1,
            ),
            Step(
                "quiet",
                "Letting orders go first",
                steps.quiet,
                nothing_to_undo="It only looks.",
                after=("reserved",),
                if_skipped="It is made while orders are at work.",
                usual=0.1,
            ),
            replace(PLACE, after=("quiet",)),
            Step(
                "container",
                "Creating the container",
                steps.created,
                undo=container.unmade,
                after=("place",),
                limits=(CREATIONS, CALLS),
                deadline=20 * MINUTES,
                usual=45,
            ),
            Step(
                "firewall",
                "Closing the firewall",
                firewall.firewall_on,
                nothing_to_undo=GOES_WITH_IT,
                after=("container",),
                limits=(CALLS,),
                deadline=10 * MINUTES,
                usual=1.5,
            ),
            Step(
                "started",
                "Starting the container",
                steps.started,
                nothing_to_undo="Removing the container stops it.",
                after=("firewall",),
                limits=(CALLS,),
                deadline=5 * MINUTES,
                usual=7,
            ),
            Step(
                "wordpress",
                "Installing WordPress",
                steps.installed,
                nothing_to_undo=GOES_WITH_IT,
                after=("started",),
                deadline=15 * MINUTES,
                usual=75,
            ),
            Step(
                "sealed",
                "Sealing it",
                steps.sealed,
                nothing_to_undo=GOES_WITH_IT,
                after=("wordpress",),
                deadline=5 * MINUTES,
                usual=2,
            ),
        ),
    )
)

POOL_DESTROY = register(
    Flow(
        DESTROY,
        title="Destroy a ready container",
        subject="sites.Spare",
        scope="sites",
        steps=(
            Step(
                "container_removed",
                "Deleting the container",
                after_release(steps.removed),
                nothing_to_undo="Nobody needs it.",
                limits=(CALLS,),
                if_skipped="Its VMID and address are given back although something may stand there.",
                usual=8,
            ),
            Step(
                "gone",
                "Freeing the address",
                steps.gone,
                nothing_to_undo="Nobody needs it.",
                after=("container_removed",),
                usual=0.1,
            ),
        ),
    )
)

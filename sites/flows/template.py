"""Building a golden template: a container is made, filled, sealed, packed, and removed again."""

from nodepoint.jobs.registry import Flow, Step, register
from sites.flows.place import PLACE
from sites.steps import container, firewall, template
from sites.steps.proxmox import CALLS, CREATIONS

MINUTES = 60
GOES_WITH_IT = "It goes with the container."

TEMPLATE = register(
    Flow(
        "sites.template",
        title="Build template",
        subject="sites.Template",
        scope="sites",
        deadline=60 * MINUTES,
        stands=template.is_ready,
        version=2,
        steps=(
            Step(
                "reserved",
                "Reserving an address",
                None,  # in the transaction that accepts the wish
                undo=template.given_up,
                usual=0.1,
            ),
            PLACE,
            Step(
                "container",
                "Creating the container",
                template.created,
                undo=container.unmade,
                after=("place",),
                limits=(CREATIONS, CALLS),
                usual=45,
            ),
            Step(
                "firewall",
                "Closing the firewall",
                firewall.firewall_on,
                nothing_to_undo=GOES_WITH_IT,
                after=("container",),
                limits=(CALLS,),
                usual=1.5,
            ),
            Step(
                "started",
                "Starting the container",
                template.started,
                nothing_to_undo="Removing the container stops it.",
                after=("firewall",),
                limits=(CALLS,),
                deadline=5 * MINUTES,
                usual=7,
            ),
            Step(
                "base",
                "Installing what all sites have in common",
                template.base_installed,
                nothing_to_undo=GOES_WITH_IT,
                after=("started",),
                deadline=20 * MINUTES,
                usual=70,
            ),
            Step(
                "sealed",
                "Sealing it",
                template.sealed,
                nothing_to_undo=GOES_WITH_IT,
                after=("base",),
                deadline=5 * MINUTES,
                usual=5,
            ),
            Step(
                "stopped",
                "Stopping the container",
                template.stopped,
                nothing_to_undo=GOES_WITH_IT,
                after=("sealed",),
                limits=(CALLS,),
                deadline=5 * MINUTES,
                usual=5,
            ),
            Step(
                "archived",
                "Packing it",
                template.archived,
                undo=template.not_archived,
                after=("stopped",),
                limits=(CALLS,),
                deadline=20 * MINUTES,
                usual=25,
            ),
            Step(
                "placed",
                "Putting the archive in its place",
                template.placed,
                undo=template.not_placed,
                after=("archived",),
                deadline=10 * MINUTES,
                usual=2,
            ),
            # From here on it can be used: what fails now is told to staff.
            Step(
                "spread",
                "Copying the archive to the other nodes",
                template.spread,
                nothing_to_undo="What was copied can be used.",
                after=("placed",),
                deadline=15 * MINUTES,
                spares_the_job=True,
                if_skipped="Containers cannot be created from it on nodes that lack it.",
                usual=20,
            ),
            Step(
                "container_removed",
                "Deleting the container",
                template.container_removed,
                nothing_to_undo="It was needed for nothing else.",
                after=("placed",),
                limits=(CALLS,),
                deadline=15 * MINUTES,
                spares_the_job=True,
                usual=3,
            ),
        ),
    )
)

"""Another plan: first the disk, which alone can fail for want of space, then memory and cores, then what runs
inside. The site's row changes when the container has it."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, register
from sites.flows.power import is_live, tuning
from sites.steps import configuration, high_availability, plan
from sites.steps.proxmox import CALLS

UPGRADE = register(
    Flow(
        "sites.upgrade",
        title="Change plan",
        subject="sites.Site",
        scope="sites",
        # The billing system asks only once: a node may be away for days. What is refused ends at once.
        deadline=7 * 24 * 3600,
        gives_way=GivesWay.RESUMED,
        stands=is_live,
        steps=(
            Step(
                "sized",
                "Resizing the container",
                plan.with_new_plan(configuration.applied),
                undo=configuration.restored,
                limits=(CALLS,),
                needed=is_live,
                usual=1,
            ),
            Step(
                "high_availability",
                "Adjusting high availability",
                plan.with_new_plan(high_availability.as_planned),
                undo=high_availability.restored,
                if_skipped="High availability stays as it is until the site is repaired.",
                after=("sized",),
                limits=(CALLS,),
                needed=is_live,
                usual=0.3,
            ),
            Step(
                "recorded",
                "Noting the plan",
                plan.recorded,
                nothing_to_undo="Nothing that comes after it undoes the job.",
                after=("high_availability",),
                needed=is_live,
                usual=0.1,
            ),
            tuning("recorded"),
        ),
    )
)

"""Bringing sites that an earlier install script has made to what this release's makes: one site, and all of
them, some at a time."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, register
from sites.flows.power import is_live
from sites.steps import lifting

LIFT = register(
    Flow(
        lifting.LIFT,
        title="Lift site",
        subject="sites.Site",
        scope="sites",
        deadline=20 * 60,
        gives_way=GivesWay.DROPPED,
        waited_for=True,
        stands=is_live,
        steps=(
            Step(
                "tuned",
                "Running the install script of this release",
                lifting.lifted,
                nothing_to_undo="The script changes nothing that it finds right.",
                needed=lifting.is_below,
                usual=5,
            ),
        ),
    )
)

LIFTING = register(
    Flow(
        lifting.LIFTING,
        title="Lift all sites",
        subject="sites.Platform",
        scope="sites",
        deadline=None,  # as many sites as there are; staff can stop it, and failures do
        alarm_after=7 * 24 * 3600,
        steps=(
            Step(
                "all_lifted",
                "Lifting sites",
                lifting.all_lifted,
                nothing_to_undo="What was lifted stays so.",
                usual=600,
            ),
        ),
    )
)

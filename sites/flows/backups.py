"""Backups, and going back to them."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, former_step, register
from sites.flows import safety
from sites.flows.notices import SITE_RESET
from sites.flows.power import is_live
from sites.models import Site
from sites.steps import backups, configuration, high_availability, power, rollback, wordpress
from sites.steps.proxmox import CALLS

DEADLINE = 10 * 60  # seconds
FINAL = "What was deleted stays deleted."

BACKUP = register(
    Flow(
        "sites.backup",
        title="Make backup",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        gives_way=GivesWay.DROPPED,
        steps=(
            Step(
                "snapshot",
                "Taking the snapshot",
                backups.taken,
                undo=backups.untaken,
                limits=(CALLS,),
                usual=15,
            ),
        ),
    )
)

DELETE_BACKUP = register(
    Flow(
        "sites.delete_backup",
        title="Delete backup",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        gives_way=GivesWay.DROPPED,
        steps=(
            Step(
                "snapshot_gone",
                "Deleting the snapshot",
                backups.removed,
                nothing_to_undo=FINAL,
                limits=(CALLS,),
                usual=2,
            ),
        ),
    )
)


def _is_to_run(site: Site) -> bool:
    return site.power_wished == "running"


# The way back to a snapshot. From `rolled_back` on there is no way but forward: what fails then is undone by
# making size, address and power right all the same.
GOING_BACK = (
    Step(
        "possible",
        "Looking at the backups",
        rollback.possible,
        nothing_to_undo="Looking changes nothing.",
        limits=(CALLS,),
        usual=0.5,
    ),
    Step(
        "newer_gone",
        "Deleting newer backups",
        rollback.newer_gone,
        nothing_to_undo=FINAL,
        after=("possible",),
        limits=(CALLS,),
        usual=0.5,
    ),
    safety.snapshot("newer_gone", run=rollback.kept),
    Step(
        "let_go",
        "Telling the HA manager",
        high_availability.let_go,
        undo=rollback.brought_back,
        after=("before",),
        limits=(CALLS,),
        usual=0.5,
    ),
    Step(
        "rolled_back",
        "Going back to the snapshot",
        rollback.rolled_back,
        undo=configuration.restored,
        after=("let_go",),
        limits=(CALLS,),
        usual=10,
    ),
    Step(
        "configured",
        "Applying plan and address",
        configuration.applied,
        nothing_to_undo="It is what the plan says.",
        after=("rolled_back",),
        limits=(CALLS,),
        usual=1,
    ),
    Step(
        "powered",
        "Starting the container",
        power.power_as_wished,
        nothing_to_undo="It is what was wished.",
        after=("configured",),
        limits=(CALLS,),
        usual=7,
    ),
    Step(
        "tuned",
        "Fitting WordPress to plan and name",
        wordpress.tuned,
        nothing_to_undo="It is what plan and domains say.",
        after=("powered",),
        deadline=5 * 60,
        if_skipped="Sizes and name inside stay those of the snapshot's day.",
        spares_the_job=True,  # a customer's backup may hold a site that our script does not know any more
        usual=4,
    ),
)


ROLLBACK = register(
    Flow(
        "sites.rollback",
        title="Roll back",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        stands=is_live,
        version=2,
        steps=GOING_BACK,
    )
)

RESET = register(
    Flow(
        "sites.reset",
        title="Reset site",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        stands=is_live,
        version=3,
        tells=SITE_RESET,  # the password is that of the first day again, which nobody knows
        former=(former_step("customer_told", "Sending the e-mail", "verified"),),
        steps=(
            *GOING_BACK,
            Step(
                "verified",
                "Checking the site",
                wordpress.verified,
                nothing_to_undo="Looking changes nothing.",
                after=("tuned",),
                needed=_is_to_run,
                deadline=2 * 60,
                spares_the_job=True,
                if_skipped="Nobody has seen that WordPress answers.",
                usual=1,
            ),
        ),
    )
)

"""WordPress's minor releases and the system's security updates, put in by us: with a snapshot before, a look
after, and the way back."""

from nodepoint.jobs.registry import Flow, Step, periodic, register
from sites.flows import safety
from sites.flows.power import is_live
from sites.steps import update

MINUTES = 60
KIND = "sites.update"
LOOKED_AT = "The site is looked at, and goes back where it does not answer."

periodic("sites.tasks.update_sites", minutes=5)

UPDATE = register(
    Flow(
        KIND,
        title="Update",
        subject="sites.Site",
        scope="sites",
        deadline=60 * MINUTES,
        waited_for=True,
        stands=is_live,
        version=2,
        steps=(
            Step(
                "looked",
                "Looking how the site answers",
                update.looked,
                nothing_to_undo="Looking changes nothing.",
                usual=1,
            ),
            safety.snapshot("looked"),
            Step(
                "system",
                "Updating the system",
                update.system_updated,
                nothing_to_undo=LOOKED_AT,
                after=("before",),
                deadline=20 * MINUTES,
                spares_the_job=True,
                if_skipped="The system stays as it is.",
                usual=60,
            ),
            Step(
                "updated",
                "Updating WordPress",
                update.wordpress_updated,
                nothing_to_undo=LOOKED_AT,
                after=("system",),
                deadline=15 * MINUTES,
                spares_the_job=True,  # whatever came of it is looked at
                if_skipped="WordPress stays as it is.",
                usual=20,
            ),
            Step(
                "checked",
                "Checking the site",
                update.checked,
                nothing_to_undo="Looking changes nothing; the way back has a job of its own.",
                after=("updated",),
                deadline=5 * MINUTES,
                spares_the_job=True,
                if_skipped="Nobody has seen that WordPress answers.",
                usual=1,
            ),
        ),
    )
)

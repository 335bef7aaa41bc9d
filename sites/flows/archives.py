"""Archives: made, thinned out, deleted."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, periodic, register
from nodepoint.restoration import after_release
from sites.archives import nightly
from sites.flows.archive_notices import ARCHIVE_FAILED, ARCHIVE_READY
from sites.flows.power import is_live
from sites.steps import archives
from sites.steps.proxmox import CALLS

MINUTES = 60
DEADLINE = 60 * MINUTES  # of the making itself: time in line counts against none

periodic("sites.tasks.archive_sites", minutes=1)
periodic("sites.tasks.expire_archives", minutes=10)

MADE = Step(
    "archived",
    "Packing the site",
    archives.made,
    undo=archives.unmade,
    limits=(archives.ARCHIVES, CALLS),
    usual=25,
)
THINNED = Step(
    "thinned",
    "Deleting archives that are too old",
    after_release(archives.thinned),
    nothing_to_undo="What was deleted stays deleted.",
    after=("archived",),
    limits=(CALLS,),
    deadline=15 * MINUTES,
    spares_the_job=True,
    if_skipped="More archives are kept than the plan says; the next one makes up for it.",
    usual=1,
)

ARCHIVE = register(
    Flow(
        "sites.archive",
        title="Make archive",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        gives_way=GivesWay.DROPPED,
        stands=is_live,
        tells=ARCHIVE_READY,
        tells_failure=ARCHIVE_FAILED,
        steps=(MADE,),
    )
)

NIGHTLY_ARCHIVE = register(
    Flow(
        nightly.KIND,
        title="Make the night's archive",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        gives_way=GivesWay.DROPPED,  # the schedule asks again
        waited_for=True,
        stands=is_live,
        known=nightly.is_known,
        steps=(MADE, THINNED),
    )
)

DELETE_ARCHIVE = register(
    Flow(
        "sites.delete_archive",
        title="Delete archive",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        gives_way=GivesWay.DROPPED,
        waited_for=True,
        steps=(
            Step(
                "archive_gone",
                "Deleting the archive",
                after_release(archives.removed),
                nothing_to_undo="What was deleted stays deleted.",
                limits=(CALLS,),
                usual=2,
            ),
        ),
    )
)

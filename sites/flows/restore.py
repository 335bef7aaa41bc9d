"""A site as it is in one of its archives: restored in its place, or only tried."""

from dataclasses import replace

from nodepoint.jobs.models import Job
from nodepoint.jobs.registry import Flow, Limit, Step, periodic, register
from sites.flows.power import is_live
from sites.models import Site
from sites.steps import configuration, firewall, high_availability, power, second, snapshot, wordpress
from sites.steps.proxmox import CALLS, CREATIONS

MINUTE = 60
DEADLINE = 4 * 60 * MINUTE  # a large site takes its time
DRILLS = Limit("sites:drill", lambda: 1, until_done=True)

periodic("sites.tasks.drill_archives", minutes=60)


def _is_to_run(site: Site) -> bool:
    return site.power_wished == "running"


# The second container, made of the archive beside the site's own.
BESIDE = (
    Step(
        "tidied",
        "Making room beside the site",
        second.gone,
        nothing_to_undo="What an earlier job has left is of no use.",
        limits=(CALLS,),
        usual=0.1,
    ),
    Step(
        "readable",
        "Looking at the archive",
        second.readable,
        nothing_to_undo="Looking changes nothing.",
        after=("tidied",),
        limits=(CALLS,),
        deadline=30 * MINUTE,
        usual=0.5,
    ),
    Step(
        "placed",
        "Reserving a VMID",
        second.placed,
        undo=second.gone,
        after=("readable",),
        limits=(CALLS,),
        usual=0.1,
    ),
    Step(
        "unpacked",
        "Unpacking the archive",
        second.unpacked,
        undo=second.gone,
        after=("placed",),
        limits=(CREATIONS, CALLS),
        usual=40,
    ),
    Step(
        "closed",
        "Closing the firewall",
        second.closed,
        nothing_to_undo="It goes with the container.",
        after=("unpacked",),
        limits=(CALLS,),
        usual=1.5,
    ),
)

# Until `exchanged` the site is served as before; from then on what fails brings the former container back.
RESTORE = register(
    Flow(
        "sites.restore",
        title="Restore archive",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        stands=is_live,
        steps=(
            *BESIDE,
            Step(
                "at_rest",
                "Stopping the former container",
                second.at_rest,
                undo=second.woken,
                after=("closed",),
                limits=(CALLS,),
                usual=6,
            ),
            Step(
                "exchanged",
                "Putting the restored container in its place",
                second.exchanged,
                undo=second.exchanged_back,
                after=("at_rest",),
                usual=0.1,
            ),
            Step(
                "configured",
                "Applying plan and address",
                configuration.applied,
                nothing_to_undo="The former container has them, too.",
                after=("exchanged",),
                limits=(CALLS,),
                usual=1,
            ),
            Step(
                "guarded",
                "Looking at the firewall",
                firewall.firewall_on,
                nothing_to_undo="It goes with the container.",
                after=("configured",),
                limits=(CALLS,),
                usual=0.5,
            ),
            Step(
                "high_availability",
                "Telling the HA manager",
                high_availability.as_planned,
                undo=high_availability.unmanaged,
                after=("guarded",),
                limits=(CALLS,),
                usual=0.3,
            ),
            Step(
                "powered",
                "Starting the container",
                power.power_as_wished,
                nothing_to_undo="It is stopped before the former one comes back.",
                after=("high_availability",),
                limits=(CALLS,),
                deadline=10 * MINUTE,
                usual=7,
            ),
            Step(
                "tuned",
                "Fitting WordPress to plan and name",
                wordpress.tuned,
                nothing_to_undo="It goes with the container.",
                after=("powered",),
                deadline=15 * MINUTE,
                usual=4,
            ),
            Step(
                "verified",
                "Checking the site",
                second.verified,
                nothing_to_undo="Looking changes nothing.",
                after=("tuned",),
                needed=_is_to_run,
                deadline=5 * MINUTE,
                usual=1,
            ),
            # From here on there is no way back, and none is needed.
            Step(
                "former_gone",
                "Removing the former container",
                second.former_gone,
                nothing_to_undo="What was restored was seen to work.",
                after=("verified",),
                limits=(CALLS,),
                deadline=30 * MINUTE,
                spares_the_job=True,
                if_skipped="The former container stays, stopped, until the next restore or the deletion.",
                usual=6,
            ),
            Step(
                "snapshot",
                "Taking the first snapshot",
                snapshot.initial_taken,
                nothing_to_undo="It goes with the container.",
                after=("former_gone",),
                limits=(CALLS,),
                deadline=10 * MINUTE,
                spares_the_job=True,
                if_skipped="The site has no first snapshot, so it cannot be reset.",
                usual=15,
            ),
        ),
    )
)

TRIED = tuple(
    replace(step, limits=(DRILLS, *step.limits)) if step.name == "unpacked" else step for step in BESIDE
)


def _failed_before(job: Job) -> bool:
    """Whether the try before has failed, too: a customer's site may be broken for weeks."""
    before = Job.objects.filter(subject=job.subject, kind=job.kind, created_at__lt=job.created_at)
    last = before.order_by("-created_at").first()
    return last is not None and last.state in Job.ENDED_BADLY


DRILL = register(
    Flow(
        second.DRILL,
        title="Try an archive",
        subject="sites.Site",
        scope="sites",
        deadline=DEADLINE,
        waited_for=True,
        stands=is_live,
        known=_failed_before,
        steps=(
            *TRIED,
            Step(
                "started",
                "Starting it apart from everything",
                second.started,
                nothing_to_undo="Removing the container stops it.",
                after=("closed",),
                limits=(CALLS,),
                deadline=10 * MINUTE,
                usual=7,
            ),
            Step(
                "answers",
                "Looking at WordPress inside",
                second.answers,
                nothing_to_undo="Looking changes nothing.",
                after=("started",),
                deadline=5 * MINUTE,
                usual=2,
            ),
            Step(
                "second_gone",
                "Removing what was tried",
                second.gone,
                nothing_to_undo="Nothing of it is needed.",
                after=("answers",),
                limits=(CALLS,),
                usual=6,
            ),
        ),
    )
)

"""Sites made by an earlier install script get what this release's makes: the script is run again. One at a
time is an ordinary job; all of them are taken up by a job of the platform, so many at once."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from nodepoint.jobs import queue
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Wait
from sites import install
from sites.models import ClusterNode, Platform, Site
from sites.steps import wordpress

LIFT, LIFTING = "sites.lift", "sites.lifting"
IN_A_ROW = 3  # failures after which it stops by itself: the script is at fault then, rather than the sites
PAUSE = 2.0  # seconds between two looks at those at work
ENDED = (*Job.ENDED_BADLY, Job.State.SUCCEEDED)


def below() -> QuerySet[Site]:
    """Live sites whose inside an earlier script has made, or nobody knows which."""
    live = Site.objects.filter(state=Site.State.LIVE, deletion_requested_at=None)
    return live.filter(level__lt=install.LEVEL)


def liftable() -> QuerySet[Site]:
    """Those of them that run; the others are lifted when they start next."""
    return below().filter(suspended_at=None, wanted_power="running")


def is_below(site: Site) -> bool:
    """Whether it is one of them."""
    return site.state == Site.State.LIVE and site.level < install.LEVEL


def lifted(call: Call) -> Outcome:
    """The script of this release has been through the site; what others have made inside a container stays as
    it is."""
    outcome = wordpress.tuned(call)
    if isinstance(outcome, Fail) and outcome.error == wordpress.NOT_OURS:
        return Done(facts={"level": install.LEVEL}, note=f"{outcome.error} It is left alone.")
    return outcome


@dataclass(frozen=True)
class Progress:
    """Of one job that lifts all sites. `failing`: its last ended ones, where all of them failed."""

    done: int
    failed: int
    at_work: int
    failing: tuple[Job, ...]

    @property
    def hopeless(self) -> bool:
        """Whether it stops by itself."""
        return len(self.failing) >= IN_A_ROW


def of(job: Job) -> QuerySet[Job]:
    """The jobs of single sites since it began."""
    return Job.objects.filter(kind=LIFT, created_at__gte=job.created_at)


def progress(job: Job) -> Progress:
    """How far a job is that lifts all sites. Four queries."""
    mine = of(job)
    ended = mine.filter(state__in=ENDED).exclude(state=Job.State.CANCELLED)
    last = list(ended.order_by("-finished_at")[:IN_A_ROW])
    return Progress(
        done=ended.filter(state=Job.State.SUCCEEDED).count(),
        failed=ended.exclude(state=Job.State.SUCCEEDED).count(),
        at_work=mine.filter(state__in=Job.ALIVE).count(),
        failing=tuple(last) if all(one.state != Job.State.SUCCEEDED for one in last) else (),
    )


def all_lifted(call: Call) -> Outcome:
    """No site that runs is left below the level, but for those that could not be lifted."""
    now, batch = progress(call.job), call.job.data["batch"]
    if now.hopeless:
        names = ", ".join(job.data["service_id"] for job in now.failing)
        return Fail(error=f"{IN_A_ROW} sites in a row could not be lifted.", detail=f"The last: {names}.")
    stopped = Platform.current().lift_stopped_at is not None
    taken = 0 if stopped else _begin(call, batch - now.at_work)
    if now.at_work or taken:
        return Wait(seconds=PAUSE)
    ending = "Stopped. " if stopped else ""
    return Done(note=f"{ending}{now.done} lifted, {now.failed} failed, {below().count()} still below.")


def _begin(call: Call, free: int) -> int:
    """Have up to `free` more sites lifted, the oldest first; those that failed have had their turn, and none
    on a node in maintenance has. Returns how many."""
    had = {int(subject.partition(":")[2]) for subject in of(call.job).values_list("subject", flat=True)}
    free_to = liftable().exclude(node__in=ClusterNode.in_maintenance()).order_by("pk")
    waiting = [pk for pk in free_to.values_list("pk", flat=True) if pk not in had]
    return sum(_submit(call, pk) for pk in waiting[: max(0, free)])


def _submit(call: Call, pk: int) -> bool:
    with transaction.atomic():
        queue.lock(f"sites.site:{pk}")
        site = liftable().filter(pk=pk).first()
        if site is None:
            return False
        queue.submit(LIFT, site.key, data={"service_id": site.service_id}, actor=call.job.actor)
    return True

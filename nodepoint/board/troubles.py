"""Which jobs need a human. The board, the list of jobs and the search agree by asking here."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils import timezone

from nodepoint.board.models import Dismissal
from nodepoint.fields import IdentifierField
from nodepoint.jobs import steering
from nodepoint.jobs.models import Job, JobStep
from nodepoint.notices.models import PREFIX, Notice, key

LOOK_BACK = timedelta(days=7)  # what failed before that is history
HELD_UP = timedelta(minutes=10)  # by something outside
IN_LINE = timedelta(minutes=30)  # behind another job of its subject
FAILED = (Job.State.FAILED, Job.State.ROLLED_BACK)
MOST = 200  # looked at one by one

Settled = Callable[[set[str]], set[str]]
_settled: list[Settled] = []


def settles(function: Settled) -> Settled:
    """Decorator: of the subjects of failed jobs, the function gives those for which nothing is left to be
    done, such as an order that was repeated."""
    _settled.append(function)
    return function


def stuck(now: datetime | None = None) -> Q:
    """Jobs that go on and do not get ahead, and those that are being undone."""
    now = now or timezone.now()
    undone = Q(state=Job.State.ROLLING_BACK)
    held_up = Q(state=Job.State.WAITING, started_at__lt=now - HELD_UP)
    in_line = Q(state=Job.State.QUEUED, created_at__lt=now - IN_LINE)
    alarmed = Q(state__in=Job.ALIVE, alarmed_at__isnull=False)
    return (undone | held_up | in_line | alarmed) & ~Q(kind__startswith=PREFIX)


def failed(now: datetime | None = None) -> Q:
    """Jobs that failed lately, whatever came after, but for those that were asked for what is not
    possible."""
    lately = Q(finished_at__gt=(now or timezone.now()) - LOOK_BACK)
    return Q(state__in=FAILED, callers_fault=False) & lately & ~Q(kind__startswith=PREFIX)


def unsettled(now: datetime | None = None) -> list[Job]:
    """Failed jobs that nothing has made good since: no later success that did the same for the subject (for
    the same thing, where its jobs are about many), no repetition of the order, nobody who has seen them. The
    latest first, MOST at most."""
    apart = steering.told_apart()
    jobs = Job.objects.filter(failed(now)).exclude(~Q(kind__in=apart) & _made_good())
    found = list(_undismissed(jobs).order_by("-finished_at").defer("detail")[:MOST])
    settled = set().union(*(ask({job.subject for job in found}) for ask in _settled)) if found else set()
    left = [job for job in found if job.subject not in settled]
    good = _repeated([job for job in left if job.kind in apart])
    return [job for job in left if job.pk not in good]


def _made_good() -> Q:
    """Jobs after which one of their kind has succeeded, or one of a kind that did the same."""
    later = Job.objects.filter(
        subject=OuterRef("subject"), created_at__gt=OuterRef("created_at"), state=Job.State.SUCCEEDED
    )
    good = Q(Exists(later.filter(kind=OuterRef("kind"))))
    for others, kinds in steering.made_good_by().items():
        good |= Q(kind__in=kinds) & Q(Exists(later.filter(kind__in=others)))
    return good


def _repeated(jobs: list[Job]) -> set[str]:
    """Those of these jobs that a later success has made good: of the same thing of their subject. One query
    where there are any."""
    if not jobs:
        return set()
    since = min(job.created_at for job in jobs)
    done = Job.objects.filter(
        subject__in={job.subject for job in jobs}, state=Job.State.SUCCEEDED, created_at__gt=since
    )
    by_subject: dict[str, list[Job]] = {}
    for other in done.defer("detail"):
        by_subject.setdefault(other.subject, []).append(other)
    return {
        job.pk
        for job in jobs
        if any(steering.same_thing(job, other) for other in by_subject.get(job.subject, ()))
    }


def _undismissed(jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.exclude(pk__in=_dismissed("job"))


def _dismissed(kind: str) -> list[str]:
    since = timezone.now() - LOOK_BACK
    keys = Dismissal.objects.filter(at__gt=since, key__startswith=f"{kind}:").values_list("key", flat=True)
    return [key.partition(":")[2] for key in keys]


def spared(now: datetime | None = None) -> QuerySet[JobStep]:
    """Steps that failed lately although their job succeeded, such as a first snapshot, and that no
    later job of the subject has done."""
    since = (now or timezone.now()) - LOOK_BACK
    steps = JobStep.objects.filter(
        state=JobStep.State.FAILED, finished_at__gt=since, job__state=Job.State.SUCCEEDED
    )
    dismissed = _dismissed("step")
    # By its title: steps of different flows that are called alike, such as "snapshot", do different things.
    done = JobStep.objects.filter(
        job__subject=OuterRef("job__subject"),
        job__created_at__gt=OuterRef("job__created_at"),
        job__state=Job.State.SUCCEEDED,
        title=OuterRef("title"),
        state__in=JobStep.FINISHED,
    )
    steps = steps.exclude(Exists(done)).exclude(pk__in=dismissed)
    return steps.select_related("job").defer("data").order_by("-finished_at")


def unsent(now: datetime | None = None) -> QuerySet[Job]:
    """E-mails that do not get through: given up and not sent since, or tried for some minutes."""
    now = now or timezone.now()
    tried = Q(state__in=Job.ALIVE, created_at__lt=now - HELD_UP)
    given_up = Q(state__in=FAILED, finished_at__gt=now - LOOK_BACK)
    held = Notice.objects.filter(held_at__isnull=False).annotate(
        subject=Concat(Value(key("")), "pk", output_field=IdentifierField())
    )
    jobs = Job.objects.filter(tried | given_up, kind__startswith=PREFIX).exclude(_made_good())
    jobs = jobs.exclude(subject__in=held.order_by().values("subject"))  # by quiet hours
    return _undismissed(jobs).order_by("-created_at")


def about(jobs: Iterable[Job]) -> dict[str, str]:
    """What people call the subject of each job."""
    return {job.pk: job.about for job in jobs}

"""Jobs that a dump holds as going on, after the database came back from it.

Nobody knows what became of them: they were carried through, undone or taken back after the dump was made.
So none of their steps is called until staff have looked (`nodepoint.restoration`). What is due is put off to
a day that never comes, which every runner, watch and alarm respects without knowing why; the version that is
raised with it fences whoever is in the middle of a call.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job, JobStep, Lease
from nodepoint.notices.models import PREFIX

NEVER = datetime(2999, 1, 1, tzinfo=UTC)
SENTENCE = "The database came back from a dump: it goes on when staff have looked at what was found."
S = JobStep.State


def last_moment() -> datetime | None:
    """The last moment that the rows of jobs know of; None where there are none."""
    jobs = Job.objects.aggregate(created=Max("created_at"), finished=Max("finished_at"))
    steps = JobStep.objects.aggregate(claimed=Max("claimed_at"))
    return max(filter(None, [*jobs.values(), *steps.values()]), default=None)


def last_sign() -> datetime | None:
    """The last moment at which, by these rows, a worker was up (to some seconds) or a job did something;
    None: never."""
    up = Lease.objects.filter(name=queue.WORKER).aggregate(until=Max("until"))["until"]
    return max(filter(None, (up, last_moment())), default=None)


def at_work(now: datetime) -> set[str]:
    """The subjects of all jobs that go on, where workers are up to call them."""
    if not limits.taken(queue.WORKER, now):
        return set()
    return set(Job.objects.filter(state__in=Job.ALIVE).values_list("subject", flat=True))


def is_abandoned(now: datetime) -> bool:
    """Whether jobs go on that nobody calls, as in a dump; not so where workers are up. Notices do not
    count."""
    going_on = Job.objects.filter(state__in=Job.ALIVE).exclude(kind__startswith=PREFIX)
    return not limits.taken(queue.WORKER, now) and going_on.exists()


def resting() -> list[Job]:
    """The jobs that were made to rest, oldest first."""
    alive = Job.objects.filter(state__in=Job.ALIVE, steps__due_at=NEVER)
    return list(alive.distinct().order_by("created_at", "pk"))


def halt() -> list[Job]:
    """Have all jobs that go on rest, in the caller's transaction. Returns them, oldest first; those that
    stand in line behind another are among them."""
    alive = list(Job.objects.select_for_update().filter(state__in=Job.ALIVE).order_by("created_at", "pk"))
    due = JobStep.objects.filter(job__in=[job.pk for job in alive], due_at__lt=NEVER)
    put_off = {"due_at": NEVER, "held": False, "awaits": "", "error": SENTENCE}
    # An undo stays an undo. `error` also tells the next call that one may have been lost (`Call.uncertain`).
    due.filter(state=S.UNDOING).update(version=F("version") + 1, **put_off)
    due.filter(state__in=JobStep.ACTIVE).update(version=F("version") + 1, state=S.WAITING, **put_off)
    for job in alive:
        if job.state == Job.State.RUNNING:
            job.state = Job.State.WAITING
            job.save(update_fields=["state"])
    return alive


def end(jobs: Collection[Job], state: str, sentence: str, now: datetime) -> None:
    """Close jobs for which nothing is to be done or undone, in the caller's transaction: nobody is told, and
    what stands in line behind them is closed with them where it is among them."""
    keys = [job.pk for job in jobs]
    closed = S.DONE if state == Job.State.SUCCEEDED else S.CANCELLED
    steps = JobStep.objects.filter(job__in=keys).exclude(state__in=(S.DONE, S.SKIPPED, S.FAILED, S.UNDONE))
    steps.update(
        state=closed, due_at=None, held=False, awaits="", finished_at=now, version=F("version") + 1, error=""
    )
    ended = {"state": state, "finished_at": now, "active_key": None}
    Job.objects.filter(pk__in=keys).update(detail=sentence, **ended)
    if state != Job.State.SUCCEEDED:
        Job.objects.filter(pk__in=keys, error="").update(error="It was begun before the database came back.")


def release(dumped_at: datetime | None) -> int:
    """Have the jobs that rest go on, in the caller's transaction: their time begins where it stood when the
    dump was made. Returns how many."""
    now = timezone.now()
    steps = list(JobStep.objects.select_related("job").filter(due_at=NEVER))
    jobs = {step.job_id: step.job for step in steps}
    for job in jobs.values():
        if job.deadline_at and dumped_at:
            job.deadline_at += now - dumped_at
            job.save(update_fields=["deadline_at"])
    for step in steps:
        if dumped_at:
            spared = step.data.get("in_line", 0.0) + (now - dumped_at).total_seconds()
            step.data = {**step.data, "in_line": spared}
        JobStep.objects.filter(pk=step.pk, due_at=NEVER).update(
            due_at=now, data=step.data, version=F("version") + 1
        )
    transaction.on_commit(queue.kick, robust=True)
    return len(jobs)

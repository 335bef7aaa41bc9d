"""What django-q2 calls: the runners' slices and the housekeeping."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.models import Task

from nodepoint import pruning
from nodepoint.jobs import queue, runner, transitions
from nodepoint.jobs.models import Job, Lease
from nodepoint.jobs.registry import flows
from nodepoint.notices.models import PREFIX, Notice
from nodepoint.pruning import Rule

KEPT_DAYS = 180  # ended jobs
KEPT_LEASES_DAYS = 1
KEPT_NOTICES_DAYS = 14  # their jobs; the rows stay as long as what they tell of
KEPT_TASKS_DAYS = 7
KEPT_SECRETS_DAYS = 1  # of jobs that failed for no fault of who asked, so that they can be asked for again


def run() -> None:
    """Work for one slice, then wake the next one if there is work left. The seat is free before that look: no
    gap."""
    runner.of_this_process().slice(runner.SLICE)
    if not runner.stopping():
        queue.kick_if_due(runner.SLICE)  # what waits for a remote task must not wait for a runner, too


def alarm() -> int:
    """Tell staff, once each, about jobs that are unfinished after their flow's `alarm_after`. Returns how
    many. One query where none is late."""
    now = timezone.now()
    after = {flow.name: timedelta(seconds=flow.alarm_after) for flow in flows()}
    soonest = now - min(after.values())
    alive = Job.objects.filter(state__in=Job.ALIVE, created_at__lt=soonest, alarmed_at=None)
    known = alive.exclude(kind__startswith=PREFIX).filter(kind__in=after)
    late = 0
    for job_id, kind, begun in list(known.values_list("pk", "kind", "created_at")):
        if begun < now - after[kind]:
            late += _alarm_one(job_id)
    if late:
        queue.kick()
    return late


def _alarm_one(job_id: str) -> int:
    with transaction.atomic():
        job = transitions.lock(job_id)
        if job.alarmed_at or not job.alive:
            return 0
        job.alarmed_at = timezone.now()
        job.save(update_fields=["alarmed_at"])
        transitions.tell_staff(job, "late", job.alarmed_at)
    return 1


JOBS, NOTICES = "ended jobs, with their steps", "jobs of notices"
PRUNED = pruning.register(
    Rule(JOBS, KEPT_DAYS, lambda before: Job.objects.filter(finished_at__lt=before)),
    Rule(
        NOTICES,
        KEPT_NOTICES_DAYS,
        lambda before: Job.objects.filter(kind__startswith=PREFIX, finished_at__lt=before),
    ),
    Rule("notices", KEPT_DAYS, lambda before: Notice.objects.filter(created_at__lt=before)),
    Rule(
        "secrets of ended jobs",
        KEPT_SECRETS_DAYS,
        lambda before: Job.objects.filter(finished_at__lt=before).exclude(secret=None),
        lambda jobs: jobs.update(secret=None),
    ),
    Rule("slots of limits", KEPT_LEASES_DAYS, lambda before: Lease.objects.filter(until__lt=before)),
    # django-q2 keeps them for ever
    Rule("tasks of django-q2", KEPT_TASKS_DAYS, lambda before: Task.objects.filter(stopped__lt=before)),
)


def prune() -> int:
    """Delete jobs that ended long ago, secrets of those that ended, slots that nobody uses and what django-q2
    kept of its tasks. Returns how many jobs."""
    gone = pruning.carry_out(PRUNED)
    return gone[JOBS] + gone[NOTICES]

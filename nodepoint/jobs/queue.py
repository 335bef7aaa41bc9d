"""The way in: submitting jobs, taking them back, waiting for them, and waking the runners."""

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django_q.tasks import async_task

from nodepoint import logs
from nodepoint.jobs import limits, transitions
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job, JobStep

SEAT = "runner"  # slots of runners that work now
WORKER = "worker"  # slots of worker commands that are up, working or not
TRIES = 5  # of a submission that others cross


def submit(
    kind: str,
    subject: str,
    *,
    data: dict[str, Any] | None = None,
    actor: str = "",
    queue: bool = True,
    cancel: bool = False,
) -> Job:
    """Write a job in the caller's transaction; runners are woken when that commits.

    `queue` False: JobRefused when another job of the subject is alive. `cancel`: what runs for the subject is cancelled at its next
    safe point and what is queued is dropped, except an undo, which is always finished first.
    """
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic():
                return _submit(kind, subject, data or {}, actor, queue=queue, cancel=cancel)
        except IntegrityError:
            continue  # another job of the subject began at this very moment: now it can be seen
        except OperationalError:
            # A deadlock's victim can try again, unless the whole transaction of the caller is gone with it.
            if connection.in_atomic_block:
                raise
    with transaction.atomic():
        return _submit(kind, subject, data or {}, actor, queue=queue, cancel=cancel)


def _submit(kind: str, subject: str, data: dict[str, Any], actor: str, *, queue: bool, cancel: bool) -> Job:
    now = timezone.now()
    running = transitions.running(subject)
    if running and not queue:
        raise JobRefused(running)
    if running and cancel:
        _cancel(running, subject, now)
    behind = running is not None and running.active_key is not None
    values = {"data": data, "actor": actor, "request_id": logs.request_id()}
    job = transitions.create(kind, subject, now, queued=behind, **values)
    transaction.on_commit(kick, robust=True)  # a queue that is away makes it later, not undone
    return job


def lock(subject: str) -> None:
    """Hold the subject's running job, if there is one, until the caller's transaction ends: before any row of the subject itself, as
    runners do."""
    transitions.running(subject)


def _cancel(running: Job, subject: str, now: datetime) -> None:
    queued = Job.objects.filter(subject=subject, state=Job.State.QUEUED)
    if dropped := list(queued.values_list("pk", flat=True)):
        JobStep.objects.filter(job__in=dropped).update(state=JobStep.State.CANCELLED, finished_at=now)
        queued.update(state=Job.State.CANCELLED, finished_at=now)
    if running.state in Job.ADVANCING:
        running.cancel_requested_at = now
        running.save(update_fields=["cancel_requested_at"])
        transitions.settle(running, now)


def kick() -> None:
    """Wake a runner unless all seats are taken. A kick that gets lost is made up for by the worker's own watch."""
    if limits.taken(SEAT, timezone.now()) < settings.JOB_RUNNERS:
        async_task("nodepoint.jobs.tasks.run", save=False, ack_failure=True)


def kick_if_due() -> None:
    """Wake a runner if there is work for one now."""
    if JobStep.objects.filter(due_at__lte=timezone.now()).exists():
        kick()


def wait_for(job_id: str, seconds: float, pause: float = 0.1) -> Job:
    """The job, read again and again until it has ended or `seconds` have passed."""
    until = time.monotonic() + seconds
    while True:
        job = Job.objects.get(pk=job_id)
        left = until - time.monotonic()
        if not job.alive or left <= 0:
            return job
        time.sleep(min(pause, left))


def oldest_due_seconds() -> float:
    """Seconds that the longest due step has been waiting for a runner; 0 when there is none."""
    now = timezone.now()
    oldest = (
        JobStep.objects.filter(due_at__lte=now).order_by("due_at").values_list("due_at", flat=True).first()
    )
    return (now - oldest).total_seconds() if oldest else 0.0

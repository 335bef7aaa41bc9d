"""The way in: submitting jobs, taking them back, waiting for them, and waking the runners."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django_q.tasks import async_task

from nodepoint import logs
from nodepoint.audit import trail
from nodepoint.conflicts import duplicate_of
from nodepoint.jobs import limits, states, transitions
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import LABELS, Job, JobStep
from nodepoint.jobs.registry import GivesWay
from nodepoint.prepared import prepared

SEAT = "runner"  # slots of runners that work now, of all worker commands
MOST_SEATS = 4096
WORKER = "worker"  # slots of worker commands that are up, working or not
TRIES = 5  # of a submission that others cross

T = TypeVar("T")


def submit(
    kind: str,
    subject: str,
    *,
    data: dict[str, Any] | None = None,
    secret: dict[str, Any] | None = None,
    actor: str = "",
    queue: bool = True,
    cancel: bool = False,
    take_over: bool = False,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Job:
    """Write a job in the caller's transaction, and an entry of the log of acts; runners are woken when that
    commits. `secret`: what is in no entry, on no page and in no log, and goes when the job has ended; a day
    later where staff may ask for it again.

    `queue` False: JobRefused when another job of the subject is alive, unless that one is `waited_for`.
    `cancel`: what runs for the subject is cancelled at its next safe point and what is queued is dropped,
    except an undo, which is always finished first. `take_over`: what runs is cancelled only if it is held up
    by something outside and its flow gives way. `before` and `after`: what the entry says of the change,
    where `data` alone does not."""
    values = {"data": data or {}, "secret": secret, "actor": actor}
    wish = {"queue": queue, "cancel": cancel, "take_over": take_over}
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic():
                return _audited(_submit(kind, subject, values, **wish), before, after)
        except IntegrityError as error:
            if not duplicate_of(error, "active_key"):
                raise
            # Another job of the subject began at this very moment: now it can be seen.
        except OperationalError:
            # A deadlock's victim can try again, unless the whole transaction of the caller is gone with it.
            if connection.in_atomic_block:
                raise
    with transaction.atomic():
        return _audited(_submit(kind, subject, values, **wish), before, after)


def _audited(job: Job, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Job:
    label = next((str(job.data[name]) for name in LABELS if job.data.get(name)), "")
    changes = {"before": before, "after": job.data if after is None else after}
    trail.record(job.kind, job.subject, label=label, job_id=job.pk, actor=job.actor, **changes)
    return job


def _submit(
    kind: str, subject: str, values: dict[str, Any], *, queue: bool, cancel: bool, take_over: bool
) -> Job:
    now = timezone.now()
    running = transitions.running(subject)
    if running and not queue and (refusing := in_the_way(subject)):
        raise JobRefused(refusing)
    if running and cancel:
        _cancel(running, subject, now)
    gives_way = _gives_way(running) if running and take_over else GivesWay.NEVER
    if gives_way is not GivesWay.NEVER:
        transitions.cancel(running, now)
    behind = running is not None and Job.objects.filter(active_key=subject).exists()
    job = transitions.create(kind, subject, now, queued=behind, request_id=logs.request_id(), **values)
    if gives_way is GivesWay.RESUMED:
        _resume(running, now)
    transaction.on_commit(kick, robust=True)  # a queue that is away makes it later, not undone
    return job


def in_the_way(subject: str) -> Job | None:
    """The job because of which nothing is begun for a subject unless it stands in line: the first alive one
    that is not merely waited for."""
    alive = Job.objects.filter(subject=subject, state__in=Job.ALIVE).order_by("created_at")
    return next((job for job in alive if not job.flow.waited_for), None)


def _gives_way(running: Job) -> GivesWay:
    """Whether the running job is to be taken over: it only waits, and nobody has cancelled it yet."""
    only_waits = running.state == Job.State.WAITING and running.cancel_requested_at is None
    return running.flow.gives_way if only_waits else GivesWay.NEVER


def _resume(cancelled: Job, now: datetime) -> None:
    """Have a job that gave way carried out anew, behind the one that took over."""
    later = now + timedelta(milliseconds=1)  # the line is ordered by time
    values = {name: getattr(cancelled, name) for name in ("data", "secret", "actor", "request_id")}
    again = transitions.create(cancelled.kind, cancelled.subject, later, queued=True, **values)
    cancelled.error = f"A later request went before it. It goes on as job {again.pk}."
    cancelled.save(update_fields=["error"])


def whole(work: Callable[[], T]) -> T:
    """What `work` returns, which submits a job and writes rows beside it, in one transaction; done again when
    others have crossed it.

    MariaDB lets a transaction that lost a race keep a lock on the winner's key, so that two losers are in
    each other's way: a deadlock, after which only the whole can be tried again, not the submission alone."""
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic():
                return work()
        except OperationalError:
            if connection.in_atomic_block:
                raise
    with transaction.atomic():
        return work()


def tell(kind: str, about: str, *, data: dict[str, Any], once: str | None = None) -> None:
    """Have somebody told, in the caller's transaction, of something that no job has done. The caller
    holds a row by which no other does the same. `data`: what people call the subject; `once`: a name under
    which it is told no second time."""
    transitions.tell(kind, about, timezone.now(), data, once=once, request_id=logs.request_id())
    transaction.on_commit(kick, robust=True)


def lock(subject: str) -> None:
    """Hold the subject's running job, if there is one, until the caller's transaction ends: before any row of
    the subject itself, as runners do."""
    transitions.running(subject)


def cancel(subject: str) -> None:
    """Have what runs for a subject end at its next safe point and drop what is queued, except an undo."""
    with transaction.atomic():
        if running := transitions.running(subject):
            _cancel(running, subject, timezone.now())


def _cancel(running: Job, subject: str, now: datetime) -> None:
    queued = Job.objects.filter(subject=subject, state=Job.State.QUEUED)
    if dropped := list(queued.values_list("pk", flat=True)):
        JobStep.objects.filter(job__in=dropped).update(state=states.CANCEL.after, finished_at=now)
        queued.update(state=states.DROP.after, finished_at=now)
    if running.state in Job.ADVANCING:
        transitions.cancel(running, now)


def take_seat(holder: str, worker: str, now: datetime, seconds: float) -> bool:
    """Let a runner of this worker command work for `seconds`. False: as many as JOB_RUNNERS of it do."""
    mine = limits.take(f"{SEAT}:{worker}"[:64], settings.JOB_RUNNERS, holder, now, seconds)
    return mine and limits.take(SEAT, MOST_SEATS, holder, now, seconds)


def give_seat_back(holder: str, worker: str) -> None:
    """It works no more."""
    limits.release(holder, [SEAT, f"{SEAT}:{worker}"[:64]])


def kick() -> None:
    """Wake a runner unless all seats of all worker commands are taken. A kick that gets lost is made up for
    by the worker's own watch."""
    now = timezone.now()
    workers = max(1, limits.taken(WORKER, now))
    if limits.taken(SEAT, now) < workers * settings.JOB_RUNNERS:
        async_task("nodepoint.jobs.tasks.run", save=False, ack_failure=True)


def kick_if_due(within: float = 0.0) -> bool:
    """Wake a runner if there is work for one now, or in the next `within` seconds; whether there is."""
    due = prepared(JobStep).filter(due_at__lte=timezone.now() + timedelta(seconds=within)).limit(1)
    if found := bool(due.values("pk")):
        kick()
    return found


def wait_for(job_id: str, seconds: float, pause: float = 0.1) -> Job:
    """The job, read again and again until it has ended or `seconds` have passed."""
    until = time.monotonic() + seconds
    while True:
        job = prepared(Job).filter(pk=job_id).get()
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

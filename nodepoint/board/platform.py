"""What can be wrong with the platform itself: workers, systems, jobs, e-mail, tokens."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone

from nodepoint.api.models import Token
from nodepoint.board import troubles, unasked
from nodepoint.board.models import SystemState
from nodepoint.board.registry import SHOWN, Group, Level, Trouble, source
from nodepoint.clients.errors import SYSTEMS
from nodepoint.jobs import broker, limits, queue
from nodepoint.jobs.models import Job, JobStep
from nodepoint.notices.sending import PARTLY

DUE = 60.0  # seconds that a step may wait for a runner
SILENT = timedelta(minutes=10)  # without a check: the periodic tasks do not run
TOKEN_DAYS = 14
CAP = 1000  # counted no further


def a_list(name: str, query: str = "") -> str:
    """The address of a list of the admin, filtered."""
    return f"{reverse(f'admin:{name}_changelist')}{f'?{query}' if query else ''}"


@source("jobs.view_job", 0)
def workers() -> Iterator[Group]:
    """Nobody works, or not fast enough. Two queries, and one call to the broker."""
    if away := broker.fault():
        detail = f"What is due waits until it is back ({away}). Look at QUEUE_BROKER."
        trouble = Trouble("The broker does not answer", detail, a_list("jobs_job", "attention=alive"), None)
        yield Group("Workers", Level.FAILING, [trouble], 1)
        return
    oldest, up = queue.oldest_due_seconds(), limits.taken(queue.WORKER, timezone.now())
    if up and oldest < DUE:
        return
    title = "Workers are too slow" if up else "No worker is running"
    detail = "Nothing is carried out: start script/serve, or the service unit, again."
    if up:
        detail = f"The oldest step has been due for {oldest:.0f} seconds. Give them more JOB_THREADS."
    since = timezone.now() - timedelta(seconds=oldest) if oldest else None
    trouble = Trouble(title, detail, a_list("jobs_job", "attention=alive"), since)
    yield Group("Workers", Level.FAILING, [trouble], 1)


@source("board.view_systemstate", 10)
def systems() -> Iterator[Group]:
    """Systems that did not answer at the last check, those that are not asked for the time being, and checks
    that nobody makes. Two queries."""
    states = list(SystemState.objects.all())
    where = a_list("board_systemstate")
    down = [
        Trouble(f"{SYSTEMS.get(one.name, one.name)} does not work", one.error, where, one.since)
        for one in states
        if not one.ok
    ]
    yield Group("Systems down", Level.FAILING, down, len(down), where)
    silent = [Trouble(f"{one.name} is not asked", one.detail, where, one.since) for one in unasked.now()]
    yield Group("Not asked for now", Level.WAITING, silent[:SHOWN], len(silent), where)
    newest = max((one.checked_at for one in states), default=None)
    if newest is None or newest < timezone.now() - SILENT:
        detail = "The periodic checks do not run, so this page may be out of date."
        yield Group("Checks", Level.WAITING, [Trouble("Systems are not checked", detail, where, newest)], 1)


@source("jobs.view_job", 20)
def failed_jobs() -> Iterator[Group]:
    """Failed jobs that nothing has made good. A fixed number of queries, whatever their number."""
    jobs = troubles.unsettled()
    found = [
        Trouble(f"{job.title}: {name}", job.error, _job(job.pk), job.finished_at, f"job:{job.pk}")
        for job, name in _named(jobs[:SHOWN])
    ]
    every = a_list("jobs_job", "attention=failed")
    yield Group("Failed jobs", Level.FAILING, found, len(jobs), every, troubles.MOST)


@source("jobs.view_job", 30)
def stuck_jobs() -> Iterator[Group]:
    """Jobs that do not get ahead, or are being undone. Two or three queries."""
    jobs = Job.objects.filter(troubles.stuck()).order_by("created_at")
    shown = list(jobs.prefetch_related("steps")[:SHOWN])
    found = [
        Trouble(f"{job.title}: {name}", _held_up_by(job), _job(job.pk), job.started_at or job.created_at)
        for job, name in _named(shown)
    ]
    total = len(shown) if len(shown) < SHOWN else jobs.order_by()[:CAP].count()
    yield Group(
        "Jobs stuck or being undone", Level.FAILING, found, total, a_list("jobs_job", "attention=stuck"), CAP
    )


@source("jobs.view_job", 80)
def mails() -> Iterator[Group]:
    """E-mail to customers and staff, and whatever else failed beside a success. Four or five queries."""
    steps = list(troubles.spared()[: SHOWN + 1])
    unsent = list(troubles.unsent()[: SHOWN + 1])
    prefetch_related_objects(unsent, "steps")
    names = troubles.about(step.job for step in steps)
    found = [_of_step(step, names[step.job_id]) for step in steps] + list(map(_of_notice, unsent))
    total = len(steps) if len(steps) <= SHOWN else troubles.spared().order_by()[:CAP].count()
    total += len(unsent) if len(unsent) <= SHOWN else troubles.unsent().order_by()[:CAP].count()
    every = a_list("jobs_job", "attention=warning")
    yield Group("Failed e-mails and extras", Level.WAITING, found[:SHOWN], total, every, CAP)


def _of_step(step: JobStep, name: str) -> Trouble:
    job = _job(step.job_id)
    return Trouble(f"{step.title}: {name}", step.error, job, step.finished_at, f"step:{step.pk}")


def _of_notice(job: Job) -> Trouble:
    said = _held_up_by(job) if job.alive else job.error
    words = next((step.detail for step in job.steps.all() if step.error), "")
    what = "has not reached everybody" if PARTLY in said else "is not sent"
    detail = f"{said} {words}".strip()
    return Trouble(f"{job.title} {what}: {job.about}", detail, _job(job.pk), job.created_at, f"job:{job.pk}")


@source("api.view_token", 90)
def tokens() -> Iterator[Group]:
    """Tokens that end soon, or ended although somebody used them lately. One query."""
    now = timezone.now()
    ending = Token.objects.filter(revoked_at=None, expires_at__lt=now + timedelta(days=TOKEN_DAYS))
    ending = ending.filter(expires_at__gt=now - timedelta(days=TOKEN_DAYS)).order_by("expires_at")
    found = [_of_token(token) for token in ending[:CAP]]
    yield Group("Tokens", Level.WAITING, found[:SHOWN], len(found), a_list("api_token"))


def _of_token(token: Token) -> Trouble:
    ended = token.expires_at < timezone.now()
    title = f"The token {token.name} {'has expired' if ended else 'expires soon'}"
    detail = f"{token.expires_at:%Y-%m-%d %H:%M}. Who uses it gets 401 {'now' if ended else 'then'}."
    since = token.expires_at if ended else None
    return Trouble(title, detail, reverse("admin:api_token_change", args=[token.pk]), since)


def _named(jobs: list[Job]) -> Iterator[tuple[Job, str]]:
    names = troubles.about(jobs)
    yield from ((job, names[job.pk]) for job in jobs)


def _job(job_id: str) -> str:
    return reverse("admin:jobs_job_change", args=[job_id])


def _held_up_by(job: Job) -> str:
    """What the first step that does not get ahead says; of an undo why it began."""
    if job.state == Job.State.ROLLING_BACK and job.error:
        return f"It is being undone: {job.error}"
    for step in job.steps.all():
        if step.state in ("waiting", "undoing") and step.error:
            return f"{step.title}: {step.error}"
    return "It has not ended, and says nothing." if job.state != Job.State.QUEUED else "It waits in line."

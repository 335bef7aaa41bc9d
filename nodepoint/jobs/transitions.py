"""How a job moves on once one of its steps has moved. Always called inside a transaction that holds the job's
row."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import F, Q

from nodepoint.jobs import experience, registry, states
from nodepoint.jobs.models import LABELS, Job, JobStep, new_id
from nodepoint.notices.models import PREFIX, STAFF, WEBHOOK, Notice
from nodepoint.prepared import Prepared, prepared

S = JobStep.State
DELAY = 0.15  # share of a step's slack by which its first call may be put off
MOST_DELAY = 2.0  # seconds
SHORTEST = 0.05  # seconds; a step weighs at least this much in the progress bar


def lock(job_id: str) -> Job:
    """The job's row, held until the transaction ends. Every writer takes it before any row of a step, so that
    branches that finish together see one another and no two of them wait for each other."""
    return prepared(Job).select_for_update().filter(pk=job_id).get()


def create(kind: str, subject: str, now: datetime, *, queued: bool = False, **values) -> Job:
    """Write a job with all its steps; it becomes its subject's running one (IntegrityError when there is
    another), or stays queued behind that."""
    flow, durations = registry.flow(kind), experience.of(kind)
    job = Job(kind=kind, subject=subject, plan_version=flow.version, created_at=now, **values)
    steps = [
        JobStep(
            job=job,
            position=position,
            name=step.name,
            title=step.title,
            usual_seconds=max(SHORTEST, durations.get(step.name, step.usual)),
            **({} if step.run else {"state": S.DONE, "started_at": now, "finished_at": now}),
        )
        for position, step in enumerate(flow.steps)
    ]
    begun = not queued and _begin(job, steps, now)
    prepared(Job).insert([job])
    prepared(JobStep).insert(steps)
    if not queued and not begun:
        start(job, now)
    return job


def _begin(job: Job, steps: list[JobStep], now: datetime) -> bool:
    """Have rows that are not written yet say that the job runs and its first steps are due: what `start`
    makes of them once they are. False where it is left to that: nothing is to be called, or asked of the
    subject."""
    ready = _ready(job, steps)
    if not ready or any(job.flow.step(step.name).needed for step in ready):
        return False
    _now_running(job, now)
    for delay, together in groupby(ready, _put_off(job, steps, ready)):
        for step in together:
            step.state, step.version = states.RELEASE.of(step.state), 1
            step.due_at = now + timedelta(seconds=delay)
    return True


def write(job: Job, *names: str) -> None:
    """Write these columns of a job whose row is held."""
    prepared(Job).filter(pk=job.pk).update(**{name: getattr(job, name) for name in names})


def _steps(job: Job) -> Prepared[JobStep]:
    """The rows of a job's steps, in their order."""
    return prepared(JobStep).filter(job_id=job.pk).order_by("position")


def running(subject: str) -> Job | None:
    """The running job of a subject, its row held: it cannot end unseen while a new one is put behind it.

    It is waited for by its primary key. Who waits for an entry of the unique index instead is in the way of
    the job that follows, which makes a new entry in the same place: MariaDB calls that a deadlock."""
    while found := prepared(Job).filter(active_key=subject).values("pk"):
        job = prepared(Job).select_for_update().filter(pk=found[0]).first()
        if job and job.active_key == subject:
            return job
    return None


def start(job: Job, now: datetime) -> None:
    """Make a job its subject's running one and its first steps due."""
    _now_running(job, now)
    write(job, "active_key", "state", "started_at", "deadline_at")
    settle(job, now)


def _now_running(job: Job, now: datetime) -> None:
    job.active_key, job.state, job.started_at = job.subject, states.START.of(job.state), now
    if job.flow.deadline:
        job.deadline_at = now + timedelta(seconds=job.flow.deadline)


def settle(job: Job, now: datetime) -> list[int]:
    """Draw the conclusions from the states of the job's steps; returns the ids of the steps that became
    due."""
    steps = _steps(job).defer("data", "detail", "title", "ref", "calls", "work_seconds").all()
    if job.state == Job.State.ROLLING_BACK:
        return _undo_next(job, steps, now)
    if job.cancel_requested_at:
        return _cancel(job, steps, now)
    failed = [step for step in steps if step.state == S.FAILED and not spared(job, step)]
    if failed:
        return _give_up(job, steps, failed[0], now)
    due = _release(job, steps, now)
    if all(step.state in JobStep.FINISHED or step.state == S.FAILED for step in steps):
        _end(job, states.SUCCEED, now)
    else:
        _show_waiting(job, steps)
    return due


def spared(job: Job, step: JobStep) -> bool:
    """Whether the job goes on although this step failed."""
    return job.flow.step(step.name).spares_the_job


def _release(job: Job, steps: list[JobStep], now: datetime) -> list[int]:
    """Make due every pending step whose forerunners are done; those that the subject has no need of are
    skipped."""
    ready = _ready(job, steps)
    if unneeded := _unneeded(job, ready):
        _stop(unneeded, states.PASS_OVER, now)
        for step in unneeded:
            step.state = states.PASS_OVER.after
        return _release(job, steps, now)
    for step in ready:
        step.state = states.RELEASE.of(step.state)
    for delay, together in groupby(ready, _put_off(job, steps, ready)):
        _make_due(list(together), now + timedelta(seconds=delay), state=states.RELEASE.after)
    return [step.pk for step in ready]


def _ready(job: Job, steps: list[JobStep]) -> list[JobStep]:
    """The pending steps whose forerunners are done."""
    finished = {step.name for step in steps if step.state in JobStep.FINISHED or step.state == S.FAILED}
    known = {step.name for step in steps}
    pending = [step for step in steps if step.state == S.PENDING]
    return [step for step in pending if finished >= job.flow.forerunners(step.name, known)]


def _put_off(job: Job, steps: list[JobStep], ready: list[JobStep]) -> Callable[[JobStep], float]:
    """By how many seconds each of the steps that became ready together is put off, which are sorted by it:
    not at all if the rest of the job waits for it, else a little.

    In a burst the first calls of all jobs come together; what has slack then does not stand in the way of
    what has none."""
    if len(ready) < 2:
        return lambda step: 0.0
    behind: dict[str, float] = {}  # seconds from the step's begin to the end of the job
    for step in reversed(steps):
        followers = [behind.get(other.name, 0.0) for other in job.flow.steps if step.name in other.after]
        behind[step.name] = step.usual_seconds + max(followers, default=0.0)
    ready.sort(key=lambda step: -behind[step.name])
    longest = behind[ready[0].name]
    return lambda step: min(MOST_DELAY, DELAY * (longest - behind[step.name]))


def _unneeded(job: Job, steps: list[JobStep]) -> list[JobStep]:
    asked = [step for step in steps if job.flow.step(step.name).needed]
    if not asked:
        return []
    subject = job.load_subject()
    return [step for step in asked if not job.flow.step(step.name).needed(subject)]


def _make_due(steps: list[JobStep], due_at: datetime, **values: Any) -> None:
    prepared(JobStep).filter(pk__in=[step.pk for step in steps]).update(
        due_at=due_at, held=False, tries=0, awaits="", version=F("version") + 1, **values
    )


def _show_waiting(job: Job, steps: list[JobStep]) -> None:
    """`waiting` when every unfinished branch is held up by something outside, else `running`."""
    active = [step for step in steps if step.state in JobStep.ACTIVE]
    held_up = bool(active) and all(step.state == S.WAITING and step.error for step in active)
    move = states.HOLD_UP if held_up else states.GO_ON
    if job.state != move.after:
        job.state = move.of(job.state)
        write(job, "state")


def cancel(job: Job, now: datetime) -> None:
    """Have a job stopped at its next safe point."""
    job.cancel_requested_at = now
    write(job, "cancel_requested_at")
    settle(job, now)


def _cancel(job: Job, steps: list[JobStep], now: datetime) -> list[int]:
    """Stop at the next safe point: at once, except for steps that are being called this very moment.

    Only the update itself can tell which those are: a runner claims a step without the job's row.
    """
    open_steps = [step for step in steps if step.state in states.CANCEL.before]
    if _stop(open_steps, states.CANCEL, now) == len(open_steps):
        _end(job, states.STOP, now)
    return []


def _stop(steps: list[JobStep], move: states.Move, now: datetime) -> int:
    """Close those of these steps that nobody is calling; returns how many."""
    for step in steps:
        move.of(step.state)
    return (
        prepared(JobStep)
        .filter(pk__in=[step.pk for step in steps], held=False)
        .update(state=move.after, due_at=None, awaits="", finished_at=now, version=F("version") + 1)
    )


def _give_up(job: Job, steps: list[JobStep], culprit: JobStep, now: datetime) -> list[int]:
    """A step failed for good: nothing new begins, what was made is undone, last first."""
    if not job.callers_fault and not (job.flow.known and job.flow.known(job)):
        tell_staff(job, "failed", now)  # now: an undo that cannot go on would keep them waiting
    return turn_back(job, steps, culprit.error, f"{culprit.name}: {culprit.detail or culprit.error}", now)


def turn_back(job: Job, steps: list[JobStep], error: str, detail: str, now: datetime) -> list[int]:
    """Have a job undone, for a reason that customers (`error`) and staff (`detail`) can read."""
    job.error, job.detail, job.state = error, detail, states.TURN_BACK.of(job.state)
    write(job, "error", "detail", "state")
    _stop([step for step in steps if step.state == S.PENDING], states.PASS_OVER, now)
    # Steps that wait are not called forward again; their undo looks for what they may have begun.
    prepared(JobStep).filter(job_id=job.pk, state__in=JobStep.ACTIVE, held=False).update(
        due_at=None, awaits="", version=F("version") + 1
    )
    return _undo_next(job, _steps(job).all(), now)


def _undo_next(job: Job, steps: list[JobStep], now: datetime) -> list[int]:
    if any(step.held or step.state == S.UNDOING for step in steps):
        return []
    for step in reversed(steps):
        if step.state in states.MADE or _skipped_by_staff(step):
            if step.claimed_at is None and step.state != S.DONE:
                _stop([step], states.NEVER_CALLED, now)  # it was due
                continue
            if job.flow.step(step.name).undo is None:
                if step.state != S.FAILED:  # staff read there what went wrong
                    _stop([step], states.NOTHING_TO_UNDO, now)
                continue
            undoing = states.UNDO.of(step.state)
            _make_due([step], now, state=undoing, ref="", data=_before_undo(step))
            return [step.pk]
    undoable = any(step.undo for step in job.flow.steps)
    _end(job, states.ROLLED_BACK if undoable else states.FAILED, now)
    return []


def _before_undo(step: JobStep) -> dict[str, Any]:
    """What stays readable of a step while its undo, whose remote work gets its own reference, says how that
    goes: the reference, and what it failed with (engine.py puts that back)."""
    failed = {"failed": [step.error, step.detail]} if step.state == S.FAILED else {}
    return {"undoes": step.ref, **failed}


def _skipped_by_staff(step: JobStep) -> bool:
    """Whether it was skipped after it had been called: it may have left something behind all the same."""
    return step.state == S.SKIPPED and step.claimed_at is not None


def _end(job: Job, move: states.Move, now: datetime) -> None:
    """The job is over: its subject is free for the next one in line."""
    state = move.of(job.state)
    job.state, job.finished_at, job.active_key = state, now, None
    if state not in (Job.State.FAILED, Job.State.ROLLED_BACK) or job.callers_fault:
        job.secret = None  # else staff may ask for it again; `tasks.prune` takes it after a day
    write(job, "state", "finished_at", "active_key", "secret")
    if state == Job.State.SUCCEEDED and job.flow.tells and not _told_by_a_step(job):
        notify(job.flow.tells, job, now, once=f"{job.flow.tells}/{job.pk}")
    elif job.flow.tells_failure and state in Job.ENDED_BADLY and not _was_taken_back(job):
        notify(job.flow.tells_failure, job, now, once=f"{job.flow.tells_failure}/{job.pk}")
    queued = prepared(Job).filter(subject=job.subject, state=Job.State.QUEUED)
    if following := queued.order_by("created_at").first():
        start(following, now)


def _was_taken_back(job: Job) -> bool:
    """Whether somebody wanted it no more, or had asked for what is not possible."""
    return bool(job.cancel_requested_at) or job.callers_fault


def warn(job: Job, step: JobStep, sentence: str, now: datetime) -> None:
    """Keep what went wrong in a step that spares its job, and tell staff."""
    job.warning = "\n".join(filter(None, [job.warning, f"{step.title}: {sentence}"]))
    write(job, "warning")
    tell_staff(job, "warning", now)


def tell_staff(job: Job, about: str, now: datetime) -> None:
    """Have staff told about a job by e-mail, and by the webhook where there is one: `failed`, `warning` or
    `late`. Neither tells of itself."""
    if job.kind != STAFF:
        notify(STAFF, job, now, says=about)
    if settings.NOTICE_WEBHOOK_URL and job.kind != WEBHOOK:
        notify(WEBHOOK, job, now, says=about)


def notify(kind: str, job: Job, now: datetime, *, once: str | None = None, says: str = "") -> None:
    """Have somebody told of a job, in the transaction that makes it true, by a job of its own: so no mail
    server delays it, fails it or is forgotten. `once`: a name under which it is told no second time."""
    known_as = {name: job.data[name] for name in LABELS if job.data.get(name)}
    data = {"job": job.pk, **({"about": says} if says else {}), **known_as}
    tell(kind, _told_of(job), now, data, cause=job.pk, once=once, says=says, request_id=job.request_id)


def tell(
    kind: str,
    about: str,
    now: datetime,
    data: dict[str, Any],
    *,
    cause: str = "",
    once: str | None = None,
    says: str = "",
    request_id: str = "",
) -> None:
    """Have somebody told of what is true of a subject, likewise. Whoever calls holds a row, so that no two do
    this at once."""
    if once and prepared(Notice).filter(once=once).values("pk"):
        return
    row = Notice(pk=new_id(), kind=kind, about=about, cause=cause, once=once, says=says, created_at=now)
    prepared(Notice).insert([row])
    create(kind, row.key, now, data=data, request_id=request_id)


def _told_of(job: Job) -> str:
    """What a job is about, where it tells somebody of it; else its subject."""
    notice = Notice.objects.filter(pk=job.subject_pk).first() if job.kind.startswith(PREFIX) else None
    return notice.about if notice else job.subject


def _told_by_a_step(job: Job) -> bool:
    """Whether a step of an earlier release has sent the e-mail that is a notice now."""
    former = [step.name for step in job.flow.former]
    if not former or job.plan_version == job.flow.version:
        return False
    return bool(_steps(job).filter(~Q(ref=""), name__in=former, state=S.DONE).values("pk"))

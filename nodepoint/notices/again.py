"""Telling somebody once more what he was told, or what nobody took: by a button, never by itself.

Something that is not true any more is refused in a sentence, as a job would end with it. What was sent goes
out as a notice of its own, with a new Message-ID and, where there is one, a new link: nothing of the first
letter was kept."""

from django.db import transaction
from django.utils import timezone

from nodepoint.audit import trail
from nodepoint.jobs import queue, steering, transitions
from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import LABELS, Job, new_id
from nodepoint.jobs.outcomes import Done, Fail
from nodepoint.notices import letters, sending
from nodepoint.notices.models import AGAIN, SUMMARY, WEBHOOK, Notice

ON_ITS_WAY = "It is on its way already."
HELD = "It is held back by quiet hours, and told when they end."
SUMMARISED = "It was told in a summary. Send that one again, if need be."
PROGRAM = "The webhook has taken it: ask its operator."
OLD = "It is too old: what it was made of is not kept any more."
NOBODY = "Nobody was told: "


def send_again(row: Notice, actor: str) -> Job:
    """The job that sends it. One that is waiting for its next try is tried at once. MoveRefused, with the
    reason, where there is nothing to be sent."""
    with transaction.atomic():
        row = Notice.objects.select_for_update().get(pk=row.pk)
        job = Job.objects.filter(subject=row.key).order_by("-created_at").first()
        if row.held_at:
            raise MoveRefused(HELD)
        if row.summary:
            raise MoveRefused(SUMMARISED)
        if job and job.alive:
            return _at_once(job)
        if row.sent_at is None:
            return _asked_anew(row, job, actor)
        if row.kind == WEBHOOK:
            raise MoveRefused(PROGRAM)
        return _once_more(row, job, actor)


def _at_once(job: Job) -> Job:
    found = steering.moves(job)
    step = next((step for step in found.rows if found.retry(step)), None)
    if step is None:
        raise MoveRefused(ON_ITS_WAY)
    return steering.retry(job.pk, step.name)


def _asked_anew(row: Notice, job: Job | None, actor: str) -> Job:
    """It has reached nobody, or not everybody: the same notice, so that nobody gets it twice."""
    if job is None:
        raise MoveRefused(OLD)
    _require_true(row)
    return queue.submit(row.kind, row.key, data=job.data, actor=actor)


def _once_more(row: Notice, job: Job | None, actor: str) -> Job:
    """A notice of its own about the same thing."""
    mail = letters.mail(row.kind)
    if sending.kind(row.kind) is None or (job is None and not (mail and mail.lasts)):
        raise MoveRefused(OLD)
    data = job.data if job else {}
    others = Notice.objects.filter(kind=row.kind, about=row.about, sent_at=None).exclude(pk=row.pk)
    if Job.objects.filter(subject__in=[one.key for one in others], state__in=Job.ALIVE).exists():
        raise MoveRefused(ON_ITS_WAY)
    says = AGAIN if mail else row.says
    cause = row.cause or (row.pk if row.kind == SUMMARY else "")
    now = timezone.now()
    candidate = Notice(pk=new_id(), kind=row.kind, about=row.about, cause=cause, says=says, created_at=now)
    _require_true(candidate)
    once = f"{row.kind}/again/{candidate.pk}"
    transitions.tell(row.kind, row.about, now, data, cause=cause, once=once, says=says)
    made = Job.objects.get(subject=Notice.objects.get(once=once).key)
    label = next((str(data[name]) for name in LABELS if data.get(name)), "")
    after = {"kind": row.kind, "to": row.recipient or row.sent_to}
    trail.record("notices.send_again", row.about, label=label, after=after, job_id=made.pk, actor=actor)
    transaction.on_commit(queue.kick, robust=True)
    return made


def _require_true(row: Notice) -> None:
    """It would be sent if its turn came now; MoveRefused with the reason why not."""
    known = sending.kind(row.kind)
    found = known.first(row) if known else None
    if isinstance(found, Done | Fail):
        said = (found.note if isinstance(found, Done) else found.error).removeprefix(NOBODY)
        raise MoveRefused(said[:1].upper() + said[1:])

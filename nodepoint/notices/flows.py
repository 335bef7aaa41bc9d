"""E-mails to staff: about a job, and the summary of what quiet hours held back."""

from django.conf import settings
from django.utils import timezone

from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from nodepoint.notices import webhook  # noqa: F401 - it registers its flow
from nodepoint.notices.models import STAFF, SUMMARY, Notice, Urgency
from nodepoint.notices.sending import Letter, kind, notice

MARK = "[NodePoint] "  # of the subjects of e-mails to staff
RULE = f"\n{'-' * 72}\n"  # between the parts of a summary
URGENT = {"failed": Urgency.FAILED, "late": Urgency.LATE}
HEADLINES = {
    "failed": "{title} did not succeed: {subject}",
    "warning": "{title} succeeded with a warning: {subject}",
    "late": "{title} is still not finished: {subject}",
}


def _nobody(row: Notice) -> Outcome | None:
    """What is not true any more is told to nobody. A job that failed after all has a notice of its own."""
    if not settings.STAFF_EMAIL:
        return Done(note="STAFF_EMAIL is empty: nobody was told.")
    job = Job.objects.filter(pk=row.cause).first()
    if job is None:
        return Fail(error="The job is gone.")
    if row.says == "late" and not job.alive:
        return Done(note="Nobody was told: the job has ended meanwhile.")
    return None


def _to_staff(row: Notice) -> Letter | Outcome:
    """One e-mail to STAFF_EMAIL."""
    job = Job.objects.filter(pk=row.cause).first()
    if job is None:
        return Fail(error="The job is gone.")
    headline = HEADLINES[row.says].format(title=job.title, subject=job.data.get("service_id", job.subject))
    body = (
        f"{headline}\n\nWhat customers read: {job.error or job.warning or '-'}\n"
        f"What the system said: {job.detail or '-'}\n\n"
        f"Steps:\n{''.join(map(_line, job.steps.all()))}\n"
        f"Job {job.pk}, request {job.request_id or '-'}\n"
    )
    return Letter(list(settings.STAFF_EMAIL), f"{MARK}{' '.join(headline.split())}", body)


def _line(step: JobStep) -> str:
    said = step.detail or step.error
    return f"  {step.title}: {step.state}{f' ({said})' if said else ''}\n"


TO_STAFF = notice(STAFF, "E-mail to staff", _nobody, _to_staff, urgent=lambda row: URGENT.get(row.says, ""))


def _still_true(row: Notice) -> list[tuple[str, Letter]]:
    """The id and the letter of each notice that the summary tells of, where it is true still. Whether one of
    several recipients has it does not matter: the others get the same. `cause`: the summary that it is sent
    again for."""
    found = []
    for told in Notice.objects.filter(summary=row.cause or row.pk).order_by("created_at", "pk"):
        known = kind(told.kind)
        if known is None or known.first(told):
            continue
        letter = known.compose(told)
        if isinstance(letter, Letter):
            found.append((told.pk, letter))
    return found


def _anything_left(row: Notice) -> Outcome | None:
    if not settings.STAFF_EMAIL:
        return Done(note="STAFF_EMAIL is empty: nobody was told.")
    return None if _still_true(row) else Done(note="Nobody was told: nothing of it is true any more.")


def _summary(row: Notice) -> Letter | Outcome:
    """One e-mail: the headlines, then each of them in full."""
    found = _still_true(row)
    if not found:
        return Done(note="Nobody was told: nothing of it is true any more.")
    subjects = [letter.subject.removeprefix(MARK) for _, letter in found]
    head = f"{len(found)} {'notice was' if len(found) == 1 else 'notices were'} held back by quiet hours"
    ended = Notice.objects.filter(pk=row.cause).first() or row  # one that is sent again tells of the same
    until = timezone.localtime(ended.created_at)
    lines = "\n".join(f"- {subject}" for subject in subjects)
    parts = [f"{head}, until {until:%Y-%m-%d %H:%M %Z}:\n\n{lines}\n", *(each.body for _, each in found)]
    return Letter(
        list(settings.STAFF_EMAIL),
        f"{MARK}{head}",
        RULE.join(parts),
        covers=tuple(pk for pk, _ in found),
    )


notice(SUMMARY, "E-mail to staff: summary of quiet hours", _anything_left, _summary)

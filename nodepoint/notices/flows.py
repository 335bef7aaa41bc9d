"""E-mail to staff about a job."""

from django.conf import settings

from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from nodepoint.notices import webhook  # noqa: F401 - it registers its flow
from nodepoint.notices.models import STAFF, Notice
from nodepoint.notices.sending import Letter, notice

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
    return Letter(list(settings.STAFF_EMAIL), f"[NodePoint] {' '.join(headline.split())}", body)


def _line(step: JobStep) -> str:
    said = step.detail or step.error
    return f"  {step.title}: {step.state}{f' ({said})' if said else ''}\n"


TO_STAFF = notice(STAFF, "E-mail to staff", _nobody, _to_staff)

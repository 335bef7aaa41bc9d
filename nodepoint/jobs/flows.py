"""The engine's own flow: e-mail to staff about a job. It is a job itself, so that a mail server that is away
loses no notice."""

from django.conf import settings
from django.core.mail import EmailMessage

from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from nodepoint.jobs.registry import Flow, Step, register
from nodepoint.jobs.transitions import NOTICE

HEADLINES = {
    "failed": "{title} did not succeed: {subject}",
    "warning": "{title} succeeded with a warning: {subject}",
    "late": "{title} is still not finished: {subject}",
}


def staff_told(call: Call) -> Outcome:
    """Send one e-mail to STAFF_EMAIL."""
    if not settings.STAFF_EMAIL:
        return Done(note="STAFF_EMAIL is empty: nobody was told.")
    job = Job.objects.filter(pk=call.job.data["job"]).first()
    if job is None:
        return Fail(error="The job is gone.")
    try:
        _message(job, call.job.data["about"]).send()
    except OSError as error:  # smtplib's errors are OSErrors too
        return Retry(error="The mail server did not take the message.", detail=str(error))
    return Done()


def _message(job: Job, about: str) -> EmailMessage:
    headline = HEADLINES[about].format(title=job.title, subject=job.data.get("service_id", job.subject))
    body = (
        f"{headline}\n\nWhat customers read: {job.error or job.warning or '-'}\n"
        f"What the system said: {job.detail or '-'}\n\n"
        f"Steps:\n{''.join(map(_line, job.steps.all()))}\n"
        f"Job {job.pk}, request {job.request_id or '-'}\n"
    )
    return EmailMessage(f"[NodePoint] {' '.join(headline.split())}", body, to=settings.STAFF_EMAIL)


def _line(step: JobStep) -> str:
    said = step.detail or step.error
    return f"  {step.title}: {step.state}{f' ({said})' if said else ''}\n"


NOTICE_FLOW = register(
    Flow(
        NOTICE,
        title="Notice to staff",
        subject="",
        scope="",
        deadline=3 * 24 * 3600,
        steps=(
            Step(
                "mail_sent",
                "Sending e-mail to staff",
                staff_told,
                nothing_to_undo="A sent e-mail stays sent.",
            ),
        ),
    )
)

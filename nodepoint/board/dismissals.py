"""Taking a trouble off the board that somebody has seen and that nothing will cure: an order that nobody
wants any more, an e-mail that cannot be sent."""

import re

from django.db import transaction

from nodepoint.audit import trail
from nodepoint.board.models import Dismissal
from nodepoint.jobs.models import Job, JobStep

KEY = re.compile(r"(job):([0-9a-f]{32})|(step):(\d{1,18})")


class NothingThere(LookupError):
    """There is no such trouble."""


def dismiss(key: str, by: str, reason: str = "") -> None:
    """Take `job:<id>` or `step:<id>` off the board; any number of times. NothingThere."""
    job = _job(key)
    with transaction.atomic():
        _, is_new = Dismissal.objects.get_or_create(key=key, defaults={"by": by, "reason": reason})
        if is_new:
            label = str(job.data.get("service_id") or job.data.get("zone") or "")
            trail.record("board.dismiss", job.subject, label=label, reason=reason, job_id=job.pk)


def _job(key: str) -> Job:
    found = KEY.fullmatch(key)
    if found is None:
        raise NothingThere(key)
    try:
        if found[1]:
            return Job.objects.get(pk=found[2])
        return JobStep.objects.select_related("job").get(pk=found[4]).job
    except (Job.DoesNotExist, JobStep.DoesNotExist):
        raise NothingThere(key) from None

"""Writing and reading the log of acts."""

from typing import Any

from django.db.models import QuerySet

from nodepoint import logs
from nodepoint.audit import origin
from nodepoint.audit.models import Entry


def record(
    act: str,
    subject: str,
    *,
    label: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    job_id: str = "",
) -> Entry:
    """Write down an act in the caller's transaction, with who asks for it and the request it came with.

    `before` and `after`: what changes, as JSON values by field name. Never secrets."""
    by = origin.current()
    return Entry.objects.create(
        act=act,
        subject=subject,
        label=label,
        kind=by.kind,
        actor=by.name,
        address=by.address,
        request_id=logs.request_id(),
        job_id=job_id,
        reason=reason,
        before=before or {},
        after=after or {},
    )


def entries_of(subject: str) -> QuerySet[Entry]:
    """What was done to one subject, newest first."""
    return Entry.objects.filter(subject=subject)

"""Writing and reading the log of acts."""

from typing import Any

from django.db.models import QuerySet

from nodepoint import logs
from nodepoint.audit import origin
from nodepoint.audit.models import Entry

LABEL, ACTOR, ADDRESS, REASON = (
    Entry._meta.get_field(name).max_length for name in ("label", "actor", "address", "reason")
)


def record(
    act: str,
    subject: str,
    *,
    label: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    job_id: str = "",
    actor: str = "",
) -> Entry:
    """Write down an act in the caller's transaction, with who asks for it and the request it came with.

    `before` and `after`: what changes, as JSON values by field name. Never secrets. `reason`: else what
    `origin.because` says. `actor`: for whom the platform acts where nobody is calling."""
    by = origin.current()
    name = by.name or (actor if by.kind == Entry.Kind.SYSTEM else "")
    return Entry.objects.create(
        act=act,
        subject=subject,
        label=label[:LABEL],
        kind=by.kind,
        actor=name[:ACTOR],
        address=by.address[:ADDRESS],
        request_id=logs.request_id(),
        job_id=job_id,
        reason=(reason or origin.reason())[:REASON],
        before=before or {},
        after=after or {},
    )


def erase(entries: list[Entry]) -> None:
    """Write texts of entries anew that a person is to be taken out of: the one change that the log knows
    (`nodepoint.anonymity`)."""
    for entry in entries:
        values = {name: getattr(entry, name) for name in ("label", "reason", "before", "after")}
        QuerySet(Entry).filter(pk=entry.pk).update(**values)


def entries_of(subject: str) -> QuerySet[Entry]:
    """What was done to one subject, newest first."""
    return Entry.objects.filter(subject=subject)

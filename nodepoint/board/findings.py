"""Findings of periodic looks, kept as rows: new ones are added, those no longer seen go."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from nodepoint.audit import trail
from nodepoint.board.models import Finding, Reading
from nodepoint.jobs.models import Job

MOST = 2000  # kept of one look; where more differs, the cause is one
PART = 500  # rows of one statement


@dataclass(frozen=True)
class Found:
    """What a look has found, as `Finding` keeps it."""

    kind: str
    system: str
    thing: str
    detail: str = ""
    subject: str = ""
    label: str = ""
    mendable: bool = False
    data: dict[str, Any] = field(default_factory=dict)

    def digest(self, look: str) -> str:
        """The same for the same thing, however its details change."""
        parts = (look, self.kind, self.system, self.thing, self.subject)
        return sha256("\0".join(parts).encode()).hexdigest()


def keep(
    look: str, found: Iterable[Found], *, unread: Iterable[str] = (), now: datetime | None = None
) -> int:
    """Write what a look has found; what it no longer finds goes, but for the systems in `unread`, which did
    not answer. Returns how many there were."""
    rows = {one.digest(look): one for one in found}
    count = len(rows)
    rows = dict(list(rows.items())[:MOST])
    with transaction.atomic():
        Finding.objects.filter(look=look).exclude(system__in=list(unread)).exclude(digest__in=rows).delete()
        _write(look, rows, now or timezone.now())
    return count


def renew(look: str, found: Iterable[Found], over: Collection[int]) -> None:
    """Write what a look at a part has found; `over`: primary keys of what is no longer so. No query where
    there is neither."""
    rows = {one.digest(look): one for one in found}
    with transaction.atomic():
        if over:
            Finding.objects.filter(pk__in=over).delete()
        if rows:
            _write(look, rows, timezone.now())


def _write(look: str, rows: dict[str, Found], now: datetime) -> None:
    """What staff have left as it is counts again once it is otherwise than they saw it."""
    left = Finding.objects.filter(look=look, left_at__isnull=False).only("digest", "detail")
    changed = [row.pk for row in left if row.digest in rows and row.detail != rows[row.digest].detail]
    if changed:
        Finding.objects.filter(pk__in=changed).update(left_at=None, left_by="", left_reason="")
    # SQLite wants to be told which unique key may be in the way; MariaDB takes whichever it is.
    named = connection.features.supports_update_conflicts_with_target
    Finding.objects.bulk_create(
        [_row(look, digest, one, now) for digest, one in rows.items()],
        batch_size=PART,
        update_conflicts=True,
        update_fields=["detail", "label", "mendable", "data", "last_seen"],
        unique_fields=["digest"] if named else None,
    )


def leave(row: Finding, by: str, reason: str) -> None:
    """Take a difference off the board that is meant to be so, until it differs otherwise. Any number of
    times; nothing is said of one that is gone."""
    left = {"left_at": timezone.now(), "left_by": by, "left_reason": reason}
    with transaction.atomic():
        if Finding.objects.filter(pk=row.pk, detail=row.detail).update(**left):
            trail.record("board.leave", row.subject, label=row.label, reason=reason)


def take_up(row: Finding) -> None:
    """Put it on the board again."""
    with transaction.atomic():
        if Finding.objects.filter(pk=row.pk).update(left_at=None, left_by="", left_reason=""):
            trail.record("board.take_up", row.subject, label=row.label)


def _row(look: str, digest: str, one: Found, now: datetime) -> Finding:
    return Finding(
        look=look,
        digest=digest,
        kind=one.kind,
        system=one.system,
        thing=one.thing[:255],
        detail=one.detail,
        subject=one.subject,
        label=one.label[:255],
        mendable=one.mendable,
        data=one.data,
        first_seen=now,
        last_seen=now,
    )


_mending: set[str] = set()


def mended_by(*kinds: str) -> None:
    """Apps say which kinds of jobs put the differences of their subject right."""
    _mending.update(kinds)


def standing() -> QuerySet[Finding]:
    """Findings that count: nobody has left them as they are, and nothing has been done about them since the
    look that saw them last; the next look tells whether what was done has helped."""
    done = Job.objects.filter(
        subject=OuterRef("subject"),
        kind__in=_mending,
        state=Job.State.SUCCEEDED,
        finished_at__gt=OuterRef("last_seen"),
    )
    return Finding.objects.filter(left_at=None).exclude(Exists(done))


def note(name: str, data: dict[str, Any], now: datetime | None = None) -> None:
    """Keep the latest reading of that name."""
    Reading.objects.update_or_create(name=name, defaults={"data": data, "taken_at": now or timezone.now()})


def last(name: str) -> Reading | None:
    """The latest reading of that name; None before the first."""
    return Reading.objects.filter(name=name).first()

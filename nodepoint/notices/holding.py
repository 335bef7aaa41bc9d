"""Quiet hours: what is not urgent is held back, and told as one summary when they end.

A notice to staff that can wait stays in its own job until then. It is looked at every few minutes: one that
has become urgent goes out, one that is not true any more goes to nobody. The first job that finds the quiet
hours over makes the summary of all that were held back, in one transaction; a single one is told as it is.
"""

from datetime import datetime, timedelta

from django.db import transaction

from nodepoint.jobs import transitions
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Outcome, Wait
from nodepoint.notices.models import SUMMARY, Notice, Preferences

LOOK = timedelta(minutes=5)  # between two looks at a notice that is held back
ABOUT = "notices.preferences:1"


def held(row: Notice, urgency: str, now: datetime) -> Outcome | None:
    """Wait while the notice is held back, Done where a summary tells of it; None: it is to be told now. One
    that a server may have, or of whose recipients some have it, is never held back. `urgency`: one of
    `Urgency`, or empty where it can wait."""
    if row.summary:
        return Done(note=f"It is told in a summary, the notice {row.summary}.")
    preferences = Preferences.current()
    wakes = urgency and urgency not in preferences.held_too
    if wakes or row.handed_at or row.doubts or row.sent_to:
        let_go(row)
        return None
    if end := preferences.quiet_end(now):
        if row.held_at is None:
            Notice.objects.filter(pk=row.pk).update(held_at=now)
        return Wait(seconds=min(LOOK, end - now).total_seconds())
    if row.held_at is None:
        return None
    if summary := _collected(row, now):
        return Done(note=f"It is told in a summary, the notice {summary}.")
    return None


def let_go(row: Notice) -> None:
    """It is held back no longer, for whatever reason."""
    if row.held_at:
        Notice.objects.filter(pk=row.pk).update(held_at=None)


@transaction.atomic
def _collected(row: Notice, now: datetime) -> str:
    """The summary that tells of this notice, made here or by another job at this moment; empty: it is the
    only one that was held back."""
    Preferences.objects.select_for_update().filter(pk=1).first()
    row.refresh_from_db(fields=["summary", "held_at"])
    if row.summary or row.held_at is None:
        return row.summary
    rows = Notice.objects.filter(held_at__isnull=False, sent_at=None, summary="").order_by("created_at")
    by_subject = {one.key: one for one in rows}
    alive = Job.objects.filter(subject__in=list(by_subject), state__in=Job.ALIVE)
    together = {by_subject[subject].pk for subject in alive.values_list("subject", flat=True)} | {row.pk}
    begun = min(one.held_at for one in by_subject.values())
    summary = ""
    if len(together) > 1:
        once = f"{SUMMARY}/{row.pk}"
        data = {"count": len(together), "since": begun.isoformat()}
        transitions.tell(SUMMARY, ABOUT, now, data, once=once)
        summary = Notice.objects.get(once=once).pk
    Notice.objects.filter(pk__in=together).update(held_at=None, summary=summary)
    return summary

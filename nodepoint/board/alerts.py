"""Troubles that need somebody, told once each, and once more when they are over: by e-mail to staff and,
where there is one, to the webhook.

What the board shows is looked at every minute. A trouble is told once it has stood for a while, the worse
sort sooner; one that goes before that is told to nobody. Failed and late jobs have notices of their own.
"""

import re
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nodepoint.board.models import Alert
from nodepoint.board.registry import SHOWN, Group, Level, Trouble, board
from nodepoint.jobs import queue, transitions
from nodepoint.jobs.outcomes import Done, Outcome
from nodepoint.notices.models import WEBHOOK, Notice, Urgency
from nodepoint.notices.sending import Letter, notice

TROUBLE = "notices.trouble"
ABOUT = "board.alert:"
TOLD_OTHERWISE = ("Failed jobs", "Jobs stuck or being undone")
STANDS_FOR = {Level.FAILING: timedelta(minutes=2), Level.WAITING: timedelta(minutes=10)}
BEGUN, OVER = "begun", "over"


def look(now: datetime | None = None) -> int:
    """Compare what the board shows with what was told. Returns how many notices were written."""
    now = now or timezone.now()
    groups = [group for group in board.everything() if group.title not in TOLD_OTHERWISE]
    shown = {_key(group, one): (group, one) for group in groups for one in group.troubles}
    cut = {group.title for group in groups if group.total > SHOWN}
    told = 0
    with transaction.atomic():
        known = {row.key: row for row in Alert.objects.select_for_update().filter(over_at=None)}
        for key, (group, trouble) in shown.items():
            row = known.get(key) or Alert(key=key, first_seen=now)
            row.group, row.title, row.detail = group.title[:100], trouble.title[:255], trouble.detail
            row.url, row.level = trouble.url[:255], int(group.level)
            row.since = trouble.since or row.since or row.first_seen
            if row.told_at is None and now - row.first_seen >= STANDS_FOR[group.level]:
                row.told_at, told = now, told + 1
                row.save()
                _tell(row, BEGUN, now)
            else:
                row.save()
        told += sum(
            _over(row, now) for row in known.values() if row.key not in shown and row.group not in cut
        )
    return told


def _key(group: Group, trouble: Trouble) -> str:
    """The same for a trouble however its numbers change."""
    parts = (group.title, trouble.url, re.sub(r"\d+", "#", trouble.title))
    return sha256("\0".join(parts).encode()).hexdigest()


def _over(row: Alert, now: datetime) -> bool:
    """End a trouble; whether somebody is told."""
    if row.told_at is None:
        row.delete()
        return False
    row.over_at = now
    row.save(update_fields=["over_at"])
    _tell(row, OVER, now)
    return True


def _tell(row: Alert, says: str, now: datetime) -> None:
    """In the caller's transaction."""
    data = {"title": row.title, "detail": row.detail, "page": row.url, "level": Level(row.level).name.lower()}
    data |= {name: at.isoformat() for name, at in (("since", row.since), ("over", row.over_at)) if at}
    kinds = [TROUBLE, *([WEBHOOK] if settings.NOTICE_WEBHOOK_URL else [])]
    for kind in kinds:
        transitions.tell(kind, f"{ABOUT}{row.pk}", now, data, once=_once(kind, row.pk, says), says=says)
    transaction.on_commit(queue.kick, robust=True)


def _once(kind: str, pk: Any, says: str) -> str:
    return f"{kind}/{pk}/{says}"


def _alert(row: Notice) -> Alert | None:
    return Alert.objects.filter(pk=row.about.removeprefix(ABOUT)).first()


def _nobody(row: Notice) -> Outcome | None:
    """Of what was over before a mail server had taken its beginning nobody is told at all."""
    if not settings.STAFF_EMAIL:
        return Done(note="STAFF_EMAIL is empty: nobody was told.")
    alert = _alert(row)
    if alert is None or (row.says == BEGUN and alert.over_at):
        return Done(note="Nobody was told: it is over.")
    begun = Notice.objects.filter(once=_once(TROUBLE, alert.pk, BEGUN))
    known = begun.filter(Q(sent_at__isnull=False) | Q(doubts__gt=0) | ~Q(sent_to=""))  # or perhaps known
    if row.says == OVER and not known.exists():
        return Done(note="Nobody was told: nobody knows of its beginning.")
    return None


def _letter(row: Notice) -> Letter | Outcome:
    alert = _alert(row)
    if alert is None:
        return Done(note="Nobody was told: it is over.")
    headline = " ".join(alert.title.split())
    since = f"Since {alert.since:%Y-%m-%d %H:%M} UTC."
    if row.says == OVER:
        headline, since = f"Over: {headline}", f"{since} Over since {alert.over_at:%Y-%m-%d %H:%M} UTC."
    body = f"{alert.title}\n\n{alert.detail}\n\n{since}\nIn the admin: {alert.url}\n"
    return Letter(list(settings.STAFF_EMAIL), f"[NodePoint] {headline}", body)


def _urgency(row: Notice) -> str:
    """Whoever was woken by its beginning is told of its end as well."""
    alert = _alert(row)
    return Urgency.TROUBLE if alert and alert.level == Level.FAILING else ""


TELLING = notice(TROUBLE, "E-mail to staff: trouble", _nobody, _letter, urgent=_urgency)

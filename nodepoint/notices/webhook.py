"""Notices to a program of the operator's: one signed POST each, in the form of Standard Webhooks (its
specification 1.0: headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; the id stays the same at
every try, so that the other side can tell a repetition).

What is told stands in the notice's own job and in the job that it tells of; nothing of the answer is kept but
its status. The address may hold a token, so that no error and no log shows it.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from django.conf import settings

from nodepoint.clients.errors import ClientError
from nodepoint.clients.http import PerThread
from nodepoint.clients.line import Line
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from nodepoint.jobs.registry import Flow, Limit, Step, register
from nodepoint.notices.models import WEBHOOK, Notice
from nodepoint.notices.sending import DAYS, later

SECONDS = 15.0  # for the whole call, however slowly the other side talks
LANE = Limit("webhook", lambda: 2)
PREFIX = "whsec_"  # of a secret, before its base64
GONE = 410  # the specification's word for: never again
NO_ANSWER = "The webhook did not answer."
NOT_TAKEN = "The webhook did not take the notice."
REFUSED = "The webhook takes no notices any more."
MOST_TRIES = 20  # kept in the step's data

_line = PerThread(lambda: Line("webhook", SECONDS))


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of the HMAC-SHA256 over `id.timestamp.body`, by the secret's bytes."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def payload(row: Notice, told: dict[str, Any]) -> dict[str, Any]:
    """What is sent: `type` (`job.failed`, `trouble.over`, …), `timestamp`, and `data`, which tells of a job
    as it is now, or of a trouble as it was when the notice was written (`told`). A program knows no quiet
    hours: it gets all at once, with the severity."""
    job = Job.objects.filter(pk=row.cause).first() if row.cause else None
    about = {**told, "subject": row.about}
    if job:
        words = {name: getattr(job, name) for name in ("kind", "state", "error", "detail", "warning")}
        about |= {"job": job.pk, "title": job.title, "about": job.about, **words}
    is_urgent = row.says != "warning" if row.cause else told.get("level") == "failing"
    about["severity"] = "urgent" if is_urgent else "normal"
    kind = "job" if row.cause else "trouble"
    return {"type": f"{kind}.{row.says}", "timestamp": row.created_at.isoformat(), "data": about}


def posted(call: Call) -> Outcome:
    """The other side has taken the notice, or it is not to be told any more."""
    row: Notice = call.subject
    if row.sent_at:
        return Done(note="It was taken before.")
    if not settings.NOTICE_WEBHOOK_URL:
        return Done(note="NOTICE_WEBHOOK_URL is empty: nobody was told.")
    body = json.dumps(payload(row, call.job.data)).encode()
    tries = call.step.data.get("attempts", [])[1 - MOST_TRIES :]
    try:
        status = _status(row, int(call.now.timestamp()), body)
    except ClientError as error:  # a redirect, too: what it leads to was not asked for
        said = type(error).__name__
        return later(call, NO_ANSWER, said, {"attempts": [*tries, [call.now.isoformat(), said]]})
    tries.append([call.now.isoformat(), status])
    if 200 <= status < 300:
        Notice.objects.filter(pk=row.pk).update(sent_at=call.now, sent_to="webhook")
        return Done(
            ref=str(status), note=f"Taken with {status} at try {len(tries)}.", data={"attempts": tries}
        )
    if status == GONE:
        return Fail(error=REFUSED, detail=f"status {status}", data={"attempts": tries})
    return later(call, NOT_TAKEN, f"status {status}", {"attempts": tries})


def _status(row: Notice, timestamp: int, body: bytes) -> int:
    """The status with which the other side answers. Raises Unreachable, TimedOut, Refused (its certificate is
    not trusted) or BadAnswer (a redirect, an endless answer)."""
    headers = {
        "content-type": "application/json",
        "webhook-id": f"msg_{row.pk}",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(settings.NOTICE_WEBHOOK_SECRET, f"msg_{row.pk}", timestamp, body),
    }
    return _line.get().request("POST", settings.NOTICE_WEBHOOK_URL, data=body, headers=headers).status_code


TO_WEBHOOK = register(
    Flow(
        WEBHOOK,
        title="Notice to the webhook",
        subject="notices.Notice",
        scope="",
        deadline=DAYS * 24 * 3600,
        steps=(
            Step(
                "posted",
                "Telling the webhook",
                posted,
                nothing_to_undo="What was told stays told.",
                limits=(LANE,),
            ),
        ),
    )
)

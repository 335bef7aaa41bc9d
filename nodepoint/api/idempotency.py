"""`Idempotency-Key`: a POST repeated with the same key is answered again and not carried out again."""

import json
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.errors import BadRequest, Conflict, Unavailable
from nodepoint.api.models import KeptAnswer, digest
from nodepoint.conflicts import duplicate
from nodepoint.jobs.models import Job

if TYPE_CHECKING:
    from nodepoint.api.views import ApiView

KEPT = timedelta(hours=24)
ABANDONED = timedelta(seconds=30)  # no request takes longer than 22 s: one that is older has died
SWEEP_EVERY = 60.0  # seconds
MOST_CLAIMS = 5

_swept_at = 0.0


def once(
    view: "ApiView", handler: Callable[..., Response], request: Request, *args: Any, **kwargs: Any
) -> Response:
    """Call `handler`, unless the answer to the same request with the same key is kept or being made."""
    key_hash = digest(_key(request))
    held = _claim(view, request, key_hash, _fingerprint(request))
    if held.status is not None:
        return Response(held.body, status=held.status, headers={"Idempotency-Replayed": "true"})
    mine = KeptAnswer.objects.filter(pk=held.pk, claim=held.claim)
    try:
        response = handler(request, *args, **kwargs)
    except BaseException:  # also the end of the process: the key must not stay taken without an answer
        mine.delete()
        raise
    if view.keeps_answer and 200 <= response.status_code < 300:
        mine.update(status=response.status_code, body=response.data)
    else:
        mine.delete()
    return response


def _key(request: Request) -> str:
    key = request.headers["Idempotency-Key"]
    if not 1 <= len(key) <= 255 or not (key.isascii() and key.isprintable()):
        raise BadRequest("Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return key


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True)
    return digest(f"{request.path_info.rstrip('/')}\n{body}")


def _claim(view: "ApiView", request: Request, key_hash: str, fingerprint: str) -> KeptAnswer:
    """The row of the key: with a status where the answer is kept, without where it is ours to make.

    The insert is a transaction of its own, so that of two requests at the same moment one sees the other.
    """
    for _ in range(MOST_CLAIMS):
        now = timezone.now()
        new = {"fingerprint": fingerprint, "claim": secrets.token_hex(16), "claimed_at": now}
        try:
            with transaction.atomic():
                row = KeptAnswer.objects.create(token=request.auth, key_hash=key_hash, **new)
        except IntegrityError as error:
            if not duplicate(error):
                raise
            row = KeptAnswer.objects.filter(token=request.auth, key_hash=key_hash).first()
        else:
            _sweep(now)
            return row
        if row is None:
            continue  # the other one failed at this very moment, and its key is free again
        if _is_forgotten(view, row, now):
            taken = KeptAnswer.objects.filter(pk=row.pk, claim=row.claim, status=row.status)
            if taken.update(status=None, body=None, **new):
                return KeptAnswer(pk=row.pk, **new)
            continue
        if row.fingerprint != fingerprint:
            raise Conflict("This Idempotency-Key was used for another request.", code="idempotency_mismatch")
        if row.status is None:
            raise Conflict(
                "The first request with this Idempotency-Key is still being answered.", code="in_progress"
            )
        return row
    raise Unavailable("The Idempotency-Key is in use by too many requests at once. Please try again.")


def _is_forgotten(view: "ApiView", row: KeptAnswer, now: datetime) -> bool:
    if row.status is None:
        return now - row.claimed_at > ABANDONED
    if now - row.claimed_at > KEPT:
        return True
    job = row.body.get("job") if view.forgets_key_when_job_fails and isinstance(row.body, dict) else None
    return bool(job) and Job.objects.filter(pk=job["id"], state__in=Job.ENDED_BADLY).exists()


def _sweep(now: datetime) -> None:
    """Delete what is no longer kept; once a minute in each process is plenty."""
    global _swept_at
    if time.monotonic() - _swept_at > SWEEP_EVERY:
        _swept_at = time.monotonic()
        KeptAnswer.objects.filter(claimed_at__lt=now - KEPT).delete()

"""`GET /health`: whether we work, and with `?deep=1` whether the systems that we drive can be used."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.errors import Unavailable
from nodepoint.api.views import ApiView, success
from nodepoint.clients.breaker import asking_anyway
from nodepoint.clients.errors import ClientError
from nodepoint.jobs import broker, limits, queue
from nodepoint.version import version

PROBE_SECONDS = 5.0
FULL_MB = 2  # less than this is left: a full disk
DISK_FULL = "The disk of this server is full. What only reads still works."

log = logging.getLogger("nodepoint.health")
Probe = Callable[[], Any]
_probes: dict[str, Probe] = {}


def register(system: str, probe: Probe) -> None:
    """Have `probe()` called by the deep check: it asks a system something harmless and raises ClientError
    if that fails."""
    _probes[system] = probe


def systems(seconds: float = PROBE_SECONDS) -> dict[str, dict[str, Any]]:
    """Ask all systems at once: `{system: {ok, latency_ms, error}}`. One that is silent after `seconds`
    counts as failed."""
    found: dict[str, dict[str, Any]] = {}
    threads = [
        threading.Thread(target=_ask, args=(system, probe, found), daemon=True, name=f"probe-{system}")
        for system, probe in _probes.items()
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    silent = {"ok": False, "latency_ms": None, "error": f"No answer within {seconds:g} seconds."}
    return {system: found.get(system, silent) for system in _probes}


def _ask(system: str, probe: Probe, found: dict[str, dict[str, Any]]) -> None:
    begun, error = time.monotonic(), None
    try:
        with asking_anyway():
            probe()
    except ClientError as failure:
        error = failure.sentence
    except Exception:  # a probe of ours that is broken must not hide what the others found
        log.exception("probe of %s failed", system)
        error = "The check itself failed; the log says why."
    finally:
        connections.close_all()
    latency = round((time.monotonic() - begun) * 1000, 1)
    found[system] = {"ok": error is None, "latency_ms": latency, "error": error}


def free_mb() -> int:
    """Megabytes that are left for us where the data folder lies."""
    disk = os.statvfs(settings.NODEPOINT_DATA if settings.NODEPOINT_DATA.exists() else settings.BASE_DIR)
    return disk.f_bavail * disk.f_frsize // 1_000_000


class HealthInput(serializers.Serializer):
    """What to look at."""

    deep = serializers.BooleanField(
        default=False, help_text="Ask the systems that we drive, too; needs a token."
    )


class HealthOutput(serializers.Serializer):
    """How we are."""

    status = serializers.CharField()
    timestamp = serializers.DateTimeField()
    version = serializers.CharField(required=False)
    database = serializers.DictField(required=False)
    disk = serializers.DictField(required=False, help_text="ok, free_mb (of NODEPOINT_DATA)")
    queue = serializers.DictField(required=False, help_text="oldest_due_seconds, workers, broker")
    systems = serializers.DictField(required=False, help_text="By name: ok, latency_ms, error")


class HealthView(ApiView):
    """Whether the service works. Needs no token, and with `deep=1` any."""

    scope = None
    input = HealthInput
    output = HealthOutput
    permission_classes = []
    throttle_classes = []

    def perform_authentication(self, request: Request) -> None:
        """Only the deep check looks at the token: the plain one must not depend on it."""

    def get(self, request: Request) -> Response:
        """`status, timestamp`; deep also `version, database, disk, queue, systems`. 503 when the database is
        gone, or the disk full: then what only reads still works."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if free_mb() < FULL_MB:
            raise Unavailable(DISK_FULL)
        facts: dict[str, Any] = {"status": "ok", "timestamp": timezone.now()}
        if not self.read(request)["deep"]:
            return success(**facts)
        if request.auth is None:
            raise NotAuthenticated
        return success(**facts, **_deep())


def _deep() -> dict[str, Any]:
    begun = time.monotonic()
    oldest = queue.oldest_due_seconds()
    workers = limits.taken(queue.WORKER, timezone.now())
    database = {"ok": True, "latency_ms": round((time.monotonic() - begun) * 1000, 1)}
    away = broker.fault()
    return {
        "version": version(),
        "database": database,
        "disk": {"ok": True, "free_mb": free_mb()},
        "queue": {
            "oldest_due_seconds": round(oldest, 3),
            "workers": workers,
            "broker": {"ok": not away, "error": "The broker does not answer." if away else None},
        },
        "systems": systems(),
    }

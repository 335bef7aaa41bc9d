"""What processes do not ask because it does not answer (`clients.breaker`), as rows that staff see. Each
process writes its own, beside its calls (`remote`)."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from nodepoint.board.models import Unasked
from nodepoint.clients import breaker
from nodepoint.clients.errors import SYSTEMS
from nodepoint.metrics import gauges

KNOWN = timedelta(seconds=60)  # without a note the process is gone, or sees it no more

_written = False


@dataclass(frozen=True)
class Silent:
    """What at least one process does not ask: since when, when the next of them tries, how many they are."""

    system: str
    part: str
    since: datetime
    next_try_at: datetime
    processes: int

    @property
    def name(self) -> str:
        """What people call it."""
        name = SYSTEMS.get(self.system, self.system)
        return f"{name} ({self.part})" if self.part else name

    @property
    def detail(self) -> str:
        """A sentence for staff."""
        left = max(0, round((self.next_try_at - timezone.now()).total_seconds()))
        following = f"next try in {left} s" if left else "it is tried now"
        since = timezone.localtime(self.since)
        return f"It has not answered since {since:%H:%M}; {following}. Steps that need it wait, others go on."


def write() -> None:
    """Write what this process does not ask. No query as long as that is nothing."""
    global _written
    found = breaker.silences()
    if not found and not _written:
        return
    process, now = f"{socket.gethostname()}-{os.getpid()}"[-64:], timezone.now()
    rows = [
        Unasked(
            process=process,
            system=one.system,
            part=one.part[:64],
            since=datetime.fromtimestamp(one.since, UTC),
            next_try_at=datetime.fromtimestamp(one.next_try, UTC),
            noted_at=now,
        )
        for one in found
    ]
    with transaction.atomic():
        Unasked.objects.filter(process=process).delete()
        Unasked.objects.filter(noted_at__lt=now - KNOWN).delete()
        Unasked.objects.bulk_create(rows)
    _written = bool(rows)


def now() -> list[Silent]:
    """What is not asked at the moment. One query."""
    groups: dict[tuple[str, str], list[Unasked]] = {}
    for row in Unasked.objects.filter(noted_at__gte=timezone.now() - KNOWN).order_by("system", "part"):
        groups.setdefault((row.system, row.part), []).append(row)
    return [
        Silent(*key, min(row.since for row in rows), min(row.next_try_at for row in rows), len(rows))
        for key, rows in groups.items()
    ]


class UnaskedCollector(Collector):
    """For Prometheus."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One query."""
        found = {(one.system, one.part): float(one.processes) for one in now()}
        text = "Processes that do not ask a system, or a node of it, because it does not answer."
        yield gauges("unasked", text, ("system", "part"), found)

"""Calls of other systems, written down by every process that makes them and told to Prometheus: how many, how
they ended, how long they took. No caller waits for it, and no call costs a query.

What a killed process had not written yet is lost: a few seconds."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

import structlog
from django.db import IntegrityError, connections, transaction
from django.db.models import F
from django.db.utils import Error as DatabaseFault
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from nodepoint.board import unasked
from nodepoint.board.models import RemoteCalls
from nodepoint.clients import counting
from nodepoint.conflicts import duplicate

SECONDS = 10.0  # between two writings
BOUNDS = [*map(str, counting.BUCKETS), "+Inf"]

log = structlog.get_logger("nodepoint.board")
_writer: threading.Thread | None = None


def on_begun(**_: object) -> None:
    """Begin to write, in a process that calls other systems, after its fork."""
    global _writer
    if _writer is None or not _writer.is_alive():
        _writer = threading.Thread(target=_write_for_ever, daemon=True, name="remote-calls")
        _writer.start()


def _write_for_ever() -> None:
    while True:
        time.sleep(SECONDS)
        try:
            write()
            unasked.write()
        except DatabaseFault:
            log.warning("remote_calls_not_written", exc_info=True)
        connections.close_all()  # one that is used every few seconds needs no connection of its own


def write() -> None:
    """Add what was counted to the rows; what cannot be written is kept for the next time."""
    counts = counting.taken()
    for key in sorted(counts):  # all processes in one order: none waits for another that waits for it
        try:
            _add(key, *counts[key])
        except DatabaseFault:
            counting.give_back(counts)
            raise
        del counts[key]


def _add(key: counting.Key, calls: float, seconds: float) -> None:
    row = dict(zip(("system", "operation", "outcome", "bucket"), key, strict=True))
    more = {"calls": F("calls") + int(calls), "seconds": F("seconds") + seconds}
    if RemoteCalls.objects.filter(**row).update(**more):
        return
    try:
        with transaction.atomic():
            RemoteCalls.objects.create(**row, calls=int(calls), seconds=seconds)
    except IntegrityError as error:
        if not duplicate(error):
            raise
        RemoteCalls.objects.filter(**row).update(**more)


class RemoteCollector(Collector):
    """Told of all processes on all hosts, since the beginning."""

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """One query."""
        ends: dict[tuple[str, str, str], int] = defaultdict(int)
        took: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(BOUNDS))
        seconds: dict[tuple[str, str], float] = defaultdict(float)
        for row in RemoteCalls.objects.all():
            ends[row.system, row.operation, row.outcome] += row.calls
            took[row.system, row.operation][min(row.bucket, len(BOUNDS) - 1)] += row.calls
            seconds[row.system, row.operation] += row.seconds
        labels = ("system", "operation")
        counter = CounterMetricFamily(
            "nodepoint_remote_calls",
            "Calls of other systems, by how they ended.",
            labels=(*labels, "outcome"),
        )
        for key, calls in sorted(ends.items()):
            counter.add_metric(key, calls)
        yield counter
        histogram = HistogramMetricFamily(
            "nodepoint_remote_call_seconds", "How long calls of other systems took.", labels=labels
        )
        for key, counts in sorted(took.items()):
            bounds = [*zip(BOUNDS, accumulate(counts), strict=True)]
            histogram.add_metric(key, bounds, seconds[key])
        yield histogram

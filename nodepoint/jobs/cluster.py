"""The django-q2 cluster with a watch over it (docs/jobs.md, “What a plain qcluster does not survive”).

One SIGKILL of the wrong idle worker can stop a cluster for ever, because that worker held the lock of the
local task queue; a killed sentinel leaves orphans and an exit code of 0; a SIGTERM to the whole group makes
the master hang. So the master leads a process group of its own, looks once a second whether steps are due
that nobody claims, and ends the whole group when they stay so; whoever started the command starts it again.
"""

import os
import signal
import socket
import sys
import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.db.utils import Error as DatabaseFault
from django.db.utils import InterfaceError, OperationalError
from django.utils import timezone
from django_q.cluster import Cluster
from django_q.models import Schedule

from nodepoint.jobs import broker, limits, queue, registry, runner
from nodepoint.jobs.models import JobStep

log = structlog.get_logger("nodepoint.jobs")

STOP_SECONDS = 20  # a stop that takes longer ends the group
WATCH_SECONDS = 1.0
SAID_EVERY = 60.0  # seconds between two lines about a broker that is away
MOST_WORKERS = 64  # worker commands on one database, on any number of hosts

HOUSEKEEPING = {  # task: minutes between two runs
    "nodepoint.jobs.tasks.alarm": 1,
    "nodepoint.jobs.tasks.prune": 24 * 60,
}


class WatchedCluster(Cluster):
    """A cluster whose runners are told to stop taking new steps before its own stop begins."""

    def stop(self) -> bool:
        """End gracefully, or with the whole group after STOP_SECONDS."""
        signal.signal(signal.SIGALRM, lambda *_: end_group(1))
        signal.alarm(STOP_SECONDS)
        runner.stop()
        stopped = super().stop()
        signal.alarm(0)
        return stopped


def run() -> None:
    """Start the cluster and watch it until it is told to stop. Never returns after a stall: the process group
    is ended."""
    if os.getpgrp() != os.getpid():
        os.setpgrp()
    _plan_housekeeping()
    cluster = WatchedCluster()
    cluster.start()
    watch = Watch()
    try:
        while not runner.stopping():
            time.sleep(WATCH_SECONDS)
            if runner.stopping():
                break
            if not cluster.sentinel.is_alive():
                log.error("sentinel_died")
                end_group(1)
            watch.look()
    except Exception:
        # Without its watch the rest of the group would live on, and nobody would know.
        log.exception("watch_failed")
        end_group(1)


def end_group(code: int) -> None:
    """Kill every process of the group, this one included; `code` is for the case that we lead none."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
    sys.exit(code)


class Watch:
    """Wakes runners, and ends the group when steps stay due that nobody claims.

    What was due before this process could do anything about it is no stall: runners get JOB_STALL_SECONDS
    from the start, and from the return of a database that was away. Else a worker that starts after an hour's
    pause would end itself at once, for ever."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}"[:64]
        self.judges_from = 0.0
        self.silent_until = 0.0
        self.known_until = 0.0
        self.be_patient()

    def be_patient(self) -> None:
        """Judge nothing for JOB_STALL_SECONDS."""
        self.judges_from = time.monotonic() + settings.JOB_STALL_SECONDS

    def look(self) -> None:
        """One look."""
        try:
            close_old_connections()
            self._say_that_it_is_up()
            if self._wake() and time.monotonic() >= self.judges_from and stalled():
                log.error("stalled", oldest_due_seconds=queue.oldest_due_seconds())
                end_group(1)
        except (OperationalError, InterfaceError):
            log.exception("watch_without_database")  # nothing to be judged; a restart would not bring it back
            self.be_patient()

    def _say_that_it_is_up(self) -> None:
        """Every other look: the slot is kept for several."""
        if time.monotonic() >= self.known_until:
            now, has_it = timezone.now(), self.known_until > 0
            limits.take(queue.WORKER, MOST_WORKERS, self.name, now, 5 * WATCH_SECONDS, held=has_it)
            self.known_until = time.monotonic() + 1.5 * WATCH_SECONDS

    def _wake(self) -> bool:
        """Wake runners; whether something is due. While the broker is away nothing can be claimed, which is
        no stall either."""
        try:
            return queue.kick_if_due()
        except DatabaseFault:
            raise
        except Exception:  # each broker's client has errors of its own
            if not (fault := broker.fault()):
                raise
            self.be_patient()
            if time.monotonic() >= self.silent_until:
                log.warning("broker_away", error=fault)
                self.silent_until = time.monotonic() + SAID_EVERY
            return True


def stalled() -> bool:
    """Whether steps have been due for JOB_STALL_SECONDS and in all that time nothing was claimed. Overload is
    no stall: neither steps that are claimed one after the other, nor threads that are all in the middle of
    long calls."""
    limit, now = settings.JOB_STALL_SECONDS, timezone.now()
    if queue.oldest_due_seconds() < limit:
        return False
    if JobStep.objects.filter(claimed_at__gt=now - timedelta(seconds=limit)).exists():
        return False
    return (
        JobStep.objects.filter(held=True, due_at__gt=now).count()
        < settings.JOB_RUNNERS * settings.JOB_THREADS
    )


def _plan_housekeeping() -> None:
    for task, minutes in {**HOUSEKEEPING, **registry.periodic_tasks()}.items():
        Schedule.objects.update_or_create(
            name=task,
            defaults={"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1},
        )

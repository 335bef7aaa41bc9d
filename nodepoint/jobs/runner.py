"""A runner: claims due steps and calls them in threads, one runner to a process, as many processes as there
are seats.

The threads and their heartbeat belong to the process and outlive a slice: a slice only says how long this
process goes on claiming before it hands its django-q2 task back. A call that takes minutes is kept alive by
the heartbeat and delays nobody."""

import gc
import multiprocessing
import os
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.db.utils import Error as DatabaseFault
from django.dispatch import Signal

from nodepoint.clients.deadline import deadline
from nodepoint.jobs import engine, experience, queue
from nodepoint.jobs.errors import UnknownFlow

log = structlog.get_logger("nodepoint.jobs")
begun = Signal()  # sent once in each process that calls steps, after its fork

SLICE = 25.0  # seconds; well under django-q2's timeout (settings.Q_CLUSTER)
SEAT_LEASE = 10.0
BEAT = 3.0  # seconds between two renewals of what is being called
STOOD_STILL = 4 * BEAT  # seconds between two, after which this process was stopped or waited for the database
LONGEST_CALL = 240.0  # all remote calls of a step's call; one that hangs longer is not renewed any more
IDLE_PAUSE = 0.04

# 1 once the worker command is asked to stop. Shared memory inherited by fork, without a lock on purpose: a
# process that is killed while it holds the lock of a multiprocessing primitive locks it for ever.
_stopping = multiprocessing.RawValue("b", 0)


def stop() -> None:
    """Make the runners of all processes forked from this one stop taking steps."""
    _stopping.value = 1


def stopping() -> bool:
    """Whether the worker command was asked to stop."""
    return bool(_stopping.value)


class Runner:
    """Claims and calls steps in at most `threads` threads."""

    def __init__(self, threads: int) -> None:
        self.clock = engine.WallClock()
        self.threads = threads
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="step")
        self.name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.worker = f"{socket.gethostname()}-{os.getpgrp()}"  # the command, which leads its group
        self._calls: dict[engine.Claim, float] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._beat = threading.Thread(target=self._renew_for_ever, daemon=True, name="heartbeat")
        self._beat.start()

    def close(self) -> None:
        """Wait for the calls that go on, then end the threads."""
        self.pool.shutdown()
        self._closed.set()
        self._beat.join()

    def slice(self, seconds: float) -> None:
        """Take a seat and work for `seconds`; returns at once when all seats are taken."""
        end, seat_until = time.monotonic() + seconds, 0.0
        while time.monotonic() < end and not stopping():
            if time.monotonic() > seat_until - SEAT_LEASE + 1:
                if not queue.take_seat(self.name, self.worker, self.clock.now(), SEAT_LEASE):
                    return
                seat_until = time.monotonic() + SEAT_LEASE
            if not self._claim_some():
                time.sleep(IDLE_PAUSE)
        queue.give_seat_back(self.name, self.worker)

    def busy(self) -> int:
        """How many calls are going on."""
        with self._lock:
            return len(self._calls)

    def _claim_some(self) -> int:
        """Claim as many due steps as threads are free and start calling them."""
        free, claimed = self.threads - self.busy(), 0
        if free > 0:
            for claim in engine.claim_due(self.clock.now(), free):
                self._start(claim)
                claimed += 1
        return claimed

    def _start(self, claim: engine.Claim) -> None:
        self._note(claim)
        self.pool.submit(self._work, claim)

    def _work(self, claim: engine.Claim | None) -> None:
        """Call a step and go straight on with what became due by it; further branches go to other threads."""
        close_old_connections()
        while claim is not None:
            following = self._call(claim)
            claim = None if stopping() else self._go_on(following)

    def _go_on(self, step_ids: list[int]) -> engine.Claim | None:
        """Claim the first of these steps that can be had for this thread, and have other threads call the
        rest."""
        mine = None
        try:
            for step_id in step_ids:
                if mine is None:
                    mine = engine.claim(step_id, self.clock.now())
                elif self.busy() < self.threads and (claim := engine.claim(step_id, self.clock.now())):
                    self._start(claim)
        except DatabaseFault:
            log.exception("step_not_claimed")  # it stays due: the next slice finds it
        if mine is not None:
            self._note(mine)
        return mine

    def _call(self, claim: engine.Claim) -> list[int]:
        try:
            with deadline(LONGEST_CALL):  # slow answers one after the other are no reason to lose the step
                return engine.execute(claim, self.clock)
        except DatabaseFault:
            # The database is away or chose us as a deadlock's victim: the lease ends by itself and the step
            # is looked at again.
            log.exception("step_not_recorded", step=claim.step.name, job=claim.step.job_id)
            close_old_connections()
        except UnknownFlow as error:
            log.error("unknown_flow", error=str(error), job=claim.step.job_id)
        except Exception:
            # A thread that dies silently would be worse; the step comes back when its lease ends.
            log.exception("engine_surprised", step=claim.step.name, job=claim.step.job_id)
        finally:
            with self._lock:
                self._calls.pop(claim, None)
        return []

    def _note(self, claim: engine.Claim) -> None:
        with self._lock:
            self._calls[claim] = time.monotonic()

    def _renew_for_ever(self) -> None:
        before = time.monotonic()
        while not self._closed.wait(BEAT):
            before = self._note_standstill(before)
            oldest = time.monotonic() - LONGEST_CALL
            youngest = time.monotonic() - BEAT
            with self._lock:
                claims = [claim for claim, since in self._calls.items() if oldest < since < youngest]
            if claims:
                self._renew(claims)

    def _note_standstill(self, before: float) -> float:
        """The time of this beat; `before` is that of the last one."""
        now = time.monotonic()
        if now - before > STOOD_STILL:
            experience.distrust(self.clock.now())
        return now

    def _renew(self, claims: list[engine.Claim]) -> None:
        try:
            close_old_connections()
            engine.renew(claims, self.clock.now())
        except (
            DatabaseFault
        ):  # whatever it is: without the heartbeat every lease of this process would be lost
            log.exception("lease_not_renewed")


_runner: Runner | None = None


def of_this_process() -> Runner:
    """The runner of this process, made at its first use: threads do not survive a fork."""
    global _runner
    if _runner is None:
        # Rows and queries die by reference counting. By default the collector walks all of Django's objects
        # every few calls and finds nothing: 5 % of the engine's processor time.
        gc.freeze()
        gc.set_threshold(20_000)
        _runner = Runner(settings.JOB_THREADS)
        begun.send(Runner)
    return _runner

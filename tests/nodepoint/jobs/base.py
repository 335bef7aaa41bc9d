"""What the tests of the engine share: flows made of scripted steps, a clock moved by hand, and threads on
either database."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from django.db import connection, connections
from django.test import TestCase, TransactionTestCase

from nodepoint.jobs import engine, experience, queue, registry, transitions
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Outcome
from nodepoint.jobs.testing import MovedClock, run_until_idle
from sites.models import Plan

KIND = "test.flow"
SLACK = timedelta(seconds=transitions.MOST_DELAY)
S = JobStep.State

Scripted = Outcome | BaseException | Callable[[Call], Outcome]


class Script:
    """A step function that gives its outcomes one after the other, the last one for ever; `calls` are those
    it was given."""

    def __init__(self, journal: list[str], entry: str, outcomes: tuple[Scripted, ...]) -> None:
        self.journal = journal
        self.entry = entry
        self.outcomes = outcomes
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> Outcome:
        outcome = self.outcomes[min(len(self.calls), len(self.outcomes) - 1)]
        self.calls.append(call)
        self.journal.append(self.entry)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome if isinstance(outcome, Outcome) else outcome(call)


class FlowMixin:
    """Registers flows that are forgotten at the end of the test."""

    subject = "thing:1"

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.dict(registry._flows))
        experience.forget()
        self.clock = MovedClock()
        self.journal: list[str] = []

    def step(
        self,
        name: str,
        *outcomes: Scripted,
        undo: Scripted | tuple[Scripted, ...] | None = None,
        **options: Any,
    ) -> registry.Step:
        """A scripted step (Done if no outcome is given); `undo`: what its undo says, None where it has
        none."""
        run = Script(self.journal, name, outcomes or (Done(),))
        if undo is None:
            options.setdefault("nothing_to_undo", "It is a test.")
        else:
            undo = Script(self.journal, f"undo {name}", undo if isinstance(undo, tuple) else (undo,))
        return registry.Step(name, f"Doing {name}", run, undo=undo, **options)

    def flow(self, *steps: registry.Step, **options: Any) -> registry.Flow:
        """Register a flow of these steps, `test.flow` unless `name` says otherwise, with a deadline of an
        hour."""
        options = {
            "name": KIND,
            "title": "Test things",
            "subject": "",
            "scope": "sites",
            "deadline": 3600,
        } | options
        return registry.register(registry.Flow(steps=steps, **options))

    def submit(self, kind: str = KIND, subject: str = "", **options: Any) -> Job:
        """Submit a job at the time that the clock shows."""
        with mock.patch("django.utils.timezone.now", self.clock.now):
            return queue.submit(kind, subject or self.subject, **options)

    def row(self, name: str, job: Job | None = None) -> JobStep:
        """The present row of a step."""
        rows = JobStep.objects.select_related("job").filter(name=name)
        return rows.get(job=job) if job else rows.get()

    def claim(self, name: str, job: Job | None = None) -> engine.Claim:
        """Take a step that is due."""
        row = self.row(name, job)
        if row.due_at:  # a step with slack is put off a little
            self.clock.time = max(self.clock.time, min(row.due_at, self.clock.time + SLACK))
        claim = engine.claim(row.pk, self.clock.now())
        assert claim is not None, f"{name} is not due"
        return claim

    def call(self, name: str, job: Job | None = None) -> list[int]:
        """Claim a step and call it."""
        return engine.execute(self.claim(name, job), self.clock)

    def run_jobs(self, until: datetime | None = None, most: int = 2000) -> int:
        """Call steps by the moved clock until nothing is left to do."""
        return run_until_idle(self.clock, until=until, most=most)

    def due(self) -> list[int]:
        """The ids of the steps that are due now."""
        return list(JobStep.objects.filter(due_at__lte=self.clock.now()).values_list("pk", flat=True))

    def states(self, job: Job) -> dict[str, str]:
        """The states of a job's steps."""
        return dict(job.steps.values_list("name", "state"))

    def seconds_since(self, start: datetime) -> float:
        """How far the clock was moved since `start`."""
        return (self.clock.now() - start).total_seconds()


class EngineTestCase(FlowMixin, TestCase):
    """One thread, rolled back at the end."""

    def make_plan(self) -> Plan:
        """A row for jobs to work on, of any model that has columns."""
        return Plan.objects.create(name="engine", memory_mb=512, disk_gb=5, cores=1, backups=1, domains=1)


@contextmanager
def _database_in_a_file() -> Iterator[None]:
    """SQLite's database for tests lies in memory, where threads cannot wait for one another's locks: put a
    copy into a file."""
    settings, before = connection.settings_dict, connections["default"]
    name = settings["NAME"]
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "threads.sqlite3")
        with before.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [file])
        settings["NAME"] = file
        connections["default"] = connections.create_connection("default")
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = before
            settings["NAME"] = name


class ThreadsTestCase(FlowMixin, TransactionTestCase):
    """Real transactions of several threads, on either database. Only the engine's own tables are emptied
    afterwards."""

    available_apps = ["nodepoint.jobs", "nodepoint.notices", "django_q"]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if connection.vendor == "sqlite":
            cls.enterClassContext(_database_in_a_file())

    def together(self, function: Callable[[int], Any], count: int) -> list[Any]:
        """What `function(0)` to `function(count - 1)` return, called in as many threads at the same
        moment."""
        barrier = threading.Barrier(count)

        def work(number: int) -> Any:
            try:
                barrier.wait(10)
                return function(number)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(work, range(count)))

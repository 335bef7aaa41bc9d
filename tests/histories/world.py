"""The world of a history: a lab, the product on its rows, one clock for both, and what was said to whom."""

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from django.core import mail
from django.test import Client, override_settings

import lab
from dns import connections as dns_connections
from lab.proxmox.state.model import Container
from lab.proxmox.state.storages import STORAGES
from nodepoint.api.models import Token
from nodepoint.clients import counting
from nodepoint.jobs import engine, experience
from nodepoint.jobs.models import JobStep
from nodepoint.jobs.testing import MovedClock
from sites import connections, live
from tests.base import typed
from tests.histories import people
from tests.histories.people import Broken
from tests.staff.base import make_staff

RESERVED_FOR_JOBS = ("internal", "unavailable")  # codes of answers that no history excuses


BORDERS = {
    "before the call": ("_call", False),
    "between call and record": ("_call", True),
    "in the record": ("_changes_nothing", False),
    "after the record": ("_log", False),
}
"""Where a runner may die: at the beginning or the end of a function of the engine."""


class Killed(BaseException):
    """As if the worker had been killed: nothing catches it, nothing is tidied up."""


@dataclass
class Promise:
    """What billing was told last about a service; None: nothing yet."""

    suspended: bool | None = None
    deleted: bool = False


@dataclass
class World:
    """A lab by the clock of the test, so that whatever lasts there lasts no time here. `speed` as the lab's:
    0 or 1. Enter it inside a transaction, which nobody commits."""

    speed: float = 1.0
    release: str = "9.2"
    storage: str = "global-lvm"
    certificates: str = "shared"
    pool: int = 0
    archives: str = ""  # the storage for them
    # From now on: clients know no other clock than the machine's, by which certificates end.
    clock: MovedClock = field(default_factory=MovedClock)
    strangers: list[int] = field(default_factory=lambda: list(people.FOREIGN_VMIDS))
    promises: dict[str, Promise] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict, repr=False)  # links and keys that were shown, by owner
    dies: tuple[str, int] | None = None  # at which border, after how many calls
    stalls: int | None = None  # after how many calls
    meanwhile: tuple[int, Callable[[], None]] | None = None  # after how many remote calls of steps, and what
    killed: int = 0

    def __enter__(self) -> "World":
        self._end = ExitStack()
        self.lab = lab.start(speed=self.speed, proxmox_release=self.release)
        self._end.callback(self.lab.stop)
        values = {**self.lab.settings, "PROXMOX_STORAGE": self.storage, "STAFF_EMAIL": "staff@nodepoint.eu"}
        values["ARCHIVE_STORAGE"] = self.archives
        if self.certificates != "shared":
            values["NPM_CERTIFICATE"] = "letsencrypt"
        self._end.enter_context(override_settings(**typed(values), POOL_SIZE=self.pool))
        self._end.enter_context(mock.patch("django.utils.timezone.now", self.clock.now))
        self._end.enter_context(mock.patch("time.time", lambda: self.clock.time.timestamp()))
        self._end.enter_context(mock.patch.object(self.lab, "sleep", self.clock.move))
        for border, (name, afterwards) in BORDERS.items():
            self._end.enter_context(mock.patch.object(engine, name, self._mortal(border, name, afterwards)))
        self._end.enter_context(mock.patch.object(engine, "_call", self._stoppable(engine._call)))
        enter = self._interrupted(counting.observed.__enter__)
        self._end.enter_context(mock.patch.object(counting.observed, "__enter__", enter))
        self.called: list[JobStep] = []  # one in the other, where another runner took over
        self.nowhere = self._end.enter_context(Path(os.devnull).open("w"))
        self._end.enter_context(mock.patch.object(live, "PATIENCE", 0.3))  # of real seconds
        forget()
        mail.outbox = []
        _, self.secret = Token.issue("histories", ["sites", "dns", "support"], rate_per_minute=0)
        self.client, self.staff = Client(), Client()
        self.staff.force_login(make_staff("olga", "operator", superuser=True))
        people.settle_in(self)
        self.foreign = people.foreign_things(self)
        return self

    def __exit__(self, *error: object) -> None:
        self._end.close()
        forget()

    # What is asked.

    def post(self, who: str, path: str, **body: Any):
        """A call of billing or of a customer (`who`: a service, or a customer of DNS) that waits for
        nothing."""
        headers = {"Authorization": f"Bearer {self.secret}", "Prefer": "respond-async"}
        headers["Accept"] = "application/json"
        answer = self.client.post(path, body, content_type="application/json", headers=headers)
        return self._heard(who, answer, f"{path} {body}")

    def get(self, who: str, path: str):
        """The same for a reading."""
        headers = {"Authorization": f"Bearer {self.secret}"}
        return self._heard(who, self.client.get(path, headers=headers), path)

    def _heard(self, who: str, answer: Any, asked: str):
        code = answer.json().get("code")
        if code in RESERVED_FOR_JOBS:
            raise Broken(f"{asked} was answered {answer.status_code} {answer.content.decode()}")
        people.refuse_others(who, asked, answer.content.decode())
        return answer

    def press(self, path: str, **form: Any):
        """A button of the admin, with its page's form filled in."""
        answer = self.staff.post(path, {"reason": "a history", **form})
        if answer.status_code >= 500:
            raise Broken(f"{path} was answered {answer.status_code}")
        return answer

    # Work, and time.

    def work(self, seconds: float, most: int = 4000) -> int:
        """Call what becomes due in so many seconds; returns how many calls."""
        end = self.clock.time.timestamp() + seconds
        for calls in range(most):
            step = JobStep.objects.filter(due_at__isnull=False).order_by("due_at", "pk").first()
            if step is None or step.due_at.timestamp() > end:
                self.clock.time = max(self.clock.time, datetime.fromtimestamp(end, UTC))
                return calls
            self.clock.time = max(self.clock.time, step.due_at)
            self.call(step.pk)
        raise Broken(f"Jobs were not idle after {most} calls.")

    def some(self, count: int, turn: int) -> None:
        """Call `count` due steps, each time another one of those that are due."""
        for number in range(count):
            due = list(JobStep.objects.filter(due_at__lte=self.clock.time).order_by("due_at", "pk"))
            if not due:
                coming = JobStep.objects.filter(due_at__isnull=False).order_by("due_at", "pk").first()
                if coming is None:
                    return
                self.clock.time, due = coming.due_at, [coming]
            self.call(due[(turn + number) % len(due)].pk)

    def call(self, step_id: int) -> None:
        """What a runner does with a step; it may die in it."""
        try:
            if held := engine.claim(step_id, self.clock.now()):
                engine.execute(held, self.clock)
        except Killed:
            self.killed += 1

    def _mortal(self, border: str, name: str, afterwards: bool) -> Callable[..., Any]:
        real = getattr(engine, name)

        def call(*arguments: Any) -> Any:
            if not afterwards:
                self._die(border)
            answer = real(*arguments)
            if afterwards:
                self._die(border)
            return answer

        return call

    def _die(self, border: str) -> None:
        """Where and when it was ordered."""
        if self.dies is not None and self.dies[0] == border:
            self.dies = (border, self.dies[1] - 1) if self.dies[1] else None
            if self.dies is None:
                raise Killed

    def _stoppable(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(step: JobStep, *arguments: Any) -> Any:
            self.called.append(step)
            try:
                outcome = real(step, *arguments)
            finally:
                self.called.pop()
            if self.stalls is not None:
                self.stalls = self.stalls - 1 if self.stalls else None
                if self.stalls is None:
                    self.called.append(step)
                    self.take_over()
                    self.called.pop()
            return outcome

        return call

    def _interrupted(self, real: Callable[..., None]) -> Callable[..., None]:
        """Before a remote call that a step makes."""

        def enter(call: Any) -> None:
            in_step = self.called and threading.current_thread() is threading.main_thread()
            if in_step and self.meanwhile is not None:
                left, happen = self.meanwhile
                self.meanwhile = (left - 1, happen) if left else None
                if not left:
                    happen()
            real(call)

        return enter

    def take_over(self) -> None:
        """The lease of the step that is being called ends, and another runner calls it."""
        self.clock.move(engine.LEASE + 1)
        self.call(self.called[-1].pk)

    def runs(self, work: Callable[[], Any]) -> None:
        """A periodic look, as a worker makes it; readings that processes share are not older than it."""
        live.forget()
        work()

    # What there is.

    @property
    def cluster(self):
        """Proxmox VE in the lab; take `lab.lock`."""
        return self.lab.proxmox.cluster

    def container(self, vmid: int | None) -> Container | None:
        """As it stands there."""
        return self.cluster.containers.get(vmid)

    def strangers_do(self, work: Callable[[], Any]) -> None:
        """Others add to their things, which were untouched until then."""
        if (now := people.foreign_things(self)) != self.foreign:
            raise Broken(f"the things of others were {self.foreign} and are {now}")
        work()
        self.lab.world.settle()
        self.foreign = people.foreign_things(self)

    def free_all(self) -> None:
        """No storage is full any more."""
        with self.lab.lock:
            for name in list(self.cluster.filled):
                self.cluster.fill(STORAGES[name], STORAGES[name].total - self.cluster._given(STORAGES[name]))


def forget() -> None:
    """Whatever this process keeps of another world."""
    connections.forget()
    dns_connections.forget()
    experience.forget()
    live.forget()

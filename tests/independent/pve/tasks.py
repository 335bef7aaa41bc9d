"""Tasks: what a worker does is a generator that yields the seconds until it goes on.

Nothing runs beside: what is due by the cluster's clock is carried out by the next request (`settle`).
"""

import heapq
import inspect
import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from tests.independent.pve.refusals import TaskFailed

Work = Generator[float, None, str | None]


@dataclass
class Task:
    """A worker. `exitstatus` is empty while it runs; `log` as GET …/log gives it."""

    node: str
    type: str
    id: str
    user: str
    start: int
    pid: int
    exitstatus: str = ""
    end: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def upid(self) -> str:
        """UPID:NODE:PID:PSTART:STARTTIME:TYPE:ID:USER: (PVE/Tools.pm, upid_encode)."""
        return (
            f"UPID:{self.node}:{self.pid:08X}:{self.pid * 7:08X}:{self.start:08X}"
            f":{self.type}:{self.id}:{self.user}:"
        )

    @property
    def facts(self) -> dict[str, object]:
        """What list and status share; the user of a token's task stands apart from the token's name."""
        user, _, token = self.user.partition("!")
        found = {
            "upid": self.upid,
            "node": self.node,
            "pid": self.pid,
            "pstart": self.pid * 7,
            "starttime": self.start,
            "type": self.type,
            "id": self.id,
            "user": user,
        }
        return {**found, "tokenid": token} if token else found


class Tasks:
    """All tasks of the cluster, and everything else that happens later."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._latest = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)
        self._working: float | None = None
        self.all: list[Task] = []
        self.held: set[str] = set()

    def now(self) -> float:
        """The cluster's time, which never goes back; while something due is carried out, the time of that."""
        if self._working is not None:
            return self._working
        self._latest = max(self._latest, self._clock())
        return self._latest

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """`act` happens `seconds` from now."""
        heapq.heappush(self._due, (self.now() + seconds, next(self._numbers), act))

    def every(self, seconds: float, act: Callable[[], None]) -> None:
        """`act` happens again and again."""

        def again() -> None:
            act()
            self.later(seconds, again)

        self.later(seconds, again)

    def settle(self) -> None:
        """Carry out what is due."""
        now = self.now()
        try:
            while self._due and self._due[0][0] <= now:
                self._working, _, act = heapq.heappop(self._due)
                act()
        finally:
            self._working = None

    def begin(self, kind: str, of: object, user: str, node: str, work: Work) -> str:
        """PVE::RESTEnvironment::fork_worker: its UPID; the worker has taken its first step."""
        task = Task(node, kind, str(of), user, int(self.now()), 1000 + next(self._numbers))
        self.all.append(task)
        self._step(task, work)
        return task.upid

    def hold(self, kind: str) -> None:
        """Tasks of this type do not get to their end until they are let go."""
        self.held.add(kind)

    def let_go(self) -> None:
        """They go on."""
        self.held.clear()

    def of(self, kind: str) -> list[Task]:
        """All that were ever begun of a type, oldest first."""
        return [task for task in self.all if task.type == kind]

    def _step(self, task: Task, work: Work) -> None:
        if task.exitstatus:
            return  # killed meanwhile
        if task.type in self.held and inspect.getgeneratorstate(work) != inspect.GEN_CREATED:
            self.later(5, lambda: self._step(task, work))
            return
        try:
            seconds = next(work)
        except StopIteration as stop:
            self.finish(task, stop.value or "OK")
        except TaskFailed as error:
            self.finish(task, str(error))
        else:
            self.later(seconds, lambda: self._step(task, work))

    def finish(self, task: Task, exitstatus: str) -> None:
        """The task's last line."""
        task.exitstatus, task.end = exitstatus, int(self.now())
        task.log.append("TASK OK" if exitstatus == "OK" else f"TASK ERROR: {exitstatus}")

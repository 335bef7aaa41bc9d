"""Tasks: forked by a call, at work for some seconds, ended with an exitstatus; kept in a log like a real
node's."""

import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lab.clock import Clock
from lab.faults import Faults
from lab.proxmox.errors import BadParameter, TaskFailed, failure
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container, Task
from lab.world import World

Accident = Callable[[Task], str]
"""What a task says that fails in the middle: what it has locked stays locked."""

Half = Callable[..., None]
"""``half(task, now, **args)``: the beginning or the end of a task's work; raises TaskFailed."""


@dataclass(frozen=True)
class Kind:
    """A type of task. ``holds``: it keeps the container's config lock file from begin to end; ``waits``: it
    needs that file at its beginning, and waits for another holder up to 10 s (times the clock's factor);
    ``alone``: one on a node at a time, the others wait up to three hours. ``interrupted``: what one at work
    tidies up when it is stopped, and says then."""

    begin: Half
    end: Half
    holds: bool
    waits: bool
    alone: bool
    accident: Accident
    interrupted: Accident


CONFIG_LOCK_SECONDS = 10
ALONE_SECONDS = 180 * 60
KEPT = 2000


class Tasks:
    """Every task of the cluster by UPID. Call with the lab's lock held."""

    def __init__(self, inventory: Inventory, world: World, clock: Clock, faults: Faults) -> None:
        self._inventory, self._world, self.clock, self._faults = inventory, world, clock, faults
        self._kinds: dict[str, Kind] = {}
        self._tasks: dict[str, Task] = {}
        stored = (Task(**task) for task in inventory.store.load("task").values())
        for task in sorted(stored, key=lambda task: (task.starttime, task.pid)):
            self._tasks[task.upid] = task
        self._pids = itertools.count(random.randrange(1000, 500_000) + len(self._tasks))
        world.on("task.begin", self._begin_late)
        world.on("task.end", self._end)

    def define(
        self,
        type: str,
        begin: Half,
        end: Half,
        *,
        holds: bool = False,
        waits: bool = False,
        alone: bool = False,
        accident: Accident = lambda task: f"command '{task.type}' failed: exit code 1",
        interrupted: Accident = lambda task: "received interrupt",
    ) -> None:
        """Say what a type of task does; see Kind. What holds the lock file waits for it too."""
        self._kinds[type] = Kind(begin, end, holds, holds or waits, alone, accident, interrupted)

    def fork(
        self,
        node: str,
        type: str,
        id: str | int,
        user: str,
        duration: str,
        now: float,
        *,
        seconds: float | None = None,
        **args: Any,
    ) -> str:
        """Start a task that takes ``duration`` (a kind of lab.clock), or ``seconds``. Returns its UPID."""
        pid = next(self._pids)
        pstart = int(now * 100) & 0xFFFFFFFF
        starttime = int(now)
        upid = f"UPID:{node}:{pid:08X}:{pstart:08X}:{starttime:08X}:{type}:{id}:{user}:"
        task = Task(
            upid,
            node,
            pid,
            pstart,
            starttime,
            type,
            str(id),
            user,
            self.clock.seconds(duration) if seconds is None else seconds,
            args,
        )
        self._tasks[upid] = task
        self._prune()
        holder = self._holder(task)
        if holder is None:
            self._begin(task, now)
        else:
            alone = self._kinds[type].alone
            patience = now + (ALONE_SECONDS if alone else CONFIG_LOCK_SECONDS) * self.clock.factor
            if alone:
                task.log.append("INFO: trying to get global lock - waiting...")
            self._await(task, holder, patience)
        return upid

    def get(self, upid: str, node: str) -> Task:
        """The task; raises BadParameter for one that never was, or not on that node."""
        task = self._tasks.get(upid)
        if task is None or task.node != node:
            text = "no such task" if upid.count(":") == 8 else "unable to parse worker upid"
            raise BadParameter({"upid": text})
        return task

    def container(self, task: Task) -> Container:
        """The container that a task works on; TaskFailed where it is not on the task's node (any more)."""
        container = self._container(task)
        if container is None or container.node != task.node:
            raise TaskFailed(f"Configuration file 'nodes/{task.node}/lxc/{task.id}.conf' does not exist")
        return container

    def unlocked(self, task: Task) -> Container:
        """The same, without a lock in its config."""
        container = self.container(task)
        if container.lock:
            raise TaskFailed(f"CT is locked ({container.lock})")
        return container

    def at_work(self, upid: str) -> bool:
        """Whether that task has no end yet; one that is long forgotten has."""
        task = self._tasks.get(upid)
        return task is not None and task.running

    def all(self) -> Iterable[Task]:
        """Newest first."""
        return reversed(self._tasks.values())

    def running(self, vmid: int, type: str) -> Task | None:
        """The task of that type at work on a container."""
        wanted = (task for task in self.all() if task.type == type and task.id == str(vmid) and task.running)
        return next(wanted, None)

    def stop(self, task: Task, now: float) -> None:
        """End a task by a signal, as DELETE does; only some kinds tidy up what they have locked."""
        if task.running:
            interrupted = self._kinds[task.type].interrupted
            self.abort(task, now, interrupted(task) if task.begun else "received interrupt")

    def abort(self, task: Task, now: float, exitstatus: str) -> None:
        """End a task from outside; what it has locked in the config stays locked."""
        if task.running:
            self._world.cancel(task.event)
            self._finish(task, now, exitstatus)

    def lose_node(self, node: str, now: float) -> None:
        """A node died: its tasks end without a last line in their log."""
        for task in [task for task in self._tasks.values() if task.node == node and task.running]:
            self.abort(task, now, "unexpected status")

    def _begin_late(self, now: float, upid: str, patience: float) -> None:
        task = self._tasks[upid]
        holder = self._holder(task)
        if holder is None:
            self._begin(task, now)
        elif now < patience:
            self._await(task, holder, patience)
        elif self._kinds[task.type].alone:
            # It exits without a word (pve-manager 9.2.11, PVE/API2/VZDump.pm:136).
            self._finish(task, now, "unexpected status")
        else:
            lock_file = f"/run/lock/lxc/pve-config-{task.id}.lock"
            self._finish(task, now, f"can't lock file '{lock_file}' - got timeout")

    def _await(self, task: Task, holder: Task, patience: float) -> None:
        due = min(self._world.due(holder.event), patience)
        task.event = self._world.at(due, "task.begin", upid=task.upid, patience=patience)
        self._save(task)

    def _begin(self, task: Task, now: float) -> None:
        kind = self._kinds[task.type]
        task.begun = True
        try:
            kind.begin(task, now, **task.args)
        except TaskFailed as failure:
            self._finish(task, now, str(failure))
            return
        container = self._container(task)
        if kind.holds and container is not None:
            container.held = task.upid
            self._inventory.save(container)
        task.event = self._world.at(now + task.seconds, "task.end", upid=task.upid)
        self._save(task)

    def _end(self, now: float, upid: str) -> None:
        task = self._tasks[upid]
        if self._faults.await_one("proxmox", "TASK") and self._faults.take(
            "proxmox", f"TASK {task.type} {task.id}", only="TASK"
        ):
            self._finish(task, now, self._kinds[task.type].accident(task))
            return
        try:
            self._kinds[task.type].end(task, now, **task.args)
        except TaskFailed as failure:
            self._finish(task, now, str(failure))
        else:
            self._finish(task, now, f"WARNINGS: {task.warnings}" if task.warnings else "OK")

    def _finish(self, task: Task, now: float, exitstatus: str) -> None:
        container = self._container(task)
        if container is not None and container.held == task.upid:
            container.held = ""
            self._inventory.save(container)
        task.exitstatus, task.endtime, task.event = exitstatus, now, ""
        good = exitstatus == "OK" or exitstatus.startswith("WARNINGS")
        if exitstatus != "unexpected status":
            task.log.append(f"TASK {exitstatus}" if good else f"TASK ERROR: {exitstatus}")
        self._save(task)

    def _holder(self, task: Task) -> Task | None:
        """The other task that holds the config lock file which this one needs, or that is at work where only
        one may be."""
        kind, container = self._kinds[task.type], self._container(task)
        if kind.alone:
            mates = (other for other in self._tasks.values() if other.running and other.begun)
            return next((m for m in mates if (m.type, m.node) == (task.type, task.node)), None)
        if not kind.waits or container is None or not container.held:
            return None
        return self._tasks.get(container.held)

    def _container(self, task: Task) -> Container | None:
        return self._inventory.containers.get(int(task.id)) if task.id.isdigit() else None

    def _save(self, task: Task) -> None:
        self._inventory.store.save("task", task.upid, task.as_object())

    def _prune(self) -> None:
        if len(self._tasks) > KEPT:
            oldest = next((task for task in self._tasks.values() if not task.running), None)
            if oldest is not None:
                del self._tasks[oldest.upid]
                self._inventory.store.delete("task", oldest.upid)


def refuse_locked(container: Container) -> None:
    """Nothing that is locked may be changed before a fork."""
    if container.lock:
        raise failure(f"CT is locked ({container.lock})")


def task_view(task: Task) -> dict[str, Any]:
    """The fields that task lists and task status share; a token's user stands before the ``!``."""
    user, _, token = task.user.partition("!")
    view = {
        "upid": task.upid,
        "node": task.node,
        "pid": task.pid,
        "pstart": task.pstart,
        "starttime": task.starttime,
        "type": task.type,
        "id": task.id,
        "user": user,
    }
    if token:
        view["tokenid"] = token
    return view

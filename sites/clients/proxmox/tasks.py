"""Tasks: long work that goes on in the cluster and is known by its UPID."""

from dataclasses import dataclass
from typing import Any

from nodepoint.clients.errors import BadAnswer, NotFound
from sites.clients.proxmox.calls import Calls
from sites.clients.proxmox.errors import SYSTEM
from sites.clients.proxmox.values import integer, required, text, upid


@dataclass(frozen=True)
class Task:
    """How a task stands. `ok` is None while it runs and where its end is `unknown` (its node died, its log is
    gone).

    Warnings count as success: creating a systemd container without nesting always warns on 9.x.
    """

    upid: str
    type: str
    running: bool
    ok: bool | None
    exitstatus: str
    unknown: bool


@dataclass(frozen=True)
class TaskEntry:
    """A line of a node's task list; times in epoch seconds. `status` is None while it runs, of which the list
    says `RUNNING` (pve-manager 9.2.11 `PVE/API2/Tasks.pm`, `node_tasks`). What ended a moment ago may still
    be listed so: the task's own status decides."""

    upid: str
    type: str
    id: str
    user: str
    starttime: int
    endtime: int | None
    status: str | None

    @property
    def running(self) -> bool:
        """Whether it was at work when the list was made."""
        return self.status is None

    @property
    def token(self) -> str:
        """Who began it, with the token's name: `api@pam!nodepoint`."""
        return self.upid.split(":")[7]


class Tasks(Calls):
    """Looking at tasks. What made one is told by the call that started it, `task_error` tells why it
    failed."""

    def task_status(self, task: str) -> Task:
        """The state of the task with UPID `task`, asked of the node that runs it (not the container's
        later one)."""
        parts = upid(task).split(":")
        try:
            data = self._get_dict("nodes", parts[1], "tasks", task, "status")
        except NotFound as error:
            return Task(task, parts[5], running=False, ok=None, exitstatus=error.vendor, unknown=True)
        return _task(task, parts[5], data)

    def tasks(
        self, node: str, vmid: int | None = None, typefilter: str | None = None, since: int | None = None
    ) -> list[TaskEntry]:
        """A node's tasks, running ones too, newest first, at most 50: of one container, one type
        ("vzcreate"), begun at or after `since` (epoch seconds). Tells what became of a call whose answer
        was lost."""
        rows = self._get_rows(
            "upid", "nodes", node, "tasks", source="all", vmid=vmid, typefilter=typefilter, since=since
        )
        entries = [
            TaskEntry(
                upid=upid(row["upid"]),
                type=text(row.get("type")),
                id=text(row.get("id")),
                user=text(row.get("user")),
                starttime=integer(row.get("starttime")),
                endtime=integer(row["endtime"]) if row.get("endtime") else None,
                status=_ended(row),
            )
            for row in rows
        ]
        return sorted(entries, key=lambda entry: entry.starttime, reverse=True)

    def task_log(self, task: str) -> list[str]:
        """The lines of a task's log, all of them; none where it is gone."""
        path = ("nodes", upid(task).split(":")[1], "tasks", task, "log")
        try:
            return [text(row.get("t")) for row in self._get_rows("n", *path, limit=0)]
        except NotFound:
            return []

    def _one_of(self, row: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """A task that ends while the list is made stands in it twice, at work and ended: the active ones are
        read first, the archive after them (pve-manager 9.2.11 `PVE/API2/Tasks.pm`, `node_tasks`)."""
        if "upid" in row and not (_ended(row) and _ended(other)):
            return other if _ended(other) else row
        return super()._one_of(row, other)


def _ended(row: dict[str, Any]) -> str | None:
    """With what a listed task ended."""
    status = text(row.get("status"))
    return None if status == "RUNNING" else status or None


def _task(task: str, kind: str, data: dict[str, Any]) -> Task:
    status = required(data, "status")
    if status not in ("running", "stopped") or text(data.get("upid"), task) != task:
        raise BadAnswer(SYSTEM, f"not the state of {task}: {str(data)[:200]}")
    running = status == "running"
    exitstatus = "" if running else text(data.get("exitstatus"), "unexpected status")
    unknown = exitstatus == "unexpected status"
    ok = None if running or unknown else exitstatus == "OK" or exitstatus.startswith("WARNINGS")
    return Task(task, kind, running, ok, exitstatus, unknown)

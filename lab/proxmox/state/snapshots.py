"""Snapshots: taking, deleting, rolling back."""

import copy
from typing import Any

from lab.guest import Guests
from lab.proxmox.errors import TaskFailed, failure
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container, Task, stored_text
from lab.proxmox.state.power import Power
from lab.proxmox.state.tasks import Tasks

RESERVED = ("current", "vzdump")
NOT_ROLLED_BACK = ("description", "parent", "lock")


class Snapshots:
    """Snapshots of containers. Nearly every refusal comes from inside the task."""

    def __init__(self, inventory: Inventory, tasks: Tasks, power: Power, guests: Guests) -> None:
        self._inventory, self._tasks, self._power, self._guests = inventory, tasks, power, guests
        tasks.define("vzsnapshot", self._create_begin, self._create_end, waits=True, accident=self._clean_up)
        tasks.define("vzdelsnapshot", self._delete_begin, self._delete_end, waits=True, accident=self._stuck)
        tasks.define("vzrollback", self._rollback_begin, self._rollback_end, waits=True)

    def create(self, container: Container, user: str, now: float, name: str, description: str) -> str:
        """POST snapshot; returns the UPID."""
        if name in RESERVED:
            raise failure(f"unable to use snapshot name '{name}' (reserved name)")
        return self._fork("vzsnapshot", container, user, "snapshot", now, name=name, description=description)

    def delete(self, container: Container, user: str, now: float, name: str, force: bool) -> str:
        """DELETE snapshot; returns the UPID."""
        return self._fork("vzdelsnapshot", container, user, "task", now, name=name, force=force)

    def roll_back(self, container: Container, user: str, now: float, name: str, start: bool) -> str:
        """POST rollback: the whole configuration of that time comes back, the container stays stopped.
        ``start``: another task is forked at the end, whose UPID nobody gets. Returns the UPID."""
        return self._fork("vzrollback", container, user, "rollback", now, name=name, start=start)

    def get(self, container: Container, name: str) -> dict[str, Any]:
        """A snapshot's entry."""
        if name not in container.snapshots:
            raise failure(f"snapshot '{name}' does not exist")
        return container.snapshots[name]

    def set_description(self, container: Container, name: str, description: str) -> None:
        """PUT snapshot config."""
        self.get(container, name)["description"] = stored_text(description)
        self._inventory.save(container)

    def all(self, container: Container) -> list[dict[str, Any]]:
        """All entries, and the pseudo entry ``current`` at the end."""
        entries = []
        for name, snapshot in sorted(container.snapshots.items(), key=lambda item: item[1]["snaptime"]):
            entry = {key: value for key, value in snapshot.items() if key != "config"}
            entries.append({"name": name, **entry})
        current: dict[str, Any] = {
            "name": "current",
            "description": "You are here!",
            "digest": container.digest(),
        }
        current["running"] = int(container.running)
        if "parent" in container.config:
            current["parent"] = container.config["parent"]
        return [*entries, current]

    def _fork(
        self, type: str, container: Container, user: str, duration: str, now: float, **args: Any
    ) -> str:
        return self._tasks.fork(container.node, type, container.vmid, user, duration, now, **args)

    def take(self, container: Container, name: str, description: str, now: float) -> None:
        """Begin a snapshot: its entry, marked as not finished."""
        if name in container.snapshots:
            raise TaskFailed(f"snapshot name '{name}' already used")
        if not container.storage or not container.storage.snapshots:
            raise TaskFailed("snapshot feature is not available")
        if not self._inventory.free(container.storage):
            raise TaskFailed(container.storage.no_snapshot(container.volume, name))
        config = {key: value for key, value in container.config.items() if key not in NOT_ROLLED_BACK}
        entry: dict[str, Any] = {"config": config, "snapstate": "prepare"}
        entry["description"] = stored_text(description)
        entry["snaptime"] = int(now)
        if "parent" in container.config:
            entry["parent"] = container.config["parent"]
        container.snapshots[name] = entry
        self._inventory.save(container)

    def commit(self, container: Container, name: str, now: float) -> None:
        """End a snapshot: it is what the container descends from now."""
        del container.snapshots[name]["snapstate"]
        container.config["parent"] = name
        self._guests.snapshot(container.vmid, name, now)
        self._inventory.save(container)

    def remove(self, container: Container, name: str) -> None:
        """Forget a snapshot; its children descend from its parent then."""
        parent = container.snapshots.pop(name).get("parent")
        for holder in [container.config, *container.snapshots.values()]:
            if holder.get("parent") == name:
                holder.pop("parent")
                if parent:
                    holder["parent"] = parent
        self._guests.delete_snapshot(container.vmid, name)
        self._inventory.save(container)

    def _create_begin(self, task: Task, now: float, name: str, description: str) -> None:
        container = self._tasks.unlocked(task)
        self.take(container, name, description, now)
        self._lock(container, "snapshot")

    def _create_end(self, task: Task, now: float, name: str, description: str) -> None:
        container = self._tasks.container(task)
        self.commit(container, name, now)
        self._unlock(container)

    def _clean_up(self, task: Task) -> str:
        container, name = self._tasks.container(task), task.args["name"]
        container.snapshots.pop(name, None)
        self._unlock(container)
        return container.storage.no_snapshot(container.volume, name) if container.storage else "got timeout"

    def _delete_begin(self, task: Task, now: float, name: str, force: bool) -> None:
        container = self._tasks.container(task)
        entry = self._existing(container, name)
        self._tasks.unlocked(task)
        entry["snapstate"] = "delete"
        self._lock(container, "snapshot-delete")

    def _delete_end(self, task: Task, now: float, name: str, force: bool) -> None:
        container = self._tasks.container(task)
        self.remove(container, name)
        self._unlock(container)

    def _stuck(self, task: Task) -> str:
        """The lock and the mark stay: nothing but ``pct unlock`` ends it."""
        container = self._tasks.container(task)
        text = (
            container.storage.stuck_snapshot(container.volume, task.args["name"]) if container.storage else ""
        )
        return text or "got timeout"

    def _rollback_begin(self, task: Task, now: float, name: str, start: bool) -> None:
        container = self._tasks.container(task)
        entry = self._existing(container, name)
        if container.storage and container.storage.newest_only:
            # The insertion order is the order of taking: times have whole seconds only.
            newest = list(container.snapshots)[-1]
            if newest != name:
                where = f"is not most recent snapshot on '{container.volume}'"
                raise TaskFailed(f"can't rollback, '{name}' {where}")
        if "snapstate" in entry:
            raise TaskFailed(f"unable to rollback to incomplete snapshot (snapstate = {entry['snapstate']})")
        self._tasks.unlocked(task)
        self._lock(container, "rollback")
        self._power.halt(container, now)

    def _rollback_end(self, task: Task, now: float, name: str, start: bool) -> None:
        container = self._tasks.container(task)
        kept = {key: container.config[key] for key in ("description",) if key in container.config}
        container.config = {**copy.deepcopy(container.snapshots[name]["config"]), **kept, "parent": name}
        container.pending = {}
        self._guests.roll_back(container.vmid, name)
        self._inventory.save(container)
        if start:
            self._power.fork_start(container, task.user, now)

    def _existing(self, container: Container, name: str) -> dict[str, Any]:
        if name not in container.snapshots:
            raise TaskFailed(f"snapshot '{name}' does not exist")
        return container.snapshots[name]

    def _lock(self, container: Container, lock: str) -> None:
        container.config["lock"] = lock
        self._inventory.save(container)

    def _unlock(self, container: Container) -> None:
        container.config.pop("lock", None)
        self._inventory.save(container)

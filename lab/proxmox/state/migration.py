"""Moving containers to another node (pve-container 6.1.10, `src/PVE/API2/LXC.pm:1618-1754` and
`src/PVE/LXC/Migrate.pm`; pve-guest-common 6.0.2, `src/PVE/AbstractMigrate.pm`)."""

from typing import Any

from lab.proxmox.errors import BadParameter, TaskFailed, failure
from lab.proxmox.state.access import Access
from lab.proxmox.state.ha import HighAvailability
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import BRIDGES, Container, Task
from lab.proxmox.state.power import Power
from lab.proxmox.state.storages import Storage
from lab.proxmox.state.tasks import Tasks

ABORTED, PROBLEMS = "migration aborted", "migration problems"
TIMEOUT = 180  # seconds that a restart migration gives the container to end
KEEPS_SNAPSHOTS = ("zfspool", "btrfs")  # of local storages, those that take snapshots along
SAME = "1"  # as `target-storage`: each storage to itself


class Migrations:
    """Every failure is called the same at the task's end: why stands in its log alone."""

    def __init__(
        self, inventory: Inventory, access: Access, tasks: Tasks, power: Power, ha: HighAvailability
    ) -> None:
        self._inventory, self._access, self._tasks = inventory, access, tasks
        self._power, self._ha = power, ha
        tasks.define("vzmigrate", self._begin, self._end, holds=True, accident=self._broken)

    def migrate(self, container: Container, user: str, now: float, values: dict[str, Any]) -> str:
        """POST migrate: ``vzmigrate``, or, of an HA resource, ``hamigrate``, which ends as soon as the
        manager is told, and knows neither ``restart`` nor ``target-storage``. Returns the UPID."""
        target, restart = values["target"], bool(values.get("restart"))
        if target == container.node:
            raise BadParameter({"target": "target is local node."})
        if target not in self._inventory.nodes:
            raise failure(f"no such cluster node '{target}'")
        if container.running and not restart and not values.get("online"):
            raise failure("can't migrate running container without --online or --restart")
        storage = self._target_storage(container, values.get("target-storage", ""))
        if self._ha.commands(container.vmid):
            return self._ha.fork_migrate(container, user, now, target=target)
        timeout = float(values.get("timeout", TIMEOUT))
        waits = container.running and container.stubborn
        return self._tasks.fork(
            container.node,
            "vzmigrate",
            container.vmid,
            user,
            "migrate",
            now,
            seconds=timeout * self._tasks.clock.factor if waits else None,
            target=target,
            restart=restart,
            storage=storage,
        )

    def _target_storage(self, container: Container, text: str) -> str:
        """Where a local root file system goes; empty: to the storage of the same name."""
        if not text:
            return ""
        if text != SAME:
            self._access.check_guest(container.vmid, container.pool, "VM.Config.Disk")
        pairs = dict(part.split(":", 1) for part in text.split(",") if ":" in part)
        plain = [part for part in text.split(",") if ":" not in part and part != SAME]
        for name in [*pairs.values(), *plain]:
            storage = self._inventory.storage(name)
            self._access.check(f"/storage/{name}", "Datastore.AllocateSpace")
            if "rootdir" not in storage.content:
                raise failure(f"storage '{name}' does not support CT rootdirs")
        here = container.storage.name if container.storage else ""
        return pairs.get(here) or next(iter(plain), "")

    # Inside the task.

    def _begin(self, task: Task, now: float, target: str, restart: bool, storage: str = "") -> None:
        """What is looked at before anything is done; then the container ends, and is locked."""
        container = self._tasks.container(task)
        running = container.running
        if container.lock:
            raise self._aborted(task, f"CT is locked ({container.lock})")
        if running and not restart:
            raise self._aborted(task, "running container can only be migrated in restart mode")
        if not self._inventory.nodes[target].up:
            raise self._aborted(task, "Can't connect to destination address using public key")
        if running and container.stubborn:
            return  # it has as long as the task lasts
        task.args["was_running"] = running
        if running:
            task.log.append(f"shutdown CT {task.id}")
            self._power.halt(container, now)
        task.log.append(f"starting migration of CT {task.id} to node '{target}'")
        if reason := self._unmovable(container):
            self._start_again(container, running, now)
            task.log.append(f"can't migrate local volume '{container.volume}': {reason}")
            raise self._aborted(task, "can't migrate CT - check log")
        container.config["lock"] = "migrate"
        self._inventory.save(container)

    def _unmovable(self, container: Container) -> str:
        storage = container.storage
        if storage is None or storage.shared or not container.snapshots:
            return ""
        return "" if storage.kind in KEEPS_SNAPSHOTS else "non-migratable snapshot exists"

    def _end(
        self,
        task: Task,
        now: float,
        target: str,
        restart: bool,
        storage: str = "",
        was_running: bool | None = None,
    ) -> None:
        container = self._tasks.container(task)
        if was_running is None:
            raise self._aborted(task, "container did not stop")
        if not self._inventory.nodes[target].up:
            raise TaskFailed(self._broken(task))
        there = self._inventory.storage(storage) if storage else container.storage
        if container.storage and not container.storage.shared and there:
            self._carry(container, there)
        container.node = target
        del container.config["lock"]
        self._inventory.save(container)
        if was_running and restart:
            self._start_there(task, container, now)

    def _carry(self, container: Container, storage: Storage) -> None:
        """The root file system is another volume now, where it has another storage."""
        if storage is container.storage:
            return
        _, _, options = str(container.config["rootfs"]).partition(",")
        volume = storage.volume_name(container.vmid, f"{container.vmid:08x}")
        container.config["rootfs"] = f"{storage.name}:{volume},{options}"

    def _start_there(self, task: Task, container: Container, now: float) -> None:
        """By ``pct start`` on the other node; where that fails, it has moved all the same."""
        task.log.append("start container on target node")
        if container.net0.get("bridge", BRIDGES[0]) not in BRIDGES:
            raise TaskFailed(PROBLEMS)
        self._power.boot(container, now)

    def _start_again(self, container: Container, was_running: bool, now: float) -> None:
        """In restart mode it is started where it was (`final_cleanup`)."""
        if was_running:
            self._power.boot(container, now)

    def _broken(self, task: Task) -> str:
        """A failure in the middle: what was locked is unlocked, what ran is started where it was."""
        container = self._tasks.container(task)
        container.config.pop("lock", None)
        self._inventory.save(container)
        restarted = task.args["restart"] and task.args.get("was_running")
        self._start_again(container, bool(restarted), task.starttime)
        task.log.append("aborting phase 1 - cleanup resources")
        return ABORTED

    @staticmethod
    def _aborted(task: Task, reason: str) -> TaskFailed:
        task.log.append(f"ERROR: migration aborted (duration 00:00:00): {reason}")
        return TaskFailed(ABORTED)

"""The power of containers: the tasks that start and stop them, whoever asked for it."""

from collections.abc import Callable

from lab.guest import Guests
from lab.proxmox.errors import TaskFailed
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import BRIDGES, Container, Task
from lab.proxmox.state.tasks import Tasks

PATIENCE = 60.0  # seconds that a shutdown waits for its guest, unless told otherwise

Watcher = Callable[[Container, float], None]
"""``watcher(container, now)`` is told after a container was started, or stopped."""


class Power:
    """Starts and stops, without a look at HA."""

    def __init__(self, inventory: Inventory, tasks: Tasks, guests: Guests) -> None:
        self._inventory, self._tasks, self._guests = inventory, tasks, guests
        self.started: list[Watcher] = []
        self.stopped: list[Watcher] = []
        tasks.define("vzstart", self._start_begin, self._start_end, holds=True)
        tasks.define("vzstop", self._stop_begin, self._stop_end, holds=True)
        tasks.define("vzshutdown", self._shutdown_begin, self._shutdown_end, holds=True)
        tasks.define("vzreboot", self._reboot_begin, self._start_end, holds=True)

    def fork_start(self, container: Container, user: str, now: float) -> str:
        """Fork ``vzstart``; returns its UPID."""
        return self._tasks.fork(container.node, "vzstart", container.vmid, user, "start", now)

    def fork_stop(self, container: Container, user: str, now: float, *, overrule: bool = False) -> str:
        """Fork ``vzstop``, which kills. ``overrule``: a shutdown at work is called off first."""
        shutdown = self._tasks.running(container.vmid, "vzshutdown")
        if overrule and shutdown:
            self._tasks.stop(shutdown, now)
        return self._tasks.fork(container.node, "vzstop", container.vmid, user, "stop", now)

    def fork_shutdown(
        self, container: Container, user: str, now: float, *, timeout: float = PATIENCE, kill: bool = False
    ) -> str:
        """Fork ``vzshutdown``: the guest ends by itself, or does not within ``timeout`` seconds (see
        Container.stubborn); then it is killed where ``kill`` says so, else the task fails."""
        seconds = timeout * self._tasks.clock.factor if container.stubborn else None
        arguments = {"obeys": not container.stubborn, "kill": kill}
        return self._tasks.fork(
            container.node, "vzshutdown", container.vmid, user, "stop", now, seconds=seconds, **arguments
        )

    def fork_reboot(self, container: Container, user: str, now: float) -> str:
        """Fork ``vzreboot``."""
        return self._tasks.fork(container.node, "vzreboot", container.vmid, user, "reboot", now)

    def halt(self, container: Container, now: float) -> None:
        """It is off from this moment."""
        if not container.running:
            return
        self._turn_off(container, now)
        for tell in self.stopped:
            tell(container, now)

    def _turn_off(self, container: Container, now: float) -> None:
        self._guests.halt(container.vmid, now)
        container.running, container.changed_at = False, now
        self._inventory.save(container)

    def _start_begin(self, task: Task, now: float) -> None:
        container = self._tasks.container(task)
        if container.config.get("template") == 1:
            raise TaskFailed("you can't start a CT if it's a template")
        if container.running:
            raise TaskFailed(f"CT {container.vmid} already running")
        self._tasks.unlocked(task)
        if container.net0.get("bridge", BRIDGES[0]) not in BRIDGES:
            task.log.append(f"bridge '{container.net0['bridge']}' does not exist")
            raise TaskFailed(f"startup for container '{container.vmid}' failed")

    def boot(self, container: Container, now: float) -> None:
        """It runs from this moment, with what has waited for its start."""
        container.apply_pending()
        container.running, container.changed_at = True, now
        self._inventory.save(container)
        for tell in self.started:
            tell(container, now)

    def _start_end(self, task: Task, now: float) -> None:
        self.boot(self._tasks.container(task), now)

    def _stop_begin(self, task: Task, now: float) -> None:
        if not self._tasks.unlocked(task).running:
            raise TaskFailed(f"CT {task.id} not running")

    def _stop_end(self, task: Task, now: float) -> None:
        self.halt(self._tasks.container(task), now)

    def _shutdown_begin(self, task: Task, now: float, obeys: bool, kill: bool) -> None:
        self._stop_begin(task, now)

    def _shutdown_end(self, task: Task, now: float, obeys: bool, kill: bool) -> None:
        if not obeys and not kill:
            raise TaskFailed("container did not stop")
        self._stop_end(task, now)

    def _reboot_begin(self, task: Task, now: float) -> None:
        # The HA manager is not told: the start follows in the same task.
        self._turn_off(self._tasks.unlocked(task), now)

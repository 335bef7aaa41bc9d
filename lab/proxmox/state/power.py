"""Starting and stopping containers."""

from typing import TYPE_CHECKING

from lab.proxmox.errors import TaskFailed, failure
from lab.proxmox.state.containers import apply_pending
from lab.proxmox.state.model import BRIDGES, Container, Task

if TYPE_CHECKING:
    from lab.proxmox.state.cluster import Cluster

PATIENCE = 60.0  # seconds that a shutdown waits for its guest, unless told otherwise


class Power:
    """Power state of containers; part of the Cluster. HA-managed ones are only asked for through the HA
    manager."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster
        tasks = cluster.tasks
        tasks.define("vzstart", self._start_begin, self._start_end, holds=True)
        tasks.define("vzstop", self._stop_begin, self._stop_end, holds=True)
        tasks.define("vzshutdown", self._shutdown_begin, self._shutdown_end, holds=True)
        tasks.define("vzreboot", self._reboot_begin, self._start_end, holds=True)

    def start(self, container: Container, user: str, now: float) -> str:
        """POST status/start; returns the UPID of ``vzstart``, or of ``hastart`` for an HA resource."""
        if container.running:
            raise failure(f"CT {container.vmid} already running")
        if self._cluster.ha.commands(container.vmid):
            return self._cluster.ha.fork_request(container, "started", user, now)
        return self.fork_start(container, user, now)

    def stop(self, container: Container, user: str, now: float, *, overrule: bool) -> str:
        """POST status/stop: kill it. ``overrule``: a shutdown at work is called off first."""
        if not container.running:
            raise failure(f"CT {container.vmid} not running")
        if self._cluster.ha.commands(container.vmid):
            return self._cluster.ha.fork_request(container, "stopped", user, now)
        shutdown = self._cluster.tasks.running(container.vmid, "vzshutdown")
        if overrule and shutdown:
            self._cluster.tasks.abort(shutdown, now)
        return self._cluster.tasks.fork(container.node, "vzstop", container.vmid, user, "stop", now)

    def shutdown(
        self, container: Container, user: str, now: float, *, timeout: float = PATIENCE, kill: bool = False
    ) -> str:
        """POST status/shutdown: the guest ends by itself, or does not within ``timeout`` seconds (see
        Container.stubborn); then it is killed where ``kill`` says so."""
        if not container.running:
            raise failure(f"CT {container.vmid} not running")
        if self._cluster.ha.commands(container.vmid):
            return self._cluster.ha.fork_request(container, "stopped", user, now)
        return self.fork_shutdown(container, user, now, timeout=timeout, kill=kill)

    def reboot(self, container: Container, user: str, now: float) -> str:
        """POST status/reboot; goes past the HA manager."""
        if not container.running:
            raise failure(f"VM {container.vmid} not running")
        return self._cluster.tasks.fork(container.node, "vzreboot", container.vmid, user, "reboot", now)

    def fork_start(self, container: Container, user: str, now: float) -> str:
        """The start itself, without a look at HA."""
        return self._cluster.tasks.fork(container.node, "vzstart", container.vmid, user, "start", now)

    def fork_shutdown(
        self, container: Container, user: str, now: float, *, timeout: float = PATIENCE, kill: bool = True
    ) -> str:
        """The shutdown itself, without a look at HA, which kills what does not obey."""
        seconds = timeout * self._cluster.clock.factor if container.stubborn else None
        arguments = {"obeys": not container.stubborn, "kill": kill}
        return self._cluster.tasks.fork(
            container.node, "vzshutdown", container.vmid, user, "stop", now, seconds=seconds, **arguments
        )

    def halt(self, container: Container, now: float) -> None:
        """It is off from this moment; with HA state ``started`` the HA manager will notice."""
        if not container.running:
            return
        self._cluster.guest.halt(container.vmid, now)
        container.running, container.changed_at = False, now
        self._cluster.save(container)
        self._cluster.ha.look_later(container.vmid, now)

    def _start_begin(self, task: Task, now: float) -> None:
        container = self._there(task)
        if container.config.get("template") == 1:
            raise TaskFailed("you can't start a CT if it's a template")
        if container.running:
            raise TaskFailed(f"CT {container.vmid} already running")
        self._refuse_locked(container)
        if container.net0.get("bridge", BRIDGES[0]) not in BRIDGES:
            task.log.append(f"bridge '{container.net0['bridge']}' does not exist")
            raise TaskFailed(f"startup for container '{container.vmid}' failed")

    def _start_end(self, task: Task, now: float) -> None:
        container = self._there(task)
        apply_pending(container)
        container.running, container.changed_at = True, now
        self._cluster.save(container)
        self._cluster.ha.container_started(container.vmid)

    def _stop_begin(self, task: Task, now: float) -> None:
        container = self._there(task)
        self._refuse_locked(container)
        if not container.running:
            raise TaskFailed(f"CT {container.vmid} not running")

    def _stop_end(self, task: Task, now: float) -> None:
        self.halt(self._there(task), now)

    def _shutdown_begin(self, task: Task, now: float, obeys: bool, kill: bool) -> None:
        self._stop_begin(task, now)

    def _shutdown_end(self, task: Task, now: float, obeys: bool, kill: bool) -> None:
        if not obeys and not kill:
            raise TaskFailed("container did not stop")
        self._stop_end(task, now)

    def _reboot_begin(self, task: Task, now: float) -> None:
        container = self._there(task)
        self._refuse_locked(container)
        self._cluster.guest.halt(container.vmid, now)
        container.running, container.changed_at = False, now
        self._cluster.save(container)

    def _there(self, task: Task) -> Container:
        container = self._cluster.containers.get(int(task.id))
        if container is None or container.node != task.node:
            raise TaskFailed(f"Configuration file 'nodes/{task.node}/lxc/{task.id}.conf' does not exist")
        return container

    def _refuse_locked(self, container: Container) -> None:
        if container.lock:
            raise TaskFailed(f"CT is locked ({container.lock})")

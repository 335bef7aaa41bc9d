"""High availability: resources, what is asked of them, and the manager that follows in rounds of up to 10
s."""

from typing import Any

from lab.proxmox.errors import TaskFailed, failure
from lab.proxmox.formats import split_list
from lab.proxmox.state.haresources import (
    DEFAULTS,
    MIGRATE,
    QUEUED,
    SHOWN,
    canonical,
    in_error,
    plain,
    untouched,
    verbose,
    vmid_of,
)
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container, Task
from lab.proxmox.state.power import Power
from lab.proxmox.state.rules import Rules
from lab.proxmox.state.tasks import Tasks
from lab.world import World

MANAGER = "root@pam"


class HighAvailability:
    """HA resources by sid (``ct:907``), and the manager.

    Beside what was configured (``state`` is what is asked for) each resource keeps what the manager makes of
    it: ``crm`` (its state), ``up`` (a start has succeeded), ``stop`` (a stop that was asked for by a command:
    its timeout, else None), ``moving`` (the node that a command sends it to), ``failed`` (starts in vain on
    this node), ``tried`` (nodes on which they were in vain), ``upid`` (its start, stop or move at work) and
    ``event`` (its next look).
    """

    def __init__(self, inventory: Inventory, world: World, tasks: Tasks, power: Power) -> None:
        self._inventory, self._world, self._tasks, self._power = inventory, world, tasks, power
        self._clock, self._store = tasks.clock, inventory.store
        stored = self._store.load("ha")
        self._resources: dict[str, dict[str, Any]] = {sid: untouched() | stored[sid] for sid in stored}
        self.rules = Rules(self._store, self._resources.__contains__)
        tasks.define("hastart", self._ask_start, lambda task, now: None)
        tasks.define("hastop", self._ask_stop, lambda task, now, timeout: None)
        tasks.define("hamigrate", self._ask_move, lambda task, now, target: None)
        world.on("ha.look", self._look)
        world.on("ha.recover", self._recover)
        power.started.append(self._container_started)
        power.stopped.append(lambda container, now: self.look_later(container.vmid, now))

    # What the API asks.

    def add(self, values: dict[str, Any], now: float) -> None:
        """POST resources. The guest must exist; with the default state ``started`` the manager starts it."""
        sid = canonical(values["sid"])
        vmid = vmid_of(sid)
        self._refuse_groups(values)
        if not sid.startswith("ct:") or vmid not in self._inventory.containers:
            raise failure(f"resource '{sid}' does not exist in cluster")
        if sid in self._resources:
            raise failure(f"create resource failed: resource ID '{sid}' already defined")
        asked = {**DEFAULTS, **{key: value for key, value in values.items() if key in SHOWN}}
        state = plain(values.get("state", "started"))
        self._resources[sid] = {
            **asked,
            "sid": sid,
            "type": "ct",
            "state": state,
            **untouched(),
            "event": "",
        }
        self.look_later(vmid, now)

    def get(self, sid: str) -> dict[str, Any]:
        """GET one resource."""
        resource = self._resources.get(canonical(sid))
        if resource is None:
            raise failure(f"no such resource '{canonical(sid)}'")
        return {key: resource[key] for key in SHOWN if key in resource}

    def all(self) -> list[dict[str, Any]]:
        """GET resources."""
        return [self.get(sid) for sid in sorted(self._resources)]

    def update(self, sid: str, values: dict[str, Any], now: float) -> None:
        """PUT a resource; one in error takes nothing but ``disabled``, whatever is asked of it."""
        self.get(sid)
        self._refuse_groups(values)
        resource = self._resources[canonical(sid)]
        state = plain(values.get("state", ""))
        if resource["crm"] == "error" and state != "disabled":
            raise failure(in_error(resource["sid"]))
        resource.update({key: value for key, value in values.items() if key in SHOWN and key != "sid"})
        for name in split_list(values.get("delete", "")):
            resource.pop(name, None)
        resource.update({**DEFAULTS, "state": "started", **resource})
        resource["state"] = plain(resource["state"])
        self.look_later(vmid_of(resource["sid"]), now)

    def delete(self, sid: str) -> None:
        """DELETE a resource: the container goes on as it is, and a stop that has not happened yet is lost."""
        if canonical(sid) not in self._resources:
            raise failure(f"cannot delete service '{canonical(sid)}', not HA managed!")
        self.purge(vmid_of(canonical(sid)))

    def status(self) -> list[dict[str, Any]]:
        """GET status/current."""
        nodes = self._inventory.nodes.values()
        quorum = self._inventory.quorate()
        entries: list[dict[str, Any]] = [
            {
                "id": "quorum",
                "type": "quorum",
                "node": "node1",
                "quorate": int(quorum),
                "status": "OK" if quorum else "No quorum on node 'node1'!",
            }
        ]
        for node in nodes:
            state = "active" if node.up else "old timestamp - dead?"
            state = "maintenance mode, watchdog standby" if node.maintenance else state
            status = {"node": node.name, "status": f"{node.name} ({state})"}
            entries.append({"id": f"lrm:{node.name}", "type": "lrm", **status})
        return entries + [self._service(sid, resource) for sid, resource in sorted(self._resources.items())]

    # What the rest of the cluster asks.

    def manages(self, vmid: int) -> bool:
        """Whether the container is an HA resource."""
        return f"ct:{vmid}" in self._resources

    def commands(self, vmid: int) -> bool:
        """Whether power calls go through the manager: an HA resource that is not ignored."""
        return self.manages(vmid) and self._resources[f"ct:{vmid}"]["state"] != "ignored"

    def requested(self, vmid: int) -> str | None:
        """The state asked of a container, None when it is no HA resource."""
        return self._resources[f"ct:{vmid}"]["state"] if self.manages(vmid) else None

    def state_of(self, vmid: int) -> str:
        """The manager's own state of a container; empty where it has none (yet)."""
        return self._resources[f"ct:{vmid}"]["crm"] if self.manages(vmid) else ""

    def set_state(self, vmid: int, state: str, now: float) -> None:
        """Ask for a state; it comes about at the manager's next look."""
        self._resources[f"ct:{vmid}"]["state"] = state
        self.look_later(vmid, now)

    def command_stop(self, vmid: int, timeout: int, now: float) -> None:
        """Ask for a stop by a command: the manager writes the state ``stopped`` when it gets to it."""
        self._resources[f"ct:{vmid}"]["stop"] = timeout
        self.look_later(vmid, now)

    def fork_start(self, container: Container, user: str, now: float) -> str:
        """A task that ends as soon as the start is asked for."""
        return self._tasks.fork(container.node, "hastart", container.vmid, user, "write", now)

    def fork_stop(self, container: Container, user: str, now: float, *, timeout: int) -> str:
        """The same for a stop; ``timeout`` 0 kills."""
        return self._tasks.fork(container.node, "hastop", container.vmid, user, "write", now, timeout=timeout)

    def fork_migrate(self, container: Container, user: str, now: float, *, target: str) -> str:
        """The same for a move to another node."""
        return self._tasks.fork(
            container.node, "hamigrate", container.vmid, user, "write", now, target=target
        )

    def purge(self, vmid: int) -> None:
        """Forget a container, in the rules too."""
        resource = self._resources.pop(f"ct:{vmid}", None)
        if resource is not None:
            self._world.cancel(resource["event"])
            self._store.delete("ha", resource["sid"])
            self.rules.forget(resource["sid"])

    def look_later(self, vmid: int, now: float, seconds: float | None = None) -> None:
        """The manager looks at the resource (if it is one) a round from now, or after ``seconds``."""
        resource = self._resources.get(f"ct:{vmid}")
        if resource is None:
            return
        if not resource["event"]:
            wait = self._clock.seconds("ha.round") if seconds is None else seconds
            resource["event"] = self._world.at(now + wait, "ha.look", sid=resource["sid"])
        self._save(resource)

    def lose_node(self, node: str, now: float) -> None:
        """A node died: it is fenced, and what was on it is recovered a minute later."""
        for resource in self._resources.values():
            container = self._inventory.containers.get(vmid_of(resource["sid"]))
            if container and container.node == node and resource["state"] in ("started", "stopped"):
                resource.update(crm="fence", up=False, upid="")
                wait = self._clock.seconds("ha.recovery")
                self._world.at(now + wait, "ha.recover", sid=resource["sid"], node=node)
                self._save(resource)

    # The manager.

    def _look(self, now: float, sid: str) -> None:
        resource = self._resources[sid]
        resource["event"] = ""
        container = self._inventory.containers.get(vmid_of(sid))
        if container is not None and self._inventory.nodes[container.node].up:
            if resource["state"] == "ignored":
                resource.update(untouched())
            elif resource["crm"] != "error":
                self._take_command(resource, container)
                if resource["crm"] == MIGRATE:
                    self._move(resource, container, now)
                else:
                    self._approach(resource, container, now)
            elif resource["state"] == "disabled":
                resource.update(untouched(), crm="stopped")
                self.look_later(container.vmid, now)
        self._save(resource)

    def _take_command(self, resource: dict[str, Any], container: Container) -> None:
        """A stop by command changes what is asked for; where nothing runs it is ignored. A move is begun by
        what is started or stopped, to a node that is online and another one (Manager.pm:641-670,
        1275-1298 and 1399-1421)."""
        target = resource["moving"]
        if target and resource["crm"] in ("started", "stopped"):
            resource["moving"] = ""
            if target != container.node and self._inventory.nodes[target].up:
                resource.update(crm=MIGRATE, upid="", moving=target)
            return
        if resource["stop"] is not None and resource["crm"] == "started" and resource["state"] == "started":
            resource.update(state="stopped", crm="request_stop")
        elif resource["crm"] == "stopped":
            resource["stop"] = None

    def _move(self, resource: dict[str, Any], container: Container, now: float) -> None:
        """The node ends the container, without force, and moves it; the manager starts it then. What does not
        end within 60 s stays (LRM.pm:992-1021, Resources/PVECT.pm:107-131, Manager.pm:1224-1254)."""
        if self._tasks.at_work(resource["upid"]):
            self.look_later(container.vmid, now)
            return
        tried = resource["upid"].split(":")[5:6]
        if container.node == resource["moving"] or tried == ["vzmigrate"] or (tried and container.running):
            resource.update(crm="started" if resource["state"] == "started" else "request_stop", upid="")
            resource.update(moving="", up=container.running)
            self._approach(resource, container, now)
            return
        if container.running:
            resource["upid"] = self._power.fork_shutdown(container, MANAGER, now)
            work = self._clock.seconds("stop")
        else:
            arguments = {"target": resource["moving"], "restart": False}
            task = (container.node, "vzmigrate", container.vmid, MANAGER, "migrate", now)
            resource["upid"] = self._tasks.fork(*task, **arguments)
            work = self._clock.seconds("migrate")
        self.look_later(container.vmid, now, work)

    def _approach(self, resource: dict[str, Any], container: Container, now: float) -> None:
        wanted = resource["state"] == "started"
        if container.running == wanted:
            crm = "started" if wanted else "stopped"
            resource.update(crm=crm, up=wanted, upid="", stop=resource["stop"] if wanted else None)
            if wanted:
                resource.update(failed=0, tried=[])
            if resource["stop"] is not None:
                self.look_later(container.vmid, now)
            return
        if self._tasks.at_work(resource["upid"]):
            self.look_later(container.vmid, now)
            return
        settled = resource["crm"] == "stopped" and not wanted
        if resource["upid"] and not settled and not self._try_again(resource, container, wanted):
            resource.update(crm="error", up=False, upid="")
            return
        if not settled:  # else the node itself tries to stop it, again and again, and tells nobody (LRM.pm)
            resource["crm"] = "started" if wanted else "request_stop"
        resource["upid"] = self._begin(resource, container, wanted, now)
        # A look at once when the work is done; a failure before that is noticed a round later.
        work = self._clock.seconds("start" if wanted else "stop")
        # Not in an endless loop at factor 0.
        self.look_later(container.vmid, now, max(work, self._clock.seconds("ha.round"), 1 if settled else 0))

    def _begin(self, resource: dict[str, Any], container: Container, wanted: bool, now: float) -> str:
        if wanted:
            resource["up"] = False
            return self._power.fork_start(container, MANAGER, now)
        if resource["stop"] == 0:
            return self._power.fork_stop(container, MANAGER, now)
        return self._power.fork_shutdown(container, MANAGER, now, timeout=resource["stop"] or 60)

    def _try_again(self, resource: dict[str, Any], container: Container, wanted: bool) -> bool:
        """After a start or stop in vain. A start: again here, then on another node, then no more; a stop is
        not tried again."""
        if not wanted:
            return False
        resource["failed"] += 1
        if resource["failed"] <= resource["max_restart"]:
            return True
        resource.update(failed=0, tried=[*resource["tried"], container.node])
        if len(resource["tried"]) > resource["max_relocate"]:
            return False
        self._relocate(resource["sid"], container, resource["tried"])
        return True

    def _relocate(self, sid: str, container: Container, tried: list[str]) -> None:
        """Another node may do better, for what does not stand on a local disk."""
        target = self._target(sid, container, tried)
        if target:
            container.node = target
            self._inventory.save(container)

    def _recover(self, now: float, sid: str, node: str) -> None:
        resource = self._resources.get(sid)
        container = self._inventory.containers.get(vmid_of(sid))
        if resource is None or container is None or container.node != node or self._inventory.nodes[node].up:
            return
        target = self._target(sid, container)
        if target is None:
            resource["crm"] = "recovery"
            wait = self._clock.seconds("ha.recovery")
            # No node can take it: asked again only as life goes on, not in an endless loop at factor 0.
            self._world.at(now + max(wait, 1), "ha.recover", sid=sid, node=node)
        else:
            container.node, container.held = target, ""
            self._inventory.save(container)
            resource["crm"] = "started" if resource["state"] == "started" else "request_stop"
            resource["moving"] = ""
            self.look_later(container.vmid, now, 0)
        self._save(resource)

    def _target(self, sid: str, container: Container, without: list[str] | None = None) -> str | None:
        """The node that takes a container: by rule, else the one with the fewest; None without any."""
        if not self._inventory.quorate() or not container.storage or not container.storage.shared:
            return None
        up = [
            node.name
            for node in self._inventory.nodes.values()
            if node.up and node.name not in (without or ())
        ]
        load = {name: len(self._inventory.on(name)) for name in up}
        allowed = self.rules.allowed(sid, up)
        return min(allowed, key=lambda name: (-allowed[name], load[name]), default=None)

    def _container_started(self, container: Container, now: float) -> None:
        """A start has succeeded: earlier ones in vain are forgotten."""
        resource = self._resources.get(f"ct:{container.vmid}")
        if resource and resource["state"] == "started" and resource["crm"] != "error":
            resource.update(crm="started", up=True, failed=0, tried=[], upid="")
            self._save(resource)

    def _ask_start(self, task: Task, now: float) -> None:
        sid = f"ct:{task.id}"
        self._refuse_error(sid, f"ha-manager set {sid} --state started")
        self.set_state(int(task.id), "started", now)

    def _ask_stop(self, task: Task, now: float, timeout: int) -> None:
        sid = f"ct:{task.id}"
        self._refuse_error(sid, f"ha-manager crm-command stop {sid} {timeout}")
        self.command_stop(int(task.id), timeout, now)

    def _ask_move(self, task: Task, now: float, target: str) -> None:
        sid = f"ct:{task.id}"
        self._refuse_error(sid, f"ha-manager migrate {sid} {target}")
        self._resources[sid]["moving"] = target
        self.look_later(int(task.id), now)

    def _refuse_error(self, sid: str, command: str) -> None:
        if self._resources.get(sid, {}).get("crm", "error") == "error":
            raise TaskFailed(f"command '{command}' failed: exit code 255")

    def _refuse_groups(self, values: dict[str, Any]) -> None:
        if "group" in values and self._inventory.release.rules:
            raise failure("invalid parameter 'group': ha groups have been migrated to rules")

    def _service(self, sid: str, resource: dict[str, Any]) -> dict[str, Any]:
        container = self._inventory.containers.get(vmid_of(sid))
        node = container.node if container else ""
        state = verbose(resource)
        known = {"crm_state": resource["crm"]} if resource["crm"] != QUEUED else {}
        return {
            "id": f"service:{sid}",
            "type": "service",
            "sid": sid,
            "node": node,
            "state": state,
            **known,
            "request_state": resource["state"],
            "status": f"{sid} ({node}, {state})",
            **{
                key: resource[key]
                for key in ("max_restart", "max_relocate", "failback", "comment")
                if key in resource
            },
        }

    def _save(self, resource: dict[str, Any]) -> None:
        self._store.save("ha", resource["sid"], resource)

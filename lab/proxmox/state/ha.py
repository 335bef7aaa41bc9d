"""High availability: resources, what is asked of them, and the manager that follows in rounds of up to 10
s."""

from typing import TYPE_CHECKING, Any

from lab.proxmox.errors import TaskFailed, failure
from lab.proxmox.formats import split_list
from lab.proxmox.state.model import Container, Task

if TYPE_CHECKING:
    from lab.proxmox.state.cluster import Cluster

MANAGER = "root@pam"
DEFAULTS = {"max_restart": 1, "max_relocate": 1, "failback": 1}
SHOWN = ("sid", "type", "state", "comment", "max_restart", "max_relocate", "failback", "auto-rebalance")


class HighAvailability:
    """HA resources by sid (``ct:907``); part of the Cluster.

    Beside what was configured each resource keeps ``crm`` (the manager's own state of it), ``failed`` (starts
    in vain), ``upid`` (its start or stop at work) and ``event`` (the manager's next look at it).
    """

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster
        self._resources: dict[str, dict[str, Any]] = cluster.store.load("ha")
        for type, state in (("hastart", "started"), ("hastop", "stopped")):
            cluster.tasks.define(type, self._request(state), lambda task, now: None)
        cluster.world.on("ha.look", self._look)
        cluster.world.on("ha.recover", self._recover)

    # What the API asks.

    def add(self, values: dict[str, Any], now: float) -> None:
        """POST resources. The guest must exist; with the default state ``started`` the manager starts it."""
        sid = canonical(values["sid"])
        vmid = vmid_of(sid)
        _refuse_groups(values)
        if not sid.startswith("ct:") or vmid not in self._cluster.containers:
            raise failure(f"resource '{sid}' does not exist in cluster")
        if sid in self._resources:
            raise failure(f"create resource failed: resource ID '{sid}' already defined")
        asked = {**DEFAULTS, **{key: value for key, value in values.items() if key in SHOWN}}
        state = _plain(values.get("state", "started"))
        resource = {**asked, "sid": sid, "type": "ct", "state": state, "crm": "queued"}
        self._resources[sid] = {**resource, "failed": 0, "upid": "", "event": ""}
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
        """PUT a resource; one in error must be disabled first."""
        self.get(sid)
        _refuse_groups(values)
        resource = self._resources[canonical(sid)]
        state = _plain(values.get("state", resource["state"]))
        if resource["crm"] == "error" and state != "disabled":
            raise failure(f"service '{resource['sid']}' in error state, must be disabled and fixed first")
        resource.update({key: value for key, value in values.items() if key in SHOWN and key != "sid"})
        for name in split_list(values.get("delete", "")):
            resource.pop(name, None)
        resource.update({**DEFAULTS, **resource, "state": state})
        self.look_later(vmid_of(resource["sid"]), now)

    def delete(self, sid: str) -> None:
        """DELETE a resource: the container goes on as it is, and a stop that has not happened yet is lost."""
        if canonical(sid) not in self._resources:
            raise failure(f"cannot delete service '{canonical(sid)}', not HA managed!")
        self.purge(vmid_of(canonical(sid)))

    def status(self) -> list[dict[str, Any]]:
        """GET status/current."""
        nodes = self._cluster.nodes.values()
        quorum = self._cluster.quorate()
        entries: list[dict[str, Any]] = [
            {
                "id": "quorum",
                "type": "quorum",
                "node": "node1",
                "quorate": int(quorum),
                "status": "OK" if quorum else "No quorum!",
            }
        ]
        for node in nodes:
            state = "active" if node.up else "old timestamp - dead?"
            entries.append(
                {
                    "id": f"lrm:{node.name}",
                    "type": "lrm",
                    "node": node.name,
                    "status": f"{node.name} ({state})",
                }
            )
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

    def state_of(self, vmid: int) -> str | None:
        """The manager's own state of a container, None when it is no HA resource."""
        return self._resources[f"ct:{vmid}"]["crm"] if self.manages(vmid) else None

    def set_state(self, vmid: int, state: str, now: float) -> None:
        """Ask for a state; it comes about at the manager's next look."""
        self._resources[f"ct:{vmid}"]["state"] = state
        self.look_later(vmid, now)

    def fork_request(self, container: Container, state: str, user: str, now: float) -> str:
        """A start or stop of an HA resource: a task that ends as soon as the request is noted."""
        type = "hastart" if state == "started" else "hastop"
        return self._cluster.tasks.fork(container.node, type, container.vmid, user, "write", now)

    def purge(self, vmid: int) -> None:
        """Forget a container, in the rules too."""
        resource = self._resources.pop(f"ct:{vmid}", None)
        if resource is not None:
            self._cluster.world.cancel(resource["event"])
            self._cluster.store.delete("ha", resource["sid"])
            self._cluster.rules.forget(resource["sid"])

    def look_later(self, vmid: int, now: float, seconds: float | None = None) -> None:
        """The manager looks at the resource (if it is one) a round from now, or after ``seconds``."""
        resource = self._resources.get(f"ct:{vmid}")
        if resource is None:
            return
        if not resource["event"]:
            wait = self._cluster.clock.seconds("ha.round") if seconds is None else seconds
            resource["event"] = self._cluster.world.at(now + wait, "ha.look", sid=resource["sid"])
        self._save(resource)

    def container_started(self, vmid: int) -> None:
        """A start has succeeded: earlier ones in vain are forgotten."""
        resource = self._resources.get(f"ct:{vmid}")
        if resource and resource["state"] == "started" and resource["crm"] != "error":
            resource.update(crm="started", failed=0, upid="")
            self._save(resource)

    def lose_node(self, node: str, now: float) -> None:
        """A node died: it is fenced, and what was on it is recovered a minute later."""
        for resource in self._resources.values():
            container = self._cluster.containers.get(vmid_of(resource["sid"]))
            if container and container.node == node and resource["state"] in ("started", "stopped"):
                resource.update(crm="fence", upid="")
                wait = self._cluster.clock.seconds("ha.recovery")
                self._cluster.world.at(now + wait, "ha.recover", sid=resource["sid"], node=node)
                self._save(resource)

    # The manager.

    def _look(self, now: float, sid: str) -> None:
        resource = self._resources[sid]
        resource["event"] = ""
        container = self._cluster.containers.get(vmid_of(sid))
        if container is None or not self._cluster.nodes[container.node].up:
            self._save(resource)
            return
        if resource["state"] == "ignored":
            resource["crm"] = "ignored"
        elif resource["crm"] == "error" and resource["state"] == "disabled":
            resource.update(crm="disabled", failed=0, upid="")
        elif resource["crm"] != "error":
            self._approach(resource, container, now)
        self._save(resource)

    def _approach(self, resource: dict[str, Any], container: Container, now: float) -> None:
        wanted = resource["state"] == "started"
        if container.running == wanted:
            crm = "started" if wanted else resource["state"]
            resource.update(crm=crm, failed=0 if wanted else resource["failed"], upid="")
            return
        if self._cluster.tasks.at_work(resource["upid"]):
            self.look_later(container.vmid, now)
            return
        if wanted and resource["upid"]:
            resource["failed"] += 1
            if resource["failed"] > resource["max_restart"]:
                resource.update(crm="error", upid="")
                return
        power = self._cluster.power
        fork = power.fork_start if wanted else power.fork_shutdown
        resource["crm"] = "starting" if wanted else "request_stop"
        resource["upid"] = fork(container, MANAGER, now)
        # A look at once when the work is done; a failure before that is noticed a round later.
        work = self._cluster.clock.seconds("start" if wanted else "stop")
        self.look_later(container.vmid, now, max(work, self._cluster.clock.seconds("ha.round")))

    def _recover(self, now: float, sid: str, node: str) -> None:
        resource = self._resources.get(sid)
        container = self._cluster.containers.get(vmid_of(sid))
        if resource is None or container is None or container.node != node or self._cluster.nodes[node].up:
            return
        target = self._target(sid, container)
        if target is None:
            resource["crm"] = "recovery"
            wait = self._cluster.clock.seconds("ha.recovery")
            # No node can take it: asked again only as life goes on, not in an endless loop at factor 0.
            self._cluster.world.at(now + max(wait, 1), "ha.recover", sid=sid, node=node)
        else:
            container.node, container.held = target, ""
            self._cluster.save(container)
            resource["crm"] = "started" if resource["state"] == "started" else "stopped"
            self.look_later(container.vmid, now, 0)
        self._save(resource)

    def _target(self, sid: str, container: Container) -> str | None:
        """The node that takes a lost container: by rule, else the one with the fewest; None without any."""
        if not self._cluster.quorate() or not container.storage or not container.storage.shared:
            return None
        up = [node.name for node in self._cluster.nodes.values() if node.up]
        load = {name: sum(c.node == name for c in self._cluster.containers.values()) for name in up}
        allowed = self._cluster.rules.allowed(sid, up)
        return min(allowed, key=lambda name: (-allowed[name], load[name]), default=None)

    def _request(self, state: str) -> Any:
        def begin(task: Task, now: float) -> None:
            sid = f"ct:{task.id}"
            if self._resources.get(sid, {}).get("crm") in (None, "error"):
                raise TaskFailed(f"command 'ha-manager set {sid} --state {state}' failed: exit code 255")
            self.set_state(int(task.id), state, now)

        return begin

    def _service(self, sid: str, resource: dict[str, Any]) -> dict[str, Any]:
        container = self._cluster.containers.get(vmid_of(sid))
        node = container.node if container else ""
        return {
            "id": f"service:{sid}",
            "type": "service",
            "sid": sid,
            "node": node,
            "state": resource["crm"],
            "crm_state": resource["crm"],
            "request_state": resource["state"],
            "status": f"{sid} ({node}, {resource['crm']})",
            "max_restart": resource["max_restart"],
            "max_relocate": resource["max_relocate"],
        }

    def _save(self, resource: dict[str, Any]) -> None:
        self._cluster.store.save("ha", resource["sid"], resource)


def canonical(sid: str) -> str:
    """``907`` means ``ct:907``: the lab has no virtual machines."""
    return sid if ":" in sid else f"ct:{sid}"


def vmid_of(sid: str) -> int:
    """The VMID of ``ct:907``."""
    return int(sid.partition(":")[2])


def _plain(state: str) -> str:
    return "started" if state == "enabled" else state


def _refuse_groups(values: dict[str, Any]) -> None:
    if "group" in values:
        raise failure("invalid parameter 'group': ha groups have been migrated to rules")

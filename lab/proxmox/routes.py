"""Which function of the cluster answers which call."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.proxmox import readings
from lab.proxmox.errors import BadParameter, failure
from lab.proxmox.formats import split_list
from lab.proxmox.state.cluster import Cluster
from lab.proxmox.state.configrights import ConfigRights, split_options
from lab.proxmox.state.model import Container
from lab.proxmox.state.tasks import task_view


@dataclass(slots=True)
class Call:
    """A checked call: typed parameters, the acting user (``user@realm!token``), the time."""

    cluster: Cluster
    user: str
    values: dict[str, Any]
    now: float

    def container(self) -> Container:
        """The container named in the path."""
        return self.cluster.find(self.values["node"], self.values["vmid"])

    def for_change(self) -> Container:
        """The same, for a change of its config file."""
        return self.cluster.find_unheld(self.values["node"], self.values["vmid"])

    def volume(self) -> tuple[str, str, str]:
        """Node, storage and volume named in the path."""
        return self.values["node"], self.values["storage"], self.values["volume"]

    def rest(self, *more: str) -> dict[str, Any]:
        """The parameters without those of the path."""
        return {name: value for name, value in self.values.items() if name not in ("node", "vmid", *more)}


Answer = tuple[Any, dict[str, Any]]
"""``data`` of the answer, and what stands beside it (``total`` of lists)."""


def _plain(function: Callable[[Call], Any]) -> Callable[[Call], Answer]:
    return lambda call: (function(call), {})


def _next_id(call: Call) -> str:
    """Every guest counts, also one that the token does not see."""
    taken, wanted = call.cluster.taken, call.values.get("vmid")
    if wanted and taken(wanted):
        raise BadParameter({"vmid": f"VM {wanted} already exists"})
    return str(wanted or next(vmid for vmid in range(100, 1_000_000) if not taken(vmid)))


def _permissions(call: Call) -> dict[str, dict[str, int]]:
    path, access = call.values.get("path"), call.cluster.access
    return {path: access.permissions(path)} if path else access.effective()


def _datacenter(call: Call) -> dict[str, Any]:
    """Tag rules and the like; whoever may not audit the cluster sees little of it."""
    options: dict[str, Any] = {}
    if call.cluster.access.allows("/", "Sys.Audit"):
        stored = call.cluster.datacenter
        if access := split_options(stored.get("user-tag-access", "")):
            listed = (
                {"user-allow-list": split_list(access["user-allow-list"])}
                if "user-allow-list" in access
                else {}
            )
            options["user-tag-access"] = {**access, **listed}
        if "registered-tags" in stored:
            options["registered-tags"] = split_list(stored["registered-tags"])
    return {
        **options,
        "allowed-tags": sorted(ConfigRights(call.cluster.access, call.cluster).allowed_tags()[0]),
    }


def _pool(call: Call) -> dict[str, Any]:
    id = call.values["poolid"]
    if id not in call.cluster.pools:
        raise failure(f"pool '{id}' does not exist")
    members = [guest for guest in readings.guests(call.cluster) if call.cluster.pool_of(guest["vmid"]) == id]
    return {"comment": call.cluster.pools[id], "members": members}


def _update_pool(call: Call) -> None:
    """Members come and go (pve-manager API2/Pool.pm, update_pool); a guest is in one pool at most. Storages
    are not kept."""
    pool, leaves = call.values["poolid"], call.values.get("delete")
    if pool not in call.cluster.pools:
        raise failure(f"update pools failed: pool '{pool}' does not exist")
    for vmid in map(int, re.findall(r"[0-9]+", str(call.values.get("vms", "")))):
        call.cluster.access.check(f"/vms/{vmid}", "Permissions.Modify", "VM.Allocate", any=True)
        container = call.cluster.containers.get(vmid)
        held = container.pool if container else ""
        if leaves and held != pool:
            raise failure(f"update pools failed: VM {vmid} is not a pool member")
        if not leaves and held == pool:
            raise failure(f"update pools failed: VM {vmid} is already a pool member")
        if not leaves and held and not call.values.get("allow-move"):
            text = f"VM {vmid} belongs already to pool '{held}' and 'allow-move' is not set"
            raise failure(f"update pools failed: {text}")
        if container:
            container.pool = "" if leaves else pool
            call.cluster.save(container)


def _pools(call: Call) -> list[dict[str, Any]]:
    wanted = call.values.get("poolid")
    return [
        {"poolid": id, "comment": comment}
        for id, comment in call.cluster.pools.items()
        if wanted in (None, id) and call.cluster.access.allows(f"/pool/{id}", "Pool.Audit")
    ]


def _containers(call: Call) -> list[dict[str, Any]]:
    allows = call.cluster.access.allows
    here = [c for c in call.cluster.on(call.values["node"]) if allows(f"/vms/{c.vmid}", "VM.Audit")]
    return [readings.container_status(call.cluster, container) for container in here]


def _config(call: Call) -> dict[str, Any]:
    container = call.container()
    if "snapshot" in call.values:
        return dict(call.cluster.snapshots.get(container, call.values["snapshot"])["config"])
    config = {**container.config, "digest": container.digest()}
    if not call.values.get("current"):
        config |= {name: value for name, value in container.pending.items() if value is not None}
        config = {
            name: value for name, value in config.items() if container.pending.get(name, "") is not None
        }
    return config


def _pending(call: Call) -> list[dict[str, Any]]:
    container = call.container()
    entries: list[dict[str, Any]] = []
    for name in {**container.config, **container.pending}:
        entry: dict[str, Any] = {"key": name}
        if name in container.config:
            entry["value"] = container.config[name]
        if name in container.pending:
            value = container.pending[name]
            entry |= {"delete": 1} if value is None else {"pending": value}
        entries.append(entry)
    return [*entries, {"key": "digest", "value": container.digest()}]


def _current(call: Call) -> dict[str, Any]:
    container = call.container()
    ha: dict[str, Any] = {"managed": int(call.cluster.ha.commands(container.vmid))}
    if ha["managed"] and (state := call.cluster.ha.state_of(container.vmid)):
        ha["state"] = state
    return {**readings.container_status(call.cluster, container), "ha": ha}


def _start(call: Call) -> str:
    return call.cluster.power_calls.start(call.container(), call.user, call.now)


def _stop(call: Call) -> str:
    overrule = bool(call.values.get("overrule-shutdown"))
    return call.cluster.power_calls.stop(call.container(), call.user, call.now, overrule=overrule)


def _shutdown(call: Call) -> str:
    timeout, kill = float(call.values.get("timeout", 60)), bool(call.values.get("forceStop"))
    return call.cluster.power_calls.shutdown(
        call.container(), call.user, call.now, timeout=timeout, kill=kill
    )


def _create(call: Call) -> str:
    rooms = call.cluster
    make = rooms.restores.restore if call.values.get("restore") else rooms.lifecycle.create
    return make(call.values["node"], call.user, call.now, call.values)


def _delete_volume(call: Call) -> str:
    node, storage, volume = call.volume()
    return call.cluster.volumes.delete(node, call.user, call.now, storage, volume)


def _migrate(call: Call) -> str:
    return call.cluster.migrations.migrate(call.container(), call.user, call.now, call.rest())


def _delete(call: Call) -> str:
    force, purge = bool(call.values.get("force")), bool(call.values.get("purge"))
    return call.cluster.lifecycle.destroy(call.container(), call.user, call.now, force=force, purge=purge)


def _resize(call: Call) -> str:
    values = call.values
    return call.cluster.lifecycle.resize(
        call.for_change(), call.user, call.now, values["disk"], values["size"]
    )


def _take_snapshot(call: Call) -> str:
    name, description = call.values["snapname"], call.values.get("description", "")
    return call.cluster.snapshots.create(call.container(), call.user, call.now, name, description)


def _delete_snapshot(call: Call) -> str:
    name, force = call.values["snapname"], bool(call.values.get("force"))
    return call.cluster.snapshots.delete(call.container(), call.user, call.now, name, force)


def _roll_back(call: Call) -> str:
    name, start = call.values["snapname"], bool(call.values.get("start"))
    return call.cluster.snapshots.roll_back(call.container(), call.user, call.now, name, start)


def _snapshot_config(call: Call) -> dict[str, Any]:
    entry = call.cluster.snapshots.get(call.container(), call.values["snapname"])
    return {**entry["config"], **{key: value for key, value in entry.items() if key != "config"}}


def _feature(call: Call) -> dict[str, Any]:
    storage = call.container().storage
    can = {"snapshot": storage is not None and storage.snapshots, "copy": True, "clone": False}
    return {"hasFeature": int(can[call.values["feature"]])}


def _interfaces(call: Call) -> list[dict[str, Any]] | None:
    container = call.container()
    if not container.running:
        return None
    mac = container.net0.get("hwaddr", "").lower()
    entry: dict[str, Any] = {
        "name": container.net0.get("name", "eth0"),
        "hwaddr": mac,
        "hardware-address": mac,
    }
    addresses = []
    if container.address:
        ip, _, prefix = container.address.partition("/")
        entry["inet"] = container.address
        addresses = [{"ip-address": ip, "ip-address-type": "inet", "prefix": int(prefix)}]
    return [{**entry, "ip-addresses": addresses}]


def _tasks(call: Call) -> Answer:
    found = readings.task_list(call.cluster, call.values["node"], call.values)
    start, limit = call.values.get("start", 0), call.values.get("limit", 50)
    return found[start : start + limit if limit else None], {"total": len(found)}


def _task_status(call: Call) -> dict[str, Any]:
    task = call.cluster.tasks.get(call.values["upid"], call.values["node"])
    view = task_view(task)
    if task.running:
        return {**view, "status": "running"}
    return {**view, "status": "stopped", "exitstatus": task.exitstatus}


def _task_log(call: Call) -> Answer:
    lines = call.cluster.tasks.get(call.values["upid"], call.values["node"]).log
    start, limit = call.values.get("start", 0), call.values.get("limit", 50)
    numbered = [{"n": number, "t": line} for number, line in enumerate(lines, 1)]
    return numbered[start : start + limit if limit else None], {"total": len(lines)}


def _stop_task(call: Call) -> None:
    call.cluster.tasks.stop(call.cluster.tasks.get(call.values["upid"], call.values["node"]), call.now)


def _groups(verb: str) -> Callable[[Call], Any]:
    """HA groups: those of 8.4 are not played, only that 9 has none."""

    def answer(call: Call) -> list[dict[str, Any]]:
        if call.cluster.release.rules:
            raise failure(f"cannot {verb}: ha groups have been migrated to rules")
        if verb == "index groups":
            return []
        raise failure("the lab keeps no HA groups")

    return answer


def _index(*names: str) -> list[dict[str, str]]:
    return [{"subdir": name} for name in names]


_LXC = "/nodes/{node}/lxc"
_VOLUME = "/nodes/{node}/storage/{storage}/content/{volume}"
_CT = f"{_LXC}/{{vmid}}"
_RULE = f"{_CT}/firewall/rules/{{pos}}"
_HA = "/cluster/ha"

_DATA: dict[str, Callable[[Call], Any]] = {
    "GET /version": lambda c: {
        "version": c.cluster.release.version,
        "release": c.cluster.release.name,
        "repoid": "5a1b2c3d4e5f6071",
    },
    "GET /cluster/resources": lambda c: readings.resources(c.cluster, c.values.get("type")),
    "GET /cluster/status": lambda c: readings.cluster_status(c.cluster),
    "GET /cluster/nextid": _next_id,
    "GET /cluster/tasks": lambda c: readings.cluster_tasks(c.cluster),
    "GET /cluster/firewall/options": lambda c: {"enable": 1, "policy_in": "DROP"},
    "GET /cluster/options": _datacenter,
    "GET /access/permissions": _permissions,
    "GET /pools": _pools,
    "PUT /pools": _update_pool,
    "GET /pools/{poolid}": _pool,
    f"GET {_HA}/resources": lambda c: c.cluster.ha.all(),
    f"POST {_HA}/resources": lambda c: c.cluster.ha.add(c.values, c.now),
    f"GET {_HA}/resources/{{sid}}": lambda c: c.cluster.ha.get(c.values["sid"]),
    f"PUT {_HA}/resources/{{sid}}": lambda c: c.cluster.ha.update(c.values["sid"], c.rest("sid"), c.now),
    f"DELETE {_HA}/resources/{{sid}}": lambda c: c.cluster.ha.delete(c.values["sid"]),
    f"GET {_HA}/status/current": lambda c: c.cluster.ha.status(),
    f"GET {_HA}/groups": _groups("index groups"),
    f"POST {_HA}/groups": _groups("create group"),
    f"GET {_HA}/rules": lambda c: c.cluster.rules.all(c.values.get("type", ""), c.values.get("resource", "")),
    f"POST {_HA}/rules": lambda c: c.cluster.rules.add(c.values),
    f"GET {_HA}/rules/{{rule}}": lambda c: c.cluster.rules.get(c.values["rule"]),
    f"PUT {_HA}/rules/{{rule}}": lambda c: c.cluster.rules.update(c.values["rule"], c.rest("rule")),
    f"DELETE {_HA}/rules/{{rule}}": lambda c: c.cluster.rules.delete(c.values["rule"]),
    "GET /nodes": lambda c: readings.node_list(c.cluster),
    "GET /nodes/{node}/status": lambda c: readings.node_status(c.cluster, c.cluster.nodes[c.values["node"]]),
    "GET /nodes/{node}/storage": lambda c: readings.storage_list(
        c.cluster, c.values["node"], c.values.get("content", ""), c.values.get("storage", "")
    ),
    "GET /nodes/{node}/storage/{storage}/status": lambda c: readings.storage_status(
        c.cluster, c.cluster.storage(c.values["storage"]), c.values["node"]
    ),
    "GET /nodes/{node}/storage/{storage}/content": lambda c: readings.storage_content(
        c.cluster, c.values["node"], c.cluster.storage(c.values["storage"]), c.values
    ),
    f"GET {_VOLUME}": lambda c: c.cluster.volumes.get(*c.volume()),
    f"PUT {_VOLUME}": lambda c: c.cluster.volumes.update(*c.volume(), c.rest("storage", "volume")),
    f"DELETE {_VOLUME}": _delete_volume,
    "GET /nodes/{node}/vzdump/defaults": lambda c: c.cluster.backups.defaults(
        c.values["node"], c.values.get("storage", "local")
    ),
    "POST /nodes/{node}/vzdump": lambda c: c.cluster.backups.dump(c.values["node"], c.user, c.now, c.values),
    f"GET {_LXC}": _containers,
    f"POST {_LXC}": _create,
    f"GET {_CT}": lambda c: c.container() and _index("config", "status", "snapshot", "firewall", "pending"),
    f"DELETE {_CT}": _delete,
    f"GET {_CT}/config": _config,
    f"PUT {_CT}/config": lambda c: c.cluster.lifecycle.set_config(c.for_change(), c.rest()),
    f"GET {_CT}/pending": _pending,
    f"GET {_CT}/status/current": _current,
    f"POST {_CT}/status/start": _start,
    f"POST {_CT}/status/stop": _stop,
    f"POST {_CT}/status/shutdown": _shutdown,
    f"POST {_CT}/status/reboot": lambda c: c.cluster.power_calls.reboot(c.container(), c.user, c.now),
    f"POST {_CT}/migrate": _migrate,
    f"PUT {_CT}/resize": _resize,
    f"GET {_CT}/snapshot": lambda c: c.cluster.snapshots.all(c.container()),
    f"POST {_CT}/snapshot": _take_snapshot,
    f"GET {_CT}/snapshot/{{snapname}}": lambda c: _index("rollback", "config"),
    f"DELETE {_CT}/snapshot/{{snapname}}": _delete_snapshot,
    f"GET {_CT}/snapshot/{{snapname}}/config": _snapshot_config,
    f"PUT {_CT}/snapshot/{{snapname}}/config": lambda c: c.cluster.snapshots.set_description(
        c.container(), c.values["snapname"], c.values.get("description", "")
    ),
    f"POST {_CT}/snapshot/{{snapname}}/rollback": _roll_back,
    f"GET {_CT}/feature": _feature,
    f"GET {_CT}/interfaces": _interfaces,
    f"GET {_CT}/firewall/options": lambda c: c.cluster.firewall.options(c.container()),
    f"PUT {_CT}/firewall/options": lambda c: c.cluster.firewall.set_options(c.container(), c.rest()),
    f"GET {_CT}/firewall/rules": lambda c: c.cluster.firewall.rules(c.container()),
    f"POST {_CT}/firewall/rules": lambda c: c.cluster.firewall.add_rule(c.container(), c.rest()),
    f"GET {_RULE}": lambda c: c.cluster.firewall.rule(c.container(), c.values["pos"]),
    f"PUT {_RULE}": lambda c: c.cluster.firewall.change_rule(c.container(), c.values["pos"], c.rest("pos")),
    f"DELETE {_RULE}": lambda c: c.cluster.firewall.delete_rule(
        c.container(), c.values["pos"], c.rest("pos")
    ),
    "GET /nodes/{node}/tasks/{upid}/status": _task_status,
    "DELETE /nodes/{node}/tasks/{upid}": _stop_task,
}

ROUTES: dict[str, Callable[[Call], Answer]] = {
    **{call: _plain(function) for call, function in _DATA.items()},
    "GET /nodes/{node}/tasks": _tasks,
    "GET /nodes/{node}/tasks/{upid}/log": _task_log,
}
"""By "METHOD /path/{template}"; each has its parameters in schema.json under the same name."""

"""Snapshots (pve-guest-common, AbstractConfig.pm): most refusals are found only in the task."""

from typing import Any

from tests.independent.pve.api import Values, handles
from tests.independent.pve.cluster import Cluster, Guest
from tests.independent.pve.refusals import TaskFailed, die
from tests.independent.pve.tasks import Work

SNAPSHOTS = "/nodes/{node}/lxc/{vmid}/snapshot"
KEPT = {"description", "lock"}  # of the present configuration, through a rollback


@handles("GET", SNAPSHOTS)
def listed(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    guest = cluster.guest(values["node"], int(values["vmid"]))
    rows = []
    for name, snapshot in guest.snapshots.items():
        row = {"name": name, "snaptime": snapshot["snaptime"], "description": snapshot["description"] + "\n"}
        row |= {key: snapshot[key] for key in ("parent", "snapstate") if snapshot.get(key)}
        rows.append(row)
    now = {
        "name": "current",
        "description": "You are here!",
        "digest": guest.digest,
        "running": int(guest.running),
    }
    return [*rows, {**now, **({"parent": guest.parent} if guest.parent else {})}]


@handles("POST", SNAPSHOTS)
def create(cluster: Cluster, values: Values, user: str) -> str:
    name = values["snapname"]
    if name in ("current", "vzdump"):
        die(f"unable to use snapshot name '{name}' (reserved name)")
    work = _creation(cluster, values["node"], int(values["vmid"]), name, values.get("description", ""))
    return cluster.tasks.begin("vzsnapshot", values["vmid"], user, values["node"], work)


def _creation(cluster: Cluster, node: str, vmid: int, name: str, description: str) -> Work:
    guest = _load(cluster, node, vmid)
    _unlocked(guest)
    if name in guest.snapshots:
        raise TaskFailed(f"snapshot name '{name}' already used")
    if not cluster.storages[guest.storage].snapshots:
        raise TaskFailed("snapshot feature is not available")
    held, inside = guest.inside.held, guest.inside.copy()
    guest.snapshots[name] = {
        "snaptime": int(cluster.tasks.now()),
        "description": description,
        "parent": guest.parent,
        "snapstate": "prepare",
        "config": {k: v for k, v in guest.config.items() if k != "lock"},
        "inside": inside,
        "held": held,
    }
    guest.config["lock"] = "snapshot"
    yield 4
    if full := cluster.storages[guest.storage].full:
        del guest.snapshots[name], guest.config["lock"]
        raise TaskFailed(full)
    guest.snapshots[name]["snapstate"] = ""
    guest.parent = name
    guest.config.pop("lock", None)


@handles("DELETE", f"{SNAPSHOTS}/{{snapname}}")
def delete(cluster: Cluster, values: Values, user: str) -> str:
    work = _deletion(cluster, values["node"], int(values["vmid"]), values["snapname"])
    return cluster.tasks.begin("vzdelsnapshot", values["vmid"], user, values["node"], work)


def _deletion(cluster: Cluster, node: str, vmid: int, name: str) -> Work:
    guest = _load(cluster, node, vmid)
    if name not in guest.snapshots:
        raise TaskFailed(f"snapshot '{name}' does not exist")
    _unlocked(guest)
    guest.config["lock"] = "snapshot-delete"
    guest.snapshots[name]["snapstate"] = "delete"
    yield 2
    gone = guest.snapshots.pop(name)
    for other in guest.snapshots.values():
        if other["parent"] == name:
            other["parent"] = gone["parent"]
    if guest.parent == name:
        guest.parent = gone["parent"]
    guest.config.pop("lock", None)


@handles("POST", f"{SNAPSHOTS}/{{snapname}}/rollback")
def rollback(cluster: Cluster, values: Values, user: str) -> str:
    work = _going_back(cluster, values["node"], int(values["vmid"]), values["snapname"])
    return cluster.tasks.begin("vzrollback", values["vmid"], user, values["node"], work)


def _going_back(cluster: Cluster, node: str, vmid: int, name: str) -> Work:
    """Whether the storage can is asked before anything is locked or stopped."""
    guest = _load(cluster, node, vmid)
    if (snapshot := guest.snapshots.get(name)) is None:
        raise TaskFailed(f"snapshot '{name}' does not exist")
    if cluster.storages[guest.storage].newest_only and list(guest.snapshots)[-1] != name:
        volume = guest.config["rootfs"].partition(",")[0]
        raise TaskFailed(f"can't rollback, '{name}' is not most recent snapshot on '{volume}'")
    if snapshot["snapstate"]:
        raise TaskFailed(f"unable to rollback to incomplete snapshot (snapstate = {snapshot['snapstate']})")
    _unlocked(guest)
    guest.stop()
    guest.config["lock"] = "rollback"
    yield 4
    if guest.running:
        raise TaskFailed(f"unable to rollback vm {vmid}: vm is running")
    kept = {key: guest.config[key] for key in ("description",) if key in guest.config}
    guest.config = {**{k: v for k, v in snapshot["config"].items() if k not in KEPT}, **kept}
    guest.inside = snapshot["inside"].copy()
    guest.inside.stop()
    guest.parent = name


def _load(cluster: Cluster, node: str, vmid: int) -> Guest:
    guest = cluster.guests.get(vmid)
    if guest is None or guest.node != node:
        raise TaskFailed(f"Configuration file 'nodes/{node}/lxc/{vmid}.conf' does not exist")
    return guest


def _unlocked(guest: Guest) -> None:
    if lock := guest.config.get("lock"):
        raise TaskFailed(f"CT is locked ({lock})")

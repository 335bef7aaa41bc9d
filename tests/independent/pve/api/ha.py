"""HA resources (pve-ha-manager, API2/HA/)."""

from typing import Any

from tests.independent.pve.api import Values, handles
from tests.independent.pve.cluster import Cluster
from tests.independent.pve.refusals import die

RESOURCES = "/cluster/ha/resources"


def _vmid(values: Values) -> int:
    return int(values["sid"].rpartition(":")[2])


def _shown(vmid: int, resource: dict[str, Any]) -> dict[str, Any]:
    return {"sid": f"ct:{vmid}", "type": "ct", "digest": "0" * 40, **resource}


@handles("GET", "/cluster/ha/status/current")
def status(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"id": "quorum", "type": "quorum", "node": "node1", "status": "OK", "quorate": 1}
    ]
    for vmid, resource in cluster.ha.resources.items():
        service = cluster.ha.services.get(vmid)
        node = service.node if service else cluster.guests[vmid].node
        state = cluster.ha.verbose(vmid)
        row = {
            "id": f"service:ct:{vmid}",
            "type": "service",
            "sid": f"ct:{vmid}",
            "node": node,
            "state": state,
        }
        row |= {"status": f"ct:{vmid} ({node}, {state})", "request_state": resource["state"]}
        rows.append(row | ({"crm_state": service.state} if service else {}))
    return rows


@handles("GET", RESOURCES)
def listed(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    return [_shown(*item) for item in cluster.ha.resources.items()]


@handles("GET", f"{RESOURCES}/{{sid}}")
def one(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    if (resource := cluster.ha.resources.get(_vmid(values))) is None:
        die(f"no such resource 'ct:{_vmid(values)}'")
    return _shown(_vmid(values), resource)


@handles("POST", RESOURCES)
def add(cluster: Cluster, values: Values, user: str) -> None:
    vmid = _vmid(values)
    if "group" in values:
        _check_group(cluster, values["group"])
    if vmid not in cluster.guests:
        die(f"resource 'ct:{vmid}' does not exist in cluster")
    if vmid in cluster.ha.resources:
        die(f"create resource failed: resource ID 'ct:{vmid}' already defined")
    resource = {"max_restart": 1, "max_relocate": 1}
    resource |= {k: int(v) for k, v in values.items() if k in ("max_restart", "max_relocate")}
    if "comment" in values:
        resource["comment"] = values["comment"]
    cluster.ha.resources[vmid] = {**resource, "state": _wish(values.get("state", "started"))}


def _check_group(cluster: Cluster, group: str) -> None:
    if cluster.version != "8.4":
        die("invalid parameter 'group': ha groups have been migrated to rules")
    die(f"HA group '{group}' does not exist")


def _wish(state: str) -> str:
    return "started" if state == "enabled" else state


@handles("PUT", f"{RESOURCES}/{{sid}}")
def change(cluster: Cluster, values: Values, user: str) -> None:
    vmid = _vmid(values)
    if "group" in values:
        _check_group(cluster, values["group"])
    cluster.ha.refuse_in_error(vmid, values.get("state"))
    if vmid not in cluster.ha.resources:
        die(f"update resource failed: no such resource 'ct:{vmid}'")
    if "state" in values:
        cluster.ha.resources[vmid]["state"] = _wish(values["state"])
    if "comment" in values:
        cluster.ha.resources[vmid]["comment"] = values["comment"]


@handles("DELETE", f"{RESOURCES}/{{sid}}")
def remove(cluster: Cluster, values: Values, user: str) -> None:
    if cluster.ha.resources.pop(_vmid(values), None) is None:
        die(f"cannot delete service 'ct:{_vmid(values)}', not HA managed!")

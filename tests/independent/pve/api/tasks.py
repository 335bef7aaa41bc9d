"""Looking at tasks (pve-manager, API2/Tasks.pm)."""

from typing import Any

from tests.independent.pve.api import Values, handles
from tests.independent.pve.cluster import Cluster
from tests.independent.pve.refusals import bad_parameters
from tests.independent.pve.tasks import Task

TASKS = "/nodes/{node}/tasks"


@handles("GET", TASKS)
def listed(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    """A running one has the status RUNNING, and is not in the archive, which is what is shown by default."""
    source, since = values.get("source", "archive"), int(values.get("since", 0))
    audit = cluster.permissions.may(f"/nodes/{values['node']}", "Sys.Audit")
    rows = []
    for task in reversed(cluster.tasks.all):
        running = not task.exitstatus
        if task.node != values["node"] or (running and source == "archive") or task.start < since:
            continue
        if not running and source == "active":
            continue
        if values.get("vmid", task.id) != task.id or values.get("typefilter", task.type) != task.type:
            continue
        if audit or task.user == user:
            ended = {} if running else {"endtime": task.end}
            rows.append({**task.facts, **ended, "status": task.exitstatus or "RUNNING"})
    first = int(values.get("start", 0))
    return rows[first : first + int(values.get("limit", 50))]


@handles("GET", f"{TASKS}/{{upid}}/status")
def status(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    task = _task(cluster, values)
    if task.exitstatus:
        return {**task.facts, "status": "stopped", "exitstatus": task.exitstatus}
    return {**task.facts, "status": "running"}


@handles("GET", f"{TASKS}/{{upid}}/log")
def log(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    return [{"n": number, "t": line} for number, line in enumerate(_task(cluster, values).log, 1)]


def _task(cluster: Cluster, values: Values) -> Task:
    for task in cluster.tasks.all:
        if task.upid == values["upid"] and task.node == values["node"]:
            return task
    bad_parameters(upid="no such task")

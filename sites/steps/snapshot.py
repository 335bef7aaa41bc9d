"""The snapshot `initial`, to which a reset goes back."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites.connections import proxmox
from sites.steps.proxmox import follow, require

INITIAL = "initial"


def initial_taken(call: Call) -> Outcome:
    """A whole snapshot called `initial` exists."""
    if going_on := follow(call):
        return going_on
    container = require(call.subject)
    snapshots = {snapshot.name: snapshot for snapshot in proxmox().snapshots(container.node, container.vmid)}
    if INITIAL in snapshots:
        return call.look_again() if snapshots[INITIAL].snapstate else Done()
    upid = proxmox().create_snapshot(
        container.node, container.vmid, INITIAL, "The site as it was handed over."
    )
    return call.begun(upid)

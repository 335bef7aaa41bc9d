"""The snapshot `initial`, to which a reset goes back."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites.connections import proxmox
from sites.steps.proxmox import begin, follow, follows_moves, held_up, require

INITIAL = "initial"


@follows_moves
def initial_taken(call: Call) -> Outcome:
    """A whole snapshot called `initial` exists."""
    if going_on := follow(call):
        return going_on
    container = require(call.subject)
    snapshots = {snapshot.name: snapshot for snapshot in proxmox().snapshots(container.node, container.vmid)}
    if INITIAL in snapshots:
        return call.look_again() if snapshots[INITIAL].snapstate else Done()
    if going_on := held_up(call, container, "vzsnapshot"):
        return going_on
    node, vmid = container.node, container.vmid
    note = "The site as it was handed over."
    begun = begin(call, node, "vzsnapshot", lambda: proxmox().create_snapshot(node, vmid, INITIAL, note))
    return begun or call.look_again()

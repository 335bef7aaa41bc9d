"""The snapshot `before`: made for safety before a customer's content is changed or gone back on, one of a
site, replaced each time. It can be gone back to like a backup, and counts as none."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from sites.clients.proxmox import Snapshot
from sites.connections import proxmox
from sites.models import Backup, Site
from sites.steps.backups import deletion, is_ours, let_go, take
from sites.steps.proxmox import Container, follows_moves, held_up, outcome_of, require, task_of

BEFORE = "before"
# pve-guest-common, AbstractConfig.pm (snapshot_create): the storage of a volume cannot do it
NOT_POSSIBLE = "snapshot feature is not available"


@follows_moves
def taken(call: Call) -> Outcome:
    """A whole snapshot of this job's is called `before`, where the container's storage can make one."""
    site: Site = call.subject
    task = task_of(call)
    if task and task.ok is False and NOT_POSSIBLE in task.exitstatus:
        site.backups.filter(name=BEFORE).delete()
        return Done(note=f"There is no snapshot to go back to: {task.exitstatus}")
    if going_on := outcome_of(call, task):
        return going_on
    container = require(site)
    snapshots = proxmox().snapshots(container.node, container.vmid)
    there = next((snapshot for snapshot in snapshots if snapshot.name == BEFORE), None)
    if there and not is_ours(there, site):
        return Fail(error="Proxmox VE has another snapshot of this name.", detail=f"foreign: {BEFORE}")
    own = there is not None and call.job.pk in there.description
    if own and not there.snapstate:
        return _ready(call, container)
    # One of ours that is not whole is in the making, the container locked; or its node went away meanwhile.
    if going_on := held_up(call, container, "vzsnapshot" if own or not there else "vzdelsnapshot"):
        return going_on
    return _made(call, container, there)


def _made(call: Call, container: Container, earlier: Snapshot | None) -> Outcome:
    site: Site = call.subject
    if earlier:
        site.backups.filter(name=BEFORE).update(state=Backup.State.DELETED, ended_at=call.now)
        return deletion(call, container, BEFORE)
    # A new row: the snapshot is newer than all others, and so is its number.
    site.backups.filter(name=BEFORE).delete()
    kept = {"kind": Backup.Kind.SAFETY, "safe_mode": site.safe_mode, "job_id": call.job.pk}
    site.backups.create(name=BEFORE, **kept)
    description = f"{site.owner_mark}\nBefore: {call.job.flow.title}, job {call.job.pk}"
    return take(call, container, BEFORE, description)


def _ready(call: Call, container: Container) -> Outcome:
    note = let_go(call, container)
    call.subject.backups.filter(name=BEFORE).update(state=Backup.State.READY)
    return Done(note=note)

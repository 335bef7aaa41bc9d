"""Backups at Proxmox VE: snapshots that carry our mark. Others, made by hand or by other tools, are left
alone."""

import dataclasses
from datetime import datetime

from nodepoint.clients.errors import ClientError, Conflict
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from sites import marks
from sites.clients.proxmox import Snapshot
from sites.connections import proxmox
from sites.models import Backup, Site
from sites.steps import database
from sites.steps.proxmox import Container, Foreign, begin, find, follow, follows_moves, held_up, require


def is_ours(snapshot: Snapshot, site: Site) -> bool:
    """Whether the snapshot was made as a backup of this site."""
    return marks.owns(site, snapshot.description)


@follows_moves
def taken(call: Call) -> Outcome:
    """A whole snapshot of ours has the backup's name. What backups that were given up left behind is gone."""
    if going_on := follow(call):
        return going_on
    site: Site = call.subject
    backup = Backup.objects.get(job_id=call.job.pk)
    container = require(site)
    there = {s.name: s for s in proxmox().snapshots(container.node, container.vmid)}
    if snapshot := there.get(backup.name):
        if not is_ours(snapshot, site):
            return Fail(
                error="Proxmox VE has another snapshot of this name.", detail=f"foreign: {backup.name}"
            )
        return call.look_again() if snapshot.snapstate else _ready(call, backup, container)
    if going_on := held_up(call, container, "vzsnapshot"):
        return going_on
    if stray := _stray(site, there):
        return deletion(call, container, stray)
    return take(call, container, backup.name, site.owner_mark)


def _stray(site: Site, there: dict[str, Snapshot]) -> str | None:
    """A snapshot of ours whose backup is none: its job was cancelled in the middle."""
    void = site.backups.filter(name__in=there).exclude(state=Backup.State.READY)
    names = void.values_list("name", flat=True)
    return next((name for name in names if is_ours(there[name], site)), None)


def take(call: Call, container: Container, name: str, description: str) -> Outcome:
    """The snapshot of that name is being made; how the database was held meanwhile stands in the step's data
    as `hold`."""
    # Once only: commits wait meanwhile, and not through all the tries of a snapshot that fails.
    first = not call.step.tries and "hold" not in call.step.data
    note = database.hold(container) if first else call.step.data.get("hold", "not held at a later try")
    node, vmid = container.node, container.vmid
    try:
        begun = begin(
            call, node, "vzsnapshot", lambda: proxmox().create_snapshot(node, vmid, name, description)
        )
    except ClientError:
        if first:
            database.release(container)
        raise
    return dataclasses.replace(begun or call.look_again(), data={"hold": note})


def _ready(call: Call, backup: Backup, container: Container) -> Outcome:
    note = let_go(call, container)
    Backup.objects.filter(pk=backup.pk).update(state=Backup.State.READY)
    return Done(note=note)


def let_go(call: Call, container: Container) -> str:
    """The database goes on, now that the snapshot is whole. Returns what staff should know of it."""
    note = call.step.data.get("hold", "")
    if not note:
        database.release(container)
    return note and f"The database was not held: {note}"


@follows_moves
def untaken(call: Call) -> Outcome:
    """Nothing of a backup that failed is left, and its place in the quota is free."""
    backup = Backup.objects.get(job_id=call.job.pk)
    return _removed(call, backup, Backup.State.FAILED)


@follows_moves
def removed(call: Call) -> Outcome:
    """The snapshot is gone, and its place in the quota free. Conflict while the container stands without our
    mark: then the snapshot does, too."""
    backup = Backup.objects.get(site=call.subject, name=call.job.data["backup"])
    return _removed(call, backup, Backup.State.DELETED)


def _removed(call: Call, backup: Backup, state: str) -> Outcome:
    if going_on := follow(call):
        return going_on
    site: Site = call.subject
    try:
        container = find(site)
    except Foreign as error:
        if state == Backup.State.FAILED:  # an undo must come to an end
            return _over(call, backup, state, f"Left alone: {error}")
        raise Conflict("proxmox", str(error)) from error
    if container is None:
        return _over(call, backup, state)
    there = {s.name: s for s in proxmox().snapshots(container.node, container.vmid)}
    snapshot = there.get(backup.name)
    if snapshot is None:
        return _over(call, backup, state)
    if not is_ours(snapshot, site):
        return _over(call, backup, state, f"Left alone: the snapshot {backup.name} is not of our making.")
    if going_on := held_up(call, container, "vzdelsnapshot"):
        return going_on
    return deletion(call, container, backup.name)


def deletion(call: Call, container: Container, name: str) -> Outcome:
    """The snapshot of that name is being deleted."""
    node, vmid = container.node, container.vmid
    begun = begin(call, node, "vzdelsnapshot", lambda: proxmox().delete_snapshot(node, vmid, name))
    return begun or call.look_again()


def _over(call: Call, backup: Backup, state: str, note: str = "") -> Outcome:
    Backup.objects.filter(pk=backup.pk).update(state=state, ended_at=call.now)
    return Done(note=note)


def forget_missing(site: Site, present: set[str], now: datetime) -> None:
    """Backups whose snapshots are not there any more are none."""
    missing = site.backups.filter(state=Backup.State.READY).exclude(name__in=present)
    missing.update(state=Backup.State.DELETED, ended_at=now)

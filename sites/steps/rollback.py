"""Going back to a snapshot. It brings back the whole container of that day, its configuration too."""

from typing import Any

from django.db.models import QuerySet

from nodepoint.api.errors import as_refusal
from nodepoint.clients.errors import Conflict, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from sites.clients.proxmox import Snapshot
from sites.connections import proxmox
from sites.errors import BackupsInTheWay
from sites.models import Backup, Site, SiteHealth
from sites.steps import safety
from sites.steps.backups import deletion, forget_missing, is_ours
from sites.steps.power import power_as_wished
from sites.steps.proxmox import Container, begin, failed, follow, follows_moves, held_up, locked, require
from sites.steps.snapshot import INITIAL

NEWER_IN_THE_WAY = "not most recent snapshot"  # Proxmox VE's words, kept in the job's detail
# LINSTOR's, once the container is killed: of all storages before 1.31, since then of ZFS with the strategy
# `Rollback` (linstor-server 1.34, ZfsChecks.java:297 and :114; CtrlSnapshotRollbackApiCallHandler.java:274).
REFUSED_LATE = ("only allowed with the most recent snapshot", "is not the most recent snapshot")
IN_THE_WAY = "Newer backups stand in the way: {}. Delete them first, or ask for them to be discarded."
FOREIGN_IN_THE_WAY = "Proxmox VE has newer snapshots that are not the customer's. Please contact support."
VZDUMP = "vzdump"  # the snapshot of a backup in mode `snapshot`, there while that is at work
# Types of storages that can only go back to the newest snapshot (pve-storage 9, ZFSPoolPlugin.pm:610; those
# of LVMPlugin.pm:1186 and Plugin.pm:1447 are qcow2 images, which no container has).
NEWEST_ONLY = {"zfspool"}
ITSELF = "It goes back to it: what is there now is not kept."
NOT_KEPT = (
    "The storage can only go back to its newest snapshot: one of now would be in the way, and is not taken."
)


@follows_moves
def possible(call: Call) -> Outcome:
    """The snapshot is there, whole and ours, and nothing newer is in the way that may not be deleted."""
    site: Site = call.subject
    name = call.job.data["backup"]
    container = require(site)
    snapshots = proxmox().snapshots(container.node, container.vmid)
    target = next((snapshot for snapshot in snapshots if snapshot.name == name), None)
    if target is None or target.snapstate:
        state = f"snapstate = {target.snapstate}" if target else "no such snapshot"
        return Fail(error="Proxmox VE does not have this backup any more.", detail=f"{name}: {state}")
    if name != INITIAL and not is_ours(target, site):
        return Fail(error="Proxmox VE has another snapshot of this name.", detail=f"foreign: {name}")
    newer = newer_in_the_way(name, container, snapshots)
    return _backing_up(container, newer) or _refusal(call, newer) or Done()


def _backing_up(container: Container, newer: list[Snapshot]) -> Outcome | None:
    """While a backup makes and removes its own snapshot, that is waited for: it stands in nobody's way
    afterwards."""
    if container.config.lock == "backup" and any(snapshot.name == VZDUMP for snapshot in newer):
        return locked("backup")
    return None


def newer_in_the_way(name: str, container: Container, snapshots: list[Snapshot]) -> list[Snapshot]:
    """The snapshots, oldest first, that must go before the storage can go back to the one called `name`."""
    newer = snapshots[[snapshot.name for snapshot in snapshots].index(name) + 1 :]
    return newer if newer and _goes_to_newest_only(container) else []


def _goes_to_newest_only(container: Container) -> bool:
    return proxmox().storage_status(container.node, container.config.storage).type in NEWEST_ONLY


def _refusal(call: Call, newer: list[Snapshot]) -> Fail | None:
    """Why these may not be deleted; None when they may. What is left of failed backups may go unasked."""
    site: Site = call.subject
    detail = f"{call.job.data['backup']} is {NEWER_IN_THE_WAY}: {', '.join(s.name for s in newer)}"
    if any(not is_ours(snapshot, site) for snapshot in newer):
        return _in_the_way([], detail)
    whole = _customers(site.backups).filter(name__in=[snapshot.name for snapshot in newer])
    if call.job.data["discard_backups"] or not whole.exists():
        return None
    return _in_the_way([backup.name for backup in whole], detail)


def _in_the_way(backups: list[str], detail: str) -> Fail:
    """`backups`: those of the customer's, newest first; empty where others' snapshots are in the way."""
    sentence = IN_THE_WAY.format(", ".join(backups)) if backups else FOREIGN_IN_THE_WAY
    refusal = as_refusal(BackupsInTheWay(sentence, backups=backups))
    return Fail(error=sentence, detail=detail, refusal=refusal)


@follows_moves
def newer_gone(call: Call) -> Outcome:
    """The newest snapshot is the one to go back to, where the storage knows no other way."""
    if going_on := follow(call):
        return going_on
    site: Site = call.subject
    container = require(site)
    snapshots = proxmox().snapshots(container.node, container.vmid)
    newer = newer_in_the_way(call.job.data["backup"], container, snapshots)
    if call.ref:
        forget_missing(site, {snapshot.name for snapshot in snapshots}, call.now)
    if not newer:
        return Done()
    if going_on := held_up(call, container, "vzdelsnapshot"):
        return going_on
    if refusal := _refusal(call, newer):
        return refusal
    return deletion(call, container, newer[-1].name)


@follows_moves
def kept(call: Call) -> Outcome:
    """What is there now can be gone back to as `before`, where that is not what is gone back to now, and
    where the storage goes back past it."""
    if call.job.data["backup"] == safety.BEFORE:
        return Done(note=ITSELF)
    if not call.ref and _goes_to_newest_only(require(call.subject)):
        return Done(note=NOT_KEPT)
    return safety.taken(call)


@follows_moves
def rolled_back(call: Call) -> Outcome:
    """The container is that of the snapshot, and stopped. Nothing can tell this from a rollback of before, so
    one whose end is not known is done again: nothing has run since."""
    if call.ref:
        task = proxmox().task_status(call.ref)
        if task.running:
            return call.look_again()
        if task.ok:
            _look_soon(call)
            facts = {"power": "stopped", "power_verified_at": call.now}
            return Done(facts={**facts, **_inside(call)})
        if not task.unknown:
            return _failed(call, task.exitstatus)
    container = require(call.subject)
    if going_on := held_up(call, container, "vzrollback"):
        return going_on
    node, vmid, name = container.node, container.vmid, call.job.data["backup"]
    begun = begin(call, node, "vzrollback", lambda: proxmox().rollback(node, vmid, name))
    return begun or call.look_again()


def _look_soon(call: Call) -> None:
    """The daily look comes next: what is known of the inside is of another day, and the mark that keeps the
    site from updating itself is old. What was updated since may be so again, but for what this was the way
    back from."""
    known = SiteHealth.look_soon(call.subject.pk, call.now)
    if call.job.data["backup"] != safety.BEFORE:
        known.update(tried_version="", tried_security="")


def _inside(call: Call) -> dict[str, Any]:
    """What is known of an inside that is that of another day."""
    backup = Backup.objects.filter(site=call.subject, name=call.job.data["backup"]).first()
    safe_mode = backup is not None and backup.safe_mode
    return {"tuned_for_mb": None, "serves_as": "", "level": 0, "safe_mode": safe_mode}


def _failed(call: Call, exitstatus: str) -> Outcome:
    if any(words in exitstatus for words in REFUSED_LATE):
        return Fail(error=FOREIGN_IN_THE_WAY, detail=exitstatus)  # its lock stays, for staff
    if NEWER_IN_THE_WAY not in exitstatus:
        return failed(call, exitstatus)
    # A storage whose type did not tell. Nothing was touched.
    return _in_the_way([backup.name for backup in _newer_backups(call.job)], exitstatus)


def _newer_backups(job: Job) -> QuerySet[Backup]:
    """The customer's backups that are newer than the one the job goes back to, newest first."""
    ready = _customers(Backup.objects.filter(site=job.subject_pk))
    target = Backup.objects.filter(site=job.subject_pk, name=job.data["backup"]).first()
    return ready.filter(pk__gt=target.pk) if target else ready


def _customers(backups: Any) -> QuerySet[Backup]:
    """Those that nobody may delete unasked; the one for safety is replaced anyway."""
    return backups.filter(state=Backup.State.READY, kind=Backup.Kind.CUSTOMER)


def brought_back(call: Call) -> Outcome:
    """After a rollback that failed the container runs, or not, as before. With one that is gone, or not ours
    any more, there is nothing to bring back."""
    try:
        return power_as_wished(call)
    except (NotFound, Conflict) as error:
        return Done(note=f"Left alone: {error}")

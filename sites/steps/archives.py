"""Archives at Proxmox VE: made by `vzdump`, known by their notes, deleted when they are not wanted any more.
What does not carry our mark is left alone."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from django.conf import settings

from nodepoint.clients.errors import Unreachable
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from nodepoint.jobs.registry import Limit
from sites import marks
from sites.archives import retention
from sites.archives.rows import Archive, mark_in, name_in
from sites.clients.proxmox import StorageFull, Task, Volume, complaint, task_error
from sites.connections import proxmox
from sites.models import Site
from sites.steps.proxmox import (
    CLOCKS_APART,
    Container,
    begin,
    failed,
    follows_moves,
    held_up,
    lost_task,
    outcome_of,
    require,
    task_of,
)

AT_ONCE = 4  # archives in the making, on one storage
ARCHIVES = Limit("proxmox:archive", lambda: AT_ONCE, until_done=True)
TURN = 5.0  # seconds until the next look at a node that makes another backup
MIB = 1024**2
NEVER = "The archive could not be made."
FULL = "Proxmox VE has no room left on the storage of the archives."
OTHERS = "The node makes another backup."
PROTECTED = "This archive is protected at Proxmox VE."
CHANGED = "Something without our mark has the archive's place"


def of(call: Call) -> Archive:
    """The archive that the job is about."""
    return Archive.objects.select_related("site").get(name=call.job.data["archive"])


@follows_moves
def made(call: Call) -> Outcome:
    """A whole archive of ours lies on the storage, with the row's name in its notes."""
    return packed(call, of(call))


def packed(call: Call, archive: Archive) -> Outcome:
    """The same for this row."""
    task = task_of(call)
    if task and task.ok is False:
        return _failed(call, archive, task)
    if going_on := outcome_of(call, task):
        return going_on
    container = require(call.subject)
    if volume := _found(archive, container.node):
        return _ready(call, archive, volume, container.node)
    if task and task.ok:
        return _noted(call, archive, task, container)
    if going_on := held_up(call, container, "vzdump") or _not_yet(call, archive, container):
        return going_on
    write = partial(
        proxmox().archive, container.node, container.vmid, archive.storage, archive.notes, mode="snapshot"
    )
    return begin(call, container.node, "vzdump", write) or call.look_again()


def _not_yet(call: Call, archive: Archive, container: Container) -> Outcome | None:
    """What keeps the storage, or the node, from taking it now; None: nothing."""
    status = proxmox().storage_status(container.node, archive.storage)
    if not status.active:
        return Retry(error="The storage of the archives is away.", detail=f"storage {archive.storage}")
    if "backup" not in status.content:
        detail = f"storage {archive.storage} must allow the content backup"
        return Fail(error="The storage of the archives cannot take it.", detail=detail)
    Archive.objects.filter(pk=archive.pk).update(node=container.node, shared=status.shared)
    # Another one, whosever it is, would let ours wait as a task that nobody sees the end of.
    at_work = proxmox().tasks(container.node, typefilter="vzdump")
    if not call.uncertain and any(task.running for task in at_work):
        return Retry(
            error=OTHERS, detail=f"a vzdump is at work on {container.node}", seconds=TURN, in_line=True
        )
    return None


def _found(archive: Archive, node: str) -> Volume | None:
    """The archive among the storage's contents, by our mark and its name; VMIDs are used again."""
    listed = proxmox().storage_content(node, archive.storage, content="backup", vmid=archive.vmid)
    return next((volume for volume in listed if is_ours(archive, volume)), None)


def is_ours(archive: Archive, volume: Volume) -> bool:
    """Whether a volume is this archive: by name behind the mark, or by the mark where people have changed the
    rest of the notes and the row knows the volume."""
    if not marks.is_of(mark_in(volume.notes), archive.site):
        return False
    return name_in(volume.notes) == archive.name or bool(archive.volid and volume.volid == archive.volid)


def _noted(call: Call, archive: Archive, task: Task, container: Container) -> Outcome:
    """Where Proxmox cannot write the notes it warns, and goes on (pve-manager 9.2.11 `PVE/VZDump.pm:1204`):
    the one without notes that is younger than the task gets them."""
    since = int(task.upid.split(":")[4], 16) - CLOCKS_APART.total_seconds()
    listed = proxmox().storage_content(container.node, archive.storage, content="backup", vmid=archive.vmid)
    bare = [volume for volume in listed if not volume.notes and volume.ctime >= since]
    if len(bare) != 1:
        detail = f"the task ended well, but {archive.storage} shows none with the notes {archive.notes}"
        return Fail(error="The archive was not found.", detail=detail)
    proxmox().set_notes(container.node, bare[0].volid, archive.notes)
    return Retry(error="The archive got its notes late.", detail=bare[0].volid)


def _failed(call: Call, archive: Archive, task: Task) -> Outcome:
    """`job errors` tells nothing: the words stand in the log."""
    words = complaint(proxmox().task_log(task.upid)) or task.exitstatus
    outcome = failed(call, words)
    if isinstance(outcome, Fail):
        if isinstance(task_error(words), StorageFull):
            outcome = replace(outcome, error=FULL)
        Archive.objects.filter(pk=archive.pk).update(error=outcome.error or NEVER)
    return outcome


def _ready(call: Call, archive: Archive, volume: Volume, node: str) -> Outcome:
    Archive.objects.filter(pk=archive.pk).update(
        state=Archive.State.READY,
        node=node,
        volid=volume.volid,
        size_mb=-(-volume.size // MIB),
        protected=volume.protected,
        made_at=datetime.fromtimestamp(volume.ctime, UTC),
        error="",
    )
    return Done(ref=volume.volid)


def unmade(call: Call) -> Outcome:
    """Nothing of an archive that failed is left: its task is stopped, so that the container's lock goes."""
    archive = of(call)
    task = task_of(call)
    if task and task.running:
        if ":vzdump:" in call.ref and not call.step.data.get("stopped"):
            proxmox().stop_task(call.ref)
            return replace(call.look_again(), data={"stopped": True})
        return call.look_again()
    if call.uncertain and archive.node and (lost := lost_task(call, archive.node, "vzdump", at_work=True)):
        return call.adopted(lost)
    gone = removal(call, archive, Archive.State.FAILED) if archive.node else None
    if gone is None:
        _over(call, archive, Archive.State.FAILED)
    return gone or Done()


def removed(call: Call) -> Outcome:
    """The archive is gone, and its place in the quota free."""
    archive = of(call)
    if not archive.node:  # it was never begun
        _over(call, archive, Archive.State.FAILED)
        return Done()
    return removal(call, archive, Archive.State.DELETED) or Done()


def thinned(call: Call) -> Outcome:
    """Of the site's archives those are kept that the plan says, and never fewer than one."""
    site: Site = call.subject
    rows = Archive.objects.filter(site=site, state=Archive.State.READY).select_related("site")
    for archive in retention.superseded(list(rows), site.plan.archives_daily, site.plan.archives_weekly):
        if going_on := removal(call, archive, Archive.State.DELETED):
            return going_on
    return Done()


def removal(call: Call, archive: Archive, state: str) -> Outcome | None:
    """Have the archive deleted and its row say so; None when both is done. What is protected, or not ours,
    stays, and the row says that."""
    task = task_of(call) if ":imgdel:" in call.ref else None
    if going_on := outcome_of(call, task):
        return going_on
    node = node_of(archive)
    volume = _found(archive, node) or _at(archive, node)
    if volume is None:
        _over(call, archive, state)
        return None
    if not is_ours(archive, volume):
        _over(call, archive, Archive.State.MISSING, error=f"{CHANGED}: {volume.volid}.")
        return None
    if volume.protected:
        Archive.objects.filter(pk=archive.pk).update(protected=True)
        return Fail(error=PROTECTED, detail=volume.volid, callers_fault=True)
    return call.begun(proxmox().delete_archive(node, volume.volid))


def _at(archive: Archive, node: str) -> Volume | None:
    """What has the archive's volume id, whatever its notes say."""
    if not archive.volid:
        return None
    listed = proxmox().storage_content(node, archive.storage, content="backup", vmid=archive.vmid)
    return next((volume for volume in listed if volume.volid == archive.volid), None)


def node_of(archive: Archive) -> str:
    """A node that is up and sees the archive: the one that made it, or any where the storage is shared.
    Unreachable: none is."""
    online = [node.name for node in proxmox().nodes() if node.online]
    if archive.node in online or not archive.shared:
        if archive.node in online:
            return archive.node
        raise Unreachable("proxmox", f"{archive.name} lies on {archive.node}, which is away")
    usable = [name for name in settings.PROXMOX_NODES if name in online]
    if not usable:
        raise Unreachable("proxmox", "no node is up that sees the storage of the archives")
    return usable[0]


def _over(call: Call, archive: Archive, state: str, **more: str) -> None:
    rows = Archive.objects.filter(pk=archive.pk).exclude(state=Archive.State.MISSING)
    rows.update(state=state, ended_at=call.now, **more)

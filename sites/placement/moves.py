"""How a site's container gets to another node: by a restart migration or, where HA manages it, by the HA
manager. It is looked at before, since a migration, or HA, may have moved it already.

A migration that has ended the container and failed has started it again where it was; another try would end
it once more, so that only what fails before anything is done is tried again."""

from datetime import timedelta
from functools import partial

from nodepoint.clients.errors import Busy, ClientError, Unreachable
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from sites.clients.proxmox import StorageStatus, Task, task_error
from sites.connections import proxmox
from sites.models import Site
from sites.placement import places
from sites.placement.choice import Wish
from sites.steps.power import HA_PAUSE
from sites.steps.proxmox import (
    Container,
    begin,
    failed,
    follows_moves,
    held_up,
    require,
    task_of,
)
from sites.steps.wordpress import wrong_inside

MOVE = "sites.move"
FROM = "from"  # in the job's data: the node that the site is to leave
LOOKED = "looked"
HA_GRACE = timedelta(minutes=2)  # in which the HA manager has begun a move, or lets it be
MOVING = ("migrate", "relocate", "request_stop", "stopping")  # its states on the way
NOT_MOVED = "The site could not be moved to another node."
AGAIN = ("can't lock file", "is locked", "got timeout", "Can't connect to destination", "no quorum")
LOG_LINES, LOG_LENGTH = 4, 600
LOOKS = 3  # in vain, after which it is moved all the same
CHECKS, PAUSE = 4, 10.0  # looks at a site that does not answer, and seconds between them
GIB = 1024**3
TAKE_SNAPSHOTS = ("zfspool", "btrfs")  # of local storages, those whose snapshots go along (ibid.)
SHOWN = 5  # snapshots that are named


def runs(site: Site) -> bool:
    """Whether it should answer."""
    return site.power_wished == "running"


@follows_moves
def looked(call: Call) -> Outcome:
    """It is known how the site answers before it is moved, where it can be looked at."""
    try:
        require(call.subject)
        return Done(data={"wrong": wrong_inside(call.subject)})
    except ClientError as error:
        if error.permanent or call.step.tries < LOOKS:
            raise
    return Done()


@follows_moves
def moved(call: Call) -> Outcome:
    """The container is on another node than the one that it is to leave, stopped or running."""
    site: Site = call.subject
    task = task_of(call)
    if task and task.running:
        return call.look_again()
    container = require(site)
    if container.node != call.job.data[FROM]:
        places.settle(site)
        return Done(ref=call.ref or None, facts={"node": container.node}, note=f"It is on {container.node}.")
    if task and task.ok is False:
        return _unmoved(call, task)
    if task and task.ok and ":hamigrate:" in call.ref:
        return _by_ha(call, container)
    return held_up(call, container, "vzmigrate") or _begin(call, container)


def _begin(call: Call, container: Container) -> Outcome:
    """Have it moved, unless Proxmox VE would find out too late that it cannot. Its place on the other node is
    reserved before."""
    site, vmid = call.subject, container.vmid
    local = proxmox().storage_status(container.node, container.config.storage)
    if left := _held_by_snapshots(local, container):
        return Fail(error=NOT_MOVED, detail=left)
    target, storage = _target(site, container, local.shared)
    managed = proxmox().container_status(container.node, vmid).ha_managed
    kind = "hamigrate" if managed else "vzmigrate"
    ask = partial(proxmox().migrate, container.node, vmid, target, storage)
    return begin(call, container.node, kind, ask) or call.look_again()


def _held_by_snapshots(local: StorageStatus, container: Container) -> str:
    """Why snapshots keep it where it is; empty: they do not. Proxmox VE looks for them only after it has
    ended the container (pve-container 6.1.10, LXC/Migrate.pm:253). One call where its storage is local."""
    if local.shared or local.type in TAKE_SNAPSHOTS:
        return ""
    names = [one.name for one in proxmox().snapshots(container.node, container.vmid)]
    if not names:
        return ""
    return (
        f"Its snapshots ({', '.join(names[:SHOWN])}) cannot leave {container.config.storage}, a local storage"
        f" of the type {local.type}. It was not touched. Move it by hand with a backup and a restore."
    )


def _target(site: Site, container: Container, shared: bool) -> tuple[str, str]:
    """The node to go to, and the storage there where its own is local. One call. Busy when no node can
    take it."""
    without = {container.node: "is the one that it leaves"}
    wish = Wish(site.plan.memory_mb, site.plan.disk_gb)
    while True:
        target = places.place(site, _without(wish, without), home="")
        if shared:
            return target, ""
        if not (reason := _no_storage(target, container)):
            return target, container.config.storage
        without[target] = reason


def _without(wish: Wish, without: dict[str, str]) -> Wish:
    return Wish(wish.memory, wish.disk, without=tuple(without.items()))


def _no_storage(node: str, container: Container) -> str:
    """Why the local storage of that name cannot take it on a node; empty: it can. One call."""
    name = container.config.storage
    try:
        there = proxmox().storage_status(node, name)
    except (Busy, Unreachable):
        raise
    except ClientError as error:
        return f"has no storage {name} ({error.vendor})"
    if not (there.active and there.enabled and "rootdir" in there.content):
        return f"has no storage {name} for containers"
    room = there.avail >= container.config.rootfs_gb * GIB
    return "" if room else f"has no room on {name} for {container.config.rootfs_gb:g} GB more"


def _by_ha(call: Call, container: Container) -> Outcome:
    """The manager was told: wait for it, as long as it is at it or may not have seen the order yet."""
    services = [one for one in proxmox().ha_status() if one.vmid == container.vmid]
    state = services[0].crm_state if services else ""
    if state in MOVING or call.elapsed < HA_GRACE.total_seconds():
        return Wait(seconds=HA_PAUSE)
    detail = f"The HA manager has left it on {container.node}; its state is {state or 'not known'}."
    return Fail(error=NOT_MOVED, detail=detail)


def _unmoved(call: Call, task: Task) -> Outcome:
    """It is where it was: what has failed before anything was done is tried again, all else is for staff."""
    words = f"{task.exitstatus}: {_reason(task.upid)}"
    if isinstance(task_error(words), Busy) and any(text in words for text in AGAIN):
        return failed(call, words)
    return Fail(error=NOT_MOVED, detail=words)


def _reason(upid: str) -> str:
    """The last words of a task's log that say what went wrong."""
    lines = [line for line in proxmox().task_log(upid) if not line.startswith("TASK ")]
    telling = [line for line in lines if any(word in line for word in ("ERROR", "can't", "WARN", "did not"))]
    return "; ".join((telling or lines)[-LOG_LINES:])[-LOG_LENGTH:]


@follows_moves
def answers_as_before(call: Call) -> Outcome:
    """The site answers on its new node as it did before."""
    wrong = wrong_inside(call.subject)
    before = call.job.steps.filter(name=LOOKED).first()
    if not wrong or (before and before.data.get("wrong")):
        return Done()
    checks = call.step.data.get("checks", 0) + 1
    error = "WordPress does not answer after the move."
    if checks < CHECKS:
        return Retry(error=error, detail=wrong, seconds=PAUSE, data={"checks": checks})
    return Fail(error=error, detail=wrong)

"""Removing what is left of sites that are long gone. Each thing is looked at once more before: only with the
very mark that was reported is it removed."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from nodepoint.clients.errors import Busy, Conflict, NotFound
from nodepoint.jobs import limits, queue
from sites import marks
from sites.clients.cloudflare import Record
from sites.clients.npm import ProxyHost
from sites.clients.proxmox import Guest, HaService, task_error
from sites.comparison import Remote, is_proven, owner
from sites.connections import cloudflare, npm, proxmox
from sites.steps import hosts
from sites.steps.hosts import WRITES

PAUSE = 0.5  # seconds between two looks at a task
PATIENCE = 180.0  # seconds for one task, one stop by the HA manager, or a free lane
LANE_SECONDS = 90.0  # a write to NPM never takes longer


def remove(orphan: Remote, mark: str) -> None:
    """Remove an orphan that carries `mark`; one that is gone by now is fine. ClientError: Conflict when it
    does not carry the mark any more, or is in use although no row of ours says that it is dead; Busy when it
    is locked."""
    try:
        _refuse_in_use(orphan, mark)
        match orphan:
            case Record():
                _remove_record(orphan, mark)
            case ProxyHost():
                _remove_host(orphan, mark)
            case Guest():
                _remove_container(orphan, mark)
            case HaService():
                _remove_resource(orphan.vmid, mark)
    except NotFound:
        return


def _refuse_in_use(orphan: Remote, mark: str) -> None:
    """Conflict where nothing proves that the thing is dead, and it lives. A ready container runs while it
    waits, and nobody's site is in it."""
    if is_proven(mark, owner(mark)) or marks.spare_build(mark):
        return
    match orphan:
        case Record():
            used = any(host.enabled for host in npm().find_proxy_hosts(orphan.name))
        case ProxyHost():
            used = npm().proxy_host(orphan.id).enabled
        case Guest():
            used = proxmox().container_status(orphan.node, orphan.vmid).running
        case HaService():
            used = not proxmox().vmid_free(orphan.vmid)
    if used:
        raise Conflict(_system(orphan), "it is in use, and no row of ours says that it may go")


def _system(orphan: Remote) -> str:
    match orphan:
        case Record():
            return "cloudflare"
        case ProxyHost():
            return "npm"
    return "proxmox"


def _remove_record(record: Record, mark: str) -> None:
    for found in cloudflare().find_records(record.name):
        if found.id == record.id:
            _require(marks.carried_by_comment(found.comment) == mark, "cloudflare", f"record {record.id}")
            cloudflare().delete_record(found.id)


def _remove_host(host: ProxyHost, mark: str) -> None:
    with _lane():
        found = npm().proxy_host(host.id)
        _require(hosts.mark_of(found) == mark, "npm", f"proxy host {host.id}")
        npm().delete_proxy_host(host.id)


def _remove_container(guest: Guest, mark: str) -> None:
    node, vmid = guest.node, guest.vmid
    config = proxmox().config(node, vmid)
    _require(marks.carried(config.description) == mark, "proxmox", f"container {vmid}")
    if config.lock:
        raise Busy("proxmox", f"container {vmid} is locked ({config.lock})")
    _remove_resource(vmid, mark, until_stopped=lambda: not proxmox().container_status(node, vmid).running)
    _follow(proxmox().stop(node, vmid))
    _follow(proxmox().delete_container(node, vmid))


def _remove_resource(vmid: int, mark: str, until_stopped: Callable[[], bool] = lambda: True) -> None:
    """Out of HA; stopped before, since the manager would start again what is stopped behind its back."""
    resource = proxmox().ha_resource(vmid)
    if resource is None:
        return
    _require(marks.carried_by_comment(resource.comment) == mark, "proxmox", f"HA resource {resource.sid}")
    proxmox().set_ha_resource(vmid, "disabled")
    _wait(until_stopped, "the HA manager does not stop it")
    proxmox().remove_ha_resource(vmid)


def _require(is_ours: bool, system: str, thing: str) -> None:
    if not is_ours:
        raise Conflict(system, f"{thing} does not carry the mark any more")


def _follow(upid: str | None) -> None:
    """Wait for the end of a task; its failure is raised."""
    if upid is None:
        return
    _wait(lambda: not proxmox().task_status(upid).running, "its task does not end")
    task = proxmox().task_status(upid)
    if task.ok is not True:
        raise task_error(task.exitstatus)


def _wait(is_so: Callable[[], bool], complaint: str) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise Busy("proxmox", complaint)
        time.sleep(PAUSE)


@contextmanager
def _lane() -> Iterator[None]:
    """The one place of a writer of this NPM, shared with the jobs."""
    holder, end = f"reconcile:{uuid.uuid4().hex}", time.monotonic() + PATIENCE
    while not limits.take(WRITES.name, WRITES.slots(), holder, timezone.now(), LANE_SECONDS):
        if time.monotonic() > end:
            raise Busy("npm", "other writes do not end")
        time.sleep(PAUSE)
    try:
        yield
    finally:
        limits.release(holder, [WRITES.name])
        limits.wake_next([WRITES.name], timezone.now())
        queue.kick_if_due()

"""A second container of a site's: made of an archive beside the one that it has, on another VMID, stopped.

Proxmox VE's own restore over a container destroys that first (pve-container 6.1.10 `API2/LXC.pm`, `force`)
and leaves nothing when it fails then. So the two change places once the new one stands (`exchanged`), and the
former one goes when WordPress was seen in it: there is always one whole site. `Site.other_vmid` is the one
that is not the site's, whichever that is."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from nodepoint.clients.errors import Conflict, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from sites import allocation, marks
from sites.archives.rows import Archive, mark_in
from sites.clients.proxmox import Volume
from sites.connections import proxmox
from sites.models import Site
from sites.placement.places import settle, site_place
from sites.steps import container, firewall, high_availability, power, wordpress
from sites.steps.backups import forget_missing
from sites.steps.proxmox import (
    Container,
    Foreign,
    begin,
    find,
    follows_moves,
    held_up,
    locked,
    lost_task,
    outcome_of,
    require,
    task_of,
)

GB = 1024**3
GONE = "The archive is not there any more."
NOT_OURS = "The archive belongs to something else."
TORN = "The archive cannot be restored: it is not whole."
NO_ROOM = "Proxmox VE has no room left for the restored site beside the one that is there."
AWAY = "The storage of the archives is away."
DOES_NOT_ANSWER = "WordPress does not answer in what was restored."
DRILL = "sites.drill"
STAYS = "There is no former container: the restored one stays."
NODE = "node"  # in a step's data: where the archive is unpacked


def archive_of(call: Call) -> Archive:
    """The archive that the job is about."""
    return Archive.objects.select_related("site").get(name=call.job.data["archive"])


def readable(call: Call) -> Outcome:
    """The archive is there, whole as far as can be told, and ours; a node sees it that has room beside."""
    archive, site = archive_of(call), call.subject
    node = _node(archive, site)
    if wrong := _unreadable(call, archive, node):
        return wrong
    room = proxmox().storage_status(node, settings.PROXMOX_STORAGE).avail
    if room < site.plan.disk_gb * GB:
        detail = f"{room // GB} GB free on {settings.PROXMOX_STORAGE}"
        return Fail(error=NO_ROOM, detail=detail)
    return Done(ref=node)


def _unreadable(call: Call, archive: Archive, node: str) -> Outcome | None:
    """Why nothing can be made of the archive, now or ever; None: nothing tells against it."""
    if not proxmox().storage_status(node, archive.storage).active:
        return Retry(error=AWAY, detail=f"storage {archive.storage} on {node}")
    volume = volume_of(archive, node)
    if volume is None:
        missing = Archive.objects.filter(pk=archive.pk, state=Archive.State.READY)
        missing.update(state=Archive.State.MISSING, ended_at=call.now)
        return Fail(error=GONE, detail=f"{archive.volid} is not on {archive.storage}", callers_fault=True)
    if not marks.is_of(mark_in(volume.notes), archive.site):
        return Fail(error=NOT_OURS, detail=f"{volume.volid}: {volume.notes}")
    if volume.verification == "failed":
        return Fail(error=TORN, detail=f"{volume.volid}: verification failed")
    return None


def volume_of(archive: Archive, node: str) -> Volume | None:
    """The archive among what its storage holds."""
    listed = proxmox().storage_content(node, archive.storage, content="backup", vmid=archive.vmid)
    return next((volume for volume in listed if volume.volid == archive.volid), None)


def _node(archive: Archive, site: Site) -> str:
    """Where it is unpacked: beside the site, or where the archive is seen. Busy, Unreachable."""
    if not archive.shared:
        return archive.node
    online = [node.name for node in proxmox().nodes() if node.online]
    return site.node if site.node in online else site_place(site)


def placed(call: Call) -> Outcome:
    """The site has a VMID for the second one; what an earlier job could not remove was removed before."""
    if call.subject.other_vmid is None:
        _reserve(call.subject, None)
    return Done()


def _reserve(site: Site, taken: int | None) -> int:
    """Another VMID than the one that turned out to be taken."""
    seen = {guest.vmid for guest in proxmox().resources()}
    with transaction.atomic():
        allocation.lock()
        vmid = allocation.free_vmid(seen, above=taken or 0)
        Site.objects.filter(pk=site.pk, other_vmid=taken).update(other_vmid=vmid, other_node="")
    return vmid


def unpacked(call: Call) -> Outcome:
    """The second container is what the archive holds, with the site's mark, size and address, stopped."""
    return _unpacked(call, of(call), "other_node", _elsewhere)


def unpacked_for_order(call: Call) -> Outcome:
    """The same of the container that an order gets."""

    def elsewhere(call: Call) -> Outcome:
        seen = {guest.vmid for guest in proxmox().resources()}
        vmid = allocation.reserve_other_vmid(call.subject, seen)
        return Retry(ref="", error="", detail=f"The VMID was taken by something else; now {vmid}.")

    return _unpacked(call, call, "node", elsewhere)


def _unpacked(call: Call, target: Call, node_field: str, elsewhere: Callable[[Call], Outcome]) -> Outcome:
    if going_on := outcome_of(call, task_of(call)):
        return going_on
    archive, site = archive_of(call), target.subject
    node = call.step.data.get(NODE) or _node(archive, call.subject)
    if call.uncertain and (lost := lost_task(target, node, "vzrestore")):
        return call.adopted(lost, **{node_field: node})
    try:
        found = None if proxmox().vmid_free(site.vmid) else find(site)
    except Foreign:
        return elsewhere(call)
    if found and found.config.lock:
        return locked(found.config.lock)
    if found:
        settle(call.subject)
        return Done(ref=call.ref or None, facts={node_field: found.node})
    if target is call and (wrong := _unreadable(call, archive, node)):
        return wrong  # an order has not looked before
    given = described(site, archive, apart=call.job.kind == DRILL)
    try:
        upid = proxmox().create_container(node, site.vmid, **given)
    except Conflict:
        return Retry(ref="", error="Proxmox VE already has something else in this place.")
    begun = call.begun(upid, **{node_field: node})
    return replace(begun, data={**begun.data, NODE: node})


def described(site: Site, archive: Archive, *, apart: bool = False) -> dict[str, Any]:
    """What of its configuration is of now: all but what lies on its disk. `apart`: without a network."""
    wanted = {**container.creation(site), "ostemplate": archive.volid, "restore": True, "onboot": False}
    return {**wanted, "net0": {**wanted["net0"], "link_down": True}} if apart else wanted


def _elsewhere(call: Call) -> Outcome:
    """Something that is not ours has the VMID."""
    taken = call.subject.other_vmid
    vmid = _reserve(call.subject, taken)
    return Retry(ref="", error="", detail=f"The VMID {taken} was taken by something else; now {vmid}.")


def closed(call: Call) -> Outcome:
    """Its firewall is on with our rules, before it ever runs."""
    return _only(firewall.firewall_on(of(call)))


def of(call: Call) -> Call:
    """The call for the second container: its subject is the site with that one's VMID and node."""
    site = copy.copy(call.subject)
    site.vmid, site.node, site.claimed = site.other_vmid, site.other_node, ""
    return replace(call, subject=site)


def _only(outcome: Outcome) -> Outcome:
    """The outcome without facts of the site's own container."""
    facts = {"other_node": outcome.facts["node"]} if outcome.facts.get("node") else {}
    return replace(outcome, facts=facts)


def gone(call: Call) -> Outcome:
    """Nothing of the second container is left, and its VMID is free. What does not carry our mark is left
    alone."""
    site: Site = call.subject
    if site.other_vmid is None:
        settle(site)
        return Done()
    second = of(call)
    outcome = high_availability.unmanaged(second)
    if isinstance(outcome, Done):
        outcome = container.removed(second)
    if not isinstance(outcome, Done):
        return _only(outcome)
    return Done(note=outcome.note, facts={"other_vmid": None, "other_node": ""})


def all_removed(call: Call) -> Outcome:
    """Nothing of a site's containers is left, of a second one that a job was at neither."""
    if call.subject.other_vmid is None:
        return container.removed(call)
    outcome = gone(call)
    return Wait(ref="", seconds=0.1, facts=outcome.facts) if isinstance(outcome, Done) else outcome


def is_exchanged(call: Call) -> bool:
    """Whether the site has the container of the archive by now."""
    return call.subject.vmid != call.job.data["former"]


@follows_moves
def at_rest(call: Call) -> Outcome:
    """The site's container is stopped, and no HA resource starts it again. One that is gone is."""
    if is_exchanged(call) or find(call.subject) is None:
        return Done()
    outcome = high_availability.unmanaged(call)
    if not isinstance(outcome, Done):
        return outcome
    task = task_of(call)
    if going_on := outcome_of(call, task):
        return going_on
    found = require(call.subject)
    node, vmid = found.node, found.vmid
    if not proxmox().container_status(node, vmid).running:
        return Done(facts={"power": "stopped", "power_verified_at": call.now})
    if going_on := held_up(call, found, "vzshutdown"):
        return going_on
    end = partial(proxmox().shutdown, node, vmid, timeout=power.GRACE, force_stop=True)
    return begin(call, node, "vzshutdown", end) or call.look_again()


def woken(call: Call) -> Outcome:
    """The undo of it: the site's container runs, or not, as wished, and HA has it again."""
    try:
        outcome = power.power_as_wished(call)
        if not isinstance(outcome, Done):
            return outcome
        managed = high_availability.as_planned(call)
    except (NotFound, Conflict) as error:
        return Done(note=f"Left alone: {error}")
    return replace(managed, facts={**outcome.facts, **managed.facts})


def exchanged(call: Call) -> Outcome:
    """The site has the container of the archive, and the former one is the second."""
    return Done() if is_exchanged(call) else Done(facts={**_swapped(call.subject), **UNKNOWN_INSIDE})


UNKNOWN_INSIDE = {
    "power": "stopped",
    "tuned_for_mb": None,
    "serves_as": "",
    "level": 0,
    "safe_mode": False,
}


def _swapped(site: Site) -> dict[str, Any]:
    return {
        "vmid": site.other_vmid,
        "node": site.other_node,
        "other_vmid": site.vmid,
        "other_node": site.node,
    }


def exchanged_back(call: Call) -> Outcome:
    """The undo of it: the former container is the site's again; the other one is stopped. Where there is no
    former one, not any more or never, the restored one is better than none."""
    if not is_exchanged(call):
        return Done()
    if going_on := outcome_of(call, task_of(call)):
        return going_on
    found = _found(call.subject)
    if found and _found(of(call).subject) is None:
        return Done(note=STAYS)
    if found and proxmox().container_status(found.node, found.vmid).running:
        node, vmid = found.node, found.vmid
        return begin(call, node, "vzstop", lambda: proxmox().stop(node, vmid)) or call.look_again()
    return Done(facts={**_swapped(call.subject), **UNKNOWN_INSIDE})


def _found(site: Site) -> Container | None:
    try:
        return find(site)
    except Foreign:
        return None


def started(call: Call) -> Outcome:
    """The second container runs."""
    return _only(container.started(of(call)))


def answers(call: Call) -> Outcome:
    """WordPress answers in the second container with its front page, which it does not without its database
    and its files: the archive can be restored."""
    archive, second = archive_of(call), of(call).subject
    name = archive.serves_as or call.subject.hostname
    if wrong := wordpress.wrong_inside(second, name):
        return Retry(error=DOES_NOT_ANSWER, detail=f"inside: {wrong}")
    Archive.objects.filter(pk=archive.pk).update(verified_at=call.now)
    return Done(note=f"It answers as {name}.")


@follows_moves
def verified(call: Call) -> Outcome:
    """WordPress answers in the restored container as in any that is handed over."""
    outcome = wordpress.verified(call)
    if isinstance(outcome, Done):
        Archive.objects.filter(name=call.job.data["archive"]).update(verified_at=call.now)
    return outcome


def former_gone(call: Call) -> Outcome:
    """The former container is gone, and with it the snapshots that it had."""
    outcome = gone(call)
    if isinstance(outcome, Done):
        forget_missing(call.subject, set(), call.now)
    return outcome

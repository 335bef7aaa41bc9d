"""The container: made, started, removed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings

from nodepoint.clients.errors import Conflict
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry
from sites.allocation import reserve_other_vmid
from sites.connections import proxmox, site_network
from sites.models import Site, Spare, Template
from sites.placement.places import settle, site_place
from sites.steps.proxmox import (
    Foreign,
    NotSeen,
    begin,
    failed,
    find,
    follow,
    follows_moves,
    held_up,
    lost_task,
    outcome_of,
    require,
    task_of,
)

TAG = "nodepoint"
SPARE_TAG = "nodepoint-pool"  # of a container that waits for an order
Holder = Site | Spare | Template
LEFT = "left"  # in a step's data: what stands there of ours without our mark


def created(call: Call) -> Outcome:
    """The container exists with the plan's size and our mark, stopped."""
    return made(call, creation, site_place)


def made(call: Call, describe: Callable[[Any], dict[str, Any]], place: Callable[[Any], str]) -> Outcome:
    """The subject's container exists as `describe` says, stopped; on the node that `place` names if it has to
    be made."""
    site = call.subject
    task = task_of(call)
    if task and task.ok:
        settle(site)
        return Done(ref=call.ref)  # by the task that we began, with what we asked for
    if going_on := outcome_of(call, task):
        return going_on
    try:
        container = None if not call.ref and proxmox().vmid_free(site.vmid) else find(site)
    except NotSeen:
        return _unseen(call) or _other_vmid(site)
    except Foreign:
        return _other_vmid(site)
    if container is None:
        return _create(call, place(site), describe(site))
    if container.config.lock == "create":
        return _adopt_creation(call, site, container.node)
    # It wears our mark before its creation has ended, and the lock is off for a while in the middle
    # (pve-container 6.1.10 `API2/LXC.pm`, "safe config"): only the task tells.
    if at_work := _lost_creation(call, container.node, at_work=True):
        return at_work
    settle(site)
    return Done(ref=call.ref or None, facts={"node": container.node})


def _unseen(call: Call) -> Outcome | None:
    """A creation of ours whose answer was lost, of which the token sees the task alone: its rights on the
    container come from the pool, which is joined last."""
    online = [node.name for node in proxmox().nodes() if node.online]
    return next(filter(None, (_lost_creation(call, node) for node in online)), None)


def _lost_creation(call: Call, node: str, at_work: bool = False) -> Outcome | None:
    lost = lost_task(call, node, "vzcreate", at_work) if call.uncertain else None
    return call.adopted(lost, node=node) if lost else None


def _create(call: Call, node: str, parameters: dict[str, Any]) -> Outcome:
    vmid = call.subject.vmid
    try:
        begun = begin(
            call, node, "vzcreate", lambda: proxmox().create_container(node, vmid, **parameters), node=node
        )
    except Conflict:
        # Somebody was quicker with this VMID, or an earlier call of ours had its effect after all: the next
        # look tells.
        return Retry(ref="", error="Proxmox VE already has something else in this place.")
    return begun or call.look_again()


def creation(site: Site) -> dict[str, Any]:
    """The parameters of the container, in Proxmox's terms."""
    return {
        **surroundings(site),
        "ostemplate": settings.PROXMOX_TEMPLATE,
        "disk_gb": site.plan.disk_gb,
        # A short name on purpose: with the public one, Proxmox writes it into /etc/hosts and the site's calls
        # to itself go astray.
        "hostname": site.subdomain,
        "memory": site.plan.memory_mb,
        "cores": site.plan.cores,
        "tag": [TAG],
    }


def surroundings(owner: Holder) -> dict[str, Any]:
    """Those of them that are alike for all that we make: storage, network, mark, pool."""
    return {
        "storage": settings.PROXMOX_STORAGE,
        "net0": {
            "name": "eth0",
            "bridge": settings.PROXMOX_BRIDGE,
            "ip": f"{owner.private_ip}/{site_network().prefixlen}",
            "gw": settings.SITE_GATEWAY,
            "firewall": True,
        },
        "nameserver": settings.SITE_NAMESERVERS,
        "description": owner.owner_mark,
        "pool": settings.PROXMOX_POOL or None,
    }


def without_power(outcome: Outcome) -> Outcome:
    """The outcome for a subject that does not note whether it runs, as sites do."""
    facts = {name: value for name, value in outcome.facts.items() if not name.startswith("power")}
    return replace(outcome, facts=facts)


def unmade(call: Call) -> Outcome:
    """Nothing of the container is left, for a subject that does not note whether it runs. Conflict while it
    stands without our mark: until somebody removes it, the subject's row keeps its address."""
    outcome = removed(call)
    if LEFT in outcome.data:
        raise Conflict("proxmox", outcome.data[LEFT])
    return without_power(outcome)


def _adopt_creation(call: Call, site: Site, node: str) -> Outcome:
    """Our creation goes on, but its answer was lost: find its task."""
    newest = next(iter(proxmox().tasks(node, vmid=site.vmid, typefilter="vzcreate")), None)
    if newest and newest.running:
        return call.adopted(newest.upid, node=node)
    # It has just ended, as the next look will show; or it died with its node and nobody takes the lock off.
    return failed(call, newest.status if newest else "lock: create, and no task is known")


def _other_vmid(site: Site) -> Outcome:
    in_use = {guest.vmid for guest in proxmox().resources()}
    vmid = reserve_other_vmid(site, in_use)
    return Retry(ref="", error="", detail=f"The VMID was taken by something else; now {vmid}.")


def left(call: Call) -> str:
    """What a step of the job has left standing although we made it, since somebody took our mark away; empty:
    nothing. As long as it exists, nobody else gets its address, VMID and name."""
    return next(filter(None, (step.data.get(LEFT, "") for step in call.job.steps.all())), "")


@follows_moves
def started(call: Call) -> Outcome:
    """The container runs."""
    if going_on := follow(call):
        return going_on
    site: Site = call.subject
    node = site.node if call.ref else require(site).node
    if not call.ref:
        begun = begin(call, node, "vzstart", lambda: proxmox().start(node, site.vmid), node=node)
        if begun:
            return begun
    if proxmox().container_status(node, site.vmid).running:
        return Done(facts={"node": node, "power": "running", "power_verified_at": call.now})
    return Retry(
        ref="",
        error="The container does not start.",
        detail="its start task ended well, but it is not running",
    )


@follows_moves
def removed(call: Call) -> Outcome:
    """Nothing of the container is left. What does not carry our mark is left alone, and known as `left`."""
    task = task_of(call)
    if going_on := outcome_of(call, task):
        return going_on
    try:
        container = find(call.subject)
    except Foreign as error:
        destroyed = task is not None and task.ok is True and ":vzdestroy:" in call.ref
        # A site without a node never had a container: what uses its VMID has always been somebody else's.
        was_ours = bool(call.subject.node) and not destroyed
        return Done(note=f"Left alone: {error}", data={LEFT: str(error)} if was_ours else {})
    if container is None:
        settle(call.subject)
        return Done(facts={"node": "", "power": ""})
    if going_on := held_up(call, container, "vzdestroy"):
        return going_on
    node, vmid = container.node, container.vmid
    if proxmox().container_status(node, vmid).running:
        begun = begin(call, node, "vzstop", lambda: proxmox().stop(node, vmid))
    else:
        begun = begin(call, node, "vzdestroy", lambda: proxmox().delete_container(node, vmid))
    return begun or call.look_again()

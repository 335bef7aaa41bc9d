"""What all steps at Proxmox share: finding a site's container, making sure it is ours, following a task."""

from dataclasses import dataclass

from django.conf import settings

from nodepoint.clients.errors import Busy, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Fail, Outcome, Retry
from nodepoint.jobs.registry import Limit
from nodepoint.jobs.retry import decide
from sites.clients.proxmox import Config, Guest, Node, task_error
from sites.connections import proxmox
from sites.models import Site

CALLS = Limit("proxmox", lambda: settings.PROXMOX_CONCURRENCY)
CREATIONS = Limit("proxmox:create", lambda: settings.PROXMOX_CREATES, until_done=True)


@dataclass(frozen=True)
class Container:
    """A site's container as it stands in the cluster now."""

    node: str
    vmid: int
    config: Config


class Foreign(Exception):
    """Something that is not ours uses the site's VMID."""

    def __init__(self, guest: Guest) -> None:
        super().__init__(f"VMID {guest.vmid} on {guest.node} is {guest.name or 'something'} without our mark.")
        self.guest = guest


def find(site: Site) -> Container | None:
    """The site's container, wherever in the cluster it is; None when nothing uses its VMID.

    Foreign: something else does. HA and migration move containers, so the node we remember is only where to look first.
    """
    if site.vmid is None:
        return None
    if site.node and (there := _on(site, site.node)):
        return there
    guest = next((guest for guest in proxmox().resources() if guest.vmid == site.vmid), None)
    if guest is None:
        return None
    there = _on(site, guest.node) if guest.type == "lxc" else None
    if there is None:
        raise Foreign(guest)
    return there


def _on(site: Site, node: str) -> Container | None:
    """The container on this node if it carries our mark."""
    try:
        config = proxmox().config(node, site.vmid)
    except NotFound:
        return None
    if config.description.strip() != site.owner_mark:
        return None
    return Container(node, site.vmid, config)


def require(site: Site) -> Container:
    """The site's container; NotFound when it is gone."""
    container = find(site)
    if container is None:
        raise NotFound("proxmox", f"container {site.vmid} is gone")
    return container


def placement() -> str:
    """The node for a new container: the home node while it is up, else the configured one with the most free memory.

    Busy when none of PROXMOX_NODES is up.
    """
    up = [node for node in proxmox().nodes() if node.online and node.name in settings.PROXMOX_NODES]
    home = settings.PROXMOX_HOME_NODE
    if any(node.name == home for node in up):
        return home
    if not up:
        raise Busy("proxmox", f"none of {', '.join(settings.PROXMOX_NODES)} is online")
    return max(up, key=_free_memory).name


def _free_memory(node: Node) -> int:
    return node.memory_free


def follow(call: Call) -> Outcome | None:
    """The outcome while the task that an earlier call began is running or has failed; None once it has ended well, or in a way
    that only a look at the thing itself can tell."""
    if not call.ref:
        return None
    task = proxmox().task_status(call.ref)
    if task.running:
        return call.look_again()
    if task.ok is False:
        return failed(call, task.exitstatus)
    return None


def failed(call: Call, exitstatus: str) -> Outcome:
    """What a task's failure means for the step. The task is forgotten, so that the next try begins with a look."""
    endless = call.step.state == call.step.State.UNDOING or call.job.flow.deadline is None
    outcome = decide(task_error(exitstatus), call.step.tries, endless)
    if isinstance(outcome, Retry):
        return Retry(ref="", data={"begun": None}, error=outcome.error, detail=outcome.detail, seconds=outcome.seconds)
    return outcome


def foreign(error: Foreign) -> Fail:
    """The refusal to touch what is not ours."""
    return Fail(error="Proxmox VE has something else in this place.", detail=str(error))

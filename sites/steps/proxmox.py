"""What all steps at Proxmox share: finding a site's container, making sure it is ours, following a task."""

from dataclasses import dataclass

from django.conf import settings

from nodepoint.clients.errors import Busy, Conflict, NotFound, Refused, TimedOut, Unreachable
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Outcome, Retry
from nodepoint.jobs.registry import Limit
from nodepoint.jobs.retry import decide, pause
from sites import marks
from sites.clients.proxmox import Config, Guest, Node, Task, task_error
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
        super().__init__(
            f"VMID {guest.vmid} on {guest.node} is {guest.name or 'something'} without our mark."
        )
        self.guest = guest


class NotSeen(Busy):
    """The cluster uses the VMID, and shows nothing of it to our token, as to one without VM.Audit: neither
    ours, nor foreign, nor gone."""

    fact = "does not show the container"


def find(site: Site) -> Container | None:
    """The site's container, wherever in the cluster it is; None when it is gone: nothing uses its VMID.

    Foreign: something does that is not ours, or not any more. NotSeen: something does, and nobody can tell
    what; so it is with Refused, Unreachable and TimedOut. None of them is gone. HA and migration move
    containers, so the node we remember is only where to look first; it may even be dead and the container
    alive elsewhere.
    """
    if site.vmid is None:
        return None
    try:
        if site.node and (there := _on(site, site.node)):
            return there
        away = None
    except (Unreachable, TimedOut, Refused) as error:
        away = error  # Refused: a right that comes from the pool is gone with the container, too
    guest = next((guest for guest in proxmox().resources() if guest.vmid == site.vmid), None)
    if guest is None:
        if proxmox().vmid_free(site.vmid):
            return None
        raise away or NotSeen("proxmox", f"VMID {site.vmid} is taken, and no list shows by what")
    if away and guest.node == site.node:
        raise away
    there = _on(site, guest.node) if guest.type == "lxc" else None
    if there is None:
        raise Foreign(guest)
    return there


def _on(site: Site, node: str) -> Container | None:
    """The container on this node if it carries our mark, or is being made by us."""
    try:
        config = proxmox().config(node, site.vmid)
    except NotFound:
        return None
    if not marks.owns(site, config.description) and not _in_the_making(site, node, config):
        return None
    return Container(node, site.vmid, config)


def _in_the_making(site: Site, node: str, config: Config) -> bool:
    """Whether it is a creation by our token that has not ended: until then the configuration holds its lock
    and no mark.
    """
    if config.lock != "create" or config.description:
        return False
    creations = proxmox().tasks(node, vmid=site.vmid, typefilter="vzcreate")
    ours = f"{settings.PROXMOX_USER}!{settings.PROXMOX_TOKEN_NAME}"
    return bool(creations) and creations[0].upid.split(":")[7] == ours


def require(site: Site) -> Container:
    """The site's container; NotFound when it is gone, Conflict when something else has its VMID."""
    try:
        container = find(site)
    except Foreign as error:
        raise Conflict("proxmox", str(error)) from error
    if container is None:
        raise NotFound("proxmox", f"container {site.vmid} is gone")
    return container


def placement() -> str:
    """The node for a new container: the home node while it is up, else the configured one with the most free
    memory.

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
    """The outcome while the task that an earlier call began is running or has failed; None once it has ended
    well, or in a way that only a look at the thing itself can tell."""
    return outcome_of(call, task_of(call))


def task_of(call: Call) -> Task | None:
    """The task that an earlier call began, as it is now."""
    return proxmox().task_status(call.ref) if call.ref else None


def outcome_of(call: Call, task: Task | None) -> Outcome | None:
    """What a task means for the step that began it; None when there is none or it has ended."""
    if task is None:
        return None
    if task.running:
        return call.look_again()
    if task.ok is False:
        return failed(call, task.exitstatus)
    return None


def failed(call: Call, exitstatus: str) -> Outcome:
    """What a task's failure means for the step. The task is forgotten, so that the next try begins with a
    look.

    Failed tasks are counted here: the engine counts failures since the step last got ahead, and every new
    task gets ahead.
    """
    endless = call.step.state == call.step.State.UNDOING or call.job.flow.deadline is None
    failures = call.step.data.get("failures", 0)
    outcome = decide(task_error(exitstatus), failures, endless)
    if not isinstance(outcome, Retry):
        return outcome
    return Retry(
        ref="",
        data={"begun": None, "failures": failures + 1},
        error=outcome.error,
        detail=outcome.detail,
        seconds=outcome.seconds or pause(failures),
    )

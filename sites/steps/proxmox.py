"""What all steps at Proxmox share: finding a site's container, making sure it is ours, following a task."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import wraps

from django.conf import settings

from nodepoint.clients.errors import (
    Busy,
    ClientError,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import JobStep
from nodepoint.jobs.outcomes import Outcome, Retry
from nodepoint.jobs.registry import Limit
from nodepoint.jobs.retry import decide, pause
from sites import marks
from sites.clients.proxmox import BackingUp, Config, Guest, Task, task_error
from sites.connections import proxmox
from sites.models import Site

CALLS = Limit("proxmox", lambda: settings.PROXMOX_CONCURRENCY)
CREATIONS = Limit("proxmox:create", lambda: settings.PROXMOX_CREATES, until_done=True)


CLOCKS_APART = timedelta(seconds=2)  # of the nodes and us
ENDED = "ended"  # in a step's data: the UPIDs of its tasks that failed, or were found after a lost call
MOST_ENDED = 20
LOCKED = "Proxmox VE has locked the container."
MOVED = "The container is being moved to another node of Proxmox VE."
NOT_HERE = ".conf' does not exist"  # "Configuration file 'nodes/node1/lxc/900.conf' does not exist"

Step = Callable[[Call], Outcome]


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
        if guest.type == "lxc" and not _stands(guest):
            raise Busy("proxmox", f"container {guest.vmid} is on its way from {guest.node} to another node")
        raise Foreign(guest)
    return there


def _stands(guest: Guest) -> bool:
    """Whether the node has it that the cluster names; its list is up to 10 s old, and containers move."""
    try:
        proxmox().config(guest.node, guest.vmid)
    except NotFound:
        return False
    return True


def _on(site: Site, node: str) -> Container | None:
    """The container on this node if it carries our mark, or is being made by us."""
    try:
        config = proxmox().config(node, site.vmid)
    except NotFound:
        return None
    if not marks.owns(site, config.description) and not _in_the_making(site, node, config):
        return None
    site.node = node  # in memory; `follows_moves` records it
    return Container(node, site.vmid, config)


def _in_the_making(site: Site, node: str, config: Config) -> bool:
    """Whether it is a creation by our token that has not ended: until then the configuration holds its lock
    and no mark.
    """
    if config.lock != "create" or config.description:
        return False
    for kind in ("vzcreate", "vzrestore"):
        if creations := proxmox().tasks(node, vmid=site.vmid, typefilter=kind):
            return creations[0].token == our_token()
    return False


def require(site: Site) -> Container:
    """The site's container; NotFound when it is gone, Conflict when something else has its VMID."""
    try:
        container = find(site)
    except Foreign as error:
        raise Conflict("proxmox", str(error)) from error
    if container is None:
        raise NotFound("proxmox", f"container {site.vmid} is gone")
    return container


def begin(
    call: Call, where: str, kind: str, ask: Callable[[], str | None], /, **facts: object
) -> Outcome | None:
    """Have a task of this kind (`vzsnapshot`, …) begun on the node `where`, and follow it; None where `ask`
    says that there is nothing to do.

    One that an earlier call of the step began, and whose answer was lost, is followed instead: while it runs,
    however long, and also when it has ended meanwhile.
    """
    if call.uncertain and (lost := lost_task(call, where, kind)):
        return _adopted(call, lost, **facts)
    upid = ask()
    return call.begun(upid, **facts) if upid else None


def _adopted(call: Call, upid: str, **facts: object) -> Outcome:
    """The task is followed from now on, and only once: where its end did not bring about what was wanted, the
    step has another begun."""
    found = call.adopted(upid, **facts)
    return replace(found, data=found.data | {ENDED: _with(call, upid)})


def _with(call: Call, upid: str) -> list[str]:
    return [*call.step.data.get(ENDED, []), upid][-MOST_ENDED:]


def lost_task(call: Call, node: str, kind: str, at_work: bool = False) -> str | None:
    """The newest task of this kind that our token began on the container since the step's first call and that
    no step knows, this one or one of another job; with `at_work` only one that goes on."""
    if call.step.started_at is None:
        return None
    since = int((call.step.started_at - CLOCKS_APART).timestamp())
    listed = proxmox().tasks(node, vmid=call.subject.vmid, typefilter=kind, since=since)
    ours = [task.upid for task in listed if task.token == our_token() and (task.running or not at_work)]
    if not ours:
        return None
    # Clocks alone would not keep a task of the job before apart: its rollback went to another backup, its
    # creation was that of a site whose VMID this one has now.
    recent = call.job.created_at - timedelta(days=1)
    recorded = JobStep.objects.filter(job__created_at__gte=recent, ref__in=ours)
    known = {*recorded.values_list("ref", flat=True), *call.step.data.get(ENDED, [])}
    return next((upid for upid in ours if upid not in known), None)


def our_token() -> str:
    """As tasks name who began them."""
    return f"{settings.PROXMOX_USER}!{settings.PROXMOX_TOKEN_NAME}"


def held_up(call: Call, container: Container, kind: str) -> Outcome | None:
    """What the container's lock means for a step that is about to begin a task of this kind; None when there
    is none. A task that goes on, and that a lost call of ours began, is followed; others' are waited for."""
    if not container.config.lock:
        return None
    if call.uncertain and (lost := lost_task(call, container.node, kind, at_work=True)):
        return _adopted(call, lost)
    return locked(container.config.lock)


def locked(lock: str) -> Retry:
    """What a lock on the container means: it is waited for, a backup's as long as it takes. One whose task
    has died stays until staff take it off (`sites.locks`)."""
    if lock == "backup":
        return Retry(ref="", error=BackingUp("proxmox").sentence, detail=f"lock: {lock}", in_line=True)
    return Retry(ref="", error=LOCKED, detail=f"lock: {lock}")


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
    error = task_error(exitstatus)
    if is_elsewhere(error):
        error = Busy("proxmox", error.vendor)  # moved or gone: the next look tells
    outcome = decide(error, failures, endless)
    if not isinstance(outcome, Retry):
        return outcome
    return replace(
        outcome,
        ref="",
        data={"begun": None, "failures": failures + 1, ENDED: _with(call, call.ref)},
        seconds=outcome.seconds or pause(failures),
    )


def is_elsewhere(error: ClientError) -> bool:
    """Whether a node says that it does not have the container: HA or a migration has moved it, or it is
    gone."""
    return isinstance(error, NotFound) and NOT_HERE in error.vendor


def follows_moves(step: Step) -> Step:
    """The step for a container that may move at any moment, also in the middle of its calls: it is looked for
    again, and the node where it was found is recorded."""

    @wraps(step)
    def run(call: Call) -> Outcome:
        known = call.subject.node
        try:
            outcome = step(call)
        except NotFound as error:
            if not is_elsewhere(error) or find(call.subject) is None:
                raise
            outcome = Retry(error=MOVED, detail=error.vendor)
        found = call.subject.node
        return outcome if found == known else replace(outcome, facts={"node": found, **outcome.facts})

    run.follows_moves = True
    return run

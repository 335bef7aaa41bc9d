"""How a container that an order has claimed becomes the site's: steps of `sites.provision`, which are those
of an order without one wherever nothing was claimed, or what was claimed turns out to be of no use.

`Site.claimed` says that it is on its way: until the inside is the site's own, its container may carry the
spare's mark, and counts as the site's all the same."""

from collections.abc import Callable
from dataclasses import replace

from django.db import transaction

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import ClientError, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.experience import ADOPTED
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from sites import allocation, install, marks, occupied
from sites.connections import proxmox
from sites.errors import NoCapacity
from sites.models import Site, Spare
from sites.pool import ends
from sites.steps import (
    configuration,
    container,
    firewall,
    high_availability,
    reservation,
    second,
    wordpress,
)
from sites.steps.proxmox import Container, Foreign, find, follows_moves

SECONDS = 4.0  # for the look at what was claimed: an order without a pool would not wait for it either
REBUILT = "rebuilt"  # in the data of the step that installs: how many of the steps below are done
GIGABYTE = 1024**3


@follows_moves
def placed(call: Call) -> Outcome:
    """The order has a place: what it claimed stands as it was left, or nothing at Proxmox VE uses the address
    and the VMID that it has instead."""
    site: Site = call.subject
    if not site.claimed:
        return reservation.free_indeed(call)
    if held := reservation.held_for_staff(site, occupied.known()):
        return held
    spare = Spare.objects.get(build_id=site.claimed)
    try:
        with deadline(SECONDS):
            wrong = _unfit(site, spare)
    except ClientError as error:
        wrong = error.vendor or error.fact
    if not wrong:
        return Done(
            ref=site.owner_mark, note=f"It takes over {spare}, ready since {spare.ready_at:%Y-%m-%d %H:%M}."
        )
    return _given_back(site, spare, f"It was not as it was left: {wrong}.")


def _unfit(site: Site, spare: Spare) -> str:
    """Why the container cannot be had; empty: it can. Three calls; one more where its disk has to grow."""
    try:
        found = find(site)
    except Foreign as error:
        return str(error).rstrip(".")
    if found is None:
        return "it is gone"
    if wrong := _changed(found, site, spare):
        return wrong
    if not proxmox().container_status(found.node, found.vmid).running:
        return "it does not run"
    more = site.plan.disk_gb - found.config.rootfs_gb
    if more > 0 and proxmox().storage_status(found.node, spare.storage).avail < more * GIGABYTE:
        return f"its storage on {found.node} has no room for {more:g} GB more"
    return ""


def _changed(found: Container, site: Site, spare: Spare) -> str:
    """What somebody has made of its configuration; empty: nothing that matters."""
    config = found.config
    if config.lock:
        return f"it is locked ({config.lock})"
    if marks.spare_build(marks.carried(config.description)) != spare.build_id:
        return "its mark was changed"
    is_now = (config.hostname, config.memory, config.cores, occupied.address_of(config))
    if is_now != (spare.hostname, spare.memory_mb, spare.cores, site.private_ip):
        return "its configuration was changed"
    return ""


def _given_back(site: Site, spare: Spare, reason: str) -> Outcome:
    """The order goes the ordinary way from here on, with a VMID and an address that nobody has had. What it
    had claimed is destroyed where it stands and is ours."""
    held = {"vmid": site.vmid, "private_ip": site.private_ip}
    try:
        with transaction.atomic():
            allocation.lock()
            Spare.objects.filter(pk=spare.pk).update(
                **held, node=site.node, state=Spare.State.DRAINING, site=None, ended_at=None, reason=reason
            )
            ends.submit(spare, reason, actor="pool")
            other = {"vmid": allocation.free_vmid(), "private_ip": allocation.free_address()}
            Site.objects.filter(pk=site.pk).update(**other, node="", claimed="")
    except NoCapacity as error:
        return Retry(error=error.sentence, detail=f"{reason} And no other address is free.")
    detail = f"{reason} It is destroyed, and the site gets a container of its own."
    return Retry(detail=detail, seconds=0.1, facts={"node": ""})


def created(call: Call) -> Outcome:
    """The site's container exists with the plan's size and the site's mark: taken over, or made."""
    site: Site = call.subject
    if call.job.data.get("archive"):
        return second.unpacked_for_order(call)
    if not site.claimed:
        return container.created(call)
    try:
        return _untypical(configuration.applied(_unhurried(call)))
    except NotFound as error:
        if find(site) is not None:
            raise
        # Gone since it was looked at: nothing is in the way of another one in its place.
        return Retry(
            ref="", seconds=0.1, detail=f"{error.vendor}: it is made anew", facts={"claimed": "", "node": ""}
        )


def _unhurried(call: Call) -> Call:
    """The call of a step whose usual time is that of another work."""
    return replace(call, usual=None)


def _untypical(outcome: Outcome) -> Outcome:
    """The outcome of a step from which nothing is to be learnt about its usual time."""
    return replace(outcome, data={**outcome.data, ADOPTED: True}) if isinstance(outcome, Done) else outcome


def started(call: Call) -> Outcome:
    """The container runs; one that was taken over does already."""
    outcome = container.started(call)
    return _untypical(outcome) if call.subject.claimed else outcome


@follows_moves
def installed(call: Call) -> Outcome:
    """WordPress in the container is the site's own: what was ready gets names and secrets of its own, else
    all of it is installed. Where what was ready turns out to be broken inside, another container is made in
    its place."""
    site: Site = call.subject
    done = call.step.data.get(REBUILT)
    if done is not None and done < len(REBUILDING):
        return _rebuilt(call, done)
    if not site.claimed:
        return wordpress.installed(call)
    outcome = wordpress.ran(_unhurried(call), lambda site, *_: install.claim_script(site))
    if isinstance(outcome, Done):
        return replace(_untypical(outcome), facts={**outcome.facts, "claimed": ""})
    if isinstance(outcome, Fail):
        detail = f"{outcome.detail}: it is made anew"
        return Retry(ref="", seconds=0.1, detail=detail, facts={"claimed": ""}, data={REBUILT: 0, **ANEW})
    return outcome


ANEW = {"failures": 0, "begun": None}  # in a step's data: what comes next has its own patience


def _managed(call: Call) -> Outcome:
    return high_availability.managed(call) if call.subject.wants_high_availability else Done()


REBUILDING: tuple[Callable[[Call], Outcome], ...] = (
    high_availability.unmanaged,
    container.removed,
    container.created,
    firewall.firewall_on,
    container.started,
    _managed,
)


def _rebuilt(call: Call, done: int) -> Outcome:
    """The next of these steps."""
    outcome = REBUILDING[done](call)
    if not isinstance(outcome, Done):
        return outcome
    return Wait(ref="", seconds=0.1, facts=outcome.facts, data={**outcome.data, REBUILT: done + 1, **ANEW})

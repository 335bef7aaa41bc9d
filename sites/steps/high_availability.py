"""The container as an HA resource, where the plan or staff want it."""

from nodepoint.clients.errors import Conflict, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Wait
from sites import marks
from sites.clients.proxmox import HaResource
from sites.connections import proxmox
from sites.models import Site
from sites.steps.power import HA_PAUSE, ha_failed, wish
from sites.steps.proxmox import Container, Foreign, find, follows_moves, require


def _is_ours(resource: HaResource, site: Site) -> bool:
    return marks.is_of(marks.carried_by_comment(resource.comment), site)


def wanted(site: Site) -> bool:
    """Whether the plan, or staff for this site, want it."""
    return site.wants_high_availability


@follows_moves
def managed(call: Call) -> Outcome:
    """The container is an HA resource in the wished state `started`."""
    site: Site = call.subject
    container = require(site)
    resource = proxmox().ha_resource(container.vmid)
    if resource is None:
        try:
            proxmox().add_ha_resource(container.vmid, "started", comment=site.owner_mark)
        except Conflict:
            return call.look_again()
    elif resource.state != "started":
        proxmox().set_ha_resource(container.vmid, "started")
    return Done(ref=f"ct:{container.vmid}")


@follows_moves
def unmanaged(call: Call) -> Outcome:
    """The container is no HA resource and stopped. An HA stop must have happened before the resource goes, or
    it is lost and the container runs on."""
    site = call.subject
    if site.vmid is None:
        return Done()
    resource = proxmox().ha_resource(site.vmid)
    if resource is None:
        return Done()
    try:
        container = find(site)
    except Foreign as error:
        return Done(note=f"Left alone: {error}")
    if container is None:
        if _is_ours(resource, site):
            proxmox().remove_ha_resource(site.vmid)
        return Done()
    if going_on := _let_go(call, container, resource):
        return going_on
    proxmox().remove_ha_resource(site.vmid)
    return Done()


@follows_moves
def let_go(call: Call) -> Outcome:
    """The HA manager does not want the container to run, and it does not: what stops it from now on is no
    failure that HA would mend. Nothing changes for a container without HA."""
    resource = proxmox().ha_resource(call.subject.vmid)
    if resource is None or resource.state == "ignored":
        return Done()
    return _let_go(call, require(call.subject), resource) or Done()


def _let_go(call: Call, container: Container, resource: HaResource) -> Outcome | None:
    """None once the resource is stopped or disabled and, where the manager stops it, the container too."""
    if resource.state == "disabled":
        return None
    runs = resource.state != "stopped" or _runs(container)
    if not runs:
        return None
    # In HA state `error` nothing that is requested happens, and only `disabled` is taken; the container's own
    # step then stops it.
    state = "disabled" if ha_failed(container.vmid) else "stopped"
    if resource.state != state:
        wish(resource, container.vmid, state)
    return Wait(seconds=HA_PAUSE)


def _runs(container: Container) -> bool:
    return proxmox().container_status(container.node, container.vmid).running


@follows_moves
def as_planned(call: Call) -> Outcome:
    """The container is an HA resource or not, as the plan or staff want it, and goes on as it is."""
    site: Site = call.subject
    container = require(site)
    resource = proxmox().ha_resource(container.vmid)
    if wanted(site):
        return Done() if resource else _add(call, container)
    if resource is None:
        return Done()
    if not _is_ours(resource, site):
        return Done(note="Left alone: the HA resource does not carry our mark.")
    if _runs(container) != (resource.state == "started") and not ha_failed(container.vmid):
        return Wait(seconds=HA_PAUSE)  # what was asked of HA would be lost with the resource
    proxmox().remove_ha_resource(container.vmid)
    return Done()


def restored(call: Call) -> Outcome:
    """`as_planned` as an undo. With a container that is gone, or not ours any more, there is nothing to take
    back."""
    try:
        return as_planned(call)
    except (NotFound, Conflict) as error:
        return Done(note=f"Left alone: {error}")


def _add(call: Call, container: Container) -> Outcome:
    state = "started" if call.subject.power_wished == "running" else "stopped"
    try:
        proxmox().add_ha_resource(container.vmid, state, comment=call.subject.owner_mark)
    except Conflict:
        return call.look_again()
    return Done(ref=f"ct:{container.vmid}")

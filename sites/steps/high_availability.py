"""The container as an HA resource, where the plan or staff want it."""

from nodepoint.clients.errors import Conflict
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Wait
from sites.connections import proxmox
from sites.models import Site
from sites.steps.proxmox import Foreign, find, require

MANAGER_PAUSE = 1.0  # seconds between two looks; the HA manager works in rounds of some 10 s


def wanted(site: Site) -> bool:
    """Whether the plan, or staff for this site, want it."""
    return site.wants_high_availability


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


def unmanaged(call: Call) -> Outcome:
    """The container is no HA resource and stopped. An HA stop must have happened before the resource goes, or it is lost and the
    container runs on."""
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
        if resource.comment == site.owner_mark:
            proxmox().remove_ha_resource(site.vmid)
        return Done()
    if resource.state not in ("stopped", "disabled"):
        try:
            proxmox().set_ha_resource(site.vmid, "stopped")
        except (
            Conflict
        ):  # HA state `error`: only `disabled` leads out of it; the container's own step then stops it
            proxmox().set_ha_resource(site.vmid, "disabled")
        return Wait(seconds=MANAGER_PAUSE)
    if resource.state == "stopped" and proxmox().container_status(container.node, container.vmid).running:
        return call.look_again()
    proxmox().remove_ha_resource(site.vmid)
    return Done()

"""The container's configuration as the plan and the site's rows want it. A rollback brings back that of the
snapshot's day, an upgrade changes it."""

from typing import Any

from django.conf import settings

from nodepoint.clients.errors import Conflict, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites import marks
from sites.clients.proxmox import Config
from sites.clients.proxmox.values import wire
from sites.connections import proxmox
from sites.models import Site
from sites.steps.container import SPARE_TAG, creation
from sites.steps.proxmox import begin, follow, follows_moves, require


@follows_moves
def applied(call: Call) -> Outcome:
    """The container has its plan's memory, cores and at least its disk, its own name, address, mark and tags,
    and starts with its node unless it is suspended."""
    if going_on := follow(call):
        return going_on
    site: Site = call.subject
    container = require(site)
    # The disk first: only growing it can fail for want of space, and then nothing else has changed yet.
    if container.config.rootfs_gb < site.plan.disk_gb:
        node, vmid, size = container.node, container.vmid, site.plan.disk_gb
        if begun := begin(call, node, "resize", lambda: proxmox().resize(node, vmid, size)):
            return begun
    if changes := _differences(site, container.config):
        digest = container.config.digest or None
        proxmox().set_config(container.node, container.vmid, digest=digest, **changes)
    return Done(facts={"node": container.node})


def _differences(site: Site, config: Config) -> dict[str, Any]:
    """The options to write, in Proxmox's terms; empty when all are as they should be."""
    wanted = creation(site)
    net0 = {**config.net0, **{name: str(value) for name, value in wire(wanted["net0"]).items()}}
    options = {
        "hostname": wanted["hostname"],  # inside from the next start on
        "memory": wanted["memory"],
        "cores": wanted["cores"],
        "net0": net0,  # whatever else stands there, such as the MAC address, stays
        "tags": config.tags - {SPARE_TAG} | set(wanted["tag"]),
        "description": marks.written(site, config.description),
        "onboot": not site.suspended,
    }
    return {name: value for name, value in options.items() if getattr(config, name) != value}


def pool_is_used(site: Site) -> bool:
    """Whether containers belong into a pool."""
    return bool(settings.PROXMOX_POOL)


def in_pool(call: Call) -> Outcome:
    """The container is in PROXMOX_POOL, or in another pool that somebody has chosen for it."""
    container = require(call.subject)
    guest = next((guest for guest in proxmox().resources() if guest.vmid == container.vmid), None)
    if guest and guest.pool:
        return Done(note="" if guest.pool == settings.PROXMOX_POOL else f"It is in the pool {guest.pool}.")
    proxmox().add_to_pool(settings.PROXMOX_POOL, container.vmid)
    return Done()


def restored(call: Call) -> Outcome:
    """`applied` as an undo: the plan and the address that the site has, as far as it goes, since disks grow
    only. With a container that is gone, or not ours any more, there is nothing to take back."""
    try:
        return applied(call)
    except (NotFound, Conflict) as error:
        return Done(note=f"Left alone: {error}")


@follows_moves
def autostart_as_wished(call: Call) -> Outcome:
    """The container starts with its node, unless the site is suspended."""
    site: Site = call.subject
    container = require(site)
    if container.config.onboot == site.suspended:
        proxmox().set_config(container.node, container.vmid, onboot=not site.suspended)
    return Done(facts={"node": container.node})

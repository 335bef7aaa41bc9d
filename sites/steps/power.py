"""Running or stopped, as the customer and the billing system wish. HA-managed containers are only asked for
through the HA manager, whose tasks end when the request is noted: what counts is the state itself."""

from datetime import timedelta

from nodepoint.clients.errors import Conflict
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry, Wait
from sites.clients.proxmox import HaResource
from sites.connections import proxmox
from sites.models import Site
from sites.steps.proxmox import Container, follow, require

GRACE = 60  # seconds that a container gets to end by itself before it is killed
HA_STATES = {"running": "started", "stopped": "stopped"}
HA_PAUSE = 1.0  # seconds between two looks; the HA manager works in rounds of some 10 s
HA_PATIENCE = 30.0  # seconds after which the HA manager is asked whether it has given up
CLOCKS_APART = timedelta(seconds=2)


def power_as_wished(call: Call) -> Outcome:
    """The container runs or is stopped as the site's rows say now, and HA, where it manages it, wants the
    same."""
    if going_on := follow(call):
        return going_on
    site: Site = call.subject
    container = require(site)
    wished = site.power_wished
    status = proxmox().container_status(container.node, container.vmid)
    resource = proxmox().ha_resource(container.vmid) if status.ha_managed else None
    if resource and resource.state != "ignored":
        return _by_ha(call, container, resource, wished, status.status)
    if status.status == wished:
        return _verified(call, container, wished)
    upid = None if call.ref else _turn(container, wished)
    if upid:
        return call.begun(upid)
    return Retry(ref="", error=f"The container is not {wished} yet.", detail=f"it is {status.status}")


def _turn(container: Container, wished: str) -> str | None:
    """The task that starts or ends it; None when it is so by now."""
    if wished == "running":
        return proxmox().start(container.node, container.vmid)
    return proxmox().shutdown(container.node, container.vmid, timeout=GRACE, force_stop=True)


def _verified(call: Call, container: Container, power: str) -> Done:
    facts = {"node": container.node, "power": power, "power_verified_at": call.now}
    return Done(ref=call.ref or None, facts=facts)


def _by_ha(call: Call, container: Container, resource: HaResource, wished: str, power: str) -> Outcome:
    state = HA_STATES[wished]
    # `disabled` is stopped too, but there as the way out of an error it is only half of the way.
    if resource.state == state or (power == wished == "stopped" and resource.state == "disabled"):
        if power == wished:
            return _verified(call, container, wished)
        if call.elapsed > HA_PATIENCE and _gave_up(container.vmid):
            proxmox().set_ha_resource(container.vmid, "disabled")
        return Wait(seconds=HA_PAUSE)
    try:
        proxmox().set_ha_resource(container.vmid, state)
    except Conflict:
        # HA state `error`: only `disabled` leads out of it, and then, a round later, on to what is wished.
        proxmox().set_ha_resource(container.vmid, "disabled")
    return Wait(seconds=HA_PAUSE, begins=not call.elapsed)


def _gave_up(vmid: int) -> bool:
    return any(service.vmid == vmid and service.state == "error" for service in proxmox().ha_status())


def rebooted(call: Call) -> Outcome:
    """A container that ran has been ended and started once; one that did not run is left to
    `power_as_wished`."""
    if going_on := follow(call):
        return going_on
    if call.ref:
        return Done()
    container = require(call.subject)
    if call.step.calls and (upid := _lost_reboot(call, container)):
        return call.begun(upid)
    upid = proxmox().reboot(container.node, container.vmid, timeout=GRACE)
    return call.begun(upid) if upid else Done(note="It did not run.")


def _lost_reboot(call: Call, container: Container) -> str | None:
    """The reboot that an earlier call of ours began, whose answer was lost."""
    since = int((call.step.started_at - CLOCKS_APART).timestamp())
    begun = proxmox().tasks(container.node, vmid=container.vmid, typefilter="vzreboot", since=since)
    return begun[0].upid if begun else None

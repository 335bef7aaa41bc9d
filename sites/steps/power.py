"""Running or stopped, as the customer and the billing system wish. HA-managed containers are only asked for
through the HA manager, whose tasks end when the request is noted: what counts is the state itself."""

from datetime import timedelta
from functools import partial

from nodepoint.clients.errors import Conflict
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry, Wait
from sites.clients.proxmox import HaResource
from sites.connections import proxmox
from sites.models import Site, SiteHealth
from sites.steps.proxmox import Container, begin, follow, follows_moves, held_up, require

GRACE = 60  # seconds that a container gets to end by itself before it is killed
HA_STATES = {"running": "started", "stopped": "stopped"}
HA_GRACE = timedelta(seconds=90)  # the same by the HA manager, whose rounds come on top
# In the comment of an HA resource whose manager we have told to look away, since it could not end the
# container: whoever finds it tells the manager to look again, also where our job was cut off meanwhile.
LOOKS_AWAY = "(ignored by NodePoint until the container is stopped)"
HA_PAUSE = 1.0  # seconds between two looks; the HA manager works in rounds of some 10 s


@follows_moves
def power_as_wished(call: Call) -> Outcome:
    """The container runs or is stopped as the site's rows say now, and HA, where it manages it, wants the
    same."""
    if going_on := follow(call):
        return going_on
    site: Site = call.subject
    container = require(site)
    wished = site.power_wished
    status = proxmox().container_status(container.node, container.vmid)
    # Of one that is `ignored` the container's status says that HA does not manage it (pve-ha-manager 5.2.0
    # `Config.pm`:352-362, 499), so that one which we had it ignore would never be found again.
    asked = status.ha_managed or site.wants_high_availability
    resource = proxmox().ha_resource(container.vmid) if asked else None
    if resource and (resource.state != "ignored" or looks_away(resource)):
        return _by_ha(call, container, resource, status.status)
    if status.status == wished:
        return _verified(call, container, wished)
    begun = None if call.ref else _turned(call, container, wished)
    detail = f"it is {status.status}"
    return begun or Retry(ref="", error=f"The container is not {wished} yet.", detail=detail)


def _turned(call: Call, container: Container, wished: str) -> Outcome | None:
    """Followed while the task goes on that starts or ends it; None when it is so by now."""
    node, vmid = container.node, container.vmid
    if wished == "running":
        return begin(call, node, "vzstart", lambda: proxmox().start(node, vmid))
    end = partial(proxmox().shutdown, node, vmid, timeout=GRACE, force_stop=True)
    return begin(call, node, "vzshutdown", end)


def _verified(call: Call, container: Container, power: str, note: str = "") -> Done:
    if power == "running" and call.subject.safe_mode:
        # On a full disk it goes with a restart: `services.inside.restore_safe_modes`.
        SiteHealth.look_soon(call.subject.pk, call.now)
    facts = {"node": container.node, "power": power, "power_verified_at": call.now}
    return Done(ref=call.ref or None, facts=facts, note=note)


def _by_ha(call: Call, container: Container, resource: HaResource, power: str) -> Outcome:
    """By the HA manager: it is told what is wished, and waited for.

    Its own state says whether it follows. In `error` it does nothing, whatever is requested, which may be the
    very thing that is wished: only `disabled` leads out of it, and one round later on to the wish
    (pve-ha-manager 5.2.0 `Manager.pm`, `next_state_error`; a stopped resource is kept stopped by its node).
    """
    wished = call.subject.power_wished
    state = HA_STATES[wished]
    if power == wished and resource.state in (state, *(["disabled"] if wished == "stopped" else [])):
        return _verified(call, container, wished)
    if wished == "stopped" and (looks_away(resource) or _in_vain(call, container)):
        return _killed(call, container, resource, power)
    if ha_failed(container.vmid):
        if power == wished == "running":  # `disabled` would end it
            return _verified(call, container, wished, note="Its HA resource is in the state error.")
        if resource.state != "disabled":
            _tell(resource, container.vmid, "disabled")
    elif resource.state != state:
        wish(resource, container.vmid, state)
    return Wait(seconds=HA_PAUSE)


def _in_vain(call: Call, container: Container) -> bool:
    """Whether the manager has had its time to end the container, which runs on: it never kills. The state is
    `stopped` then, where a look at `error` has led, and the node tries on for ever (pve-ha-manager 5.2.0
    `LRM.pm`, `exec_resource_agent`, and `Resources/PVECT.pm`, `shutdown`, which knows no forceStop)."""
    begun = call.step.started_at
    if begun is None or call.now - begun < HA_GRACE:
        return False
    services = proxmox().ha_status()
    return any(s.vmid == container.vmid and s.crm_state == "stopped" for s in services)


def _killed(call: Call, container: Container, resource: HaResource, power: str) -> Outcome:
    """Ended by force, past the HA manager, which looks away until it has happened (the state `ignored`)."""
    node, vmid = container.node, container.vmid
    if power == "running" and resource.state == "ignored":
        # The manager's last try may hold the container's lock file for another minute.
        going_on = held_up(call, container, "vzstop")
        return (
            going_on or begin(call, node, "vzstop", lambda: proxmox().stop(node, vmid)) or call.look_again()
        )
    _tell(resource, vmid, "ignored" if power == "running" else "stopped")
    return Wait(seconds=HA_PAUSE)


def looks_away(resource: HaResource) -> bool:
    """Whether the manager looks away because of us. Where staff have told it so, that is theirs."""
    return resource.state == "ignored" and LOOKS_AWAY in resource.comment


def _tell(resource: HaResource, vmid: int, state: str) -> None:
    """Ask HA for the state. Why it is to look away stands in the comment, behind what others wrote there."""
    comment = None
    if state == "ignored":
        comment = f"{resource.comment} {LOOKS_AWAY}".strip()
    elif LOOKS_AWAY in resource.comment:
        comment = resource.comment.replace(LOOKS_AWAY, "").strip()
    proxmox().set_ha_resource(vmid, state, comment)


def wish(resource: HaResource, vmid: int, state: str) -> None:
    """HA is asked for the state, or, in its own state `error`, for the one that leads out of it."""
    try:
        _tell(resource, vmid, state)
    except Conflict:  # it has just come into the state `error`
        _tell(resource, vmid, "disabled")


def ha_failed(vmid: int) -> bool:
    """Whether the HA manager has given the container up: its state of it is `error`."""
    return any(service.vmid == vmid and service.state == "error" for service in proxmox().ha_status())


@follows_moves
def rebooted(call: Call) -> Outcome:
    """A container that ran has been ended and started once; one that did not run is left to
    `power_as_wished`."""
    if going_on := follow(call):
        return going_on
    if call.ref:
        return Done()
    container = require(call.subject)
    node, vmid = container.node, container.vmid
    begun = begin(call, node, "vzreboot", lambda: proxmox().reboot(node, vmid, timeout=GRACE))
    return begun or Done(note="It did not run.")

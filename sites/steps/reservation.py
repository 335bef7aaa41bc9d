"""Address, VMID and subdomain: taken in the transaction that accepts the order, given back at the end. They
stay reserved where a container of ours was left standing because somebody took our mark away."""

from typing import Any

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from sites import occupied
from sites.allocation import reserve_other_address, reserve_other_vmid
from sites.connections import proxmox
from sites.errors import NoCapacity
from sites.models import Site, Spare, Template
from sites.occupied import Places
from sites.steps import container, lost
from sites.steps.backups import forget_missing

NOTHING = {
    "vmid": None,
    "private_ip": None,
    "subdomain": None,
    "former_subdomains": [],
    "live_key": None,
    "node": "",
    "claimed": "",
    "dns_record_id": "",
    "proxy_host_id": None,
    "certificate_id": None,
    "power": "",
}


def free_indeed(call: Call) -> Outcome:
    """Nothing at Proxmox VE uses the address and the VMID that an order was given, or it has others. Before
    anything is made: what uses them now cannot be its own."""
    places = occupied.reading()
    if places is None:
        return Wait(seconds=1.0)
    if held := held_for_staff(call.subject, places):
        return held
    site, notes = call.subject, []
    if site.vmid in places.vmids and not proxmox().vmid_free(site.vmid):
        taken = site.vmid
        notes.append(f"VMID {taken} is in use: now {reserve_other_vmid(site, set(places.vmids))}.")
    if places.still_has(site.private_ip):
        taken, holder = site.private_ip, places.addresses[site.private_ip]
        try:
            address = reserve_other_address(site, places.addresses)
        except NoCapacity as error:
            return Fail(error=error.sentence, detail=f"container {holder} uses {taken}, and no other is free")
        notes.append(f"Container {holder} uses {taken}: now {address}.")
    return Done(note=" ".join(notes))


def held_for_staff(site: Site | Spare | Template, places: Places) -> Retry | None:
    """What an order waits for whose service has a container that no row knows; None: nothing."""
    vmids = places.unknown_of(site.service_id) if isinstance(site, Site) else []
    return lost.held(f"container {', '.join(map(str, vmids))}") if vmids and not lost.released(site) else None


HELD = ("vmid", "private_ip", "subdomain", "node")


def given_back(call: Call) -> Outcome:
    """An order that failed holds nothing any more; the service may be ordered again."""
    return _ended(call, Site.State.FAILED)


def deleted(call: Call) -> Outcome:
    """A deleted site holds nothing any more."""
    forget_missing(call.subject, set(), call.now)
    return _ended(call, Site.State.DELETED)


def _ended(call: Call, state: str) -> Outcome:
    facts: dict[str, Any] = {**NOTHING, "state": state, "ended_at": call.now}
    left = container.left(call)
    if left:
        facts = {name: value for name, value in facts.items() if name not in HELD}
    note = left and f"Address, VMID and name stay reserved until they are released: {left}"
    return Done(facts=facts, note=note)

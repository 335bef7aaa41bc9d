"""Address, VMID and subdomain: taken in the transaction that accepts the order, given back at the end. They
stay reserved where a container of ours was left standing because somebody took our mark away."""

from typing import Any

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites.models import Site
from sites.steps import container
from sites.steps.backups import forget_missing

NOTHING = {
    "vmid": None,
    "private_ip": None,
    "subdomain": None,
    "former_subdomains": [],
    "live_key": None,
    "node": "",
    "dns_record_id": "",
    "proxy_host_id": None,
    "certificate_id": None,
    "power": "",
}


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

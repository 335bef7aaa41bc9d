"""Address, VMID and subdomain: taken in the transaction that accepts the order, given back at the end."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites.models import Site
from sites.steps.backups import forget_missing

NOTHING = {
    "vmid": None,
    "private_ip": None,
    "subdomain": None,
    "live_key": None,
    "node": "",
    "dns_record_id": "",
    "proxy_host_id": None,
    "certificate_id": None,
    "power": "",
}


def given_back(call: Call) -> Outcome:
    """An order that failed holds nothing any more; the service may be ordered again."""
    return Done(facts={**NOTHING, "state": Site.State.FAILED, "ended_at": call.now})


def deleted(call: Call) -> Outcome:
    """A deleted site holds nothing any more."""
    forget_missing(call.subject, set(), call.now)
    return Done(facts={**NOTHING, "state": Site.State.DELETED, "ended_at": call.now})

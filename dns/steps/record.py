"""One record of a zone: added, changed or deleted. The zone is read before every write, and again after an
unclear answer."""

from collections.abc import Callable

from dns import live, rules
from dns.connections import ispconfig
from dns.errors import UnknownZone
from dns.live import LiveZone
from dns.models import Zone
from dns.records import Entry
from dns.steps.refusal import refused
from nodepoint.api.errors import ApiError
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome


def _refusable(step: Callable[[Call, Zone, LiveZone], Outcome]) -> Callable[[Call], Outcome]:
    """A step on the zone as it is now; what the rules refuse ends the job with that error."""

    def run(call: Call) -> Outcome:
        zone: Zone = call.subject
        try:
            found = live.zone(zone.customer, zone.name, with_deeper=True)
            if found is None:
                raise UnknownZone()
            return step(call, zone, found)
        except ApiError as error:
            return refused(error)

    return run


def _repeated(call: Call) -> bool:
    """Whether an earlier call may have had its effect: one that failed, or was cut off with its worker."""
    return bool(call.step.tries or call.step.calls or call.step.held)


@_refusable
def added(call: Call, zone: Zone, found: LiveZone) -> Outcome:
    """The record is there."""
    entry = Entry(**call.job.data["entry"])
    same = [held.id for held in found.records if held.entry.says_the_same(entry)]
    if same and _repeated(call):
        return Done(ref=str(same[-1]))
    rules.may_add(entry, zone.origin, found.records, found.deeper)
    id = ispconfig().create_record(zone.customer.client_id, found.id, **entry.stored(zone.origin))
    return Done(ref=str(id))


@_refusable
def changed(call: Call, zone: Zone, found: LiveZone) -> Outcome:
    """The record says what it should."""
    id, entry = call.job.data["record"], Entry(**call.job.data["entry"])
    before = rules.may_change(id, entry, zone.origin, found.records, found.deeper)
    if before.entry != entry or not before.active:
        fields = entry.stored(zone.origin)
        ispconfig().update_record(zone.customer.client_id, found.id, id, **fields)
    return Done(ref=str(id))


@_refusable
def removed(call: Call, zone: Zone, found: LiveZone) -> Outcome:
    """The record is gone."""
    id = call.job.data["record"]
    if _repeated(call) and all(held.id != id for held in found.records):
        return Done()
    before = rules.may_remove(id, zone.origin, found.records)
    ispconfig().delete_record(id, before.entry.type)
    return Done()

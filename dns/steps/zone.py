"""A zone at ISPConfig: made unserved, filled, then published, so that a crash at any point leaves nothing
half served."""

from collections.abc import Collection

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from dns import belonging, live, rules, transfers
from dns.clients.ispconfig import first_serial, next_serial
from dns.connections import ispconfig
from dns.errors import NameTaken, NameUnproven, NotKept
from dns.live import LiveZone
from dns.models import Customer, Publication, TemplateRecord, Zone
from dns.records import Entry
from dns.steps import owner
from dns.steps.record import is_kept, mark_of
from dns.steps.refusal import refused
from nodepoint.api.errors import ApiError
from nodepoint.clients.errors import Conflict, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry
from nodepoint.names import Shown

TTL = 3600  # seconds, of the name servers' records
MET = "met"  # in the step's data: the panel has said that it has the zone
SERVED_SECONDS = 3.0  # for the question whether our name servers still hold a zone of the name


def given_back(call: Call) -> Outcome:
    """The name is free again; nothing of the zone is left."""
    return Done(facts={"name_key": None, "state": Zone.State.FAILED, "ended_at": timezone.now()})


def proven(call: Call) -> Outcome:
    """The domain is the customer's, or was shown to be: looked at once more, since a site may have got it, or
    one above or below it, after the zone was asked for."""
    zone: Zone = call.subject
    user_id = zone.customer.user_id
    claim = belonging.claimed(user_id, zone.name)
    if claim is None:
        return Done()
    proof, shown = belonging.proof(user_id, zone.name), belonging.shown(user_id, zone.name)
    if shown is Shown.YES:
        return Done()
    if shown is Shown.UNKNOWN:
        return Retry(error=f"The name servers gave no answer about {proof.name}.")
    if not claim.settled:
        return Retry(error=f"{zone.name} is just being added to a site, or removed from one.", seconds=2.0)
    return refused(NameUnproven(zone.name, proof, silent=False))


def present(call: Call) -> Outcome:
    """The zone is there and the customer's. One that is there already was made by an earlier call, whose
    answer was lost: when the job was submitted there was none."""
    zone: Zone = call.subject
    found = live.zone(zone.customer, zone.name)
    if found is not None:
        return Done(ref=str(found.id), facts={"ispconfig_id": found.id})
    try:
        live.refuse_beside(zone.name, zone.customer.group_id)
    except ApiError as error:
        return refused(error)
    try:
        id = ispconfig().create_zone(
            zone.customer.client_id,
            zone.origin,
            _host(settings.NAMESERVERS[0]),
            mbox(),
            _beginning(zone.name),
            **transfers.wanted(),
        )
    except Conflict as error:
        return _not_ours(call, error)
    except NotFound as error:
        return owner.known_anew(call, error)  # waiting alone would not bring his client back
    kept = ispconfig().zone(id)
    if kept is None or kept.origin != zone.origin:
        ispconfig().delete_zone(id)
        return refused(NotKept("domain"))
    return Done(ref=str(id), facts={"ispconfig_id": id})


def _beginning(name: str) -> int:
    """The serial of a new zone: above every one that a zone of this name is known to have had, by our rows
    and at the name servers. A secondary keeps what was deleted for a week, and takes nothing older."""
    known = Zone.objects.filter(name=name).aggregate(highest=Max("serial"))["highest"] or 0
    return max(first_serial(), known + 1, live.highest_served(name, SERVED_SECONDS) + 1)


def _not_ours(call: Call, error: Conflict) -> Outcome:
    """The panel has the name: look once more, since it may be an earlier call of ours that it met, also one
    that failed before."""
    if not call.step.data.get(MET):
        data = {MET: True}
        return Retry(seconds=0.2, error="ISPConfig already has this zone.", detail=error.vendor, data=data)
    return refused(NameTaken())


def filled(call: Call) -> Outcome:
    """The name servers and the records of the template are in the zone."""
    zone: Zone = call.subject
    found = live.zone(zone.customer, zone.name, with_deeper=True)
    if found is None:
        return Retry(error="The zone is not at ISPConfig any more.")
    entries, mark = wanted(zone.name, found.deeper), mark_of(call.job)
    for held in found.records:
        # Stored otherwise by an earlier call, which was cut off before it saw that.
        if held.mark == mark and held.entry not in entries:
            ispconfig().delete_record(held.id, raise_serial=False)
    for entry in entries:
        if any(entry.says_the_same(held.entry) for held in found.records):
            continue
        fields = entry.stored(zone.origin)
        id = ispconfig().create_record(
            zone.customer.client_id, found.id, raise_serial=False, mark=mark, **fields
        )
        if not is_kept(id, found.id, entry, zone.origin):
            ispconfig().delete_record(id, raise_serial=False)
            return refused(NotKept(f"record ({entry.type} {entry.name})"))
    return Done()


def wanted(name: str, deeper: Collection[str] = ()) -> list[Entry]:
    """What a new zone begins with. Rows of the template that cannot stand together, or that a zone below it
    (`deeper`, origins) would hide, are left out: the zone has to be valid."""
    servers = [Entry("NS", f"{name}.", _host(server), TTL) for server in settings.NAMESERVERS]
    entries: list[Entry] = []
    for row in TemplateRecord.objects.all():
        try:
            entry = row.entry(name, settings.PROXY_IP)
            beside = [live.Held(place, other, True) for place, other in enumerate(servers + entries)]
            rules.may_add(entry, f"{name}.", beside, deeper)
        except ApiError:  # the rows are each well-formed, and need not fit this zone
            continue
        entries.append(entry)
    return servers + entries


def published(call: Call) -> Outcome:
    """The zone is served; its serial was raised, so that the name servers take notice."""
    zone: Zone = call.subject
    found = live.zone(zone.customer, zone.name)
    if found is None:
        return Retry(error="The zone is not at ISPConfig any more.")
    serial, ahead, changed = found.serial, _ahead(zone), transfers.drift(found)
    if not found.active or ahead or changed:
        serial = next_serial(max(serial, ahead))
        if not _switched(found, True, serial, **changed):
            return Retry(error="ISPConfig did not switch the zone on.")
    return Done(facts={"state": Zone.State.ACTIVE, "ispconfig_id": found.id, "serial": serial})


def _ahead(zone: Zone) -> int:
    """The serial at a name server that takes nothing from us, since it holds a later one; 0 when there is
    none."""
    seen = Publication.objects.filter(zone=zone).first()
    return seen.highest if seen and seen.is_ahead else 0


def unpublished(call: Call) -> Outcome:
    """The zone is not served any more."""
    found = _owned(call)
    if found is None:
        return Done(note="It is gone at ISPConfig, or somebody else's there: left alone.")
    serial = found.serial
    if found.active:
        serial = next_serial(serial)
        if not _switched(found, False, serial):
            return Retry(error="ISPConfig did not switch the zone off.")
    return Done(facts={"serial": serial})


def _switched(found: LiveZone, active: bool, serial: int, **changed: str) -> bool:
    """Have a zone served, or not any more, and see that it is so."""
    ispconfig().set_zone_active(found.id, active, serial, **changed)
    now = ispconfig().zone(found.id)
    kept = now is not None and all(getattr(now, name) == value for name, value in changed.items())
    return kept and now.active is active


def emptied(call: Call) -> Outcome:
    """No record of the zone is left, of whatever type and whoever made it; they would outlive the zone."""
    found = _owned(call)
    if found is None or not found.records:
        return Done()
    for held in found.records:
        ispconfig().delete_record(held.id, raise_serial=False)
    left = ispconfig().zone_records(found.id)
    return Retry(error=f"{len(left)} records are still there.") if left else Done()


def absent(call: Call) -> Outcome:
    """The zone is gone; its row goes last, so that what was cut off before can be taken up again."""
    found = _owned(call)
    if found is not None:
        ispconfig().delete_zone(found.id)
        if ispconfig().zone(found.id) is not None:
            return Retry(error="The zone is still at ISPConfig.")
    return Done()


def removed(call: Call) -> Outcome:
    """All of it is gone: the undo of a zone that was not finished."""
    off = unpublished(call)
    if not isinstance(off, Done):
        return off
    for step in (emptied, absent):
        if not isinstance(outcome := step(call), Done):
            return outcome
    return Done(facts=off.facts)


def deleted(call: Call) -> Outcome:
    """The name is free again."""
    return Done(facts={"name_key": None, "state": Zone.State.DELETED, "ended_at": timezone.now()})


def _owned(call: Call) -> LiveZone | None:
    """The zone as it is now, if it is the customer's. Anybody else's is not looked at twice."""
    zone: Zone = call.subject
    customer: Customer = zone.customer
    return live.zone(customer, zone.name)


def mbox() -> str:
    """DNS_HOSTMASTER in the form of a SOA: `hostmaster.nodepoint.eu.`"""
    return f"{settings.DNS_HOSTMASTER.replace('@', '.').rstrip('.')}."


def _host(server: str) -> str:
    return f"{server.strip().rstrip('.').lower()}."

"""A zone at ISPConfig: made unserved, filled, then published, so that a crash at any point leaves nothing
half served."""

from collections.abc import Collection

from django.conf import settings
from django.utils import timezone

from dns import live, rules
from dns.clients.ispconfig import first_serial, next_serial
from dns.connections import ispconfig
from dns.errors import NameTaken
from dns.live import LiveZone
from dns.models import Customer, TemplateRecord, Zone
from dns.records import Entry
from dns.steps.refusal import refused
from nodepoint.api.errors import ApiError
from nodepoint.clients.errors import Conflict, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry

TTL = 3600  # seconds, of the name servers' records


def given_back(call: Call) -> Outcome:
    """The name is free again; nothing of the zone is left."""
    return Done(facts={"name_key": None, "state": Zone.State.FAILED, "ended_at": timezone.now()})


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
            zone.customer.client_id, zone.origin, _host(settings.NAMESERVERS[0]), mbox(), first_serial()
        )
    except Conflict as error:
        return _not_ours(call, error)
    except NotFound as error:
        return Retry(error="The customer is not known at ISPConfig.", detail=error.vendor)
    return Done(ref=str(id), facts={"ispconfig_id": id})


def _not_ours(call: Call, error: Conflict) -> Outcome:
    """The panel has the name: look once more, since it may be an earlier call of ours that it met."""
    if call.step.tries == 0:
        return Retry(seconds=0.2, error="ISPConfig already has this zone.", detail=error.vendor)
    return refused(NameTaken())


def filled(call: Call) -> Outcome:
    """The name servers and the records of the template are in the zone."""
    zone: Zone = call.subject
    found = live.zone(zone.customer, zone.name, with_deeper=True)
    if found is None:
        return Retry(error="The zone is not at ISPConfig any more.")
    entries = [held.entry for held in found.records]
    for entry in wanted(zone.name, found.deeper):
        if not any(entry.says_the_same(other) for other in entries):
            ispconfig().create_record(
                zone.customer.client_id, found.id, raise_serial=False, **entry.stored(zone.origin)
            )
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
        except ApiError:
            continue
        entries.append(entry)
    return servers + entries


def published(call: Call) -> Outcome:
    """The zone is served; its serial was raised, so that the name servers take notice."""
    zone: Zone = call.subject
    found = live.zone(zone.customer, zone.name)
    if found is None:
        return Retry(error="The zone is not at ISPConfig any more.")
    if not found.active:
        ispconfig().set_zone_active(found.id, True, next_serial(found.serial))
    return Done(facts={"state": Zone.State.ACTIVE, "ispconfig_id": found.id})


def unpublished(call: Call) -> Outcome:
    """The zone is not served any more."""
    found = _owned(call)
    if found is not None and found.active:
        ispconfig().set_zone_active(found.id, False, next_serial(found.serial))
    return Done()


def emptied(call: Call) -> Outcome:
    """No record of the zone is left; they would outlive the zone."""
    found = _owned(call)
    for held in found.records if found else ():
        ispconfig().delete_record(held.id, held.entry.type, raise_serial=False)
    return Done()


def absent(call: Call) -> Outcome:
    """The zone is gone; its row goes last, so that what was cut off before can be taken up again."""
    found = _owned(call)
    if found is not None:
        ispconfig().delete_zone(found.id)
    return Done()


def removed(call: Call) -> Outcome:
    """All of it is gone: the undo of a zone that was not finished."""
    unpublished(call)
    emptied(call)
    return absent(call)


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

"""DNSSEC of a zone: switched on, it is signed by ISPConfig's server part, and its DS records are known some
minutes later; switched off only once no DS of it is left above, or validating resolvers would refuse all of
it."""

from django.utils import timezone

from dns import live, parents
from dns.clients.ispconfig import next_serial
from dns.connections import ispconfig
from dns.errors import DsAtParent, UnknownZone
from dns.live import LiveZone
from dns.models import Zone
from dns.steps.refusal import refused
from nodepoint.api.errors import ApiError
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry, Wait

PARENT_SECONDS = 8.0
BETWEEN_LOOKS = 5.0  # seconds: the server part works once a minute


def refuse_with_ds(zone: Zone, seconds: float) -> None:
    """DsAtParent while the zone above holds a DS, or resolvers may still know one. ClientError when nobody
    says so."""
    now = parents.ask(zone, seconds)
    if now.ds:
        raise DsAtParent(zone.name, now.ds)
    if now.ds_until and now.ds_until > timezone.now():
        raise DsAtParent(zone.name, [], until=now.ds_until)


def switched(call: Call) -> Outcome:
    """ISPConfig knows whether the zone is to be signed."""
    zone, wanted = call.subject, call.job.data["wanted"]
    found = live.zone(zone.customer, zone.name)
    if found is None:
        return refused(UnknownZone())
    if (found.signed is not False) is wanted:
        return Done()
    if not wanted:
        try:
            refuse_with_ds(zone, PARENT_SECONDS)
        except ApiError as error:
            return refused(error)
    return _switch(found, wanted)


def _switch(found: LiveZone, wanted: bool) -> Outcome:
    """The signed copy is served one serial above the zone's own: what comes after it lies above that."""
    serial = next_serial(found.serial + (not wanted))
    ispconfig().set_dnssec(found.id, wanted, serial)
    now = ispconfig().zone(found.id)
    if now is None or (now.signed is not False) is not wanted:
        return Retry(error="ISPConfig did not switch DNSSEC.")
    return Done(facts={"serial": serial})


def switched_back(call: Call) -> Outcome:
    """The zone is as it was: unsigned, where it should have been signed. Nobody has its DS yet."""
    zone: Zone = call.subject
    found = live.zone(zone.customer, zone.name)
    if found is None or not call.job.data["wanted"] or found.signed is False:
        return Done()
    return _switch(found, False)


def signed(call: Call) -> Outcome:
    """There are keys, and DS records for the zone above; where it is not to be signed, nothing is awaited."""
    zone: Zone = call.subject
    if not call.job.data["wanted"]:
        return Done()
    found = live.zone(zone.customer, zone.name)
    if found is None:
        return refused(UnknownZone())
    return Done(data={"ds": list(found.ds)}) if found.ds else Wait(seconds=BETWEEN_LOOKS)

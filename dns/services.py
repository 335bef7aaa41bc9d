"""What can be done with zones and records: one function for each act, called by the API, the admin and
commands alike.

Guards first, with one short reading of what ISPConfig holds; then one transaction that writes rows and
submits a job. The job looks again before it writes. A caller acts for one user of the billing portal, and
what is another's is not there for him.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from publicsuffixlist import PublicSuffixList

from dns import belonging, live, lookup, naming, parents, records, rules, standing
from dns.errors import (
    BadField,
    NameTaken,
    NameUnproven,
    NotDelegated,
    QuotaExceeded,
    TooManyLooks,
    ZoneBeingDeleted,
    ZoneExists,
)
from dns.models import Customer, Zone
from dns.records import Entry
from dns.standing import unless_silent
from dns.steps.dnssec import refuse_with_ds
from nodepoint import names
from nodepoint.api.waiting import spare_thread
from nodepoint.clients.deadline import deadline
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job, JobStep
from nodepoint.names import Shown

MOST_ZONES = 100  # of one customer
DELEGATION_SECONDS = 8.0
GUARD_SECONDS = 12.0  # of everything that is asked before a zone is accepted

Found = TypeVar("Found")
_suffixes = PublicSuffixList()


def create_zone(user_id: str, domain: str, *, email: str = "", actor: str = "") -> tuple[Zone, Job]:
    """Have a zone made. BadField, NameTaken, NameUnproven, ZoneExists, ZoneBeingDeleted, QuotaExceeded,
    NotDelegated, WouldHide, TooManyLooks; ClientError when nobody who would know has said whether it is
    delegated."""
    name = _domain(domain)
    if _is_reserved(name):
        raise NameTaken()
    with spare_thread() as free, deadline(GUARD_SECONDS):
        if not free:
            raise TooManyLooks()
        known = Customer.objects.filter(user_id=user_id).first()
        customer = known or unless_silent(lambda: lookup.customer_of(user_id))
        standing.settle(name, customer, lookup.LOOK_SECONDS)
        _refuse_standing(name, customer)
        proven = _proven(user_id, name)
        _refuse_undelegated(name)
        group = customer.group_id if customer else None
        unless_silent(lambda: live.refuse_beside(name, group, lookup.LOOK_SECONDS))
    with transaction.atomic():
        names.lock()
        customer, _ = Customer.objects.get_or_create(user_id=user_id, defaults={"email": email})
        _refuse_standing(name, customer)
        if not proven and belonging.is_anothers(user_id, name):  # a site was quicker
            raise NameUnproven(name, belonging.proof(user_id, name), silent=False)
        zone = Zone.objects.create(customer=customer, name=name, name_key=name)
        job = queue.submit("dns.create_zone", zone.key, data={"zone": name, "user_id": user_id}, actor=actor)
    return zone, job


def _domain(text: str) -> str:
    try:
        return naming.domain(text)
    except naming.BadName as error:
        raise BadField("domain", str(error)) from None


def _is_reserved(name: str) -> bool:
    """Whether a name is a public suffix, the platform's own, or that of its name servers."""
    own = [settings.BASE_DOMAIN, *(server.lower().rstrip(".") for server in settings.NAMESERVERS)]
    return _suffixes.is_public(name) or any(naming.related(name, other) for other in own)


def _refuse_standing(name: str, customer: Customer | None) -> None:
    """Refuse a name that a row stands for, that is above or below somebody else's, or one too many."""
    same_or_above = Zone.objects.filter(name_key__in=[name, *naming.ancestors(name)])
    for zone in same_or_above | Zone.objects.filter(name_key__endswith=f".{name}"):
        if customer is None or zone.customer_id != customer.pk:
            raise NameTaken()
        if zone.name == name:
            raise ZoneBeingDeleted() if zone.deletion_requested_at else ZoneExists()
    if customer and customer.zones.filter(name_key__isnull=False).count() >= MOST_ZONES:
        raise QuotaExceeded(MOST_ZONES, "zones")


def _proven(user_id: str, name: str) -> bool:
    """Whether a domain that is in use by somebody else's site was shown to be the customer's; not asked for
    without need. NameUnproven."""
    if not belonging.is_anothers(user_id, name):
        return False
    shown = belonging.shown(user_id, name)
    if shown is not Shown.YES:
        raise NameUnproven(name, belonging.proof(user_id, name), silent=shown is Shown.UNKNOWN)
    return True


def _refuse_undelegated(name: str) -> None:
    wanted = [server.lower().rstrip(".") for server in settings.NAMESERVERS]
    found = live.delegated_to(name, DELEGATION_SECONDS)
    if not set(wanted) <= set(found):
        raise NotDelegated(name, [parents.printable(server) for server in sorted(found)], wanted)


def delete_zone(user_id: str, domain: str, *, actor: str = "") -> tuple[Zone, Job | None]:
    """Have a zone and all its records deleted, whatever is being done to it. A repeat gives the same job
    again. UnknownZone."""
    zone = lookup.zone_of(user_id, name=_domain(domain))
    with spare_thread() as free:
        if free and not zone.deletion_requested_at:
            standing.refuse_anothers(zone, lookup.LOOK_SECONDS)
    with transaction.atomic():
        queue.lock(zone.key)  # the job's row before the zone's: every runner takes them in this order too
        if Zone.objects.filter(pk=zone.pk, deletion_requested_at=None).update(
            deletion_requested_at=timezone.now()
        ):
            data = {"zone": zone.name, "user_id": user_id}
            queue.submit("dns.delete_zone", zone.key, data=data, actor=actor, cancel=True)
    return zone, Job.objects.filter(subject=zone.key, kind="dns.delete_zone").first()


def switch_dnssec(zone: Zone, wanted: bool, *, actor: str = "") -> Job:
    """Have a zone signed, or not any more. ZoneBusy; DsAtParent as long as the zone above, or a resolver, may
    hold a DS of it; ClientError when nobody says whether it does."""
    lookup.ready(zone)
    if not wanted:
        with spare_thread() as free:
            if not free:
                raise TooManyLooks()
            refuse_with_ds(zone, DELEGATION_SECONDS)
    about = {"zone": zone.name, "user_id": zone.customer.user_id, "wanted": wanted}
    return queue.whole(lambda: queue.submit("dns.switch_dnssec", zone.key, data=about, actor=actor))


def repair_zone(zone: Zone, *, actor: str = "") -> Job | None:
    """Have a zone served again as its row says. None when it does not stand any more, or something else goes
    on: what runs may be just that."""
    with transaction.atomic():
        queue.lock(zone.key)
        stands = Zone.objects.filter(pk=zone.pk, state=Zone.State.ACTIVE, deletion_requested_at=None)
        if not stands.exists() or Job.objects.filter(subject=zone.key, state__in=Job.ALIVE).exists():
            return None
        return queue.submit("dns.repair_zone", zone.key, data={"zone": zone.name}, actor=actor)


def add_record(user_id: str, values: Mapping[str, Any], *, actor: str = "") -> tuple[Entry, Job]:
    """Have a record added. `values` as `records.parse` takes them, with `zone_id` or `zone`. UnknownZone,
    ZoneUnclear, ZoneBusy, BadField, Protected, RecordExists, CnameConflict, NullMxConflict, QuotaExceeded."""
    zone = lookup.zone_for(user_id, values)
    entry = records.parse(values, zone.name, settings.PROXY_IP)
    return entry, add_entry(zone, entry, actor=actor)


def add_entry(zone: Zone, entry: Entry, *, actor: str = "") -> Job:
    """The same with what the values mean. Errors as for `add_record`, but for BadField and ZoneUnclear."""
    if current := lookup.current(lookup.ready(zone)):
        rules.may_add(entry, zone.origin, current.records, current.deeper)
    return _submit("dns.add_record", zone, actor, entry=entry.plain())


def update_record(user_id: str, values: Mapping[str, Any], *, actor: str = "") -> tuple[Entry, Job]:
    """Have a record changed; its type stays. `values` as for `add_record`, with `rc_id`. Also
    UnknownRecord."""
    zone = lookup.zone_for(user_id, values)
    entry = records.parse(values, zone.name, settings.PROXY_IP)
    return entry, update_entry(zone, values["rc_id"], entry, actor=actor)


def update_entry(zone: Zone, rc_id: int, entry: Entry, *, actor: str = "") -> Job:
    """The same with what the values mean."""
    if current := lookup.current(lookup.ready(zone)):
        rules.may_change(rc_id, entry, zone.origin, current.records, current.deeper)
    return _submit("dns.update_record", zone, actor, record=rc_id, entry=entry.plain())


def delete_record(user_id: str, zone_id: int, rc_id: int, *, actor: str = "") -> Job:
    """Have a record deleted. UnknownZone, ZoneBusy, UnknownRecord, Protected."""
    return delete_entry(lookup.zone_of(user_id, id=zone_id), rc_id, actor=actor)


def delete_entry(zone: Zone, rc_id: int, *, actor: str = "") -> Job:
    """The same, of a zone that is known already."""
    if current := lookup.current(lookup.ready(zone)):
        rules.may_remove(rc_id, zone.origin, current.records)
    return _submit("dns.delete_record", zone, actor, record=rc_id)


def _submit(kind: str, zone: Zone, actor: str, **data: Any) -> Job:
    about = {"zone": zone.name, "user_id": zone.customer.user_id}
    return queue.whole(lambda: queue.submit(kind, zone.key, data={**about, **data}, actor=actor))


def record_id(job: Job) -> str | None:
    """ISPConfig's id of the record that a job has added or changed; None as long as it has not."""
    return JobStep.objects.filter(job=job).values_list("ref", flat=True).first() or None


def ds_of(job: Job) -> list[str]:
    """The DS records of a zone that a job has had signed; none as long as there are no keys."""
    data = JobStep.objects.filter(job=job, name="signed").values_list("data", flat=True).first() or {}
    return list(data.get("ds", []))

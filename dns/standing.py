"""Our rows of zones against whose the zones are in the panel. What staff do there counts: a zone that they
give to another client is that one's, and one that they delete is gone."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from dns import live
from dns.errors import NameTaken, UnknownZone
from dns.live import LiveZone
from dns.models import Customer, Zone
from nodepoint.audit import trail
from nodepoint.clients.errors import ClientError, TimedOut
from nodepoint.jobs import queue

Found = TypeVar("Found")


def unless_silent(look: Callable[[], Found]) -> Found | None:
    """What the look finds; None when ISPConfig does not answer in time: then the job, which looks for itself,
    decides alone."""
    try:
        return look()
    except TimedOut:
        return None


def rows_of(customer: Customer, found: Sequence[LiveZone]) -> dict[int, Zone]:
    """Our rows of these zones of his, by ISPConfig's id; one that has none yet was made at ISPConfig by
    others and gets one."""
    known = customer.zones.filter(ispconfig_id__in=[zone.id for zone in found], name_key__isnull=False)
    rows = {zone.ispconfig_id: zone for zone in known.select_related("publication", "parent")}
    for zone in found:
        if zone.id not in rows:
            rows[zone.id] = _adopted(customer, zone)
    return {id: row for id, row in rows.items() if id is not None}


def _adopted(customer: Customer, zone: LiveZone) -> Zone:
    """A row for a zone that the customer has at ISPConfig. A row of the same name was of a zone that is gone,
    or is being made, or of this one while it was another customer's."""
    values = {"name": zone.name, "ispconfig_id": zone.id, "customer": customer}
    standing = Zone.objects.filter(name_key=zone.name).first()
    if standing is None:
        defaults = {**values, "state": Zone.State.ACTIVE}
        with transaction.atomic():
            row, is_new = Zone.objects.get_or_create(name_key=zone.name, defaults=defaults)
            if is_new:
                after = {"ispconfig_id": zone.id, "user_id": customer.user_id}
                trail.record("dns.adopt_zone", row.key, label=row.name, after=after)
        return row
    if _is_calm(standing):
        if standing.customer_id == customer.pk:
            Zone.objects.filter(pk=standing.pk).update(ispconfig_id=zone.id)
        elif standing.ispconfig_id == zone.id:
            return _moved(standing, customer)
    return standing


def _is_calm(row: Zone) -> bool:
    """Whether the zone stands and nothing is being done to it."""
    stands = row.state == Zone.State.ACTIVE and not row.deletion_requested_at
    return stands and queue.in_the_way(row.key) is None


def _moved(row: Zone, customer: Customer) -> Zone:
    """The row of a zone that staff have given to this customer's client in the panel."""
    before = {"user_id": row.customer.user_id}
    with transaction.atomic():
        Zone.objects.filter(pk=row.pk).update(customer=customer)
        after = {"user_id": customer.user_id}
        trail.record("dns.move_zone", row.key, label=row.name, before=before, after=after)
    return Zone.objects.select_related("customer", "publication", "parent").get(pk=row.pk)


def refuse_anothers(zone: Zone, seconds: float) -> None:
    """UnknownZone where the panel has given the zone to somebody else: for this customer it is not there, and
    nothing of it is his to delete. Where ISPConfig cannot be asked, the job decides."""
    try:
        group = live.holder(zone.name, seconds)
    except ClientError:
        return  # the job looks again before it takes anything away
    if group is not None and group != zone.customer.group_id and zone.state == Zone.State.ACTIVE:
        raise UnknownZone()


def settle(name: str, customer: Customer | None, seconds: float) -> None:
    """Before a customer adds a zone again: the row of the one he had is ended where staff have deleted that
    in the panel. NameTaken where they have given it to somebody else."""
    row = customer.zones.filter(name_key=name).first() if customer else None
    if row is None or not _is_calm(row):
        return
    try:
        group = live.holder(name, seconds)
    except TimedOut:
        return  # the row stands as it is: nothing says that its zone is gone
    if group is None:
        ended = {"name_key": None, "state": Zone.State.DELETED, "ended_at": timezone.now()}
        with transaction.atomic():
            if Zone.objects.filter(pk=row.pk, name_key=name, deletion_requested_at=None).update(**ended):
                trail.record("dns.end_zone", row.key, label=row.name, before={"state": row.state})
    elif group != row.customer.group_id:
        raise NameTaken()

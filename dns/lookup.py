"""The zone that a caller means, as the rows have it and as ISPConfig holds it. What is another's is not there
for him."""

from collections.abc import Mapping
from typing import Any

from dns import live, naming, standing
from dns.errors import BadField, UnknownZone, ZoneBusy, ZoneUnclear
from dns.live import LiveZone
from dns.models import Customer, Zone
from dns.standing import unless_silent
from nodepoint.api.waiting import spare_thread
from nodepoint.jobs import queue

READ_SECONDS = 7.0  # getdata answers within 8
LOOK_SECONDS = 5.0  # of a writing call, which answers within 15


def zones_of(user_id: str) -> tuple[list[LiveZone], dict[int, Zone]]:
    """A customer's zones with their records as they are now, and our rows of them by ISPConfig's id. None for
    who has none."""
    customer = customer_of(user_id)
    if customer is None or customer.group_id is None:
        return [], {}
    found = live.zones(customer.group_id, READ_SECONDS)
    return found, standing.rows_of(customer, found)


def customer_of(user_id: str) -> Customer | None:
    """The customer, also one whom only ISPConfig knows, from before our time; None for who never had a
    zone."""
    customer = Customer.objects.filter(user_id=user_id).first()
    if customer is not None and customer.group_id is not None:
        return customer
    known = live.owner(user_id, LOOK_SECONDS)
    if known is None:
        return customer
    ids = {"client_id": known.client_id, "group_id": known.group_id}
    customer, _ = Customer.objects.update_or_create(user_id=user_id, defaults=ids)
    return customer


def zone_of(user_id: str, *, id: int | None = None, name: str | None = None) -> Zone:
    """The customer's zone of that ISPConfig id or name; UnknownZone, also when it is another's."""
    customer = customer_of(user_id)
    if customer is None:
        raise UnknownZone()
    wanted = {"ispconfig_id": id} if id is not None else {}
    wanted |= {"name_key": name} if name is not None else {}
    for last in (False, True):
        zone = customer.zones.select_related("customer").filter(name_key__isnull=False, **wanted).first()
        if zone is not None:
            return zone
        if last or customer.group_id is None:
            break
        zones_of(user_id)  # it may have been made at ISPConfig by others
    raise UnknownZone()


def zone_for(user_id: str, values: Mapping[str, Any]) -> Zone:
    """The zone that a record belongs to: as said, else the longest of the user's zones that the record's name
    ends in."""
    id, name = values.get("zone_id"), values.get("zone")
    if id is not None or name:
        try:
            return zone_of(user_id, id=id, name=naming.domain(name) if name else None)
        except naming.BadName:
            raise UnknownZone() from None
    try:
        wanted = naming.written(values["name"])
    except naming.BadName as error:
        raise BadField("name", str(error)) from None
    if "." not in wanted:
        raise ZoneUnclear()
    return _longest(user_id, [wanted, *naming.ancestors(wanted)])


def _longest(user_id: str, wanted: list[str]) -> Zone:
    """The longest of these zones that the user has; UnknownZone."""
    customer = customer_of(user_id)
    if customer is None:
        raise UnknownZone()
    zones = customer.zones.select_related("customer").filter(name_key__in=wanted)
    if not zones and customer.group_id is not None:
        zones_of(user_id)  # it may have been made at ISPConfig by others
    if zone := max(zones.all(), key=lambda zone: len(zone.name), default=None):
        return zone
    raise UnknownZone()


def ready(zone: Zone) -> Zone:
    being = "deleted" if zone.deletion_requested_at else "set up" if zone.state == Zone.State.CREATING else ""
    if being:
        raise ZoneBusy(being, queue.in_the_way(zone.key))
    return zone


def current(zone: Zone) -> LiveZone | None:
    """The zone as ISPConfig holds it now; None when it does not answer in time, or too many requests wait for
    something already: then the job decides alone. UnknownZone when it has none, or not for this customer."""

    def look() -> LiveZone:
        found = live.zone(zone.customer, zone.name, LOOK_SECONDS, with_deeper=True)
        if found is None:
            raise UnknownZone()
        return found

    with spare_thread() as free:
        return unless_silent(look) if free else None

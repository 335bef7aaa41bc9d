"""What ISPConfig holds now: the only reading of a request, under a deadline. Nothing is changed here."""

from collections.abc import Sequence
from dataclasses import dataclass

from dns import marks, naming, rules
from dns.clients import ispconfig as panel
from dns.connections import delegation, ispconfig, ispconfig_reading, nameservers
from dns.errors import NameTaken
from dns.models import Customer
from dns.records import Held, held
from nodepoint.clients.deadline import deadline

LONG = 3600.0  # seconds: no hurry beyond what each call may take


@dataclass(frozen=True)
class Owner:
    """A customer's client at ISPConfig."""

    client_id: int
    group_id: int


@dataclass(frozen=True)
class LiveZone:
    """A zone with its records, oldest first; `name` without a last dot."""

    id: int
    name: str
    active: bool
    serial: int
    records: tuple[Held, ...]
    xfer: str = ""
    also_notify: str = ""
    soa: panel.Soa | None = None
    signed: bool | None = False
    """With DNSSEC; None where that is wanted and there are no keys yet."""
    ds: tuple[str, ...] = ()
    deeper: tuple[str, ...] = ()
    """Origins of the zones below it, whoever owns them, where they were asked for."""


def owner(user_id: str, seconds: float) -> Owner | None:
    """The client of this user, the oldest if there are several; None when there is none."""
    with deadline(seconds):
        found = marks.ours(user_id, ispconfig_reading().find_clients(marks.ending(user_id)))
        return Owner(found[0].id, ispconfig_reading().client_group(found[0].id)) if found else None


def zones(group_id: int, seconds: float) -> list[LiveZone]:
    """All zones of a client's group with all their records, by name: two calls, and one for each zone that
    came from another client, whose records it left behind."""
    with deadline(seconds):
        found = {zone.id: zone for zone in ispconfig_reading().zones_of(group_id)}
        by_zone: dict[int, list[panel.Record]] = {id: [] for id in found}
        for row in ispconfig_reading().records_of(group_id):
            if row.zone_id in by_zone:  # what is left of a deleted zone has none
                by_zone[row.zone_id].append(row)
        for id, zone in found.items():
            if not _has_servers(zone, by_zone[id]):
                by_zone[id] = ispconfig_reading().zone_records(id)
    return sorted((_live(zone, by_zone[id]) for id, zone in found.items()), key=lambda zone: zone.name)


def _has_servers(zone: panel.Zone, rows: list[panel.Record]) -> bool:
    """Whether the zone's own name servers are among its owner's records, as they are from the beginning."""
    return any(row.type == "NS" and naming.absolute(row.name, zone.origin) == zone.origin for row in rows)


def zone(
    customer: Customer, name: str, seconds: float = LONG, *, with_deeper: bool = False
) -> LiveZone | None:
    """A customer's zone with all its records; None when it is not there, or somebody else's: two calls.
    `with_deeper`: with the names of the zones below it, by one more."""
    with deadline(seconds):
        found = ispconfig().find_zone(f"{name}.")
        if found is None or customer.group_id is None or found.group_id != customer.group_id:
            return None
        records = ispconfig().zone_records(found.id)
        deeper = ispconfig().zones_below(found.origin) if with_deeper else []
        return _live(found, records, deeper)


def of(zone: panel.Zone) -> LiveZone:
    """A zone of the panel with all its records: one call."""
    return _live(zone, ispconfig().zone_records(zone.id))


def holder(name: str, seconds: float = LONG) -> int | None:
    """The group that has the zone of this name; None when the panel has none."""
    with deadline(seconds):
        found = ispconfig().find_zone(f"{name}.")
        return found.group_id if found else None


def refuse_beside(name: str, group_id: int | None, seconds: float = LONG) -> None:
    """Refuse a zone of this name where the panel has it, or one above or below it that belongs to somebody
    else than this group (NameTaken), or where it would hide records of the group's own zone above
    (WouldHide)."""
    with deadline(seconds):
        if ispconfig().find_zone(f"{name}.") is not None:
            raise NameTaken()
        # A name of one label is no zone of anybody's.
        lookups = (ispconfig().find_zone(f"{ancestor}.") for ancestor in naming.ancestors(name)[:-1])
        above = [found for found in lookups if found]
        others = [*ispconfig().zones_below(f"{name}."), *above]
        if any(other.group_id != group_id for other in others):
            raise NameTaken()
        if above:
            nearest = above[0]
            rules.may_be_cut_off(f"{name}.", _live(nearest, ispconfig().zone_records(nearest.id)).records)


def highest_served(name: str, seconds: float) -> int:
    """The highest serial with which any of our name servers serves this zone now; 0 where none does, or none
    answers."""
    served = nameservers().serials([name], seconds).get(name, {})
    return max((serial or 0 for serial in served.values()), default=0)


def delegated_to(name: str, seconds: float) -> Sequence[str]:
    """The name servers that the zone above refers to. ClientError when that cannot be found out."""
    with deadline(seconds):
        return delegation().servers(name)


def _live(zone: panel.Zone, rows: list[panel.Record], deeper: Sequence[panel.Zone] = ()) -> LiveZone:
    entries = tuple(held(row, zone.origin) for row in sorted(rows, key=lambda row: row.id))
    below = tuple(sorted(other.origin for other in deeper))
    return LiveZone(
        id=zone.id,
        name=zone.origin.rstrip("."),
        active=zone.active,
        serial=zone.serial,
        records=entries,
        xfer=zone.xfer,
        also_notify=zone.also_notify,
        soa=zone.soa,
        signed=zone.signed,
        ds=zone.ds if zone.signed else (),
        deeper=below,
    )

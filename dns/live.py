"""What ISPConfig holds now: the only reading of a request, under a deadline. Nothing is changed here."""

from collections.abc import Sequence
from dataclasses import dataclass

from dns import naming
from dns.clients import ispconfig as panel
from dns.connections import delegation, ispconfig
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


def owner(customer_no: str, seconds: float) -> Owner | None:
    """The client with this number, the oldest if there are several; None when there is none."""
    with deadline(seconds):
        found = ispconfig().find_clients(customer_no)
        return Owner(found[0].id, ispconfig().client_group(found[0].id)) if found else None


def zones(group_id: int, seconds: float) -> list[LiveZone]:
    """All zones of a client's group with all their records, by name: two calls."""
    with deadline(seconds):
        found = {zone.id: zone for zone in ispconfig().zones_of(group_id)}
        rows = ispconfig().records_of(group_id)
    by_zone: dict[int, list[panel.Record]] = {id: [] for id in found}
    for row in rows:
        if row.zone_id in by_zone:  # what is left of a deleted zone has none
            by_zone[row.zone_id].append(row)
    return sorted((_live(zone, by_zone[id]) for id, zone in found.items()), key=lambda zone: zone.name)


def zone(customer: Customer, name: str, seconds: float = LONG) -> LiveZone | None:
    """A customer's zone with all its records; None when it is not there, or somebody else's: two calls."""
    with deadline(seconds):
        found = ispconfig().find_zone(f"{name}.")
        if found is None or customer.group_id is None or found.group_id != customer.group_id:
            return None
        return _live(found, ispconfig().zone_records(found.id))


def in_the_way(name: str, group_id: int | None, seconds: float = LONG) -> bool:
    """Whether the panel has this zone, or one above or below it that belongs to somebody else than this
    group."""
    with deadline(seconds):
        if ispconfig().find_zone(f"{name}.") is not None:
            return True
        others = ispconfig().zones_below(f"{name}.")
        for ancestor in naming.ancestors(name)[:-1]:  # a name of one label is no zone of anybody's
            above = ispconfig().find_zone(f"{ancestor}.")
            others += [above] if above else []
    return any(other.group_id != group_id for other in others)


def delegated_to(name: str, seconds: float) -> Sequence[str]:
    """The name servers that the zone above refers to. ClientError when that cannot be found out."""
    with deadline(seconds):
        return delegation().servers(name)


def _live(zone: panel.Zone, rows: list[panel.Record]) -> LiveZone:
    entries = tuple(held(row, zone.origin) for row in sorted(rows, key=lambda row: row.id))
    return LiveZone(zone.id, zone.origin.rstrip("."), zone.active, zone.serial, entries)

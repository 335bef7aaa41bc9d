"""Zones and records as callers see them."""

from typing import Any

from dns import published
from dns.live import LiveZone
from dns.models import Zone


def zone(live: LiveZone, row: Zone | None) -> dict[str, Any]:
    """`{zone: {id, name, status, nameservers, serial, published, problem, dnssec,
    records}}` with the records by
    their ids. Whether it is published is what the last look at the name servers found."""
    servers = [
        held.entry.data.rstrip(".")
        for held in live.records
        if held.entry.type == "NS" and held.entry.name == f"{live.name}."
    ]
    shown = {str(held.id): held.entry.shown(held.id, held.active) for held in live.records}
    facts = {"id": str(live.id), "name": live.name, "status": status(live, row), "nameservers": servers}
    said = published.above(row, live.signed, live.ds)
    if said.problem is None:
        said = published.verdict(row, live.serial, live.active)
    facts |= {"serial": live.serial, "published": said.published, "problem": said.problem}
    facts |= {"dnssec": dnssec(live, row)}
    return {"zone": {**facts, "records": shown}}


def dnssec(live: LiveZone, row: Zone | None) -> dict[str, Any]:
    """`{enabled, ds, at_parent}`: the records for the zone above, none until there are keys; and whether they
    are there."""
    above = published.at_parent(row, live.ds)
    return {"enabled": live.signed is not False, "ds": list(live.ds), "at_parent": above}


def status(live: LiveZone, row: Zone | None) -> str:
    """creating, deleting, active, or inactive: there, but not served."""
    if row is not None and row.deletion_requested_at:
        return "deleting"
    if row is not None and row.state == Zone.State.CREATING:
        return "creating"
    return "active" if live.active else "inactive"

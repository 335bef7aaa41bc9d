"""VMIDs and addresses that are in use at Proxmox VE, whoever uses them: containers made by hand, by another
installation, or by an order that a restored database does not know. One reading for many orders at once.

No list tells addresses, so that each container's own configuration is read: of those that rows of ours have
not made, once, and again after CONFIG_KEPT. What a token cannot see, and machines, tell no address.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import AddressValueError, IPv4Interface, NetmaskValueError

from django.utils import timezone

from nodepoint.clients.errors import ClientError, NotFound, Refused
from nodepoint.prepared import prepared
from sites import marks
from sites.clients.proxmox import Config, Guest
from sites.connections import proxmox
from sites.marks import Mark
from sites.models import Occupancy, Site, Spare, Template

KEPT = timedelta(seconds=30)
CONFIG_KEPT = 600.0  # seconds until a container's address is read anew
MOST = 25  # configurations read in one look: a second or two
PARTS = 4  # of what is kept of a container; earlier code kept no mark
PATIENCE = 1.0  # seconds that a thread waits for the look of another one in this process

_looking = threading.Lock()


@dataclass(frozen=True)
class Places:
    """What is in use. `addresses`: whose VMID uses them; `nodes`: where those are; `marks`: whose they say
    that they are, where that is a site of ours."""

    vmids: frozenset[int]
    addresses: dict[str, int]
    nodes: dict[int, str]
    marks: dict[int, Mark]

    def still_has(self, address: str) -> bool:
        """Whether the container that was read with an address has it now. One call; ClientError."""
        vmid = self.addresses.get(address)
        if vmid is None:
            return False
        try:
            return address_of(proxmox().config(self.nodes[vmid], vmid)) == address
        except NotFound:
            return False

    def unknown_of(self, service_id: str) -> list[int]:
        """VMIDs of containers that are a service's by their marks, but of no row of it that could have made
        them. One query where there are any."""
        carriers = {vmid: mark for vmid, mark in self.marks.items() if mark.service_id == service_id}
        if not carriers:
            return []
        known = Site.objects.filter(service_id=service_id).exclude(state=Site.State.PROVISIONING)
        numbers = set(known.order_by().values_list("pk", flat=True))
        return sorted(vmid for vmid, mark in carriers.items() if mark.pk not in numbers)


def address_of(config: Config) -> str:
    """The fixed address of a container; empty where it has none."""
    try:
        return str(IPv4Interface(config.net0.get("ip", "")).ip)
    except (AddressValueError, NetmaskValueError):  # `dhcp`, `manual` or none
        return ""


def known() -> Places:
    """As read last, however long ago. One query."""
    return _places(prepared(Occupancy).order_by("pk").first() or Occupancy())


def known_addresses() -> list[str]:
    """The addresses of them alone. One query."""
    readings = prepared(Occupancy).order_by("pk").limit(1).values("guests")
    return [entry[0] for guests in readings for entry in guests.values() if entry[0]]


def reading() -> Places | None:
    """As of the last KEPT; None while somebody else is looking, or there is more to be read than one look
    takes: ask again in a second. ClientError."""
    if not _looking.acquire(timeout=PATIENCE):
        return None
    try:
        row = prepared(Occupancy).order_by("pk").first() or Occupancy(pk=1)
        if row.taken_at is None or row.taken_at < timezone.now() - KEPT:
            _read(row)
        return _places(row) if row.taken_at else None
    finally:
        _looking.release()


def _places(row: Occupancy) -> Places:
    guests = {int(vmid): entry for vmid, entry in row.guests.items() if len(entry) == PARTS}
    addresses = {address: vmid for vmid, (address, *_) in guests.items() if address}
    nodes = {vmid: node for vmid, (_, node, *_) in guests.items()}
    carried = {vmid: marks.parse(mark) for vmid, (*_, mark) in guests.items()}
    ours = {vmid: mark for vmid, mark in carried.items() if mark and not mark.is_anothers}
    return Places(frozenset(row.vmids), addresses, nodes, ours)


def _read(row: Occupancy) -> None:
    """Look at the cluster, and keep what was seen."""
    now = timezone.now()
    guests = proxmox().resources()
    made = {vmid for model in (Site, Template, Spare) for vmid in _made(model)}
    others = [one for one in guests if one.type == "lxc" and not one.template and one.vmid not in made]
    kept = {vmid: entry for vmid, entry in row.guests.items() if len(entry) == PARTS}
    before = {one.vmid: kept.get(str(one.vmid)) for one in others}
    waiting = sorted(others, key=lambda one: before[one.vmid][2] if before[one.vmid] else 0.0)
    old = now.timestamp() - CONFIG_KEPT
    due = [one for one in waiting if before[one.vmid] is None or before[one.vmid][2] < old]
    found = {vmid: entry for vmid, entry in before.items() if entry}
    away = _away(due)
    for one in due[:MOST]:
        found[one.vmid] = _asked(one, found.get(one.vmid), now.timestamp(), away)
    row.guests = {str(vmid): entry for vmid, entry in found.items()}
    row.vmids = sorted(one.vmid for one in guests)
    row.taken_at = now if len(found) == len(others) else None
    row.save()


def _made(model: type[Site] | type[Template] | type[Spare]) -> Iterator[int]:
    """VMIDs of containers that our jobs have made or begun to make: their addresses stand in rows."""
    rows = model.objects.filter(vmid__isnull=False).exclude(node="").order_by()
    return iter(rows.values_list("vmid", flat=True))


def _away(guests: list[Guest]) -> set[str]:
    """Nodes that would let a question hang. Only asked for where a guest's state is not known: its node is
    away, or it was just made."""
    if all(guest.status != "unknown" for guest in guests):
        return set()
    return {node.name for node in proxmox().nodes() if not node.online}


def _asked(guest: Guest, before: list | None, at: float, away: set[str]) -> list:
    """What a container's configuration says; of one that nobody can read now what it said before, and the
    next look asks again. `away`: nodes that do not answer, so that each hangs once at most."""
    unread = [before[0] if before else "", guest.node, 0.0, before[3] if before else ""]
    if guest.node in away:
        return unread
    try:
        config = proxmox().config(guest.node, guest.vmid)
        return [address_of(config), guest.node, at, marks.carried(config.description)]
    except Refused:
        return ["", guest.node, at, ""]
    except NotFound:  # moved, or gone
        return unread
    except ClientError:
        away.add(guest.node)
        return unread

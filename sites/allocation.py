"""Reserving an address, a VMID and a subdomain: unique in the database, in the transaction that accepts the
order.
"""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address
from itertools import count
from typing import Any

from django.conf import settings
from django.db import transaction

from nodepoint.prepared import prepared
from sites import live, occupied, vacancies
from sites.errors import NoCapacity
from sites.models import ReservationLock, Site, Spare, TakenName, Template
from sites.naming import RESERVED, free_subdomain, wished_subdomain
from sites.pool import claims

Holder = Site | Spare | Template


def lock() -> None:
    """Make other orders wait until this transaction ends: what they then read is what is really free."""
    prepared(ReservationLock).select_for_update().get()


def address_range() -> tuple[IPv4Address, IPv4Address]:
    """First and last private address for sites, from SITE_IP_RANGE (`192.168.1.100-192.168.1.253`).
    ValueError if malformed.
    """
    first, _, last = settings.SITE_IP_RANGE.partition("-")
    return IPv4Address(first.strip()), IPv4Address(last.strip())


def free_address(seen: Collection[str] | None = None) -> str:
    """The lowest private address of the range that neither we nor, as far as we know, any container uses;
    NoCapacity when all are taken. `seen`: addresses in use by a fresh reading; by default the last one."""
    never = _never() | set(occupied.known_addresses() if seen is None else seen)
    address = vacancies.lowest("private_ip", _addresses, never.__contains__)
    if address is None:
        raise NoCapacity()
    return address


def _addresses() -> Iterator[str]:
    """All private addresses for sites, the lowest first."""
    first, last = address_range()
    for number in range(int(first), int(last) + 1):
        # As `str(IPv4Address(number))`, which takes four times as long, and of a large range many are taken.
        yield f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _never() -> set[str]:
    """Addresses that may lie in the range and are others'."""
    return {settings.SITE_GATEWAY, *settings.SITE_NAMESERVERS, *settings.PROXY_LAN_IPS}


def addresses_left() -> int:
    """How many private addresses of the range nobody has, as far as we know. Two queries."""
    first, last = address_range()
    taken = (vacancies.held_by_all("private_ip") | _never() | set(occupied.known_addresses())) - {""}
    return int(last) - int(first) + 1 - sum(first <= IPv4Address(address) <= last for address in taken)


def is_ours(field: str, value: Any) -> bool:
    """Whether something of ours that is no site holds it: a container of the pool, or of a template."""
    return any(
        model.objects.filter(**{field: value}).exists() for model in vacancies.HOLDERS if model is not Site
    )


def free_vmid(seen: Collection[int] | None = None, above: int = 0) -> int:
    """The lowest VMID from VMID_START, and higher than `above`, that neither we nor, as far as we know,
    Proxmox uses. `seen`: a fresh reading of the VMIDs in use there; by default the last one that is
    stored."""
    used = live.stored().guests if seen is None else seen
    start = settings.VMID_START
    return vacancies.lowest("vmid", lambda: count(start), lambda vmid: vmid <= above or vmid in used)


def reserve(site: Site, wish: str = "", *, from_pool: bool = True) -> None:
    """Give an order that is being written its subdomain (`wish`: the one that was asked for) and, with a
    ready container or without one, its address and VMID. Call inside a transaction, after `lock()`.
    """
    if from_pool and (spare := claims.take(site.plan)):
        site.claimed, site.node = spare.build_id, spare.node
        site.private_ip, site.vmid = spare.private_ip, spare.vmid
    else:
        site.private_ip, site.vmid = free_address(), free_vmid()
    site.subdomain = free_subdomain(site.email, _Names(), wish)


def is_name_free(name: str) -> bool:
    """Whether an order could have this subdomain now, as far as is known here."""
    return name not in RESERVED and name not in _Names()


def reserve_other_name(site: Site) -> str:
    """Move an order to another subdomain because a stranger holds its own. Two steps may find that at the
    same time: the second is given what the first has reserved. Returns the new one."""
    with transaction.atomic():
        lock()
        now = Site.objects.get(pk=site.pk)
        if now.subdomain == site.subdomain:
            now.former_subdomains = [*now.former_subdomains, now.subdomain]
            wish = now.subdomain or ""
            is_of_address = wish.startswith(wished_subdomain(now.email) or "site")
            now.subdomain = free_subdomain(now.email, _Names(), "" if is_of_address else wish)
            now.save(update_fields=["subdomain", "former_subdomains"])
    site.subdomain, site.former_subdomains = now.subdomain, now.former_subdomains
    return site.subdomain


class _Names:
    """The subdomains that sites and strangers hold."""

    def __contains__(self, name: object) -> bool:
        return any(prepared(model).filter(subdomain=name).values("pk") for model in (Site, TakenName))


def reserve_other_address(site: Holder, in_use: Collection[str]) -> str:
    """Move an order, or a template that is built, to another address because a container that is not ours
    uses its own. Returns the new one; NoCapacity."""
    with transaction.atomic():
        lock()
        address = free_address({*in_use, site.private_ip})
        type(site).objects.filter(pk=site.pk).update(private_ip=address)
    site.private_ip = address
    return address


def reserve_other_vmid(site: Holder, in_use: set[int]) -> int:
    """Move an order, or a template that is built, to another VMID because Proxmox uses its own for something
    else. Returns the new one."""
    with transaction.atomic():
        lock()
        # Upwards only: two that are taken by guests whom nobody shows us would be tried in turn for ever.
        vmid = free_vmid(in_use, above=site.vmid)
        type(site).objects.filter(pk=site.pk).update(vmid=vmid, node="")
    site.vmid, site.node = vmid, ""
    return vmid

"""Who may fetch zones, and who is told of changes: DNS_XFER and DNS_ALSO_NOTIFY, in ISPConfig's words. Empty
ones are none of ours: what staff set in the panel stays."""

from typing import Protocol

from django.conf import settings


class HasTransfers(Protocol):
    """A zone as the panel holds it: addresses with commas between."""

    xfer: str
    also_notify: str


def wanted() -> dict[str, str]:
    """The fields of a zone that are set: `xfer`, `also_notify`."""
    fields = {"xfer": settings.DNS_XFER, "also_notify": settings.DNS_ALSO_NOTIFY}
    return {name: ",".join(addresses) for name, addresses in fields.items() if addresses}


def drift(zone: HasTransfers) -> dict[str, str]:
    """Those that the zone does not have so."""
    return {name: value for name, value in wanted().items() if _list(getattr(zone, name)) != _list(value)}


def _list(text: str) -> list[str]:
    return sorted(part.strip() for part in text.split(",") if part.strip())

"""Whose the names of zones are, and how a customer shows that a domain is his. See `nodepoint.names`."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from dns.models import ShownDomain, Zone
from nodepoint import names
from nodepoint.names import Claim, Proof, Shown

KEPT = timedelta(days=7)  # that a proof is remembered: time to change the name servers at a registrar


def register() -> None:
    """Have the zones of customers respected by the other products."""
    names.register(claims)


def claims(above: Sequence[str], below: str) -> Iterator[Claim]:
    """The zones that stand with one of the names `above`, or below a name. See `names.Claims`."""
    wanted = Q(name_key__in=above)
    if below:
        wanted |= Q(name_key__endswith=f".{below}")
    for zone in Zone.objects.filter(wanted).select_related("customer"):
        yield Claim(zone.name, zone.key, zone.customer.user_id)


def is_anothers(user_id: str, name: str) -> bool:
    """Whether what is served under a domain belongs to somebody else in any product: it is, lies under or
    holds a name of his."""
    return names.anothers(name, user_id=user_id, below=True) is not None


def claimed(user_id: str, name: str) -> Claim | None:
    """By what a domain belongs to somebody else at this moment, so: also what only comes or goes, since a job
    that looks at the same moment could be missed otherwise. None when it does not."""
    return names.anothers(name, user_id=user_id, below=True, unsettled=True)


def proof(user_id: str, name: str) -> Proof:
    """The TXT record by which a customer shows that a domain is his."""
    return names.proof(f"user:{user_id}", name)


def shown(user_id: str, name: str) -> Shown:
    """Whether the record is in DNS, or was within the last days: once the domain is delegated here, there is
    nowhere to set it before the zone exists."""
    if ShownDomain.objects.filter(user_id=user_id, name=name, seen_at__gte=timezone.now() - KEPT).exists():
        return Shown.YES
    found = proof(user_id, name).shown()
    if found is Shown.YES:
        ShownDomain.objects.filter(seen_at__lt=timezone.now() - KEPT).delete()
        ShownDomain.objects.update_or_create(user_id=user_id, name=name, defaults={"seen_at": timezone.now()})
    return found

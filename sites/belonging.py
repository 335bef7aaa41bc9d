"""Whose the host names of sites are, and how a customer shows that one is his. See `nodepoint.names`."""

import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db.models import Q
from django.utils import timezone

from nodepoint import names
from nodepoint.clients.deadline import deadline
from nodepoint.names import Claim, Proof, Shown
from sites import pointing
from sites.models import CustomDomain, ReleasedDomain, Site
from sites.pointing import Leading, Look

Status = CustomDomain.Status
ANOTHERS = "{name} is in use by another customer, or was until lately."
ANOTHER_SITES = "{name} is in use by another of your sites. It can be removed there, or moved here."


def register() -> None:
    """Have the domains of sites respected by the other products."""
    names.register(claims)


def claims(above: Sequence[str], below: str) -> Iterator[Claim]:
    """The active custom domains that are one of `above`, or lie below a name; those that come or go are not
    settled. See `names.Claims`."""
    wanted = Q(domain__in=above)
    if below:
        wanted |= Q(domain__endswith=f".{below}")
    found = CustomDomain.objects.filter(wanted, status__in=(Status.ACTIVE, Status.PENDING))
    for row in found.select_related("site"):
        yield Claim(row.domain, row.site.key, row.site.user_id, settled=row.status == Status.ACTIVE)


def standing(name: str) -> CustomDomain | None:
    """The row of a host name, with its site, whichever that is."""
    return CustomDomain.objects.filter(domain=name).select_related("site").first()


def held(site: Site, name: str, standing: CustomDomain | None) -> str:
    """Why a host name, of which `standing` is the row, is not free for a site, as a sentence; empty where it
    is. It stands for another site, whoever has that; or it belongs to somebody else than the site's customer:
    it is, or lies under, what he holds in any product, or it was a site of his until a day ago. Three
    queries at most."""
    if standing and standing.site_id != site.pk:
        is_fellow = Claim(name, standing.site.key, standing.site.user_id).is_of(site.key, site.user_id)
        return (ANOTHER_SITES if is_fellow else ANOTHERS).format(name=name)
    return ANOTHERS.format(name=name) if _is_anothers(site, name) else ""


def _is_anothers(site: Site, name: str) -> bool:
    if names.anothers(name, holder=site.key, user_id=site.user_id):
        return True
    since = timezone.now() - ReleasedDomain.KEPT
    released = ReleasedDomain.objects.filter(domain=name, released_at__gte=since).select_related("site")
    return any(
        not Claim(name, row.site.key, row.site.user_id).is_of(site.key, site.user_id) for row in released
    )


def proof(site: Site, name: str) -> Proof:
    """The TXT record by which the site's customer shows that a host name is his. A site that is ordered again
    for the service has the same."""
    return names.proof(f"site:{site.service_id}", name)


def looks(domains: Collection[CustomDomain], seconds: float, at_once: int) -> dict[str, Look]:
    """What DNS says now of domains that were accepted, by name, `at_once` of them at a time. One that was
    accepted for its TXT record leads here as long as that stands. Takes at most `seconds`; of those it does
    not come to nothing is known."""
    if not domains:
        return {}
    asked = [
        (row.domain, row.site.public_ip, proof(row.site, row.domain) if row.proven else None)
        for row in domains
    ]
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(min(at_once, len(asked))) as pool:  # they ask DNS and nobody else
        found = pool.map(lambda one: _look(*one, end), asked)
    return {name: look for (name, _, _), look in zip(asked, found, strict=True)}


def problems(domains: Collection[CustomDomain], seconds: float) -> dict[str, str]:
    """Why domains that were accepted do not lead here now, by name, in sentences for customers: all are
    looked at side by side. One that leads here is left out, and one of which nobody can tell. Takes at most
    `seconds`."""
    found = looks(domains, seconds, len(domains))
    return {name: look.why for name, look in found.items() if look.leading is Leading.ELSEWHERE}


def _look(name: str, address: str, shown_by: Proof | None, end: float) -> Look:
    if (left := end - time.monotonic()) <= 0:
        return Look(Leading.UNKNOWN)
    with deadline(left):
        found = pointing.look(name, address)
        if shown_by is None or found.leading is not Leading.ELSEWHERE:
            return found
        match shown_by.shown():
            case Shown.YES:
                return Look(Leading.HERE)
            case Shown.UNKNOWN:
                return Look(Leading.UNKNOWN)
    return found

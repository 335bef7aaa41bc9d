"""Names of ours on which somebody else's records and proxy hosts stand: an order that got one would fail, and
so would every repetition."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from sites.models import Site, TakenName

LONGEST_LABEL = 63  # of a host name


def met(site: Site, holder: str) -> None:
    """Something foreign (`record A 198.51.100.7`) stands on the site's name: no later order gets it."""
    TakenName.objects.update_or_create(subdomain=site.subdomain, defaults=_seen(holder))


def keep(found: Iterable[tuple[str, str]], since: datetime) -> None:
    """Replace what is known by what a look that began at `since` has found: host names, and what stands
    there. Names that are not directly below BASE_DOMAIN are left out."""
    names = {name: TakenName(subdomain=name, **_seen(holder)) for name, holder in _below(found)}
    with transaction.atomic():
        TakenName.objects.filter(seen_at__lt=since).delete()
        TakenName.objects.bulk_create(names.values(), ignore_conflicts=True)  # met meanwhile


def _below(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for host, holder in found:
        name, _, domain = host.lower().partition(".")
        if domain == settings.BASE_DOMAIN and 0 < len(name) <= LONGEST_LABEL:
            yield name, holder


def _seen(holder: str) -> dict[str, object]:
    return {"holder": holder[:255], "seen_at": timezone.now()}

"""What is personal in the rows of an ended site: whose it was, and the names by which it went."""

from collections.abc import Iterable

from django.conf import settings

from nodepoint import anonymity
from sites.archives.rows import Archive
from sites.measured import SiteHealth, SiteUsage
from sites.models import MovedDomain, ReleasedDomain, Site

ENDED = (Site.State.FAILED, Site.State.DELETED)


def register() -> None:
    """Have sites asked when a service is anonymised."""
    anonymity.register(anonymity.Holder(living, subjects, names, erase))


def living(service_id: str) -> str:
    """Why the service has not ended."""
    site = Site.objects.filter(service_id=service_id).exclude(state__in=ENDED).first()
    if site:
        return f"The site of service {service_id} is {site.state}: delete it first."
    archive = Archive.objects.filter(service_id=service_id, state=Archive.State.READY).first()
    return f"Archive {archive} of service {service_id} is kept: delete it first." if archive else ""


def subjects(service_id: str) -> list[str]:
    """Of its jobs and acts."""
    return [site.key for site in Site.objects.filter(service_id=service_id)]


def names(service_id: str) -> Iterable[str]:
    """What its rows call the person, and where he was reached."""
    for site in Site.objects.filter(service_id=service_id):
        former = [f"{name}.{settings.BASE_DOMAIN}" for name in site.former_subdomains]
        yield from (site.email, site.email.partition("@")[0], site.user_id, site.serves_as, site.chosen_name)
        yield from (*site.former_subdomains, *former, *site.content_names)
        yield from site.moved_domains.values_list("domain", flat=True)
    released = ReleasedDomain.objects.filter(site__service_id=service_id)
    yield from released.values_list("domain", flat=True)


def erase(service_id: str) -> int:
    """Take it out of the rows; how many sites."""
    of_it = {"site__service_id": service_id}
    for model in (MovedDomain, ReleasedDomain, SiteUsage, SiteHealth):
        model.objects.filter(**of_it).delete()
    return Site.objects.filter(service_id=service_id).update(
        email=anonymity.NOBODY,
        user_id="",
        serves_as="",
        chosen_name="",
        former_subdomains=[],
        content_names=[],
    )

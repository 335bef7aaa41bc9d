"""What the page of a customer knows of sites."""

from django.db.models import Q
from django.urls import reverse

from nodepoint.people.person import MOST, Part, Person, Thing, part, widens
from sites.models import CustomDomain, Site

COLOURS = {Site.State.LIVE: "success", Site.State.PROVISIONING: "info", Site.State.FAILED: "danger"}
ENDED = (Site.State.FAILED, Site.State.DELETED)


def _of(person: Person) -> Q:
    """By user id, and by service or address those of whom no other user is known."""
    wanted = Q(service_id__in=person.services)
    for email in person.emails:
        wanted |= Q(email__iexact=email)
    if person.user_ids:
        wanted &= Q(user_id="")
    return wanted | Q(user_id__in=person.user_ids)


@widens
def orders(person: Person) -> Person:
    """Whose sites they are. One query."""
    rows = list(Site.objects.filter(_of(person)).order_by().values_list("user_id", "email", "service_id"))
    return Person.of(*zip(*rows, strict=True)) if rows else Person()


@part("Sites", "sites.view_site")
def sites(person: Person) -> Part:
    """His sites with their names. Two queries."""
    rows = list(Site.objects.filter(_of(person)).select_related("plan").order_by("-pk")[:MOST])
    domains: dict[int, list[str]] = {}
    for site, domain in CustomDomain.objects.filter(site__in=rows).values_list("site", "domain"):
        domains.setdefault(site, []).append(domain)
    things = [_thing(site, domains.get(site.pk, [])) for site in rows]
    keys = CustomDomain.objects.filter(site__in=rows).values_list("pk", flat=True)
    return Part(things, [*(site.key for site in rows), *(f"sites.customdomain:{key}" for key in keys)])


def _thing(site: Site, domains: list[str]) -> Thing:
    names = ", ".join(filter(None, [site.hostname, *domains]))
    suspended = site.suspended and site.state == Site.State.LIVE
    return Thing(
        name=site.service_id,
        url=reverse("admin:sites_site_change", args=[site.pk]),
        about=f"{site.plan.name}{f', {names}' if names else ''}",
        state="suspended" if suspended else site.get_state_display(),
        colour="warning" if suspended else COLOURS.get(site.state, "default"),
        lives=site.state not in ENDED,
    )

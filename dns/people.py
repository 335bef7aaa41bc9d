"""What the page of a customer knows of zones."""

from django.db.models import Q, QuerySet
from django.urls import reverse

from dns.models import Customer, Zone
from nodepoint.people.person import MOST, Part, Person, Thing, part, widens

COLOURS = {Zone.State.ACTIVE: "success", Zone.State.CREATING: "info", Zone.State.FAILED: "danger"}
ENDED = (Zone.State.FAILED, Zone.State.DELETED)


def _of(person: Person) -> QuerySet[Customer]:
    """By user id, which zones are always ordered with; by address where none is known."""
    if person.user_ids:
        return Customer.objects.filter(user_id__in=person.user_ids)
    wanted = Q(pk__in=[])
    for email in person.emails:
        wanted |= Q(email__iexact=email)
    return Customer.objects.filter(wanted)


@widens
def owners(person: Person) -> Person:
    """Who owns the zones. One query."""
    rows = list(_of(person).values_list("user_id", "email"))
    return Person.of(*zip(*rows, strict=True)) if rows else Person()


@part("Zones", "dns.view_zone")
def zones(person: Person) -> Part:
    """His zones. One query."""
    rows = list(Zone.objects.filter(customer__in=_of(person)).order_by("-pk")[:MOST])
    return Part([_thing(zone) for zone in rows], [zone.key for zone in rows])


def _thing(zone: Zone) -> Thing:
    return Thing(
        name=zone.name,
        url=reverse("admin:dns_zone_change", args=[zone.pk]),
        about="being deleted" if zone.deletion_requested_at and zone.state not in ENDED else "",
        state=zone.get_state_display(),
        colour=COLOURS.get(zone.state, "default"),
        lives=zone.state not in ENDED,
    )

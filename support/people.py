"""What the page of a customer knows of support keys."""

from django.db.models import Q
from django.urls import reverse

from nodepoint.people.person import MOST, Part, Person, Thing, part, widens
from support.models import SupportKey

COLOURS = {SupportKey.Status.ACTIVE: "success", SupportKey.Status.SUSPENDED: "warning"}


def _of(person: Person) -> Q:
    """A key knows no user: it is his by its service, or by an address."""
    wanted = Q(service_id__in=person.services)
    for email in person.emails:
        wanted |= Q(email__iexact=email)
    return wanted


@widens
def owners(person: Person) -> Person:
    """Services and addresses of keys. One query."""
    rows = list(SupportKey.objects.filter(_of(person)).order_by().values_list("email", "service_id"))
    emails, services = zip(*rows, strict=True) if rows else ((), ())
    return Person.of(emails=emails, services=services)


@part("Support keys", "support.view_supportkey")
def keys(person: Person) -> Part:
    """His keys. One query."""
    rows = list(SupportKey.objects.filter(_of(person)).order_by("-pk")[:MOST])
    return Part([_thing(row) for row in rows], [f"support.supportkey:{row.pk}" for row in rows])


def _thing(row: SupportKey) -> Thing:
    return Thing(
        name=row.support_key,
        url=reverse("admin:support_supportkey_change", args=[row.pk]),
        about=f"{row.name}, service {row.service_id}",
        state=row.get_status_display(),
        colour=COLOURS.get(row.status, "default"),
        lives=row.status != SupportKey.Status.INACTIVE,
    )

"""What the board and the search box know of zones and their owners."""

from collections.abc import Iterable, Iterator

from django.db.models import Max
from django.urls import reverse

from dns import published
from dns.models import Customer, Zone
from nodepoint.audit import words
from nodepoint.board import findings, search, troubles
from nodepoint.board.registry import SHOWN, Group, Level, Trouble, source
from nodepoint.jobs.registry import periodic

MOST_FOUND = 1000

findings.mended_by("dns.repair_zone", "dns.delete_zone")
words.name(
    {
        "dns.adopt_zone": "Take over a zone that is there already",
        "dns.end_zone": "End a zone that is gone",
        "dns.move_zone": "Move a zone to another customer",
    }
)
periodic("dns.watch.look", minutes=2)
periodic("dns.parents.look", minutes=5)
periodic("dns.tasks.prune", minutes=24 * 60)


@source("dns.view_zone", 45)
def unpublished() -> Iterator[Group]:
    """Zones that the name servers do not serve as ISPConfig holds them. One query, two where they are
    many."""
    rows = list(published.unpublished()[: SHOWN + 1])
    found = [
        Trouble(
            f"{seen.zone.name} is not published",
            published.for_staff(seen),
            reverse("admin:dns_zone_change", args=[seen.zone_id]),
            seen.wrong_since,
        )
        for seen in rows[:SHOWN]
    ]
    total = len(rows) if len(rows) <= SHOWN else published.unpublished().order_by()[:MOST_FOUND].count()
    every = f"{reverse('admin:dns_zone_changelist')}?published=no"
    yield Group("Zones not published", Level.FAILING, found, total, every, MOST_FOUND)


@troubles.settles
def settled_zones(subjects: set[str]) -> set[str]:
    """Zones that are gone, or going, and failed ones that their customers have asked for anew. Two
    queries."""
    keys = {subject.partition(":")[2]: subject for subject in subjects if subject.startswith("dns.zone:")}
    rows = Zone.objects.in_bulk([int(key) for key in keys])
    failed = [zone for zone in rows.values() if zone.state == Zone.State.FAILED]
    same = Zone.objects.filter(name__in={zone.name for zone in failed}).order_by()
    latest = {tuple(whose): pk for *whose, pk in same.values_list("customer", "name").annotate(Max("pk"))}
    done = {zone.pk for zone in failed if latest[zone.customer_id, zone.name] != zone.pk}
    done |= {zone.pk for zone in rows.values() if zone.deletion_requested_at}
    return {keys[str(pk)] for pk in done}


def matching(text: str, most: int) -> tuple[list[int], bool]:
    """Primary keys of zones by the beginning of their name, by the name of a record below them, by their
    owner's user id or the beginning of his e-mail; and whether there are more. Four queries."""
    text = search.tidy(text)
    name = text.lower().rstrip(".")
    looks = (
        Zone.objects.filter(name__in=[name, *_above(name)]).order_by("-pk"),
        Zone.objects.filter(search.begins("name", name)).order_by("name"),
        Zone.objects.filter(customer__user_id=text).order_by("-pk"),
        Zone.objects.filter(customer__email__istartswith=text).order_by("customer__email"),
    )
    return search.gather(looks, most)


def _above(name: str) -> list[str]:
    """The zones that a name may lie in: `b.c` and `c` of `a.b.c`."""
    labels = name.split(".")
    return [".".join(labels[place:]) for place in range(1, len(labels) - 1)]


@search.searches("dns.view_zone")
def zones(text: str, most: int) -> Iterable[search.Hit]:
    """Zones."""
    keys, _ = matching(text, most)
    rows = Zone.objects.select_related("customer").in_bulk(keys)
    for zone in (rows[key] for key in keys):
        about = f"DNS zone of user {zone.customer.user_id}, {zone.get_state_display()}"
        url = reverse("admin:dns_zone_change", args=[zone.pk])
        yield search.Hit.of(zone.name, about, url, "dns", zone.customer.user_id, zone.customer.email)


def customers_matching(text: str, most: int) -> tuple[list[int], bool]:
    """Primary keys of customers by their user id or the beginning of their e-mail, and whether there are
    more. Two queries."""
    text = search.tidy(text)
    by_email = Customer.objects.filter(email__istartswith=text).order_by("email")
    return search.gather((Customer.objects.filter(user_id=text), by_email), most)


@search.searches("dns.view_customer")
def customers(text: str, most: int) -> Iterable[search.Hit]:
    """Users of the billing portal who have, or had, zones."""
    keys, _ = customers_matching(text, most)
    rows = Customer.objects.in_bulk(keys)
    for row in (rows[key] for key in keys):
        about = f"DNS customer {row.email}"
        url = reverse("admin:dns_customer_change", args=[row.pk])
        yield search.Hit.of(f"User {row.user_id}", about, url, "group", row.user_id, row.email)


@search.finds_subjects
def subjects(text: str) -> Iterable[str]:
    """Jobs and acts of the zones that a text finds."""
    keys, _ = matching(text, MOST_FOUND)
    yield from (f"dns.zone:{key}" for key in keys)

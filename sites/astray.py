"""What the two-minute look sees of containers that should stand: gone, stopped or started by hand, changed,
moved. They are judged as the hourly comparison judges them, whose findings are kept up to date in between: a
site's page and the board say the same."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from nodepoint.board import drift
from nodepoint.board.models import Finding as Known
from sites.clients.proxmox import Guest, HaService
from sites.comparison import Rows
from sites.guests import Containers, is_well
from sites.models import Plan, Site

APP, SYSTEM, THING = "sites", "proxmox", "container "
PART = 500  # rows of one statement
DOUBTS = 50  # sites that are looked at closely in one look: some of them cost a call
COLUMNS = ("pk", "vmid", "node", "subdomain", "wanted_power", "suspended_at", "high_availability", "plan")


def note(guests: Iterable[Guest], services: list[HaService], asked_at: datetime) -> None:
    """Keep what a reading of the cluster says of live sites. Five queries where nothing is to be written, and
    a call or two for each site that raises a doubt."""
    by_vmid = {guest.vmid: guest for guest in guests}
    ignored = {service.vmid for service in services if service.state == "ignored"}
    told = Known.objects.filter(look=drift.LOOK, system=SYSTEM, kind=Known.Kind.FOREIGN)
    foreign = set(told.values_list("subject", flat=True))  # what only a container's own configuration shows
    judged: set[str] = set()
    doubtful: list[int] = []
    moved: dict[tuple[str, str], list[int]] = defaultdict(list)
    for site in _live():
        guest = by_vmid.get(site.vmid)
        if site.key in foreign or (guest and guest.status == "unknown"):  # its node tells nothing
            continue
        if guest is None or site.vmid in ignored or not is_well(site, guest):
            doubtful.append(site.pk)
            continue
        judged.add(site.key)
        if guest.node != site.node:
            moved[site.node, guest.node].append(site.pk)
    rows = Rows(asked_at, among=doubtful[:DOUBTS])
    close = Containers(rows, things=Counter(), guests=[*by_vmid.values()], services=services)
    found = list(close.of_sites(by_vmid))
    drift.renew(APP, SYSTEM, THING, found, judged | {site.key for site in rows.calm})
    _follow(moved)


def _live() -> Iterator[Site]:
    """Live sites with what a list can be compared with. Two queries; no join, as of a hundred thousand sites
    the plans would be made a hundred thousand times."""
    plans = {plan.pk: plan for plan in Plan.objects.all()}
    rows = Site.objects.filter(state=Site.State.LIVE, deletion_requested_at=None, vmid__isnull=False)
    for site in rows.only(*COLUMNS).order_by("pk").iterator():
        site.plan = plans[site.plan_id]
        yield site


def _follow(moved: dict[tuple[str, str], list[int]]) -> None:
    """Sites whose containers somebody, or HA, has moved. A job that works on one follows by itself."""
    for (before, now), keys in moved.items():
        for begin in range(0, len(keys), PART):
            Site.objects.filter(pk__in=keys[begin : begin + PART], node=before).update(node=now)

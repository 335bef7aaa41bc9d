"""What the board, the search box and the lists know of sites."""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.urls import reverse

from nodepoint.audit import words
from nodepoint.board import findings, pictures, search, statistics, troubles
from nodepoint.board.models import Finding, Reading
from nodepoint.board.registry import OTHERS, SHOWN, Group, Level, Picture, Series, Trouble, picture, source
from nodepoint.clients.errors import SYSTEMS
from nodepoint.jobs.registry import periodic
from nodepoint.models import Restoration
from nodepoint.restoration import STAFF, lines_of
from sites.archives import board as archives  # noqa: F401 - it registers
from sites.install import LEVEL
from sites.models import CustomDomain, Platform, Site, SiteHealth, SiteUsage, Template
from sites.placement import board as nodes  # noqa: F401 - it registers what it has
from sites.pool import board as pool
from sites.services.lift import lifting
from sites.steps.lifting import liftable
from sites.thresholds import DISK
from sites.watch import POOL, count, held_and_free

PROVISION = "sites.provision"
VIEW = "sites.view_site"
FEW_FREE = 0.1  # share of the addresses below which somebody should get more
FEWEST_FREE = 5
COUNTED = 100  # differences of one kind; whoever reads "100+" opens the list
CAP = 1000
HELD = (Site.State.PROVISIONING, Site.State.LIVE)
DRIFT = (Finding.Kind.MISSING, Finding.Kind.ORPHAN, Finding.Kind.DIFFERS, Finding.Kind.FOREIGN)

statistics.goal(PROVISION, "verified")
words.name(
    {
        "sites.close": "Write a site off",
        "sites.domain_came_back": "Use a domain again that leads here again",
        "sites.domain_lapsed": "Give up a domain that leads elsewhere",
        "sites.domain_moved": "Move a domain to another site",
        "sites.force_state": "Force a state",
        "sites.login": "Make a login link",
        "sites.node_closed": "Close a node for new sites, or open it",
        "sites.node_limits": "Change how much of a node may be promised",
        "sites.node_maintenance": "Begin or end a node’s maintenance",
        "sites.overrule": "Overrule plan or quotas",
        "sites.owner": "Change the owner",
        "sites.pause_orders": "Pause new orders",
        "sites.release": "Release address, VMID and name",
        "sites.resume_orders": "Resume new orders",
        "sites.stop_draining": "Stop draining a node",
        "sites.stop_lifting": "Stop lifting sites",
        "sites.unlock": "Unlock a container",
    }
)
periodic("sites.watch.look", minutes=2)
periodic("sites.tasks.look_inside", minutes=2)
findings.mended_by("sites.repair", "sites.suspend", "sites.unlink", "sites.terminate")


# What needs a human


@source("sites.view_platform", 30)
def orders_paused() -> Iterator[Group]:
    """Nobody can order anything, perhaps because the database came back from a dump. One or two queries."""
    platform, url = Platform.current(), reverse("admin:sites_platform_change", args=[1])
    if platform.orders_paused_at and (restored := Restoration.open()):
        yield _restored(restored, url)
        return
    title, since = "New orders are paused", platform.orders_paused_at
    detail = f"By {platform.orders_paused_by}: {platform.orders_paused_reason}"
    shown = [Trouble(title, detail, url, since)] if since else []
    yield Group(title, Level.WAITING, shown, len(shown), url)


def _restored(row: Restoration, url: str) -> Group:
    count = sum(line.kind in STAFF for line in lines_of(row))
    title = "The database came back from a dump"
    detail = f"{count} things to look at. Orders are refused and nothing is removed until it is released."
    return Group(title, Level.FAILING, [Trouble(title, detail, url, row.found_at)], 1, url)


@source("sites.view_platform", 120)
def below_level() -> Iterator[Group]:
    """Sites that an earlier install script has made and that nobody is lifting. One or two queries."""
    number = len(liftable().order_by().values_list("pk", flat=True)[:COUNTED])
    if not number or lifting():
        return
    title = f"{number}{'+' if number >= COUNTED else ''} site{'s' if number > 1 else ''} below level {LEVEL}"
    detail = (
        "This release’s install script has not been through them. Have them lifted on the platform’s page."
    )
    url = reverse("admin:sites_platform_change", args=[1])
    yield Group("Sites to lift", Level.WAITING, [Trouble(title, detail, url)], 1, url)


@source("board.view_finding", 40)
def suspended_but_running() -> Iterator[Group]:
    """Sites that should be off. One or two queries."""
    every = f"{reverse('admin:sites_site_changelist')}?attention=suspended_running"
    yield _found([Finding.Kind.RUNS], "Suspended but running", Level.FAILING, every)


@source("board.view_finding", 45)
def missing() -> Iterator[Group]:
    """Containers, records and proxy hosts that are gone: their sites are down. One or two queries."""
    every = f"{reverse('admin:board_finding_changelist')}?kind__exact={Finding.Kind.MISSING}"
    yield _found([Finding.Kind.MISSING], "Things that are gone", Level.FAILING, every)


@source("board.view_finding", 70)
def drift() -> Iterator[Group]:
    """What else the hourly comparison found. One or two queries."""
    yield _found(DRIFT[1:], "Differences", Level.WAITING, reverse("admin:board_finding_changelist"))


@source("board.view_finding", 60)
def expiring() -> Iterator[Group]:
    """Certificates that end soon. One or two queries."""
    every = f"{reverse('admin:board_finding_changelist')}?kind__exact={Finding.Kind.EXPIRES}"
    yield _found([Finding.Kind.EXPIRES], "Certificates", Level.FAILING, every)


def _found(kinds: Iterable[str], title: str, level: Level, every: str) -> Group:
    rows = findings.standing().filter(kind__in=kinds).order_by("kind", "pk")
    shown = list(rows[: SHOWN + 1])
    total = len(shown) if len(shown) <= SHOWN else rows.order_by()[:COUNTED].count()
    return Group(title, level, [_of_finding(row) for row in shown[:SHOWN]], total, every, COUNTED)


def _of_finding(row: Finding) -> Trouble:
    name = f"{row.label}: {row.thing}" if row.label else row.thing
    title = f"{name} ({row.get_kind_display()})"
    if row.subject.startswith("sites.site:") and row.kind != Finding.Kind.ORPHAN:
        url = reverse("admin:sites_site_change", args=[row.subject.partition(":")[2]])
    else:
        url = reverse("admin:board_finding_change", args=[row.pk])
    detail = f"At {SYSTEMS.get(row.system, row.system)}. {row.detail}"
    return Trouble(title, detail, url, row.first_seen)


@source(VIEW, 55)
def disks() -> Iterator[Group]:
    """Disks of sites that fill up, the fullest first; their customers were told. One or two queries."""
    rows = SiteUsage.objects.filter(disk_percent__gte=DISK[0], site__state=Site.State.LIVE)
    shown = list(rows.select_related("site").order_by("-disk_percent", "pk")[: SHOWN + 1])
    if not shown:
        return
    total = len(shown) if len(shown) <= SHOWN else rows.order_by()[:COUNTED].count()
    level = Level.FAILING if shown[0].disk_percent >= DISK[-1] else Level.WAITING
    every = f"{reverse('admin:sites_site_changelist')}?attention=disk"
    yield Group("Disks that fill up", level, [_disk(row) for row in shown[:SHOWN]], total, every, COUNTED)


def _disk(row: SiteUsage) -> Trouble:
    url = reverse("admin:sites_site_change", args=[row.site_id])
    detail = "The customer was told. Suggest a larger plan, or look inside what fills it."
    return Trouble(f"{row.site.service_id}: {row.disk_percent} % of the disk", detail, url, row.measured_at)


@source(VIEW, 65)
def care() -> Iterator[Group]:
    """Sites in which the daily look has found something. One or two queries."""
    rows = SiteHealth.needing_care()
    shown = list(rows.select_related("site").order_by("-trouble_count", "pk")[: SHOWN + 1])
    if shown:
        total = len(shown) if len(shown) <= SHOWN else rows.order_by()[:COUNTED].count()
        every = f"{reverse('admin:sites_site_changelist')}?attention=care"
        sick = [_sick(row) for row in shown[:SHOWN]]
        yield Group("Sites that need care", Level.WAITING, sick, total, every, COUNTED)


def _sick(row: SiteHealth) -> Trouble:
    url = reverse("admin:sites_site_change", args=[row.site_id])
    first, *others = row.sentences
    return Trouble(f"{row.site.service_id}: {first}", " ".join(others), url, row.looked_at)


@source(VIEW, 50)
def addresses_left() -> Iterator[Group]:
    """The range is full, or nearly. As counted last, or now where no recent look has. One query, or three."""
    used, free = held_and_free()
    if free > max(FEWEST_FREE, FEW_FREE * (used + free)):
        return
    detail = f"{used} are held, {free} are free. Widen SITE_IP_RANGE, or release what nobody needs."
    title = "No address is free: orders are refused" if not free else "Few addresses are free"
    level = Level.WAITING if free else Level.FAILING
    yield Group("Addresses", level, [Trouble(title, detail, reverse("admin:sites_site_addresses"))], 1)


@troubles.settles
def repeated_orders(subjects: set[str]) -> set[str]:
    """What failed for sites whose service has been ordered again or was deleted, or is to be. Two queries."""
    keys = {subject.partition(":")[2]: subject for subject in subjects if subject.startswith("sites.site:")}
    rows = dict(Site.objects.filter(pk__in=keys).values_list("pk", "service_id"))
    newest = Site.objects.filter(service_id__in=set(rows.values())).order_by()
    latest = dict(newest.values_list("service_id").annotate(Max("pk")))
    going = Q(state=Site.State.DELETED) | Q(deletion_requested_at__isnull=False)
    deleted = set(Site.objects.filter(going, pk__in=rows).values_list("pk", flat=True))
    done = {pk for pk, service in rows.items() if latest[service] != pk} | deleted
    return {keys[str(pk)] for pk in done}


@troubles.settles
def removed_domains(subjects: set[str]) -> set[str]:
    """What failed for domains that are gone. One query."""
    keys = {s.partition(":")[2]: s for s in subjects if s.startswith("sites.customdomain:")}
    there = CustomDomain.objects.filter(pk__in=keys).values_list("pk", flat=True) if keys else ()
    return set(keys.values()) - {keys[str(pk)] for pk in there}


@troubles.settles
def repeated_builds(subjects: set[str]) -> set[str]:
    """Failed templates from whose source another is being built, or was. Two queries."""
    keys = {s.partition(":")[2]: s for s in subjects if s.startswith("sites.template:")}
    failed = Template.objects.filter(pk__in=keys, state=Template.State.FAILED)
    sources = dict(failed.values_list("pk", "source"))
    newest = Template.objects.filter(source__in=set(sources.values())).order_by()
    latest = dict(newest.values_list("source").annotate(Max("pk")))
    return {keys[str(pk)] for pk, source in sources.items() if latest[source] != pk}


# Pictures


@picture(VIEW)
def orders() -> Picture:
    """Orders by day."""
    return pictures.per_day("Orders and success by day", PROVISION, "orders")


@picture(VIEW)
def time_to_live() -> Picture:
    """From the order to the verified site, by step."""
    return pictures.time_to_goal("Time to live, by step", PROVISION)


@picture(VIEW)
def numbers() -> Picture:
    """Addresses and VMIDs, and how full the pool is. As counted last, or now before the first look. One
    query, or four; another one where there is a pool."""
    reading = findings.last(POOL) or Reading(name=POOL, data=count())
    held, taken_at = reading.data, f"{reading.taken_at:%Y-%m-%d %H:%M}"
    free_of = f"{held['free']} of {held['used'] + held['free']}"
    names = {
        "used": "addresses held",
        "free": "addresses free",
        "never": "addresses that are never given (gateway, name servers, proxy)",
        "vmids": "VMIDs held",
        "highest": "highest VMID held",
    }
    rows = [(name, "–" if held[key] is None else held[key]) for key, name in names.items()]
    waiting = pool.line()
    return Picture(
        "Addresses and VMIDs",
        labels=["addresses", "VMIDs"],
        series=[
            Series("held", [held["used"], held["vmids"]], stack="all", colour=0),
            Series("free", [held["free"], None], stack="all", colour=OTHERS),
        ],
        horizontal=True,
        note=f"{free_of} addresses are free; {held['vmids']} VMIDs are held. Counted {taken_at} UTC."
        + (f" Ready containers: {waiting}." if waiting else ""),
        headers=("what", "number"),
        rows=[
            *rows,
            ("first VMID of ours", settings.VMID_START),
            *([("ready containers", waiting)] if waiting else []),
        ],
        url=reverse("admin:sites_site_addresses"),
    )


# Finding


def matching(text: str, most: int) -> tuple[list[int], bool]:
    """Primary keys of sites by what staff know of them, and whether there are more: the beginning of service
    id, e-mail, subdomain, address or a custom domain, or the whole VMID. Those that bear the very name come
    first, the newest of them before the others. Up to eight queries."""
    text = search.tidy(text)
    host = text.lower().removesuffix(f".{settings.BASE_DOMAIN}")
    names = [("service_id", text), ("subdomain", host), ("private_ip", text)]
    looks = [
        Site.objects.filter(service_id=text).order_by("-pk"),
        Site.objects.filter(email__iexact=text).order_by("-pk"),
        *(Site.objects.filter(search.begins(field, begin)).order_by(field) for field, begin in names),
        Site.objects.filter(email__istartswith=text).order_by("email"),
        _by_domain(text),
    ]
    if text.isascii() and text.isdecimal() and len(text) <= 9:
        looks.insert(0, Site.objects.filter(vmid=int(text)))
    return search.gather(looks, most)


def _by_domain(text: str) -> QuerySet[Site]:
    """By the beginning of a custom domain."""
    named = search.begins("custom_domains__domain", text.lower())
    return Site.objects.filter(named).order_by("custom_domains__domain")


@search.searches(VIEW)
def sites(text: str, most: int) -> Iterable[search.Hit]:
    """Sites."""
    keys, _ = matching(text, most)
    rows = Site.objects.prefetch_related("custom_domains").in_bulk(keys)
    for site in (rows[key] for key in keys):
        about = f"Site, {site.hostname or site.state}, {site.email}"
        url = reverse("admin:sites_site_change", args=[site.pk])
        domains = [row.domain for row in site.custom_domains.all()]
        vmid = str(site.vmid) if site.vmid else None
        names = (site.email, site.subdomain, site.hostname, site.private_ip, vmid, *domains)
        yield search.Hit.of(site.service_id, about, url, "web", *names)


@search.searches("sites.view_customdomain")
def domains(text: str, most: int) -> Iterable[search.Hit]:
    """Customers' own host names."""
    rows = CustomDomain.objects.filter(search.begins("domain", text.lower())).select_related("site")
    for row in rows.order_by("domain")[:most]:
        about = f"Custom domain of {row.site.service_id}, {row.get_status_display()}"
        url = reverse("admin:sites_customdomain_change", args=[row.pk])
        yield search.Hit.of(row.domain, about, url, "language")


@search.finds_subjects
def subjects(text: str) -> Iterable[str]:
    """Jobs and acts of the sites and domains that a text finds."""
    keys, _ = matching(text, CAP)
    of_services = Site.objects.filter(service_id__in=search.services(text)).values_list("pk", flat=True)
    yield from (f"sites.site:{key}" for key in dict.fromkeys([*keys, *of_services]))
    named = CustomDomain.objects.filter(search.begins("domain", text.lower()))
    yield from (f"sites.customdomain:{key}" for key in named.values_list("pk", flat=True)[:CAP])

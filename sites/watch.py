"""The periodic look at the cluster, for the board: how full the nodes, the pool of addresses and the disks of
sites are, which sites are over quota, which suspended ones run all the same, and which certificates end soon.
Pages read what it leaves behind and ask nobody themselves."""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import AddressValueError, IPv4Address

import structlog
from django.conf import settings
from django.db.models import Count, Func, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from nodepoint.board import findings
from nodepoint.board.findings import Found
from nodepoint.board.models import Finding
from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import ClientError
from sites import astray, usage
from sites.allocation import address_range
from sites.clients.npm import Certificate
from sites.clients.proxmox import Guest
from sites.connections import npm, proxmox
from sites.live import LAG
from sites.models import Backup, CustomDomain, Plan, Site, Spare
from sites.placement import look as nodes
from sites.pool import look as pool

POOL, OVER_QUOTA = "pool", "over_quota"  # the names of the readings
LOOK = "watch"
SECONDS = 12.0  # for all calls of one system
CERTIFICATE_DAYS = 14
EXACT = 5000  # held addresses that are looked at one by one
RECENT = timedelta(minutes=10)  # an older count of the pool raises no alarm, and hides none
MOST_OVER = 200  # sites over quota that are kept: each costs the filter 0.03 ms

AGAIN = "Every three minutes it is stopped again; look why it starts."

log = structlog.get_logger("nodepoint.sites")


def look() -> int:
    """Count the pool and the quotas, and look at Proxmox VE and NPM. What one does not answer stays as it was
    known. Returns how many findings there are."""
    findings.note(POOL, count())
    findings.note(OVER_QUOTA, {"sites": over_quota()})
    found: list[Found] = []
    unread: list[str] = []
    for system, part in (("proxmox", _cluster), ("npm", _certificates)):
        try:
            with deadline(SECONDS):
                found += part()
        except ClientError as error:
            unread.append(system)
            log.warning("watch_unread", system=system, error=str(error))
    return findings.keep(LOOK, found, unread=unread)


def count() -> dict[str, int | None]:
    """The pool: how many addresses sites hold, are free, are never given; how many VMIDs are held, and the
    highest. Two or three queries."""
    used, free, never = addresses()
    held = Site.objects.filter(vmid__isnull=False).aggregate(vmids=Count("vmid"), highest=Max("vmid"))
    return {"used": used, "free": free, "never": never, **held}


def held_and_free() -> tuple[int, int]:
    """How many addresses of the range sites hold, and how many are free: as counted last, or now where no
    recent look has. One query, or three."""
    counted = findings.last(POOL)
    if counted and counted.taken_at > timezone.now() - RECENT:
        return counted.data["used"], counted.data["free"]
    return addresses()[:2]


def addresses() -> tuple[int, int, int]:
    """How many addresses of the range sites hold, how many are free, how many are never given, at this
    moment. One query; where they are too many to be looked at one by one, another that counts them, for which
    MariaDB takes 12 to 30 ms with 100,000."""
    first, last = address_range()
    special = {settings.SITE_GATEWAY, *settings.SITE_NAMESERVERS, *settings.PROXY_LAN_IPS}
    never = sum(1 for address in special if _within(address, first, last))
    size = int(last) - int(first) + 1 - never
    rows = Site.objects.filter(private_ip__isnull=False).order_by().values_list("private_ip", flat=True)
    few = [*rows[: EXACT + 1], *_in_pool()]
    if len(few) > EXACT:
        held = rows.count() + len(_in_pool())
    else:  # a range that was changed leaves some outside
        held = sum(1 for address in few if address not in special and _within(address, first, last))
    return held, max(0, size - held), never


def _in_pool() -> list[str]:
    """Addresses of ready containers. One query where there is a pool, else none."""
    if not settings.POOL_SIZE:
        return []
    spares = Spare.objects.filter(private_ip__isnull=False).order_by()
    return list(spares.values_list("private_ip", flat=True))


def _within(address: str, first: IPv4Address, last: IPv4Address) -> bool:
    try:
        return first <= IPv4Address(address) <= last
    except AddressValueError:
        return False


def over_quota(among: Collection[int] | None = None) -> list[int]:
    """Primary keys of sites that have more custom domains or backups than they may, the newest first,
    MOST_OVER at most; `among`: only of these. One query. It counts by index for one site after the other:
    with 100,000 sites MariaDB takes 0.3 s for all of them, and 6 ms for 200."""
    sites = Site.objects.order_by("-pk")
    if among is not None:
        sites = sites.filter(pk__in=among)
    standing = Backup.objects.filter(state__in=(Backup.State.CREATING, Backup.State.READY))
    counted = sites.alias(held_domains=_number(CustomDomain.objects.all()), held_backups=_number(standing))
    more_domains = Q(held_domains__gt=Coalesce("domain_quota", _of_plan("domains")))
    more_backups = Q(held_backups__gt=Coalesce("backup_quota", _of_plan("backups")))
    return list(counted.filter(more_domains | more_backups).values_list("pk", flat=True)[:MOST_OVER])


def _number(rows: QuerySet) -> Subquery:
    """How many of these rows a site has."""
    of_site = rows.filter(site=OuterRef("pk")).order_by()
    return Subquery(of_site.annotate(number=Func("pk", function="COUNT")).values("number"), IntegerField())


def _of_plan(allowance: str) -> Subquery:
    """No join: MariaDB would begin with the three plans, whichever sites are asked for."""
    return Subquery(Plan.objects.filter(pk=OuterRef("plan")).order_by().values(allowance))


def _cluster() -> list[Found]:
    asked_at = timezone.now()
    guests = proxmox().resources()
    nodes.notice(guests, proxmox().nodes(), asked_at)
    usage.note(guests, asked_at)
    pool.notice(guests, asked_at)
    astray.note(guests, proxmox().ha_status(), asked_at)
    return list(running_although_suspended(guests, asked_at))


def running_although_suspended(guests: Iterable[Guest], asked_at: datetime) -> Iterator[Found]:
    """Suspended sites whose container runs. What a job of ours verified later than the reading is
    believed."""
    running = {guest.vmid for guest in guests if guest.status == "running"}
    suspended = Site.objects.filter(
        suspended_at__lt=asked_at - LAG, state=Site.State.LIVE, deletion_requested_at=None
    )
    for site in suspended.order_by("pk").iterator():
        verified = site.power == "stopped" and site.power_verified_at
        if site.vmid in running and not (verified and verified > asked_at - LAG):
            yield Found(
                kind=Finding.Kind.RUNS,
                system="proxmox",
                thing=f"container {site.vmid}",
                detail=f"Suspended since {site.suspended_at:%Y-%m-%d %H:%M} UTC. {AGAIN}",
                subject=site.key,
                label=site.service_id,
            )


def _certificates() -> list[Found]:
    return list(ending(npm().certificates(), timezone.now()))


def ending(certificates: Iterable[Certificate], now: datetime) -> Iterator[Found]:
    """Our certificates that end within CERTIFICATE_DAYS, or have ended: the shared one, and those of sites
    and domains that stand. NPM renews its own a month before: these it did not."""
    soon = now.astimezone(UTC) + timedelta(days=CERTIFICATE_DAYS)
    close = {one.id: one for one in certificates if one.expires_on < soon and _was_issued(one)}
    shared = settings.NPM_CERTIFICATE
    if shared.isdecimal() and int(shared) in close:
        yield _ends(close[int(shared)], f"the shared certificate for *.{settings.BASE_DOMAIN}", "", "")
    for site in Site.objects.filter(certificate_id__in=close, state=Site.State.LIVE):
        yield _ends(close[site.certificate_id], f"certificate of {site.hostname}", site.key, site.service_id)
    # Of one that leads elsewhere nobody can renew it; it is ordered anew when the domain comes back.
    domains = CustomDomain.objects.filter(certificate_id__in=close, lapsed_at=None).select_related("site")
    for row in domains:
        yield _ends(
            close[row.certificate_id], f"certificate of {row.domain}", row.site.key, row.site.service_id
        )


def _was_issued(one: Certificate) -> bool:
    """Whether it ever was one: while it is ordered it is listed as ending at once."""
    return one.expires_on - one.created_on > timedelta(hours=1)


def _ends(one: Certificate, thing: str, subject: str, label: str) -> Found:
    detail = (
        f"It ends on {one.expires_on:%Y-%m-%d}. Look at NPM why it was not renewed (certificate {one.id})."
    )
    return Found(Finding.Kind.EXPIRES, "npm", thing, detail, subject, label)

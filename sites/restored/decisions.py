"""What is to be done about each site, by our rows and by what stands. Nothing is written here."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from nodepoint import installation
from nodepoint.restoration import Kind, Line, NotThisDatabase
from sites.models import Backup, CustomDomain, Site, Spare
from sites.restored import values
from sites.restored.values import Facts
from sites.restored.world import Things, World
from sites.steps import hosts

ENDED = (Site.State.FAILED, Site.State.DELETED)
SYSTEM = "proxmox"


@dataclass
class Decisions:
    """`adopt`: sites that get a row, or whose unfinished order came to its end, by what they are. `change`:
    columns of sites that say something else than what stands. `end`: rows of sites that are known to be gone,
    by whose place theirs is now. `spares`: ready containers that are none any more. `lines`: what is only
    told. `tell`: whether anything shows that the rows are older than the world. `oldest`: when the oldest
    site was made that no row knows."""

    adopt: list[tuple[Site, Facts, Things]] = field(default_factory=list)
    change: list[tuple[Site, dict[str, Any]]] = field(default_factory=list)
    domains: list[tuple[Site, str, Any]] = field(default_factory=list)
    backups: list[tuple[Site, Things]] = field(default_factory=list)
    end: dict[Site, Site] = field(default_factory=dict)
    spares: list[Spare] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    tell: bool = False
    oldest: datetime | None = None


class Deciding:
    """Our rows beside one reading of the world. `at_work`: subjects of which running workers are just making
    something else, so that they show nothing."""

    def __init__(self, world: World, at_work: Collection[str] = ()) -> None:
        self.world, self.found, self.at_work = world, Decisions(), at_work
        rows = Site.objects.filter(Q(live_key__isnull=False) | Q(vmid__isnull=False))
        rows = rows.select_related("plan").prefetch_related("custom_domains", "backups").order_by("pk")
        self.standing = {site.pk: site for site in rows}
        named = Site.objects.filter(pk__in={pk for pk, _ in world.by_owner} - self.standing.keys())
        self.ended = {site.pk: site for site in named}

    def decide(self) -> Decisions:
        """NotThisDatabase where the rows are not an older copy of what ran here."""
        self._refuse_anothers()
        for owner in sorted(self.world.by_owner):
            self._of_things(*owner, self.world.by_owner[owner])
        for site in self.standing.values():
            if self.world.nothing_of(site) and site not in self.found.end:
                self._of_nothing(site)
        self._of_pool()
        names = sorted(f"container {vmid}" for vmid in self.world.unread)
        self._list(Kind.LISTED, names, "It could not be read: run this again when its node is back.")
        return self.found

    def _of_pool(self) -> None:
        """Spares whose container an order has got since, or that were destroyed; and those that were made
        since. None of them is a customer's."""
        for spare in Spare.objects.filter(state__in=Spare.STANDING).exclude(node="").order_by("pk"):
            if spare.build_id not in self.world.spares and spare.vmid not in self.world.unread:
                self.found.spares.append(spare)
        known = set(Spare.objects.values_list("build_id", flat=True))
        younger = [vmid for build, vmid in self.world.spares.items() if build not in known]
        names = sorted(f"container {vmid}" for vmid in younger)
        self._list(Kind.LISTED, names, "A ready container without a row: remove it after the release.")

    def _refuse_anothers(self) -> None:
        """None of the rows' sites stands, and what does tells why."""
        live = [site for site in self.standing.values() if site.state == Site.State.LIVE]
        if not live or not all(self.world.nothing_of(site) for site in live):
            return
        ours = installation.identity()
        marks = [self.world.anothers[site.vmid] for site in live if site.vmid in self.world.anothers]
        if marks and not self.world.by_owner:
            sentence = f"The database is that of the installation {ours}, and its containers carry {marks[0]}"
            raise NotThisDatabase(f"{sentence}: it is another installation's.")
        for pk, service_id in self.world.by_owner:
            if (row := self._row(pk)) and row.service_id != service_id:
                raise NotThisDatabase(
                    f"None of the {len(live)} sites in the database stands anywhere, and its site {pk} is"
                    f" {row.service_id}, which is {service_id} in the marks: it is another installation's."
                )

    def _row(self, pk: int) -> Site | None:
        return self.standing.get(pk) or self.ended.get(pk)

    def _of_things(self, pk: int, service_id: str, things: Things) -> None:
        row = self._row(pk)
        if row is None:
            self._younger(Site(pk=pk, service_id=service_id, live_key=service_id), things)
        elif row.service_id != service_id:
            self._sign(row)
            self._date(things)
            detail = (
                f"Number {pk} is that of {row.service_id} in the database: it cannot be adopted as it is."
            )
            self._list(Kind.LISTED, _shown(things, pk, service_id), detail)
        elif row.state == Site.State.PROVISIONING and not row.deletion_requested_at:
            self._unfinished(row, things)
        elif row.state == Site.State.LIVE and not row.deletion_requested_at:
            self._live(row, things)

    def _younger(self, site: Site, things: Things) -> None:
        """Ordered after the dump. It keeps the number that its marks name, so that nothing of it has to be
        marked anew."""
        shown = _shown(things, site.pk, site.service_id)
        self._sign(site)
        self._date(things)
        if why := values.why_not(things):
            self._list(Kind.LISTED, shown, f"No row knows it, and {why}.")
            return
        facts = values.of(things)
        in_the_way = [row for row in self._holders(site, facts.site) if row not in self.found.end]
        if standing := [row for row in in_the_way if not self.world.nothing_of(row)]:
            names = ", ".join(map(str, standing))
            self._list(
                Kind.LISTED, shown, f"No row knows it, and its place is that of {names}, which stands."
            )
            return
        if hasty := [row for row in in_the_way if row.pk > site.pk and row.live_key != site.service_id]:
            names = ", ".join(map(str, hasty))
            detail = f"No row knows it, and its place was given to {names}, of which nothing stands"
            self._list(Kind.LISTED, shown, f"{detail} yet. Delete that order, then run this again.")
            return
        self.found.end |= dict.fromkeys(in_the_way, site)
        self.found.adopt.append((site, facts, things))

    def _holders(self, site: Site, wanted: dict[str, Any]) -> Iterator[Site]:
        """Rows that hold what a younger site has: its service, VMID, address or name. What is given out was
        free, so the site of an older row had ended by then; a newer one was ordered on the older database."""
        for row in self.standing.values():
            held = row.vmid, row.private_ip, row.subdomain
            has = wanted["vmid"], wanted["private_ip"], wanted["subdomain"]
            same_place = any(one == other is not None for one, other in zip(held, has, strict=True))
            if same_place or row.live_key == site.service_id:
                yield row

    def _unfinished(self, row: Site, things: Things) -> None:
        """Being made when the dump was."""
        if why := values.why_not(things):
            detail = f"Its order was at work when the dump was made, and {why}: it goes on after the release."
            self._list(Kind.LISTED, _shown(things, row.pk, row.service_id), detail, row.key)
        else:
            self._sign(row)
            self.found.adopt.append((row, values.of(things, row.plan), things))

    def _live(self, row: Site, things: Things) -> None:
        if things.guest is None or things.config is None:
            if row.vmid not in self.world.unread:
                self._sign(row)
                detail = f"Container {row.vmid} is gone, and {_left(things)} stands. {UNLINK}"
                self._list(Kind.MISSING, [f"site {row.service_id}"], detail, row.key)
            return
        if changes := dict(_changes(row, things)):
            self._sign(row)
            self.found.change.append((row, changes))
        self._domains(row, things)
        present = {one.name for one in values.backups_of(row, things.snapshots)}
        known = {one.name for one in row.backups.all() if one.state == Backup.State.READY}
        if present != known:
            self._sign(row)
            self.found.backups.append((row, things))

    def _domains(self, row: Site, things: Things) -> None:
        """Names that came to the site after the dump, from nowhere or from another site; and names that left
        it."""
        known = {domain.domain: domain for domain in row.custom_domains.all()}
        served = values.customs_of(things, row.hostname or "")
        for name, host in served.items():
            if name not in known:
                self._sign(row)
                self.found.domains.append((row, name, host))
        everywhere = {
            name for one in self.world.by_owner.values() for host in one.hosts for name in host.domain_names
        }
        gone = [name for name, domain in known.items() if _stood(domain) and name not in everywhere]
        detail = "It has no proxy host any more: remove it on the page of its site, or have that repaired."
        self._list(Kind.MISSING, [f"domain {name} of {row.service_id}" for name in gone], detail, row.key)

    def _of_nothing(self, site: Site) -> None:
        """Nothing anywhere carries its mark."""
        if site.state == Site.State.LIVE and not site.deletion_requested_at:
            self._sign(site)
            detail = f"Nothing of it stands anywhere: it was deleted after the dump, or lost. {UNLINK}"
            self._list(Kind.MISSING, [f"site {site.service_id}"], detail, site.key)

    def _sign(self, site: Site) -> None:
        self.found.tell |= site.key not in self.at_work

    def _date(self, things: Things) -> None:
        if initial := values.first_snapshot(things):
            made_at = datetime.fromtimestamp(initial.snaptime, UTC)
            self.found.oldest = min(made_at, self.found.oldest or made_at)

    def _list(self, kind: Kind, things: Iterable[str], detail: str, subject: str = "") -> None:
        self.found.lines += (Line(kind, SYSTEM, thing, detail, subject) for thing in things)


UNLINK = "It is not made again: unlink the site on its page once it is sure."


def _shown(things: Things, pk: int, service_id: str) -> list[str]:
    place = f"container {things.guest.vmid}" if things.guest else _left(things)
    return [f"{place} of {service_id} (number {pk})"]


def _left(things: Things) -> str:
    names = [f"record {one.name}" for one in things.records]
    names += [f"proxy host {','.join(host.domain_names)}" for host in things.hosts]
    return ", ".join(names) or "nothing else"


def _stood(domain: CustomDomain) -> bool:
    return domain.status == CustomDomain.Status.ACTIVE and domain.proxy_host_id is not None


def _changes(row: Site, things: Things) -> Iterator[tuple[str, Any]]:
    """Columns of a live site that say something else than what stands. Only what a job of ours writes at a
    customer's or the billing system's wish: everything else is drift, which `reconcile` shows."""
    plan, is_sure = values.plan_of(things.config, row.plan)
    if is_sure and plan != row.plan:
        yield "plan", plan
    own = next((host for host in things.hosts if row.hostname in host.domain_names), None)
    runs, autostarts = things.guest.status == "running", things.config.onboot
    if not row.suspended and not autostarts and things.guest.status == "stopped":
        yield "suspended_at", "now"
    elif row.suspended and autostarts and runs and own and own.enabled:
        yield "suspended_at", None
    elif not row.suspended and autostarts and own and own.enabled != row.proxy_enabled:
        yield "proxy_enabled", own.enabled
    if own and own.id != row.proxy_host_id:
        yield "proxy_host_id", own.id
    certificate = values.certificate_of(own)
    if own and hosts.shared_certificate() is None and certificate and certificate != row.certificate_id:
        yield "certificate_id", certificate

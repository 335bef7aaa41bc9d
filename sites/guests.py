"""Our rows against the containers and HA resources at Proxmox VE."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from nodepoint.board.drift import LOOK
from nodepoint.board.models import Finding as Known
from nodepoint.reconcile import Finding, Kind
from sites import marks
from sites.clients.proxmox import Guest, HaService
from sites.comparison import Comparison, whose
from sites.connections import proxmox
from sites.models import Site, Spare
from sites.steps.container import SPARE_TAG, TAG
from sites.steps.power import looks_away

MB, GB = 1024**2, 1024**3
NEARLY = 0.9  # of a disk: a file system tells less than its volume has
CUT_OFF = "its HA manager still looks away, since a stop by force was cut off"
CONFIGURATIONS = 100  # read in one look beside those that raise a doubt: no list shows marks


@dataclass
class Containers(Comparison):
    """Containers and HA resources at Proxmox VE."""

    guests: list[Guest]
    services: list[HaService]

    def findings(self) -> Iterator[Finding]:
        """Calls only for what raises a doubt, for orphans, and for the marks of the next CONFIGURATIONS sites
        and of those about which something is known already."""
        by_vmid = {guest.vmid: guest for guest in self.guests}
        yield from self.of_sites(by_vmid, self._next())
        waiting = any(SPARE_TAG in guest.tags for guest in self.guests)
        spares = {spare.build_id: spare for spare in Spare.objects.all()} if waiting else {}
        held = {site.vmid for site in (*self.rows.standing, *self.rows.holding)}
        held |= {site.other_vmid for site in self.rows.standing}
        held |= {spare.vmid for spare in spares.values()}
        for site in self.rows.holding:
            yield from self._held_by_the_dead(site, by_vmid.get(site.vmid))
        for guest in self.guests:
            if guest.vmid not in held and guest.tags & {TAG, SPARE_TAG} and _is_readable(guest):
                yield from self._of_nobody(guest, spares)
        for service in self.services:
            if service.vmid not in by_vmid and (resource := proxmox().ha_resource(service.vmid)):
                mark = marks.carried_by_comment(resource.comment)
                if proxmox().vmid_free(service.vmid):  # else a container is only hidden from us
                    yield from self.left_over("proxmox", f"HA {service.sid}", service, mark)

    def of_sites(self, by_vmid: Mapping[int, Guest], inspected: Collection[int] = ()) -> Iterator[Finding]:
        """What differs of the rows' sites; `inspected`: those whose marks are read although their lists raise
        no doubt."""
        ignored = {service.vmid for service in self.services if service.state == "ignored"}
        for site in self.rows.calm:
            self.things["proxmox"] += 1
            yield from self._of_site(site, by_vmid.get(site.vmid), site.pk in inspected, site.vmid in ignored)

    def _next(self) -> set[int]:
        """Another part at each hour: all have had their turn before one has it again."""
        calm = self.rows.calm
        parts = max(1, -(-len(calm) // CONFIGURATIONS))
        begin = int(timezone.now().timestamp() // 3600) % parts * CONFIGURATIONS
        known = Known.objects.filter(look=LOOK, system="proxmox").values_list("subject", flat=True)
        keys = set(known)
        turn = {site.pk for site in calm[begin : begin + CONFIGURATIONS]}
        return turn | {site.pk for site in calm if site.key in keys}

    def _of_site(self, site: Site, guest: Guest | None, inspected: bool, ignored: bool) -> Iterator[Finding]:
        thing = f"container {site.vmid}"
        if guest is None:
            yield _not_listed(site, thing)
            return
        if guest.status == "unknown":  # its node is away, and tells nothing
            return
        if inspected or not _looks_ours(site, guest):
            mark = _mark(guest)
            if not marks.is_of(mark, site):
                detail = f"{guest.name or guest.type} {whose(mark)}"
                yield Finding(Kind.FOREIGN, "proxmox", thing, detail, site)
                return
        wrong = list(_differences(site, guest))
        if ignored and (resource := proxmox().ha_resource(site.vmid)):
            wrong += [CUT_OFF] if looks_away(resource) else []
        if wrong:
            yield Finding(Kind.DIFFERS, "proxmox", thing, "; ".join(wrong), site, repairable=True)

    def _held_by_the_dead(self, site: Site, guest: Guest | None) -> Iterator[Finding]:
        """An ended site that keeps its reservations, since something may stand there."""
        if self.rows.restless(site.key) or (guest and not _is_readable(guest)):
            return
        thing, mark = f"container {site.vmid}", _mark(guest) if guest else ""
        held = f"Address {site.private_ip}, VMID and name of {site}, which has ended, stay reserved"
        if guest and marks.is_of(mark, site):
            yield from self.left_over("proxmox", thing, guest, mark, runs=guest.status == "running")
        elif guest:
            detail = f"{guest.name or guest.type} {whose(mark)}. {held} while it exists."
            yield Finding(Kind.FOREIGN, "proxmox", thing, detail, site)
        else:
            detail = f"{held}; no list shows anything there: release the site if that is so."
            yield Finding(Kind.DIFFERS, "proxmox", thing, detail, site)

    def _of_nobody(self, guest: Guest, spares: Mapping[str, Spare]) -> Iterator[Finding]:
        """A container with our tag on a VMID that no row has."""
        mark, thing = _mark(guest), f"container {guest.vmid}"
        if build := marks.spare_build(mark):
            self.things["proxmox"] += 1
            yield _left_of_pool(guest, mark, spares.get(build))
        elif mark:
            yield from self.left_over("proxmox", thing, guest, mark, runs=guest.status == "running")
        else:
            detail = f"{guest.name or 'It'} has the tag {TAG} and no mark: it may have been ours."
            yield Finding(Kind.FOREIGN, "proxmox", thing, detail)


def _left_of_pool(guest: Guest, mark: str, spare: Spare | None) -> Finding:
    """A ready container that no row puts where it is. No customer's site carries its mark."""
    if spare and spare.vmid:
        detail, orphan = f"A copy of the ready container {spare.vmid}, which stands.", None
    elif spare:
        detail, orphan = f"Its row says that it is {spare.state}.", guest
    else:
        detail, orphan = f"It waits for an order that will never get it: the row of {mark} is gone.", guest
    found = {"orphan": orphan, "mark": mark, "unproven": orphan is not None and spare is None}
    return Finding(Kind.ORPHAN, "proxmox", f"container {guest.vmid}", detail, **found)


def _not_listed(site: Site, thing: str) -> Finding:
    """What no list shows is gone only where its VMID is free."""
    if proxmox().vmid_free(site.vmid):
        detail = "Its data is gone with it: restore it from a backup of the cluster."
        return Finding(Kind.MISSING, "proxmox", thing, detail, site)
    detail = "It is there, and not shown to our token: VM.Audit on it is missing."
    return Finding(Kind.DIFFERS, "proxmox", thing, detail, site)


def is_well(site: Site, guest: Guest) -> bool:
    """Whether a list shows a site's container as it should be. That a suspended one runs is not told here:
    the look at suspended sites tells it."""
    if not _looks_ours(site, guest):
        return False
    wrong = set(_differences(site, guest))
    return not (wrong - {_wrong_power(site, guest)} if site.suspended else wrong)


def _looks_ours(site: Site, guest: Guest) -> bool:
    return guest.type == "lxc" and TAG in guest.tags and guest.name == site.subdomain


def _is_readable(guest: Guest) -> bool:
    return guest.type == "lxc" and guest.status != "unknown" and not guest.template


def _mark(guest: Guest) -> str:
    """The mark in a container's configuration."""
    if not _is_readable(guest):
        return ""
    return marks.carried(proxmox().config(guest.node, guest.vmid).description)


def _differences(site: Site, guest: Guest) -> Iterator[str]:
    if guest.name != site.subdomain:
        yield f"host name {guest.name} instead of {site.subdomain}"
    if settings.PROXMOX_POOL and not guest.pool:
        yield f"not in the pool {settings.PROXMOX_POOL}"
    if TAG not in guest.tags:
        yield f"tag {TAG} is missing"
    if guest.maxmem != site.plan.memory_mb * MB:
        yield f"memory {guest.maxmem // MB} MB instead of {site.plan.memory_mb}"
    if guest.maxcpu != site.plan.cores:
        yield f"{guest.maxcpu:g} cores instead of {site.plan.cores}"
    if guest.maxdisk < site.plan.disk_gb * GB * NEARLY:
        yield f"disk {guest.maxdisk // GB} GB instead of {site.plan.disk_gb}"
    if guest.status != site.power_wished:
        yield _wrong_power(site, guest)
    if bool(guest.hastate) != site.wants_high_availability:
        yield f"high availability is {'on' if guest.hastate else 'off'}"


def _wrong_power(site: Site, guest: Guest) -> str:
    return f"{guest.status} instead of {site.power_wished}"

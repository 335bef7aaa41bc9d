"""What stands at Proxmox VE, Cloudflare and Nginx Proxy Manager, ordered by the marks that it carries.

Every container's configuration is read, since no list shows marks: one call each, side by side. That is the
price of an evening on which the rows cannot be trusted; no other look pays it."""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from django.conf import settings

from nodepoint import installation
from nodepoint.clients.errors import ClientError, NotFound
from sites import marks
from sites.clients.cloudflare import Record
from sites.clients.npm import ProxyHost
from sites.clients.proxmox import Config, Guest, Snapshot
from sites.connections import cloudflare, npm, proxmox
from sites.models import Site
from sites.steps import hosts

BUILD = "nodepoint-template"
ARCHIVE = re.compile(r".+:vztmpl/nodepoint-.+-[0-9]{8}-([0-9a-f]{8})_amd64\.tar\.zst")

T = TypeVar("T")
Owner = tuple[int, str]  # a site's number and service id, as its marks say


@dataclass
class Things:
    """What carries the marks of one site. `managed`: the HA manager looks after the container."""

    guest: Guest | None = None
    config: Config | None = None
    snapshots: list[Snapshot] = field(default_factory=list)
    managed: bool = False
    records: list[Record] = field(default_factory=list)
    hosts: list[ProxyHost] = field(default_factory=list)


@dataclass
class World:
    """`by_owner`: what is ours. `anothers`: VMIDs whose containers carry another installation's mark.
    `unread`: VMIDs of containers that nobody could read, by what was said. `vmids`, `addresses`: all that are
    in use, whoever uses them, with the VMID. `builds`: containers of golden templates of ours, by their
    marks; `archives`: volume ids of golden templates, anybody's; `archives_unread`: what a node said that did
    not tell. `spares`: VMIDs of ready containers by their build."""

    by_owner: dict[Owner, Things] = field(default_factory=dict)
    anothers: dict[int, str] = field(default_factory=dict)
    unread: dict[int, str] = field(default_factory=dict)
    vmids: set[int] = field(default_factory=set)
    builds: dict[int, str] = field(default_factory=dict)
    archives: set[str] = field(default_factory=set)
    archives_unread: str = ""
    spares: dict[str, int] = field(default_factory=dict)

    def of(self, site: Site) -> Things:
        """What stands of a site; empty things where nothing does."""
        return self.by_owner.get((site.pk, site.service_id)) or Things()

    def nothing_of(self, site: Site) -> bool:
        """Whether nothing anywhere carries the site's mark, and its container is not merely unreadable."""
        return (site.pk, site.service_id) not in self.by_owner and site.vmid not in self.unread


def read() -> World:
    """Ask all three systems. ClientError where one does not answer; a container whose node is away is noted
    as unread."""
    world = World()
    guests, services = proxmox().resources(), {service.vmid for service in proxmox().ha_status()}
    records, proxy_hosts = cloudflare().list_records(), npm().proxy_hosts()
    world.vmids = {guest.vmid for guest in guests}
    containers = [guest for guest in guests if guest.type == "lxc" and not guest.template]
    for guest, config in _asked(containers, lambda one: proxmox().config(one.node, one.vmid), world):
        carried = marks.carried(config.description)
        mark = marks.parse(carried)
        if carried.startswith(f"{BUILD}:{installation.identity()}:"):
            world.builds[guest.vmid] = carried
        if build := marks.spare_build(carried):
            world.spares[build] = guest.vmid
        elif mark and mark.is_anothers:
            world.anothers[guest.vmid] = str(mark)
        elif mark:
            things = world.by_owner.setdefault((mark.pk, mark.service_id), Things())
            things.guest, things.config, things.managed = guest, config, guest.vmid in services
    ours = {things.guest.vmid: things for things in world.by_owner.values() if things.guest}
    theirs = [things.guest for things in ours.values()]
    for guest, snapshots in _asked(theirs, lambda one: proxmox().snapshots(one.node, one.vmid), world):
        ours[guest.vmid].snapshots = snapshots
    _add(world, ((hosts.mark_of(host), host) for host in proxy_hosts), lambda things: things.hosts)
    marked = ((marks.carried_by_comment(record.comment), record) for record in records)
    _add(world, marked, lambda things: things.records)
    world.archives, world.archives_unread = _archives()
    return world


def _archives() -> tuple[set[str], str]:
    storage, found, unread = settings.PROXMOX_TEMPLATE.partition(":")[0], set(), ""
    for node in settings.PROXMOX_NODES:
        try:
            found |= {volume.volid for volume in proxmox().storage_content(node, storage)}
        except ClientError as error:
            unread = f"{node}: {error.vendor or error.fact}"
    return {volid for volid in found if ARCHIVE.fullmatch(volid)}, unread


def _asked(guests: list[Guest], ask: Callable[[Guest], T], world: World) -> Iterable[tuple[Guest, T]]:
    """What each container answers; one that is gone by now is left out, one that does not answer is noted."""

    def asked(guest: Guest) -> T | ClientError:
        try:
            return ask(guest)
        except ClientError as error:
            return error

    with ThreadPoolExecutor(settings.PROXMOX_CONCURRENCY) as pool:
        answers = list(zip(guests, pool.map(asked, guests), strict=True))
    for guest, answer in answers:
        if isinstance(answer, ClientError) and not isinstance(answer, NotFound):
            world.unread[guest.vmid] = str(answer)
        elif not isinstance(answer, ClientError):
            yield guest, answer


def _add(world: World, marked: Iterable[tuple[str, T]], to: Callable[[Things], list[T]]) -> None:
    """Put each thing to those of its owner; a mark that had to be shortened names its owner by its digest."""
    short = {(pk, marks.shortened(service)): (pk, service) for pk, service in world.by_owner}
    for text, thing in marked:
        mark = marks.parse(text)
        if mark and not mark.is_anothers:
            owner = (mark.pk, mark.service_id)
            to(world.by_owner.setdefault(short.get(owner, owner), Things())).append(thing)

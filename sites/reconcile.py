"""What `manage.py reconcile` compares: our rows with what Proxmox VE, Cloudflare and Nginx Proxy Manager
hold.

Lists only, so that the number of calls does not grow with the number of sites; a container's own
configuration is read where the list raises a doubt. A site that a job works on, or has just worked on, is
left out: what looks wrong there is on its way.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Q
from django.utils import timezone

from nodepoint.clients.errors import ClientError
from nodepoint.jobs.models import Job
from nodepoint.reconcile import Finding, Kind, Report
from sites import marks, strangers
from sites.clients.cloudflare import Record
from sites.clients.npm import Certificate, ProxyHost
from sites.clients.proxmox import Guest, HaService
from sites.connections import cloudflare, npm, proxmox
from sites.live import LAG
from sites.models import Site
from sites.steps import hosts
from sites.steps.container import TAG
from sites.steps.dns_record import IN_THE_WAY, TTL

ENDED_FOR = timedelta(days=1)  # before what is left of a site may be removed
MB, GB = 1024**2, 1024**3
NEARLY = 0.9  # of a disk: a file system tells less than its volume has

Remote = Guest | HaService | Record | ProxyHost


class Rows:
    """Our side. Read after the systems, so that whatever was seen there has its row."""

    def __init__(self, begun: datetime) -> None:
        lately = Q(state__in=Job.ALIVE) | Q(finished_at__gt=begun - LAG)
        self._restless = set(Job.objects.filter(lately).values_list("subject", flat=True))
        standing = Site.objects.filter(state__in=(Site.State.PROVISIONING, Site.State.LIVE))
        self.standing = list(
            standing.select_related("plan").prefetch_related("custom_domains").order_by("pk")
        )

    @cached_property
    def calm(self) -> list[Site]:
        """Sites that should be whole: live, and nothing goes on."""
        return [
            site
            for site in self.standing
            if site.state == Site.State.LIVE
            and not site.deletion_requested_at
            and not self.restless(site.key)
        ]

    @cached_property
    def by_mark(self) -> dict[str, Site]:
        """The sites that stand by all that their marks may look like."""
        return {mark: site for site in self.standing for mark in marks.forms(site)}

    def restless(self, subject: str) -> bool:
        """Whether a job works on it, or has until just now."""
        return subject in self._restless

    def owner(self, mark: str) -> Site | None:
        """The site that a mark is of, ended ones included; None when its row is gone."""
        if mark in self.by_mark:
            return self.by_mark[mark]
        named = marks.parse(mark)
        site = Site.objects.filter(pk=named.pk).first() if named else None
        return site if site and marks.is_of(mark, site) else None

    def names(self, site: Site) -> list[hosts.HostName]:
        """As `hosts.names`, without a query for each site."""
        return [hosts.own_name(site), *map(hosts.custom_name, site.custom_domains.all())]


def compare() -> Report:
    """Look at all systems, then at our rows. Changes nothing there; which names strangers hold is noted for
    later orders. A system that does not answer is left out."""
    begun, report = timezone.now(), Report()
    looks = {}
    for system, look in (("proxmox", _guests), ("cloudflare", _records), ("npm", _hosts)):
        try:
            looks[system] = look()
        except ClientError as error:
            report.unread.append(error)
    rows = Rows(begun)
    if looks.keys() >= {"cloudflare", "npm"}:
        strangers.keep(_of_strangers(rows, *looks["cloudflare"], looks["npm"][0]), since=begun)
    for system, comparison in (("proxmox", Containers), ("cloudflare", Records), ("npm", Hosts)):
        if system not in looks:
            continue
        try:
            report.findings += comparison(rows, report.things, *looks[system]).findings()
        except ClientError as error:
            report.unread.append(error)
    return report


def _of_strangers(
    rows: Rows, records: list[Record], proxy_hosts: list[ProxyHost]
) -> Iterator[tuple[str, str]]:
    """Names on which something stands that is of no site that we have, and what."""
    for record in records:
        if record.type in IN_THE_WAY and _mark_of(record) not in rows.by_mark:
            yield record.name, f"record {record.type} {record.content}"
    for host in proxy_hosts:
        if hosts.mark_of(host) not in rows.by_mark:
            yield from ((name, f"proxy host {host.id}") for name in host.domain_names)


def _guests() -> tuple[list[Guest], list[HaService]]:
    return proxmox().resources(), proxmox().ha_status()


def _records() -> tuple[list[Record]]:
    return (cloudflare().list_records(),)


def _hosts() -> tuple[list[ProxyHost], list[Certificate]]:
    return npm().proxy_hosts(), npm().certificates()


@dataclass
class Comparison:
    """Rows against one system. `things` counts what of ours was looked at."""

    rows: Rows
    things: Counter[str]

    def left_over(self, system: str, thing: str, remote: Remote, mark: str) -> Iterator[Finding]:
        """A thing that no row puts where it is: an orphan if it carries a mark of ours."""
        named = marks.parse(mark)
        if named is None or named.is_anothers:
            return
        site = self.rows.owner(mark)
        if site and self.rows.restless(site.key):
            return
        self.things[system] += 1
        orphan = None
        if site is None:
            detail, orphan = f"The row of {mark} is gone.", remote
        elif site.ended_at is None:
            detail = f"Its site {site} stands, and has no place for it."
        elif site.ended_at > timezone.now() - ENDED_FOR:
            detail = f"Its site {site} ended less than a day ago."
        else:
            detail, orphan = f"Its site {site} ended on {site.ended_at:%Y-%m-%d}.", remote
        yield Finding(Kind.ORPHAN, system, thing, detail, site, orphan=orphan, mark=mark)


@dataclass
class Containers(Comparison):
    """Containers and HA resources at Proxmox VE."""

    guests: list[Guest]
    services: list[HaService]

    def findings(self) -> Iterator[Finding]:
        """Calls only for containers whose name or tag is not what it should be, and for orphans."""
        by_vmid = {guest.vmid: guest for guest in self.guests}
        for site in self.rows.calm:
            self.things["proxmox"] += 1
            yield from self._of_site(site, by_vmid.get(site.vmid))
        held = {site.vmid for site in self.rows.standing}
        for guest in self.guests:
            if guest.vmid not in held and TAG in guest.tags and _is_readable(guest):
                yield from self.left_over("proxmox", f"container {guest.vmid}", guest, _mark(guest))
        for service in self.services:
            if service.vmid not in by_vmid and (resource := proxmox().ha_resource(service.vmid)):
                mark = marks.carried_by_comment(resource.comment)
                yield from self.left_over("proxmox", f"HA {service.sid}", service, mark)

    def _of_site(self, site: Site, guest: Guest | None) -> Iterator[Finding]:
        thing = f"container {site.vmid}"
        if guest is None:
            detail = "Its data is gone with it: restore it from a backup of the cluster."
            yield Finding(Kind.MISSING, "proxmox", thing, detail, site)
            return
        looks_ours = guest.type == "lxc" and TAG in guest.tags and guest.name == site.subdomain
        if guest.status == "unknown":  # its node is away, and tells nothing
            return
        if not looks_ours and not marks.is_of(_mark(guest), site):
            yield Finding(
                Kind.FOREIGN, "proxmox", thing, f"{guest.name or guest.type} without our mark", site
            )
            return
        if wrong := list(_differences(site, guest)):
            yield Finding(Kind.DIFFERS, "proxmox", thing, "; ".join(wrong), site, repairable=True)


def _is_readable(guest: Guest) -> bool:
    return guest.type == "lxc" and guest.status != "unknown" and not guest.template


def _mark(guest: Guest) -> str:
    """The mark in a container's configuration."""
    if not _is_readable(guest):
        return ""
    return marks.carried(proxmox().config(guest.node, guest.vmid).description)


def _differences(site: Site, guest: Guest) -> Iterator[str]:
    if TAG not in guest.tags:
        yield f"tag {TAG} is missing"
    if guest.maxmem != site.plan.memory_mb * MB:
        yield f"memory {guest.maxmem // MB} MB instead of {site.plan.memory_mb}"
    if guest.maxcpu != site.plan.cores:
        yield f"{guest.maxcpu:g} cores instead of {site.plan.cores}"
    if guest.maxdisk < site.plan.disk_gb * GB * NEARLY:
        yield f"disk {guest.maxdisk // GB} GB instead of {site.plan.disk_gb}"
    if guest.status != site.power_wished:
        yield f"{guest.status} instead of {site.power_wished}"
    if bool(guest.hastate) != site.wants_high_availability:
        yield f"high availability is {'on' if guest.hastate else 'off'}"


def _mark_of(record: Record) -> str:
    return marks.carried_by_comment(record.comment)


@dataclass
class Records(Comparison):
    """Records at Cloudflare."""

    records: list[Record]

    def findings(self) -> Iterator[Finding]:
        """No further call."""
        by_name: dict[str, list[Record]] = {}
        for record in self.records:
            by_name.setdefault(record.name.lower(), []).append(record)
        for site in self.rows.calm:
            self.things["cloudflare"] += 1
            yield from self._of_site(site, by_name.get(site.hostname, []))
        for record in self.records:
            mark = _mark_of(record)
            site = self.rows.by_mark.get(mark)
            if site is None or record.name.lower() != site.hostname:
                thing = f"record {record.name} {record.type} {record.content}"
                yield from self.left_over("cloudflare", thing, record, mark)

    def _of_site(self, site: Site, records: list[Record]) -> Iterator[Finding]:
        in_the_way = [record for record in records if record.type in IN_THE_WAY]
        ours = [record for record in in_the_way if marks.is_of(_mark_of(record), site)]
        for record in in_the_way:
            if record not in ours:
                thing = f"record {record.name} {record.type} {record.content}"
                yield Finding(Kind.FOREIGN, "cloudflare", thing, "without our mark", site)
        thing = f"record {site.hostname}"
        if not ours and not in_the_way:
            yield Finding(Kind.MISSING, "cloudflare", thing, "", site, repairable=True)
        elif len(ours) > 1:
            detail = f"{len(ours)} of ours instead of one"
            yield Finding(Kind.DIFFERS, "cloudflare", thing, detail, site, repairable=True)
        elif ours and (wrong := _wrong(ours[0], content=site.public_ip, ttl=TTL, proxied=False)):
            yield Finding(Kind.DIFFERS, "cloudflare", thing, wrong, site, repairable=True)


@dataclass
class Hosts(Comparison):
    """Proxy hosts and the sites' own certificates at NPM."""

    hosts: list[ProxyHost]
    certificates: list[Certificate]

    def findings(self) -> Iterator[Finding]:
        """No further call."""
        by_name: dict[str, list[ProxyHost]] = {}
        for host in self.hosts:
            for name in host.domain_names:
                by_name.setdefault(name, []).append(host)
        for site in self.rows.calm:
            for wanted in self._calm_names(site):
                self.things["npm"] += 1
                yield from _of_name(wanted, by_name.get(wanted.name, []))
                yield from self._certificate(wanted)
        yield from self._others()

    def _calm_names(self, site: Site) -> Iterable[hosts.HostName]:
        busy = {domain.domain for domain in site.custom_domains.all() if self.rows.restless(domain.key)}
        return [wanted for wanted in self.rows.names(site) if wanted.name not in busy]

    def _certificate(self, wanted: hosts.HostName) -> Iterator[Finding]:
        number = wanted.certificate_id
        if number and number not in {certificate.id for certificate in self.certificates}:
            thing = f"certificate {number}"
            yield Finding(Kind.MISSING, "npm", thing, f"{wanted.name} is to use it.", wanted.site)

    def _others(self) -> Iterator[Finding]:
        """Hosts with a mark where no row puts them, and strangers that lead to a site's address."""
        places = {(site.pk, wanted.name) for site in self.rows.standing for wanted in self.rows.names(site)}
        addresses = {site.private_ip: site for site in self.rows.standing}
        ours = {name for _, name in places}
        for host in self.hosts:
            mark = hosts.mark_of(host)
            site = self.rows.by_mark.get(mark)
            if site and any((site.pk, name) in places for name in host.domain_names):
                continue
            thing = f"proxy host {host.id} {','.join(host.domain_names)}"
            named = marks.parse(mark)
            if named and not named.is_anothers:
                yield from self.left_over("npm", thing, host, mark)
            elif host.forward_host in addresses and ours.isdisjoint(host.domain_names):
                detail = f"leads to {host.forward_host} without our mark"
                yield Finding(Kind.FOREIGN, "npm", thing, detail, addresses[host.forward_host])


def _of_name(wanted: hosts.HostName, found: list[ProxyHost]) -> Iterator[Finding]:
    site, on = wanted.site, hosts.traffic_wished(wanted.site)
    ours = [host for host in found if wanted.owns(host)]
    for host in found:
        if host not in ours:
            thing = f"proxy host {host.id} {wanted.name}"
            yield Finding(Kind.FOREIGN, "npm", thing, "without our mark", site)
    thing = f"proxy host {wanted.name}"
    if not found and on and wanted.stands:
        yield Finding(Kind.MISSING, "npm", thing, "", site, repairable=True)
    elif len(ours) > 1:
        detail = f"{len(ours)} of ours instead of one"
        yield Finding(Kind.DIFFERS, "npm", thing, detail, site, repairable=on)
    elif ours and (wrong := _host_differences(wanted, ours[0], on)):
        yield Finding(Kind.DIFFERS, "npm", thing, wrong, site, repairable=True)


def _host_differences(wanted: hosts.HostName, host: ProxyHost, on: bool) -> str:
    """What differs; of a host that is to be off only whether it is: the rest is written when it goes on."""
    if not on or not wanted.stands:
        if on:
            return ""
        if host.enabled:
            return "on instead of off"
        return "its row says off, and it is served" if hosts.still_served(wanted, host) else ""
    wrong = [_difference(host, *pair) for pair in wanted.differences(host).items()]
    if not host.enabled:
        wrong.append("off instead of on")
    elif host.online is False:
        wrong.append("nginx has not taken it up")
    return "; ".join(wrong)


def _difference(host: ProxyHost, field: str, value: object) -> str:
    found = getattr(host, field)
    if field == "advanced_config":
        return "advanced_config is not ours"
    if field == "locations":
        return f"{len(found)} locations instead of none"
    if field == "domain_names":
        return f"it serves {', '.join(found)[:200]}"
    return f"{field} {found} instead of {value}"


def _wrong(thing: object, **wanted: object) -> str:
    """`ttl 60 instead of 300; …` for each attribute that differs; empty when none does."""
    pairs = ((name, getattr(thing, name), value) for name, value in wanted.items())
    return "; ".join(f"{name} {found} instead of {value}" for name, found, value in pairs if found != value)

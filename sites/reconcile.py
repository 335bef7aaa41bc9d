"""What `manage.py reconcile` compares: our rows with what Proxmox VE, Cloudflare and Nginx Proxy Manager
hold.

Lists only, so that the number of calls does not grow with the number of sites; a container's own
configuration is read where the list raises a doubt, and the proxy is asked about hosts that are to be off. A
site that a job works on, or has just worked on, is left out: what looks wrong there is on its way.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils import timezone

from nodepoint.clients.errors import ClientError
from nodepoint.reconcile import Finding, Kind, Report
from sites import marks, strangers
from sites.archives import comparison as archives
from sites.archives.comparison import Archives
from sites.clients.cloudflare import Record
from sites.clients.npm import Certificate, ProxyHost
from sites.clients.proxmox import Guest, HaService
from sites.comparison import Comparison, Rows, whose
from sites.connections import cloudflare, npm, proxmox
from sites.guests import Containers
from sites.models import Site
from sites.steps import hosts
from sites.steps.dns_record import IN_THE_WAY, TTL


def compare() -> Report:
    """Look at all systems, then at our rows. Changes nothing there; which names strangers hold is noted for
    later orders. A system that does not answer is left out."""
    begun, report = timezone.now(), Report()
    looks = {}
    for system, look in (
        ("proxmox", _guests),
        ("cloudflare", _records),
        ("npm", _hosts),
        ("archives", _archives),
    ):
        try:
            looks[system] = look()
        except ClientError as error:
            report.unread.append(error)
    rows = Rows(begun)
    if looks.keys() >= {"cloudflare", "npm"}:
        strangers.keep(_of_strangers(rows, *looks["cloudflare"], looks["npm"][0]), since=begun)
    for system, comparison in (
        ("proxmox", Containers),
        ("cloudflare", Records),
        ("npm", Hosts),
        ("archives", Archives),
    ):
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


def _archives() -> tuple[archives.Listed]:
    return (archives.read(),)


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
                yield Finding(Kind.FOREIGN, "cloudflare", thing, whose(_mark_of(record)), site)
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
        """No further call of NPM; the proxy is asked about each host that is to be off."""
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
        """Those that are as they should be. The order of a certificate may rest for days between two tries;
        what it has yet to write is no matter of a host that is to be off."""
        on = hosts.traffic_wished(site)
        busy = {
            domain.domain
            for domain in site.custom_domains.all()
            if self.rows.restless(domain.key) and (on or not self.rows.resting(domain.key))
        }
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
                yield from self.left_over("npm", thing, host, mark, runs=host.enabled)
            elif host.forward_host in addresses and ours.isdisjoint(host.domain_names):
                detail = f"leads to {host.forward_host} {whose(mark)}"
                yield Finding(Kind.FOREIGN, "npm", thing, detail, addresses[host.forward_host])


def _of_name(wanted: hosts.HostName, found: list[ProxyHost]) -> Iterator[Finding]:
    site, on = wanted.site, hosts.traffic_wished(wanted.site)
    ours = [host for host in found if wanted.owns(host)]
    for host in found:
        if host not in ours:
            thing = f"proxy host {host.id} {wanted.name}"
            yield Finding(Kind.FOREIGN, "npm", thing, whose(hosts.mark_of(host)), site)
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

"""Host names at NPM, the platform's and the customers' alike. NPM keeps rows after failures and answers 201
for what is not served: look, then look again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from nodepoint.clients.errors import BadAnswer, Busy, Conflict, NotFound, Unreachable
from nodepoint.jobs.registry import Limit
from sites import marks
from sites.clients.npm import ProxyHost
from sites.connections import npm, website
from sites.models import CustomDomain, MovedDomain, Site
from sites.proxy_config import advanced_config

# NPM tests nginx as a whole at every write: two at once make good hosts fail with a bad one's error.
WRITES = Limit("npm", lambda: 1)
MARK = "nodepoint"  # key in the host's meta, which nobody but programs can edit
TLS = {"ssl_forced": True, "http2_support": True}
NO_TLS = {"certificate_id": 0, "ssl_forced": False, "http2_support": False}


def mark_of(host: ProxyHost) -> str:
    """The owner mark that a proxy host carries; empty when it has none."""
    return marks.carried(str(host.meta.get(MARK, "")))


def shared_certificate() -> int | None:
    """The id of the wildcard certificate, None when every site orders its own."""
    return None if settings.NPM_CERTIFICATE == "letsencrypt" else int(settings.NPM_CERTIFICATE)


@dataclass(frozen=True)
class HostName:
    """A host name of a site. `certificate_id`: None for plain HTTP. `host_id`: its proxy host as last known.
    `stands`: whether it is to have a proxy host at all. `formers`: sites that it has moved from, whose mark
    its host may still carry.
    """

    name: str
    site: Site
    certificate_id: int | None
    host_id: int | None = None
    stands: bool = True
    formers: tuple[Site, ...] = ()

    @property
    def fields(self) -> dict[str, Any]:
        """What its proxy host is to hold, in NPM's names. Asset caching stays off: it ignores cookies."""
        tls = {"certificate_id": self.certificate_id, **TLS} if self.certificate_id else NO_TLS
        return {
            "forward_scheme": "http",
            "forward_host": self.site.private_ip,
            "forward_port": 80,
            "block_exploits": True,
            "allow_websocket_upgrade": True,
            "caching_enabled": False,
            "meta": {MARK: self.site.owner_mark},
            "hsts_enabled": False,
            "hsts_subdomains": False,
            "access_list_id": 0,
            "locations": [],
            "advanced_config": advanced_config(),
            **tls,
        }

    def differences(self, host: ProxyHost) -> dict[str, Any]:
        """Fields of its proxy host that are not as they should be, with the values they should have. The
        names are among them only where they differ: NPM looks for twins of those it is given."""
        wanted = {**self.fields, "domain_names": [self.name]}
        found = {field: getattr(host, field) for field in wanted if field != "meta"}
        found |= {"domain_names": list(host.domain_names), "locations": list(host.locations)}
        return {field: wanted[field] for field, value in found.items() if value != wanted[field]}

    def owns(self, host: ProxyHost) -> bool:
        """Whether a proxy host carries the site's mark, or that of one which the name has moved from."""
        return any(marks.is_of(mark_of(host), one) for one in (self.site, *self.formers))


def own_name(site: Site) -> HostName:
    """The platform's own name of a site."""
    return HostName(site.hostname, site, shared_certificate() or site.certificate_id, site.proxy_host_id)


def custom_name(domain: CustomDomain, formers: Iterable[Site] = ()) -> HostName:
    """A customer's name of a site."""
    stands = domain.status == CustomDomain.Status.ACTIVE
    ids = domain.certificate_id, domain.proxy_host_id
    return HostName(domain.domain, domain.site, *ids, stands, tuple(formers))


def moved(*domains: str) -> list[MovedDomain]:
    """From which sites these names have moved, as long as a proxy host may say so. One query."""
    return list(MovedDomain.objects.filter(domain__in=domains).select_related("site")) if domains else []


def names(site: Site) -> list[HostName]:
    """All host names of a site, the platform's own first. Two queries."""
    customs = list(site.custom_domains.select_related("site"))
    formers: dict[str, list[Site]] = {row.domain: [] for row in customs}
    for one in moved(*formers):
        formers[one.domain].append(one.site)
    return [own_name(site), *(custom_name(row, formers[row.domain]) for row in customs)]


def traffic_wished(site: Site) -> bool:
    """Whether visitors are to get through: the customer's wish, which a suspension overrides."""
    return site.proxy_enabled and not site.suspended


class LeadsElsewhere(Exception):
    """A proxy host with the site's mark leads to another address than the site has ever had."""


def served(wanted: HostName, *, is_new: bool = False) -> ProxyHost:
    """One proxy host of ours leads the name to the container, and nginx has taken it up; or it is switched
    off, as wished. `is_new`: what there is of ours can only have been made for the address that the site has;
    LeadsElsewhere.

    Conflict when somebody else's stands in the way; BadAnswer when nginx does not take it.
    """
    hosts = npm().find_proxy_hosts(wanted.name)
    if is_new and (lost := [host for host in hosts if _is_lost(host, wanted)]):
        raise LeadsElsewhere(f"proxy host {lost[0].id} leads {wanted.name} to {lost[0].forward_host}")
    if foreign := [host for host in hosts if not wanted.owns(host)]:
        raise Conflict("npm", f"Foreign proxy hosts: {', '.join(str(host.id) for host in foreign)}")
    for surplus in hosts[1:]:
        npm().delete_proxy_host(surplus.id)
    known = hosts[0] if hosts else _renamed(wanted)
    return switched(wanted, _right(wanted, known) if known else _made(wanted))


def _is_lost(host: ProxyHost, wanted: HostName) -> bool:
    return wanted.owns(host) and host.forward_host != wanted.site.private_ip


def _renamed(wanted: HostName) -> ProxyHost | None:
    """The host that was made for the name, where somebody has taken the name out of it."""
    if wanted.host_id is None:
        return None
    try:
        host = npm().proxy_host(wanted.host_id)
    except NotFound:
        return None
    others = {name.name for name in names(wanted.site)} - {wanted.name}
    return host if wanted.owns(host) and others.isdisjoint(host.domain_names) else None


def _made(wanted: HostName) -> ProxyHost:
    """A new host. NPM may say that the name is in use because of an earlier call of ours that has had its
    effect only now; else a redirection or 404 host has it, which no list of proxy hosts shows."""
    try:
        return _create(wanted)
    except Conflict:
        ours = [host for host in npm().find_proxy_hosts(wanted.name) if wanted.owns(host)]
        if not ours:
            raise
        return _right(wanted, ours[0])


def _right(wanted: HostName, host: ProxyHost) -> ProxyHost:
    """Our host with the fields it should have; written only where something differs."""
    wrong = wanted.differences(host)
    return host if host.online and not wrong else written(wanted, host, **wrong)


def written(wanted: HostName, host: ProxyHost, **more: Any) -> ProxyHost:
    """Our host, its file and nginx as its fields say, also where NPM says that they are.

    A PUT replaces `meta` as a whole: what others keep there is sent along, NPM's own findings are not."""
    theirs = {name: value for name, value in host.meta.items() if not name.startswith("nginx_")}
    fields = {**wanted.fields, "meta": theirs | wanted.fields["meta"]}
    return npm().update_proxy_host(host.id, **{**fields, **more})


def _create(wanted: HostName) -> ProxyHost:
    if wanted.certificate_id and not usable(wanted.certificate_id):
        # NPM accepts an id that does not exist and then serves the site without TLS.
        raise Busy("npm", f"certificate {wanted.certificate_id} does not exist or has expired")
    fields = wanted.fields
    return npm().create_proxy_host(
        [wanted.name], fields.pop("forward_host"), fields.pop("forward_port"), **fields
    )


def usable(certificate_id: int) -> bool:
    """Whether a certificate exists and is neither expired nor still being ordered."""
    try:
        return npm().certificate(certificate_id).usable()
    except NotFound:
        return False


def switched(wanted: HostName, host: ProxyHost) -> ProxyHost:
    """Our host, on or off as wished. A PUT of `enabled` changes the row but not what nginx serves, so that a
    row which says off is not believed."""
    on = traffic_wished(wanted.site)
    if on and not host.enabled:
        npm().enable_proxy_host(host.id)
    if not on:
        if not host.enabled and still_served(wanted, host) is not False:
            npm().enable_proxy_host(host.id)  # NPM switches nothing off whose row says off
            npm().disable_proxy_host(host.id)
        if host.enabled:
            npm().disable_proxy_host(host.id)
    host = npm().proxy_host(host.id)
    if on and not host.online:
        # Seen after a neighbour's broken configuration was tested together with this one; writing it once
        # more heals that.
        host = written(wanted, host)
        if not host.online:
            raise BadAnswer("npm", f"nginx did not take the host: {host.nginx_error}")
    return host


def still_served(wanted: HostName, host: ProxyHost) -> bool | None:
    """Whether nginx serves a name whose row says off, with TLS or without: what the row says of a certificate
    need not be what nginx has loaded either. None: it cannot be seen, for want of a way through the proxy."""
    look = website()
    if look is None:
        return None
    try:
        if look.serves(wanted.name):
            return True
        plainly = look.serves_plainly(wanted.name)
    except Unreachable:
        return None
    return False if plainly is None and host.certificate_id else plainly


def off_again(wanted: HostName) -> None:
    """Our hosts of the name are off for nginx too, whatever their rows say. NPM puts hosts back as it found
    them when an order began: one that was switched off meanwhile is served again."""
    for host in npm().find_proxy_hosts(wanted.name):
        if wanted.owns(host):
            if not host.enabled:
                npm().enable_proxy_host(host.id)
            npm().disable_proxy_host(host.id)


def gone(name: HostName) -> list[ProxyHost]:
    """No proxy host of ours is left for the name. Returns somebody else's, which stay."""
    found = npm().find_proxy_hosts(name.name)
    for host in found:
        if name.owns(host):
            npm().delete_proxy_host(host.id)
    return [host for host in found if not name.owns(host)]

"""Host names at NPM, the platform's and the customers' alike. NPM keeps rows after failures and answers 201
for what is not served: look, then look again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from nodepoint.clients.errors import BadAnswer, Busy, Conflict, NotFound
from nodepoint.jobs.registry import Limit
from sites import marks
from sites.clients.npm import Certificate, ProxyHost
from sites.connections import npm
from sites.models import CustomDomain, Site

# NPM tests nginx as a whole at every write: two at once make good hosts fail with a bad one's error.
WRITES = Limit("npm", lambda: 1)
ORDERS = Limit("npm:certificate", lambda: 1)  # certbot runs one at a time, for minutes
MARK = "nodepoint"  # key in the host's meta, which nobody but programs can edit
TLS = {"ssl_forced": True, "http2_support": True}


def mark_of(host: ProxyHost) -> str:
    """The owner mark that a proxy host carries; empty when it has none."""
    return marks.carried(str(host.meta.get(MARK, "")))


def shared_certificate() -> int | None:
    """The id of the wildcard certificate, None when every site orders its own."""
    return None if settings.NPM_CERTIFICATE == "letsencrypt" else int(settings.NPM_CERTIFICATE)


@dataclass(frozen=True)
class HostName:
    """A host name of a site. `certificate_id`: None for plain HTTP. `stands`: whether it is to have a proxy
    host at all.
    """

    name: str
    site: Site
    certificate_id: int | None
    stands: bool = True

    @property
    def fields(self) -> dict[str, Any]:
        """What its proxy host is to hold, in NPM's names. Asset caching stays off: it ignores cookies."""
        return {
            "forward_host": self.site.private_ip,
            "forward_port": 80,
            "block_exploits": True,
            "allow_websocket_upgrade": True,
            "caching_enabled": False,
            "meta": {MARK: self.site.owner_mark},
            **({"certificate_id": self.certificate_id, **TLS} if self.certificate_id else {}),
        }

    def owns(self, host: ProxyHost) -> bool:
        """Whether a proxy host carries the site's mark."""
        return marks.is_of(mark_of(host), self.site)


def own_name(site: Site) -> HostName:
    """The platform's own name of a site."""
    return HostName(site.hostname, site, shared_certificate() or site.certificate_id)


def custom_name(domain: CustomDomain) -> HostName:
    """A customer's name of a site."""
    stands = domain.status == CustomDomain.Status.ACTIVE
    return HostName(domain.domain, domain.site, domain.certificate_id, stands)


def names(site: Site) -> list[HostName]:
    """All host names of a site, the platform's own first."""
    customs = site.custom_domains.select_related("site")
    return [own_name(site), *map(custom_name, customs)]


def traffic_wished(site: Site) -> bool:
    """Whether visitors are to get through: the customer's wish, which a suspension overrides."""
    return site.proxy_enabled and not site.suspended


def served(wanted: HostName) -> ProxyHost:
    """One proxy host of ours leads the name to the container, and nginx has taken it up; or it is switched
    off, as wished.

    Conflict when somebody else's stands in the way; BadAnswer when nginx does not take it.
    """
    hosts = npm().find_proxy_hosts(wanted.name)
    if foreign := [host for host in hosts if not wanted.owns(host)]:
        raise Conflict("npm", f"Foreign proxy hosts: {', '.join(str(host.id) for host in foreign)}")
    for surplus in hosts[1:]:
        npm().delete_proxy_host(surplus.id)
    host = _right(wanted, hosts[0]) if hosts else _create(wanted)
    return switched(wanted, host)


def _right(wanted: HostName, host: ProxyHost) -> ProxyHost:
    """Our host with the fields it should have; written only where something differs."""
    fields = wanted.fields
    fields.pop("meta")
    if host.online and all(getattr(host, field) == value for field, value in fields.items()):
        return host
    return _write(wanted, host)


def _write(wanted: HostName, host: ProxyHost) -> ProxyHost:
    """A PUT replaces `meta` as a whole: what others keep there is sent along, NPM's own findings are not."""
    theirs = {name: value for name, value in host.meta.items() if not name.startswith("nginx_")}
    return npm().update_proxy_host(host.id, **{**wanted.fields, "meta": theirs | wanted.fields["meta"]})


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
    """Our host, on or off as wished. A PUT of `enabled` would only change the row, not what nginx serves."""
    on = traffic_wished(wanted.site)
    if on and not host.enabled:
        npm().enable_proxy_host(host.id)
    if not on and host.enabled:
        npm().disable_proxy_host(host.id)
    host = npm().proxy_host(host.id)
    if on and not host.online:
        # Seen after a neighbour's broken configuration was tested together with this one; writing it once
        # more heals that.
        host = _write(wanted, host)
        if not host.online:
            raise BadAnswer("npm", f"nginx did not take the host: {host.nginx_error}")
    return host


def gone(name: HostName) -> list[ProxyHost]:
    """No proxy host of ours is left for the name. Returns somebody else's, which stay."""
    found = npm().find_proxy_hosts(name.name)
    for host in found:
        if name.owns(host):
            npm().delete_proxy_host(host.id)
    return [host for host in found if not name.owns(host)]


@dataclass(frozen=True)
class Ordered:
    """By what a certificate for `name` is known as ours. Certificates take no mark.

    Beside the exact name, its id must be `certificate_id`, which we stored, or, where the answer to the order
    was lost, it must be younger than `since` (NPM writes its local time, hence the day).
    """

    name: str
    certificate_id: int | None
    since: datetime

    def certificates(self) -> list[Certificate]:
        """All of ours, newest first, those still being ordered included. Never the shared one."""
        found = npm().find_certificates([self.name])
        return [one for one in found if one.id != shared_certificate() and self._is_ours(one)]

    def _is_ours(self, certificate: Certificate) -> bool:
        if self.certificate_id is not None:
            return certificate.id == self.certificate_id
        return certificate.created_on > self.since - timedelta(days=1)

    def usable(self) -> Certificate | None:
        """A usable one, the newest: an order whose answer was lost may have made it.

        Somebody else's is not used: what we use we delete in the end.
        """
        return next((certificate for certificate in self.certificates() if certificate.usable()), None)

    def order(self) -> Certificate:
        """A new one of Let's Encrypt; see `Npm.create_certificate`."""
        return npm().create_certificate([self.name], settings.LETSENCRYPT_EMAIL)

    def gone(self) -> None:
        """None of ours is left. No host may use it any more: that would break all of NPM."""
        for certificate in self.certificates():
            npm().delete_certificate(certificate.id)

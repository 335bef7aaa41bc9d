"""Nginx Proxy Manager: proxy hosts and certificates of one NPM, releases 2.12 to 2.15.

Its statuses mislead: a missing permission is a 404, a damaged token a 500, a failed certificate order a
bare "Internal Error". And it is not transactional: a create that fails may leave its row behind, and a 201
does not mean that nginx serves the host. So after each write the caller looks at `ProxyHost.online`;
writes to one NPM must never run side by side, since nginx is tested as a whole.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from nodepoint.clients.errors import BadAnswer, Conflict, NotFound
from nodepoint.clients.http import Answer
from sites.clients.npm.calls import SYSTEM, Calls
from sites.clients.npm.causes import Cause, NoCertificate

__all__ = ["Cause", "Certificate", "NoCertificate", "Npm", "ProxyHost", "User"]

UNFINISHED = timedelta(
    hours=1
)  # a certificate that ends this soon after its making is one still being ordered


@dataclass(frozen=True)
class ProxyHost:
    """A proxy host. `certificate_id` 0 is none. `online`: whether nginx took its configuration, None where
    the answer does not tell (after a create); `nginx_error`: why it did not. `meta` holds our owner mark.
    """

    id: int
    domain_names: tuple[str, ...]
    forward_scheme: str
    forward_host: str
    forward_port: int
    certificate_id: int
    enabled: bool
    ssl_forced: bool
    http2_support: bool
    hsts_enabled: bool
    hsts_subdomains: bool
    block_exploits: bool
    allow_websocket_upgrade: bool
    caching_enabled: bool
    advanced_config: str
    access_list_id: int
    locations: tuple[Mapping[str, Any], ...]
    meta: Mapping[str, Any]
    online: bool | None
    nginx_error: str


@dataclass(frozen=True)
class Certificate:
    """A certificate; both times are taken as UTC (NPM writes its own local time)."""

    id: int
    provider: str
    nice_name: str
    domain_names: frozenset[str]
    created_on: datetime
    expires_on: datetime

    def usable(self, now: datetime | None = None) -> bool:
        """Not expired, and really issued."""
        return self.expires_on > (now or datetime.now(UTC)) and self.issued

    @property
    def issued(self) -> bool:
        """Whether it ever was one: while it is ordered, and after a crash, it is listed as ending at once."""
        return self.expires_on - self.created_on > UNFINISHED


@dataclass(frozen=True)
class User:
    """Our own account: what it sees ("all" or its own) and may do ("hidden", "view" or "manage")."""

    email: str
    visibility: str
    proxy_hosts: str
    certificates: str


class Npm(Calls):
    """One NPM by its admin address (`http://host:81`, with or without `/api`) and an account without 2FA.

    `timeout` and, for certificate orders, `certificate_timeout` in seconds; `verify_tls` True, False or a
    CA file. The token is kept for the process and renewed in time. `Refused` on any call: wrong password,
    missing permission.
    """

    def whoami(self) -> User:
        """The account that we are: the cheapest check of credentials and permissions."""
        data = _object(self._call("GET", "users", "me", params={"expand": "permissions"}))
        may = data.get("permissions") or {}
        return User(
            email=data.get("email", ""),
            visibility=may.get("visibility", ""),
            proxy_hosts=may.get("proxy_hosts", ""),
            certificates=may.get("certificates", ""),
        )

    def find_proxy_hosts(self, name: str) -> list[ProxyHost]:
        """Proxy hosts that serve exactly this name, lowest id first; a crash may have left more than one."""
        found = self._hosts({"query": f'"{name.lower()}"'})
        return [host for host in found if name.lower() in host.domain_names]

    def proxy_hosts(self) -> list[ProxyHost]:
        """All proxy hosts that our account sees, lowest id first."""
        return self._hosts(None)

    def proxy_host(self, host_id: int) -> ProxyHost:
        """One proxy host, with `online` as nginx left it after the last write."""
        return _host(_object(self._call("GET", "nginx", "proxy-hosts", int(host_id))))

    def create_proxy_host(
        self, domain_names: Iterable[str], forward_host: str, forward_port: int = 80, **options: Any
    ) -> ProxyHost:
        """Makes a proxy host to http://`forward_host`:`forward_port`; `options` are NPM's own field names.

        `Conflict` when a name is in use, also by a disabled host. On `BadAnswer` and `TimedOut` the row
        may exist. Give it the id of a certificate that exists: with an order in the same call the SSL
        options are lost.
        """
        body = {
            "domain_names": [name.lower() for name in domain_names],
            "forward_scheme": "http",
            "forward_host": forward_host,
            "forward_port": forward_port,
            **options,
        }
        return _host(_object(self._call("POST", "nginx", "proxy-hosts", body=body)))

    def update_proxy_host(self, host_id: int, **changes: Any) -> ProxyHost:
        """Changes the given fields and has nginx's configuration written anew. `meta` is replaced as a
        whole; do not use `enabled` here, it changes the row but not what is served."""
        return _host(_object(self._call("PUT", "nginx", "proxy-hosts", int(host_id), body=changes)))

    def delete_proxy_host(self, host_id: int) -> None:
        """Deletes a proxy host; one that is gone is fine. After a `BadAnswer` the row is gone, the site
        still served."""
        self._gone_is_fine("nginx", "proxy-hosts", int(host_id))

    def enable_proxy_host(self, host_id: int) -> None:
        """Has it served again; already so is fine."""
        self._switch(host_id, "enable")

    def disable_proxy_host(self, host_id: int) -> None:
        """Takes it off: plain HTTP then shows NPM's default page, HTTPS is refused. Already so is fine."""
        self._switch(host_id, "disable")

    def find_certificates(self, domain_names: Iterable[str]) -> list[Certificate]:
        """Certificates for exactly these names, newest first; each order makes another one."""
        names = frozenset(name.lower() for name in domain_names)
        found = self._certificates({"query": min(names)})
        return [certificate for certificate in found if certificate.domain_names == names]

    def certificates(self) -> list[Certificate]:
        """All certificates, newest first."""
        return self._certificates(None)

    def certificate(self, certificate_id: int) -> Certificate:
        """One certificate; hosts may name one that does not exist, so look before using an id."""
        return _certificate(_object(self._call("GET", "nginx", "certificates", int(certificate_id))))

    def create_certificate(self, domain_names: Iterable[str], email: str = "") -> Certificate:
        """Orders a certificate of Let's Encrypt over HTTP-01: minutes, in which the names answer 404.

        `NoCertificate` when the authority does not issue it: its rate limits count each try, so be slow to
        repeat. `Busy` while another order runs. On `TimedOut` it goes on: the certificate is listed, not
        `issued`, until it has ended. `email` is used by NPM 2.12 only, later ones take the account's.

        Hosts with one of the names come back as they were when the order began, whatever was done with them
        meanwhile, and without their certificate; after a success nginx learns of them with the next write
        only (certificate.js: create, enableInUseHosts; seen on 2.15.1). So write such a host afterwards, and
        delete none while one of its names is on order: its file would come back without a row.
        """
        meta: dict[str, Any] = {"dns_challenge": False}
        if self._orders_name_an_address():
            meta |= {"letsencrypt_email": email, "letsencrypt_agree": True}
        names = sorted(name.lower() for name in domain_names)
        body = {"provider": "letsencrypt", "domain_names": names, "meta": meta}
        answer = self._call("POST", "nginx", "certificates", body=body, timeout=self.certificate_timeout)
        return _certificate(_object(answer))

    def delete_certificate(self, certificate_id: int) -> None:
        """Revokes and deletes; gone is fine. Never one that a host uses: that breaks every later write of
        this NPM."""
        self._gone_is_fine("nginx", "certificates", int(certificate_id))

    def _hosts(self, params: Mapping[str, str] | None) -> list[ProxyHost]:
        rows = _list(self._call("GET", "nginx", "proxy-hosts", params=params))
        return sorted(map(_host, rows), key=lambda host: host.id)

    def _certificates(self, params: Mapping[str, str] | None) -> list[Certificate]:
        rows = _list(self._call("GET", "nginx", "certificates", params=params))
        return sorted(map(_certificate, rows), key=lambda certificate: certificate.id, reverse=True)

    def _gone_is_fine(self, *path: str | int) -> None:
        try:
            self._call("DELETE", *path, timeout=self.certificate_timeout if "certificates" in path else None)
        except NotFound:
            return

    def _switch(self, host_id: int, verb: str) -> None:
        try:
            self._call("POST", "nginx", "proxy-hosts", int(host_id), verb)
        except Conflict as error:
            if f"already {verb}d" not in error.vendor:
                raise


def _object(answer: Answer) -> Mapping[str, Any]:
    if not isinstance(answer.body, dict):
        raise answer.bad("not an object")
    return answer.body


def _list(answer: Answer) -> list[Mapping[str, Any]]:
    if not isinstance(answer.body, list):
        raise answer.bad("not a list")
    return answer.body


def _host(row: Mapping[str, Any]) -> ProxyHost:
    try:
        meta = dict(row.get("meta") or {})
        return ProxyHost(
            id=int(row["id"]),
            domain_names=tuple(name.lower() for name in row["domain_names"]),
            forward_scheme=row.get("forward_scheme", "http"),
            forward_host=row["forward_host"],
            forward_port=int(row["forward_port"]),
            certificate_id=int(row.get("certificate_id") or 0),
            enabled=bool(row.get("enabled")),
            ssl_forced=bool(row.get("ssl_forced")),
            http2_support=bool(row.get("http2_support")),
            hsts_enabled=bool(row.get("hsts_enabled")),
            hsts_subdomains=bool(row.get("hsts_subdomains")),
            block_exploits=bool(row.get("block_exploits")),
            allow_websocket_upgrade=bool(row.get("allow_websocket_upgrade")),
            caching_enabled=bool(row.get("caching_enabled")),
            advanced_config=row.get("advanced_config") or "",
            access_list_id=int(row.get("access_list_id") or 0),
            locations=tuple(map(dict, row.get("locations") or ())),
            meta=meta,
            online=meta.get("nginx_online"),
            nginx_error=(meta.get("nginx_err") or "").strip(),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(SYSTEM, f"not a proxy host: {error!r}") from error


def _certificate(row: Mapping[str, Any]) -> Certificate:
    try:
        return Certificate(
            id=int(row["id"]),
            provider=row.get("provider", ""),
            nice_name=row.get("nice_name", ""),
            domain_names=frozenset(name.lower() for name in row.get("domain_names") or ()),
            created_on=_time(row["created_on"]),
            expires_on=_time(row["expires_on"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(SYSTEM, f"not a certificate: {error!r}") from error


def _time(text: str) -> datetime:
    """ "2026-11-23 09:34:28" (SQLite) and "2026-11-23T09:49:03.000Z" (MariaDB)."""
    time = datetime.fromisoformat(re.sub(r"\s+", "T", text.strip()))
    return time if time.tzinfo else time.replace(tzinfo=UTC)

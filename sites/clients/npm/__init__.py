"""Nginx Proxy Manager: proxy hosts and certificates of one NPM, releases 2.12 to 2.15.

Its statuses mislead: a missing permission is a 404, a damaged token a 500, a failed certificate order a
bare "Internal Error". And it is not transactional: a create that fails may leave its row behind, and a 201
does not mean that nginx serves the host. So after each write the caller looks at `ProxyHost.online`;
writes to one NPM must never run side by side, since nginx is tested as a whole.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from nodepoint.clients.errors import BadAnswer, Conflict, NotFound, Refused
from sites.clients.npm.calls import SYSTEM, Calls
from sites.clients.npm.causes import Cause, NoCertificate
from sites.clients.npm.rows import (
    Certificate,
    ProxyHost,
    User,
    certificate_of,
    host_of,
    list_of,
    object_of,
    user_of,
)

__all__ = ["Cause", "Certificate", "NoCertificate", "Npm", "ProxyHost", "User"]


class Npm(Calls):
    """One NPM by its admin address (`http://host:81`, with or without `/api`) and an account without 2FA.

    `timeout` and, for certificate orders, `certificate_timeout` in seconds; `verify_tls` True, False or a
    CA file. The token is kept for the process and renewed in time. `Refused` on any call: wrong password,
    missing permission.
    """

    def whoami(self) -> User:
        """The account that we are: the cheapest check of credentials and permissions."""
        return user_of(self._call("GET", "users", "me", params={"expand": "permissions"}))

    def find_proxy_hosts(self, name: str) -> list[ProxyHost]:
        """Proxy hosts that serve exactly this name, lowest id first; a crash may have left more than one."""
        found = self._hosts({"query": f'"{name.lower()}"'})
        return [host for host in found if name.lower() in host.domain_names]

    def proxy_hosts(self) -> list[ProxyHost]:
        """All proxy hosts that our account sees, lowest id first."""
        return self._hosts(None)

    def proxy_host(self, host_id: int) -> ProxyHost:
        """One proxy host, with `online` as nginx left it after the last write."""
        return _asked(host_of(object_of(self._call("GET", "nginx", "proxy-hosts", int(host_id)))), host_id)

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
        host = host_of(object_of(self._call("POST", "nginx", "proxy-hosts", body=body)))
        if set(host.domain_names) != set(body["domain_names"]):
            raise BadAnswer(SYSTEM, f"asked for {body['domain_names']}, it made {list(host.domain_names)}")
        return host

    def update_proxy_host(self, host_id: int, **changes: Any) -> ProxyHost:
        """Changes the given fields and has nginx's configuration written anew. `meta` is replaced as a
        whole; do not use `enabled` here, it changes the row but not what is served."""
        answer = self._call("PUT", "nginx", "proxy-hosts", int(host_id), body=changes)
        return _asked(host_of(object_of(answer)), host_id)

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
        answer = self._call("GET", "nginx", "certificates", int(certificate_id))
        return _asked(certificate_of(object_of(answer)), certificate_id)

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
        payload = self._order(domain_names, email)
        try:
            return self._ordered(payload)
        except Refused as error:
            if "additional properties" not in error.vendor:
                raise
            # Another release than when it was asked last: NPM was upgraded meanwhile. Nothing was done.
            self._forget_release()
            again = self._order(domain_names, email)
            if again == payload:
                raise
        return self._ordered(again)

    def _order(self, domain_names: Iterable[str], email: str) -> dict[str, Any]:
        meta: dict[str, Any] = {"dns_challenge": False}
        if self._orders_name_an_address():
            meta |= {"letsencrypt_email": email, "letsencrypt_agree": True}
        names = sorted(name.lower() for name in domain_names)
        return {"provider": "letsencrypt", "domain_names": names, "meta": meta}

    def _ordered(self, payload: Mapping[str, Any]) -> Certificate:
        timeout = self.certificate_timeout
        answer = self._call("POST", "nginx", "certificates", body=payload, timeout=timeout)
        return certificate_of(object_of(answer))

    def delete_certificate(self, certificate_id: int) -> None:
        """Revokes and deletes; gone is fine. Never one that a host uses: that breaks every later write of
        this NPM."""
        self._gone_is_fine("nginx", "certificates", int(certificate_id))

    def _hosts(self, params: Mapping[str, str] | None) -> list[ProxyHost]:
        return list_of(self._call("GET", "nginx", "proxy-hosts", params=params), host_of)

    def _certificates(self, params: Mapping[str, str] | None) -> list[Certificate]:
        found = list_of(self._call("GET", "nginx", "certificates", params=params), certificate_of)
        return found[::-1]

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


def _asked(row: "ProxyHost | Certificate", number: int) -> Any:
    """A row, which has to be the one that was asked for."""
    if row.id != int(number):
        raise BadAnswer(SYSTEM, f"asked for {int(number)}, it gave {row.id}")
    return row

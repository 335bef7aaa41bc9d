"""NPM's proxy hosts: rows, and the several steps in which each write reaches nginx.

A write is no transaction. The row comes first, then certbot, then three runs of ``nginx -t`` over all files;
what fails in between leaves the row behind, and writes that overlap see one another's half-done files.
"""

import json
from typing import TYPE_CHECKING, Any

from lab.npm.accounts import Accounts
from lab.npm.certbot import Authority
from lab.npm.certificates import Certificates
from lab.npm.nginx import Config, Nginx, away_of, flaw_of, head_limit
from lab.npm.rows import Counter, Row, like, stamp
from lab.npm.schema import CREATE_HOST, UPDATE_HOST, Refusal, internal_error, validated

if TYPE_CHECKING:
    from lab import Lab

EXPANSIONS = ("owner", "certificate", "access_list")

_DEFAULTS: Row = {
    "access_list_id": 0,
    "certificate_id": 0,
    "ssl_forced": False,
    "caching_enabled": False,
    "block_exploits": False,
    "advanced_config": "",
    "meta": {},
    "allow_websocket_upgrade": False,
    "http2_support": False,
    "enabled": True,
    "locations": None,
    "hsts_enabled": False,
    "hsts_subdomains": False,
    "trust_forwarded_proto": False,
}


class Npm:
    """The whole of NPM's state. Methods take the lab's lock themselves, and give it up while time passes."""

    def __init__(self, lab: "Lab", email: str, proxy_ip: str) -> None:
        self._lab = lab
        self.accounts = Accounts(lab.store, email)
        self.nginx = Nginx(lab.store, lambda id: self.certificates.has_files(id))
        authority = Authority(lab, proxy_ip)
        self.certificates = Certificates(lab, self.nginx, self._hosts_with, self._put_back, authority)
        self._ids = Counter(lab.store, "proxy_host")
        self._rows: dict[int, Row] = {int(id): row for id, row in lab.store.load("npm_proxy_host").items()}
        self._texts = {id: _text(row) for id, row in self._rows.items()}
        # Names of redirection and 404 hosts, which are not simulated. The check for duplicates asks all three
        # tables (backend/internal/host.js, isHostnameTaken); no list of proxy hosts shows them.
        self.other_names: set[str] = set()

    def shared_certificate(self, names: list[str], days: int) -> int:
        """The id of the wildcard certificate that was there from the beginning (it may be deleted by now)."""
        kept = self._lab.store.load("npm_shared").get("id")
        if kept is None:
            kept = self.certificates.install(names, days)
            self._lab.store.save("npm_shared", "id", kept)
        return int(kept)

    def find(self, query: str = "", expand: tuple[str, ...] = ()) -> list[Row]:
        """Hosts by name; ``query`` is an SQL LIKE pattern inside the JSON text of ``domain_names``."""
        with self._lab.lock:
            matches = like(query)
            found = sorted((text, id) for id, text in self._texts.items() if matches(text))
            return [self._view(self._rows[id], expand) for _, id in found]

    def get(self, id: int, expand: tuple[str, ...] = ()) -> Row:
        """One host. Raises Refusal 404."""
        with self._lab.lock:
            return self._view(self._found(id), expand)

    def create(self, data: Any) -> Row:
        """Make a host and configure nginx. The answer carries the ``meta`` from *before* nginx was asked.

        Raises Refusal 400 with nothing done, or 500 with the row left behind.
        """
        given = validated(data, CREATE_HOST)
        wants_certificate = given.get("certificate_id") == "new"
        if wants_certificate:
            # Without an id yet NPM takes the host for one without TLS and drops the flags for good.
            given["certificate_id"] = 0
        with self._lab.lock:
            self._refuse_taken(given["domain_names"], own_id=0)
            now = stamp()
            row = {"id": self._ids.next(), "created_on": now, "modified_on": now, "owner_user_id": 1}
            row |= _DEFAULTS | given
            self._save(_consistent(row))
        if wants_certificate:
            certificate = self._order_certificate(row["domain_names"], row["meta"])
            with self._lab.lock:
                self._save(self._found(row["id"]) | {"certificate_id": certificate, "modified_on": stamp()})
            self._configure(row["id"])
        with self._lab.lock:
            answer = self._view(self._found(row["id"]), EXPANSIONS)
        self._configure(row["id"])
        return answer

    def update(self, id: int, data: Any) -> Row:
        """Change fields; an enabled host is configured anew, a disabled one keeps whatever nginx has."""
        given = validated(data, UPDATE_HOST)
        with self._lab.lock:
            row = self._found(id)
            self._refuse_taken(given.get("domain_names", []), own_id=id)
        if given.get("certificate_id") == "new":
            names = given.get("domain_names", row["domain_names"])
            given["certificate_id"] = self._order_certificate(names, given.get("meta", row["meta"]))
        with self._lab.lock:
            row = _consistent(self._found(id) | given | {"modified_on": stamp()})
            self._save(row)
        if row["enabled"]:
            self._configure(id)
        return self.get(id, EXPANSIONS)

    def enable(self, id: int) -> None:
        """Switch a host on. Raises Refusal 400 "Host is already enabled"."""
        with self._lab.lock:
            row = self._found(id)
            if row["enabled"]:
                raise Refusal(400, "Host is already enabled")
            self._save(row | {"enabled": True, "modified_on": stamp()})
        self._configure(id)

    def disable(self, id: int) -> None:
        """Switch a host off and take its file out of nginx. Raises Refusal 400 "Host is already disabled"."""
        with self._lab.lock:
            row = self._found(id)
            if not row["enabled"]:
                raise Refusal(400, "Host is already disabled")
            self._save(row | {"enabled": False, "modified_on": stamp()})
            self.nginx.remove(_file(id))
        self._reload()

    def delete(self, id: int) -> None:
        """Delete a host. Raises Refusal 404; 500 when nginx does not reload (the row is gone by then)."""
        with self._lab.lock:
            self._found(id)
            del self._rows[id], self._texts[id]
            self._lab.store.delete("npm_proxy_host", id)
            self.nginx.remove(_file(id))
        self._reload()

    def list_certificates(self, query: str, expand: tuple[str, ...]) -> list[Row]:
        """Certificates by nice_name; ``expand`` may name owner and proxy_hosts."""
        with self._lab.lock:
            rows = self.certificates.find(query)
            for row in rows:
                if "owner" in expand:
                    row["owner"] = self.accounts.user
                if "proxy_hosts" in expand:
                    hosts = self._rows.values()
                    row["proxy_hosts"] = [dict(host) for host in hosts if host["certificate_id"] == row["id"]]
            return rows

    def get_certificate(self, id: int) -> Row:
        """One certificate. Raises Refusal 404."""
        with self._lab.lock:
            return self.certificates.get(id)

    def create_certificate(self, data: Row) -> Row:
        """Order a certificate; see Certificates.create. ``data`` is validated."""
        return self.certificates.create(data, self.accounts.user["email"])

    def renew_certificate(self, id: int) -> Row:
        """See Certificates.renew."""
        return self.certificates.renew(id, self.accounts.user["email"])

    def delete_certificate(self, id: int) -> None:
        """See Certificates.delete."""
        with self._lab.lock:
            self.certificates.delete(id)

    def _found(self, id: int) -> Row:
        if id not in self._rows:
            raise Refusal(404, f"Not Found - {id}")
        return self._rows[id]

    def _save(self, row: Row) -> None:
        # A new object at each change, so that a view given away earlier stays what it was.
        self._rows[row["id"]] = row
        self._texts[row["id"]] = _text(row)
        self._lab.store.save("npm_proxy_host", row["id"], row)

    def _view(self, row: Row, expand: tuple[str, ...]) -> Row:
        view = dict(row)
        if "owner" in expand:
            view["owner"] = self.accounts.user
        if "certificate" in expand:
            view["certificate"] = self.certificates.expansion(row["certificate_id"])
        if "access_list" in expand:
            view["access_list"] = None
        return view

    def _refuse_taken(self, names: list[str], own_id: int) -> None:
        """The check that holds with SQLite: disabled hosts count, case does not matter."""
        taken = {n.lower() for row in self._rows.values() if row["id"] != own_id for n in row["domain_names"]}
        taken |= {name.lower() for name in self.other_names}
        for name in names:
            if name.lower() in taken:
                raise Refusal(400, f"{name} is already in use")

    def _order_certificate(self, names: list[str], meta: Row) -> int:
        """A certificate for a host; whatever goes wrong is a bare internal error here."""
        known = (
            "dns_challenge",
            "dns_provider",
            "dns_provider_credentials",
            "propagation_seconds",
            "key_type",
        )
        data = {
            "provider": "letsencrypt",
            "domain_names": names,
            "meta": {name: meta[name] for name in known if name in meta},
        }
        try:
            return self.create_certificate(data)["id"]
        except Refusal as refusal:
            raise internal_error() from refusal

    def _hosts_with(self, names: list[str]) -> list[Row]:
        """Hosts with one of the names, those that are off too (host.js: getHostsWithDomains)."""
        wanted = {name.lower() for name in names}
        return [row for row in self._rows.values() if wanted & {name.lower() for name in row["domain_names"]}]

    def _put_back(self, row: Row) -> None:
        """A host's file at the end of an order, from the row as it was read at the beginning and without
        its certificate, which is not read along with it: plain HTTP until the host is written anew. Also of a
        host that was switched off or deleted meanwhile (certificate.js: enableInUseHosts)."""
        self.nginx.write(_file(row["id"]), self._config(row | {"certificate_id": 0}))

    def _write_config(self, row: Row) -> None:
        self.nginx.write(_file(row["id"]), self._config(row))

    def _config(self, row: Row) -> Config:
        # The template of a disabled host is an empty file; an unknown certificate leaves the TLS lines out.
        if not row["enabled"]:
            return {"server_names": []}
        known = self.certificates.exists(row["certificate_id"])
        return {
            "server_names": row["domain_names"],
            "forward_scheme": row["forward_scheme"],
            "forward_host": row["forward_host"],
            "forward_port": row["forward_port"],
            "certificate": row["certificate_id"] if known else 0,
            "certificate_names": self.certificates.get(row["certificate_id"])["domain_names"]
            if known
            else [],
            "ssl_forced": row["ssl_forced"] and known,
            "trust_forwarded_proto": row["trust_forwarded_proto"],
            "head": head_limit(row["advanced_config"]),
            "away": away_of(row["advanced_config"]),
            "flaw": flaw_of(row["forward_host"], row["advanced_config"]),
        }

    def _configure(self, id: int) -> None:
        """Test, write, test, note the outcome in ``meta``, reload. Raises Refusal 500."""
        self._nginx_runs()
        with self._lab.lock:
            if self.nginx.test():
                raise internal_error()
            if id in self._rows:
                self._write_config(self._rows[id])
        self._nginx_runs()
        with self._lab.lock:
            trouble = self.nginx.test()
            if id in self._rows:
                row = self._rows[id]
                outcome = {"nginx_online": trouble is None, "nginx_err": trouble}
                self._save(row | {"meta": row["meta"] | outcome})
            if trouble:
                self.nginx.remove(_file(id))
        self._reload()

    def _reload(self) -> None:
        self._nginx_runs()
        with self._lab.lock:
            self.nginx.reload()

    def _nginx_runs(self) -> None:
        self._lab.sleep(self._lab.clock.seconds("npm.host") / 3)


def _text(row: Row) -> str:
    """``domain_names`` as the database holds it: JSON without spaces."""
    return json.dumps(row["domain_names"], separators=(",", ":"), ensure_ascii=False)


def _file(id: int) -> str:
    return f"proxy_host/{id}.conf"


def _consistent(row: Row) -> Row:
    """NPM's own tidying: names sorted, TLS flags only where what they rest on is there."""
    has_certificate = bool(row["certificate_id"])
    forced = row["ssl_forced"] and has_certificate
    hsts = row["hsts_enabled"] and forced
    return row | {
        "domain_names": sorted(row["domain_names"]),
        "ssl_forced": forced,
        "http2_support": row["http2_support"] and has_certificate,
        "hsts_enabled": hsts,
        "hsts_subdomains": row["hsts_subdomains"] and hsts,
    }

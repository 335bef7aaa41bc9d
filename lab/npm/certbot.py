"""certbot and the authority behind it: who gets a certificate, and what certbot prints otherwise."""

import ipaddress
import time
from typing import TYPE_CHECKING

from lab.npm.rows import Row

if TYPE_CHECKING:
    from lab import Lab

CA = "letsencrypt.org"
ORDERS_PER_WEEK = 5
"""Let's Encrypt's limit for one exact set of names."""
WEEK = 7 * 86400

_START = "Saving debug log to /data/logs/letsencrypt.log"
_HELP = (
    "Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile "
    "/data/logs/letsencrypt.log or re-run Certbot with -v for more details."
)
_NO_WILDCARD = (
    "Client with the currently selected authenticator does not support any combination of challenges that "
    "will satisfy the CA. You may need to use an authenticator plugin that can do challenges over DNS."
)


class Authority:
    """The CA: checks challenges against the lab's public DNS and Cloudflare. Use it inside the lab's lock."""

    def __init__(self, lab: "Lab", proxy_ip: str) -> None:
        self._lab, self._proxy = lab, ipaddress.ip_address(proxy_ip)
        # When each set of names was issued, certificates deleted since included: the CA counts them all.
        self._issued: dict[str, list[float]] = lab.store.load("npm_issued")

    def note(self, names: list[str], now: float) -> None:
        """Count a certificate for ``names`` issued at ``now`` (epoch seconds)."""
        key = _key(names)
        self._issued[key] = [*self._recent(key), now]
        self._lab.store.save("npm_issued", key, self._issued[key])

    def trouble(self, names: list[str], meta: Row, credentials: str) -> list[str] | None:
        """Why no certificate is issued (the lines of certbot's stderr), or None."""
        by_dns = bool(meta.get("dns_challenge"))
        if not by_dns and any(name.startswith("*.") for name in names):
            return [_START, _NO_WILDCARD, _HELP, ""]
        if len(self._recent(_key(names))) >= ORDERS_PER_WEEK:
            limit = (
                f"too many certificates ({ORDERS_PER_WEEK}) already issued for this exact set of identifiers"
            )
            return [_START, "An unexpected error occurred:", f"{limit} in the last 168h0m0s", _HELP, ""]
        if all(self._owns_zone(name, credentials) if by_dns else self._points_here(name) for name in names):
            return None
        return [_START, "Some challenges have failed.", _HELP, ""]

    def _recent(self, key: str) -> list[float]:
        return [at for at in self._issued.get(key, []) if at > time.time() - WEEK]

    def _owns_zone(self, name: str, credentials: str) -> bool:
        """DNS-01: the credentials must be able to write the challenge into the name's zone."""
        settings = self._lab.cloudflare.settings
        token = f"dns_cloudflare_api_token={settings['CLOUDFLARE_API_TOKEN']}"
        given = [line.replace(" ", "") for line in credentials.splitlines()]
        return token in given and f".{name.lower()}".endswith(f".{settings['BASE_DOMAIN']}")

    def _points_here(self, name: str) -> bool:
        """HTTP-01: every address must be the proxy's, IPv6 ones included (the CA prefers them)."""
        found = self._lab.dns.resolve(name, "A") + self._lab.dns.resolve(name, "AAAA")
        here = bool(found) and all(ipaddress.ip_address(address) == self._proxy for address in found)
        return here and self._permitted(name)

    def _permitted(self, name: str) -> bool:
        """Whether the CAA records let this CA issue: those of the nearest name upwards that has any count."""
        labels = name.split(".")
        above = (self._lab.dns.resolve(".".join(labels[i:]), "CAA") for i in range(len(labels)))
        nearest = next((records for records in above if records), [])
        issuers = [record.split('"')[1] for record in nearest if record.split(" ")[1] == "issue"]
        return not issuers or any(issuer.partition(";")[0].strip() == CA for issuer in issuers)


def command(row: Row, kind: str, email: str) -> str:
    """The command line that NPM shows for a failed run; ``kind`` is create or renew."""
    base = "--config /etc/letsencrypt.ini --work-dir /tmp/letsencrypt-lib --logs-dir /data/logs --cert-name"
    name = f"npm-{row['id']}"
    if kind == "renew":
        renew = "--preferred-challenges http --no-random-sleep-on-renew --disable-hook-validation"
        return f"certbot renew --force-renewal {base} {name} {renew}"
    names = ",".join(row["domain_names"])
    if row["meta"].get("dns_challenge"):
        how = f"-m {email} --preferred-challenges dns --domains {names} --authenticator dns-cloudflare"
    else:
        how = f"--authenticator webroot -m {email} --preferred-challenges http --domains {names}"
    return f"certbot certonly -n {base} {name} --agree-tos {how}"


def _key(names: list[str]) -> str:
    return ",".join(sorted(name.lower() for name in names))

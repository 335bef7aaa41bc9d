"""Orders of certificates at NPM: what is ours, what still runs, and why one was not issued, in sentences for
customers and in the vendors' words for staff."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings

from nodepoint.clients.errors import ClientError
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Retry
from nodepoint.jobs.registry import Limit
from sites.clients.npm import Cause, Certificate, NoCertificate
from sites.connections import npm
from sites.steps.hosts import shared_certificate

ORDERS = Limit("npm:certificate", lambda: 1)  # certbot runs one at a time, for minutes
LONGEST_ORDER = 15 * 60  # seconds; an order that NPM lists as begun for longer died with it
ORDERS_SEEN = "orders_seen"  # in a step's data: ids of orders that NPM carried out, and since when (epoch)

WHY = {
    Cause.NAME: "Let's Encrypt cannot resolve the name. Please check its DNS records and its name servers.",
    Cause.PORT: "Let's Encrypt does not reach the name on port 80. Please check that it leads here directly,"
    " without a CDN or firewall in between.",
    Cause.CAA: "A CAA record forbids Let's Encrypt to issue it. Please change or remove that record.",
    Cause.LIMIT: "Let's Encrypt permits no more certificates or tries for the name at present.",
    Cause.CHALLENGE: "Let's Encrypt could not verify the name. Please check its DNS records, and that it is"
    " reached on port 80 from everywhere.",
    Cause.UNKNOWN: "Let's Encrypt did not issue it.",
}


def sentence(error: ClientError) -> str:
    """What a customer may read about an order that failed."""
    if isinstance(error, NoCertificate):
        return f"Nginx Proxy Manager could not obtain a certificate. {WHY[error.cause]}"
    return f"No certificate could be obtained: {error.sentence}"


def detail(error: ClientError) -> str:
    """What staff read: the class of the cause, then the vendors' words."""
    return f"{error.cause}: {error.vendor}" if isinstance(error, NoCertificate) else error.vendor


@dataclass
class Ordered:
    """By what a certificate for `name` is known as ours. Certificates take no mark.

    Beside the exact name, its id must be `certificate_id`, which we stored, or, where the answer to the order
    was lost, it must be younger than `since` (NPM writes its local time, hence the day).
    """

    name: str
    certificate_id: int | None
    since: datetime

    @cached_property
    def certificates(self) -> list[Certificate]:
        """All of ours as at the first look, newest first, those still being ordered included. Never the
        shared one."""
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
        return next((certificate for certificate in self.certificates if certificate.usable()), None)

    def underway(self, call: Call) -> Retry | None:
        """An order of ours that NPM still carries out, after an answer that did not come in time: neither may
        another begin, nor a host of the name go (see `Npm.create_certificate`). None: there is none, or it
        died with an NPM that was killed, which leaves its row behind."""
        now, seen = call.now.timestamp(), call.step.data.get(ORDERS_SEEN, {})
        # Each by its own first look: a step may meet several, one after the other.
        begun = {one.id: seen.get(str(one.id), now) for one in self.certificates if not one.issued}
        alive = {id: since for id, since in begun.items() if now - since < LONGEST_ORDER}
        for dead in begun.keys() - alive.keys():
            npm().delete_certificate(dead)
        if not alive:
            return None
        error = "Nginx Proxy Manager is still ordering a certificate."
        detail = f"certificate {max(alive)} of {self.name} is not issued yet"
        return Retry(error=error, detail=detail, seconds=15.0, data={ORDERS_SEEN: alive})

    def order(self) -> Certificate:
        """A new one of Let's Encrypt; see `Npm.create_certificate`."""
        return npm().create_certificate([self.name], settings.LETSENCRYPT_EMAIL)

    def gone(self) -> None:
        """None of ours is left. No host may use it any more: that would break all of NPM."""
        for certificate in self.certificates:
            npm().delete_certificate(certificate.id)

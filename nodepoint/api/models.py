"""The rows of the edge: tokens, kept answers, and how often a token was used in a minute."""

import hmac
import ipaddress
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from django.db import DatabaseError, models
from django.utils import timezone
from rest_framework.utils.encoders import JSONEncoder

from nodepoint.fields import IdentifierField
from nodepoint.prepared import prepared

SCOPES = ("sites", "dns", "support", "metrics")
USE_NOTED_EVERY = timedelta(minutes=1)

log = logging.getLogger("nodepoint.api")


def digest(text: str) -> str:
    """SHA-256 in hexadecimal. A fast hash is right for random secrets: there is nothing to guess."""
    return sha256(text.encode()).hexdigest()


def new_prefix() -> str:
    """The part of a token by which its row is found; no secret."""
    return secrets.token_hex(6)


class Token(models.Model):
    """What a caller proves itself with: `np_<prefix>_<secret>`. Only a hash of the secret is kept; it is
    shown once."""

    name = models.CharField(max_length=100, help_text="Who uses it, such as “Paymenter”.")
    prefix = IdentifierField(max_length=12, unique=True, default=new_prefix, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list, blank=True, help_text=f"Any of {', '.join(SCOPES)}.")
    networks = models.JSONField(
        default=list, blank=True, help_text="Networks it may be used from, such as 192.168.1.0/24; none: any."
    )
    rate_per_minute = models.PositiveIntegerField(default=6000, help_text="Requests a minute; 0: no limit.")
    read_only = models.BooleanField(
        default=False, db_default=False, help_text="It asks, and changes nothing."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    max_unused_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days without use after which it is refused; empty: none."
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return f"{self.name} (np_{self.prefix}_…)"

    @classmethod
    def issue(
        cls,
        name: str,
        scopes: Iterable[str],
        *,
        networks: Iterable[str] = (),
        days: int | None = None,
        **limits: Any,
    ) -> tuple[Self, str]:
        """A new token and its text, which cannot be had again. `days`: until it expires; `limits`:
        `rate_per_minute`, `read_only`, `max_unused_days`. ValueError: unknown scope, no network."""
        token = cls(name=name, scopes=valid_scopes(scopes), networks=valid_networks(networks), **limits)
        token.expires_at = timezone.now() + timedelta(days=days) if days is not None else None
        return token, token.give_secret()

    def give_secret(self) -> str:
        """Make a secret, save the token with its hash, and return the text to hand over."""
        secret = secrets.token_urlsafe(32)
        self.secret_hash = digest(secret)
        self.save()
        return f"np_{self.prefix}_{secret}"

    @classmethod
    def of(cls, text: str) -> Self | None:
        """The token that `text` is, if it can be used now; else None."""
        kind, _, rest = text.partition("_")
        prefix, _, secret = rest.partition("_")
        known = kind == "np" and len(prefix) == 12
        token = prepared(cls).filter(prefix=prefix).first() if known else None
        if token is None or not hmac.compare_digest(token.secret_hash, digest(secret)):
            return None
        return token if token.usable else None

    @property
    def actor(self) -> str:
        """Who asked, as jobs and audit entries say it."""
        return f"token {self.name}"

    @property
    def usable(self) -> bool:
        """Neither revoked nor expired, nor forgotten."""
        return self.revoked_at is None and (self.ends_at is None or self.ends_at > timezone.now())

    @property
    def ends_at(self) -> datetime | None:
        """When it expires, or is refused because nobody uses it; None: neither."""
        forgotten = None
        if self.max_unused_days is not None:
            forgotten = (self.last_used_at or self.created_at) + timedelta(days=self.max_unused_days)
        return min(filter(None, (self.expires_at, forgotten)), default=None)

    def allows_address(self, address: str) -> bool:
        """Whether it may be used from an IP address."""
        if not self.networks:
            return True
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in ipaddress.ip_network(network) for network in self.networks)

    def note_use(self) -> None:
        """Write down that it is in use, at most once a minute. Where that cannot be written, as on a full
        disk, the call goes on all the same."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > USE_NOTED_EVERY:
            try:
                Token.objects.filter(pk=self.pk).update(last_used_at=now)
            except DatabaseError:
                log.exception("use of a token was not noted")

    def revoke(self) -> None:
        """From now on it is refused. The row stays, so that its name in old jobs keeps its meaning."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])


def valid_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes in their usual order; ValueError names the one that there is not."""
    wanted = set(scopes)
    if unknown := sorted(wanted - set(SCOPES)):
        raise ValueError(f"There is no scope {unknown[0]!r}: use {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in wanted]


def valid_networks(networks: Iterable[str]) -> list[str]:
    """The networks in their usual form; ValueError names what is none."""
    try:
        return [str(ipaddress.ip_network(network)) for network in networks]
    except ValueError as error:
        raise ValueError(f"{error}. Write a network as 192.168.1.0/24.") from None


class KeptAnswer(models.Model):
    """The answer to a POST with an Idempotency-Key, or the note that it is still being made (`status`
    NULL)."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="+")
    key_hash = IdentifierField(max_length=64)
    fingerprint = models.CharField(max_length=64, help_text="Of path and body.")
    claim = models.CharField(max_length=32, help_text="Fences the writes of a request that took too long.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True, encoder=JSONEncoder)  # the one that wrote the first answer
    claimed_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key_hash"], name="api_kept_answer_once")]

    def __str__(self) -> str:
        return f"{self.token_id}/{self.key_hash[:8]}"


class RateWindow(models.Model):
    """How many requests of a token all processes together have let pass, or reserved, in one minute of the
    clock."""

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="+")
    minute = models.PositiveIntegerField(help_text="Minutes since 1970.")
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "minute"], name="api_rate_window_once")]

    def __str__(self) -> str:
        return f"{self.token_id}/{self.minute}"

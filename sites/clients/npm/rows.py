"""NPM's rows as it gives them, read strictly: what contradicts its schema is a `BadAnswer`, never a guess."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from nodepoint.clients.errors import BadAnswer
from nodepoint.clients.http import Answer

SYSTEM = "npm"
V = TypeVar("V")
UNFINISHED = timedelta(hours=1)  # a certificate that ends this soon after its making is still being ordered
FLAGS = (
    "enabled",
    "ssl_forced",
    "http2_support",
    "hsts_enabled",
    "hsts_subdomains",
    "block_exploits",
    "allow_websocket_upgrade",
    "caching_enabled",
)


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


T = TypeVar("T", ProxyHost, Certificate)


@dataclass(frozen=True)
class User:
    """Our own account: what it sees ("all" or its own) and may do ("hidden", "view" or "manage")."""

    email: str
    visibility: str
    proxy_hosts: str
    certificates: str


def object_of(answer: Answer) -> Mapping[str, Any]:
    """The body, which has to be an object."""
    if not isinstance(answer.body, dict):
        raise answer.bad("not an object")
    return answer.body


def list_of(answer: Answer, row: Callable[[Any], T]) -> list[T]:
    """The body, which has to be a list, by id. What is listed twice alike is one; two that differ under one
    id are a `BadAnswer`: of what is there twice all but one is deleted."""
    if not isinstance(answer.body, list):
        raise answer.bad("not a list")
    found: dict[int, T] = {}
    for one in map(row, answer.body):
        if found.setdefault(one.id, one) != one:
            raise answer.bad(f"{one.id} is listed twice, and differs")
    return [found[number] for number in sorted(found)]


def user_of(answer: Answer) -> User:
    """Ourselves."""
    data = object_of(answer)
    may = data.get("permissions") or {}
    if not isinstance(may, dict):
        raise answer.bad("permissions are no object")
    return User(
        email=str(data.get("email", "")),
        visibility=str(may.get("visibility", "")),
        proxy_hosts=str(may.get("proxy_hosts", "")),
        certificates=str(may.get("certificates", "")),
    )


def host_of(row: Any) -> ProxyHost:
    """A proxy host. Fields that a release does not know yet are as by default."""
    try:
        meta = _typed(row.get("meta") or {}, dict)
        online = meta.get("nginx_online")
        return ProxyHost(
            id=_number(row["id"], least=1),
            domain_names=tuple(_names(row["domain_names"])),
            forward_scheme=_typed(row.get("forward_scheme", "http"), str),
            forward_host=_typed(row["forward_host"], str),
            forward_port=_number(row["forward_port"]),
            certificate_id=_number(row.get("certificate_id") or 0),
            **{flag: _flag(row.get(flag, False)) for flag in FLAGS},
            advanced_config=_typed(row.get("advanced_config") or "", str),
            access_list_id=_number(row.get("access_list_id") or 0),
            locations=tuple(_typed(one, dict) for one in _typed(row.get("locations") or [], list)),
            meta=meta,
            online=None if online is None else _flag(online),
            nginx_error=_typed(meta.get("nginx_err") or "", str).strip(),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(SYSTEM, f"not a proxy host: {error!r}") from error


def certificate_of(row: Any) -> Certificate:
    """A certificate."""
    try:
        return Certificate(
            id=_number(row["id"], least=1),
            provider=_typed(row.get("provider", ""), str),
            nice_name=_typed(row.get("nice_name", ""), str),
            domain_names=frozenset(_names(row.get("domain_names") or [])),
            created_on=_time(row["created_on"]),
            expires_on=_time(row["expires_on"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(SYSTEM, f"not a certificate: {error!r}") from error


def _typed(value: Any, kind: type[V]) -> V:
    if not isinstance(value, kind):
        raise TypeError(f"{str(value)[:60]!r} is no {kind.__name__}")
    return value


def _number(value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{str(value)[:60]!r} is no number from {least}")
    return value


def _flag(value: Any) -> bool:
    """True and false; 1 and 0 up to 2.11. Never a text: "false" would be true."""
    if value not in (True, False):
        raise ValueError(f"{str(value)[:60]!r} is neither true nor false")
    return bool(value)


def _names(value: Any) -> list[str]:
    return [_typed(name, str).lower() for name in _typed(value, list)]


def _time(text: Any) -> datetime:
    """ "2026-11-23 09:34:28" (SQLite) and "2026-11-23T09:49:03.000Z" (MariaDB)."""
    time = datetime.fromisoformat(re.sub(r"\s+", "T", _typed(text, str).strip()))
    return time if time.tzinfo else time.replace(tzinfo=UTC)

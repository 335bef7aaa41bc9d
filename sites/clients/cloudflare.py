"""Cloudflare: the DNS records of one zone. Which record to make, change or leave alone is decided by the
caller."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from nodepoint.clients.breaker import guarded
from nodepoint.clients.counting import observed
from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    ClientError,
    Conflict,
    NotFound,
    Refused,
    keep_secret,
)
from nodepoint.clients.http import Answer, JsonApi

SYSTEM = "cloudflare"
PAGE = 1000  # records; the server takes far more, but an answer should stay within a megabyte
LOCKED_OUT = 300.0  # seconds: how long the rate limit blocks where the answer does not say it

# Cloudflare publishes no list; these are codes seen in answers.
CODES: Mapping[int, type[ClientError]] = {
    **dict.fromkeys((81053, 81054, 81057, 81058), Conflict),
    81044: NotFound,
    **dict.fromkeys((7000, 7003, 6003, 9109, 10000, 81045), Refused),
}


@dataclass(frozen=True)
class Record:
    """A DNS record. `name` is complete and without a last dot, `ttl` in seconds (1 = automatic).

    `comment` holds our owner mark, at most 100 characters.
    """

    id: str
    type: str
    name: str
    content: str
    ttl: int
    proxied: bool
    comment: str


class Cloudflare:
    """The records of the zone `zone_id`, with an API token that may edit its DNS. `timeout` in seconds per
    call."""

    def __init__(self, url: str, token: str, zone_id: str, timeout: float = 20.0) -> None:
        keep_secret(token)
        self._api = JsonApi(SYSTEM, url, timeout)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._zone = zone_id

    def verify(self) -> None:
        """Reads one record: `Refused` when the token or the zone id is wrong, or the token may not read
        the zone."""
        self._call("GET", params={"per_page": 1})

    def find_records(self, name: str, type: str | None = None) -> list[Record]:
        """All records of exactly this name, of one type if given. Several of a type are possible."""
        filters = {"name.exact": name, "match": "all", **({"type": type} if type else {})}
        return [record for record in self._list(filters) if record.name.lower() == name.lower().rstrip(".")]

    def list_records(self, mark: str = "") -> list[Record]:
        """The whole zone, or the records whose comment begins with `mark`."""
        return self._list({"comment.startswith": mark, "match": "all"} if mark else {})

    def create_record(
        self, type: str, name: str, content: str, ttl: int = 300, proxied: bool = False, comment: str = ""
    ) -> Record:
        """Makes a record. `Conflict` when an identical one or a CNAME stands there, but a second A with
        another address is accepted, and a name outside the zone gets the zone appended: look first."""
        body = {"type": type, "name": name, "content": content, "ttl": ttl}
        return _record(
            self._call("POST", body={**body, "proxied": proxied, "comment": comment}).body["result"]
        )

    def update_record(self, record_id: str, **changes: str | int | bool) -> Record:
        """Changes the given fields (content, ttl, proxied, comment, …) and leaves the others."""
        return _record(self._call("PATCH", record_id, body=changes).body["result"])

    def delete_record(self, record_id: str) -> None:
        """Deletes a record; one that is gone is fine."""
        try:
            self._call("DELETE", record_id)
        except NotFound:
            return

    def _list(self, filters: Mapping[str, str]) -> list[Record]:
        with deadline(self._api.timeout):
            return list(self._pages(filters))

    def _pages(self, filters: Mapping[str, str]) -> Iterator[Record]:
        for page in count(1):
            answer = self._call("GET", params={**filters, "per_page": PAGE, "page": page})
            rows = answer.body["result"]
            yield from map(_record, rows)
            info = answer.body.get("result_info") or {}
            if not rows or page >= int(info.get("total_pages") or 1):
                return

    def _call(
        self, method: str, *record_id: str, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Answer:
        path = ("zones", self._zone, "dns_records", *record_id)
        with observed(SYSTEM, f"{method} dns_records{'/*' * len(record_id)}"), guarded(SYSTEM):
            answer = self._api.call(method, *path, params=params, body=body, headers=self._headers)
            if not (answer.ok and isinstance(answer.body, dict) and answer.body.get("success")):
                raise error_of(answer)
        expected = list if method == "GET" and not record_id else dict
        if not isinstance(answer.body.get("result"), expected):
            raise answer.bad("no result")
        return answer


def error_of(answer: Answer) -> ClientError:
    """The error for an answer that is none of success: by its codes, else by its status."""
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    found = list(_flat(errors))
    vendor = f"{answer.status} " + ("; ".join(f"{code} {text}" for code, text in found) or answer.text)
    if answer.status == 429:
        return Busy(SYSTEM, vendor, retry_after=_seconds(answer.headers.get("Retry-After")))
    kind = next((CODES[code] for code, _ in found if code in CODES), None)
    if kind is None:
        by_status = NotFound if answer.status == 404 and found else Refused
        kind = by_status if 400 <= answer.status < 500 else BadAnswer
    return kind(SYSTEM, vendor)


def _flat(errors: Any) -> list[tuple[int, str]]:
    """Codes and texts of the errors; older validation errors hide the telling one in `error_chain`."""
    found = []
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            found.append((int(error.get("code") or 0), str(error.get("message", ""))))
            found += _flat(error.get("error_chain"))
    return found


def _seconds(header: str | None) -> float:
    return float(header) if header and header.isdigit() else LOCKED_OUT


def _record(row: Mapping[str, Any]) -> Record:
    try:
        return Record(
            id=row["id"],
            type=row["type"],
            name=row["name"],
            content=row.get("content", ""),
            ttl=int(row.get("ttl") or 1),
            proxied=bool(row.get("proxied")),
            comment=row.get("comment") or "",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadAnswer(SYSTEM, f"not a record: {error!r}") from error

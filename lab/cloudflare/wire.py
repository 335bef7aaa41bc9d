"""Cloudflare's API v4 on the wire: envelope, token, rate limit, routes and filters."""

import math
import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.cloudflare.state import Refusal, Row, Zone
from lab.server import Request, Response, Wire

if TYPE_CHECKING:
    from lab import Lab

BASE = "/client/v4"
WINDOW_SECONDS = 300


class RateLimit:
    """Requests per fixed window of five minutes; beyond them everything is refused until the window ends."""

    def __init__(self, quota: int = 1200) -> None:
        self.quota = quota
        self._lock = threading.Lock()
        self._used, self._ends = 0, 0.0

    def spend(self) -> tuple[int, int]:
        """Count a request; returns (requests left, seconds to the window's end); left -1: one too many."""
        with self._lock:
            now = time.monotonic()
            if now >= self._ends:
                self._used, self._ends = 0, now + WINDOW_SECONDS
            self._used += 1
            return max(self.quota - self._used, -1), math.ceil(self._ends - now)


class CloudflareWire(Wire):
    """Answers of ``/client/v4/…``."""

    def __init__(self, lab: "Lab", zone: Zone) -> None:
        self._lab, self._zone = lab, zone
        self.rate_limit = RateLimit()

    def answer(self, request: Request) -> Response:
        left, seconds = self.rate_limit.spend()
        quota = self.rate_limit.quota
        headers = {
            "Ratelimit": f'"default";r={max(left, 0)};t={seconds}',
            "Ratelimit-Policy": f'"default";q={quota};w={WINDOW_SECONDS}',
        }
        if left < 0:
            what = f"More than {quota} requests per {WINDOW_SECONDS} seconds reached. "
            what += "Please wait and consider throttling your request speed"
            return Response(
                429, _envelope(None, [{"message": what}]), headers=headers | {"retry-after": str(seconds)}
            )
        try:
            self._authenticate(request)
            with self._lab.lock:
                body = self._route(request)
            return Response(200, body, headers=headers)
        except Refusal as refusal:
            return _refusal(refusal, headers)

    def error(self, request: Request) -> Response:
        return Response(500, _envelope(None, [{"code": 1000, "message": "Internal Server Error"}]))

    def refuse(self, request: Request) -> Response:
        return _refusal(Refusal(403, 10000, "Authentication error"), {})

    def _authenticate(self, request: Request) -> None:
        header = request.headers.get("Authorization") or ""
        match = re.fullmatch(r"Bearer ([A-Za-z0-9_-]{40})", header)
        if match is None:
            chain = (6111, "Invalid format for Authorization header")
            raise Refusal(400, 6003, "Invalid request headers", chain)
        if match[1] != self._zone.token:
            raise Refusal(403, 10000, "Authentication error")

    def _route(self, request: Request) -> Row:
        path = request.path.removeprefix(BASE).rstrip("/")
        known = False
        for method, pattern, call in _ROUTES:
            match = re.fullmatch(pattern, path)
            if not match:
                continue
            known = True
            if method == request.method:
                self._check_zone(request, match.groupdict().get("zone"))
                return call(self, request, **_without_zone(match.groupdict()))
        if known:
            raise Refusal(405, 10405, "Method not allowed for this authentication scheme")
        raise _no_route(request)

    def _check_zone(self, request: Request, zone: str | None) -> None:
        if zone is None:
            return
        if not re.fullmatch(r"[0-9a-f]{32}", zone):
            raise _no_route(request)
        if zone != self._zone.id:
            raise Refusal(403, 10000, "Authentication error")

    def _verify(self, request: Request) -> Row:
        what = {"code": 10000, "message": "This API Token is valid and active", "type": None}
        return _envelope({"id": self._zone.token_id, "status": "active"}) | {"messages": [what]}

    def _zones(self, request: Request) -> Row:
        name = _first(request, "name")
        return _paged(request, [self._zone.view()] if name in ("", self._zone.name) else [], 20)

    def _zone_details(self, request: Request) -> Row:
        return _envelope(self._zone.view())

    def _list(self, request: Request) -> Row:
        tests = _filters(request)
        combine = any if _first(request, "match") == "any" and tests else all
        rows = [row for row in self._zone.records() if combine(test(row) for test in tests)]
        order = _first(request, "order")
        if order in ("type", "name", "content", "ttl", "proxied"):
            rows.sort(key=lambda row: row[order], reverse=_first(request, "direction") == "desc")
        return _paged(request, rows, 100)

    def _create(self, request: Request) -> Row:
        return _envelope(self._zone.create(_body(request)))

    def _get(self, request: Request, id: str) -> Row:
        return _envelope(self._zone.get(id))

    def _edit(self, request: Request, id: str) -> Row:
        return _envelope(self._zone.edit(id, _body(request)))

    def _overwrite(self, request: Request, id: str) -> Row:
        return _envelope(self._zone.overwrite(id, _body(request)))

    def _delete(self, request: Request, id: str) -> Row:
        return _envelope({"id": self._zone.delete(id)["id"]})

    def _batch(self, request: Request) -> Row:
        body = _body(request)
        parts = {name: body.get(name) or [] for name in ("deletes", "patches", "puts", "posts")}
        for part in parts.values():
            if not isinstance(part, list) or not all(isinstance(change, dict) for change in part):
                raise _bad_body()
        return _envelope(self._zone.batch(**parts))


_ZONE = "/zones/(?P<zone>[^/]+)"
_RECORDS = _ZONE + "/dns_records"
_RECORD = _RECORDS + "/(?P<id>[^/]+)"
_ROUTES: list[tuple[str, str, Callable[..., Row]]] = [
    ("GET", "/user/tokens/verify", CloudflareWire._verify),
    ("GET", "/zones", CloudflareWire._zones),
    ("GET", _ZONE, CloudflareWire._zone_details),
    ("GET", _RECORDS, CloudflareWire._list),
    ("POST", _RECORDS, CloudflareWire._create),
    ("POST", _RECORDS + "/batch", CloudflareWire._batch),
    ("GET", _RECORD, CloudflareWire._get),
    ("PATCH", _RECORD, CloudflareWire._edit),
    ("PUT", _RECORD, CloudflareWire._overwrite),
    ("DELETE", _RECORD, CloudflareWire._delete),
]

_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda value, wanted: value == wanted,
    "startswith": lambda value, wanted: value.startswith(wanted),
    "endswith": lambda value, wanted: value.endswith(wanted),
    "contains": lambda value, wanted: wanted in value,
    "present": lambda value, wanted: bool(value),
    "absent": lambda value, wanted: not value,
}


def _filters(request: Request) -> list[Callable[[Row], bool]]:
    """One test per filter of the query (``type=A``, ``name.exact=…``, ``comment.startswith=…``)."""
    tests: list[Callable[[Row], bool]] = []
    for key, values in request.query.items():
        field, _, how = key.partition(".")
        if key in ("type", "proxied") or (
            field in ("name", "content", "comment") and (how or "exact") in _MATCHES
        ):
            tests.append(_filter(field, how or "exact", values[0]))
    return tests


def _filter(field: str, how: str, wanted: str) -> Callable[[Row], bool]:
    def test(row: Row) -> bool:
        return _MATCHES[how](_text(row[field]), wanted.lower())

    return test


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower()


def _first(request: Request, name: str) -> str:
    return request.query.get(name, [""])[0]


def _whole(request: Request, name: str, default: int) -> int:
    text = _first(request, name) or str(default)
    if not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise Refusal(400, 1004, "DNS Validation Error", (9017, f"Invalid {name} parameter."))
    return int(text)


def _paged(request: Request, rows: list[Row], default: int) -> Row:
    page, per_page = _whole(request, "page", 1), _whole(request, "per_page", default)
    part = rows[(page - 1) * per_page : page * per_page]
    info = {
        "page": page,
        "per_page": per_page,
        "count": len(part),
        "total_count": len(rows),
        "total_pages": math.ceil(len(rows) / per_page),
    }
    return _envelope(part) | {"result_info": info}


def _body(request: Request) -> Row:
    try:
        body = request.json()
    except ValueError:
        raise _bad_body() from None
    if not isinstance(body, dict):
        raise _bad_body()
    return body


def _bad_body() -> Refusal:
    return Refusal(400, 9207, "Request body is invalid.")


def _no_route(request: Request) -> Refusal:
    what = f"Could not route to {request.path}, perhaps your object identifier is invalid?"
    return Refusal(400, 7003, what)


def _without_zone(groups: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in groups.items() if name != "zone"}


def _envelope(result: Any, errors: list[Row] | None = None) -> Row:
    return {"success": not errors, "errors": errors or [], "messages": [], "result": result}


def _refusal(refusal: Refusal, headers: dict[str, str]) -> Response:
    error: Row = {"code": refusal.code, "message": refusal.message}
    if refusal.chain:
        error["error_chain"] = [{"code": refusal.chain[0], "message": refusal.chain[1]}]
    return Response(refusal.status, _envelope(None, [error]), headers=headers)

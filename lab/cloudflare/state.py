"""Cloudflare's zone: DNS records and the rules by which they are accepted."""

import ipaddress
import re
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lab.names import Record

if TYPE_CHECKING:
    from lab import Lab

Row = dict[str, Any]

NAME_SERVERS = ("ada.ns.cloudflare.com", "bob.ns.cloudflare.com")
EDGE_ADDRESSES = ("104.21.48.10", "172.67.130.20")
"""What public DNS answers for a proxied record."""
COMMENT_LENGTH = 100
TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "TXT")
PROXIABLE = ("A", "AAAA", "CNAME")

_WRITABLE = ("type", "name", "content", "ttl", "proxied", "comment", "tags", "priority", "settings")


class Refusal(Exception):
    """A call that is refused. ``chain``: (code, message) that the older error form hides in error_chain."""

    def __init__(self, status: int, code: int, message: str, chain: tuple[int, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.chain = status, code, message, chain


class Zone:
    """One zone. Use it inside the lab's lock. ``record_quota``: records that the plan allows (paid: 3500)."""

    def __init__(self, lab: "Lab", name: str, record_quota: int = 3500) -> None:
        self._store = lab.store
        self.name = name
        self.record_quota = record_quota
        kept = lab.store.load("cloudflare_account").get("account")
        if kept is None:
            kept = {"token": secrets.token_urlsafe(30), "token_id": secrets.token_hex(16)}
            kept |= {"zone": secrets.token_hex(16), "created_on": _now()}
            lab.store.save("cloudflare_account", "account", kept)
        self.token: str = kept["token"]
        self.token_id: str = kept["token_id"]
        self.id: str = kept["zone"]
        self._created: str = kept["created_on"]
        self._rows: dict[str, Row] = lab.store.load("cloudflare_record")
        self._by_name: dict[str, dict[str, Row]] = {}
        for row in self._rows.values():
            self._by_name.setdefault(row["name"], {})[row["id"]] = row

    def view(self) -> Row:
        """The zone as the API gives it."""
        return {
            "id": self.id,
            "name": self.name,
            "status": "active",
            "paused": False,
            "type": "full",
            "name_servers": list(NAME_SERVERS),
            "created_on": self._created,
            "plan": {"id": "pro", "name": "Pro Website"},
        }

    def records(self) -> list[Row]:
        """All records, oldest first."""
        return list(self._rows.values())

    def get(self, id: str) -> Row:
        """One record. Raises Refusal 81044."""
        if id not in self._rows:
            raise Refusal(404, 81044, "Record does not exist.")
        return self._rows[id]

    def create(self, fields: Row) -> Row:
        """Make a record. Raises Refusal."""
        if len(self._rows) >= self.record_quota:
            raise Refusal(400, 81045, "The record quota has been exceeded.")
        now = _now()
        row = self._checked(fields) | {"id": secrets.token_hex(16), "created_on": now, "modified_on": now}
        return self._put(row)

    def edit(self, id: str, fields: Row) -> Row:
        """PATCH: change the given fields. Raises Refusal."""
        old = self.get(id)
        given = {name: value for name, value in fields.items() if name in _WRITABLE}
        return self._replace(old, {name: old[name] for name in _WRITABLE if name in old} | given)

    def overwrite(self, id: str, fields: Row) -> Row:
        """PUT: fields that are left out fall back to their defaults. Raises Refusal."""
        return self._replace(self.get(id), fields)

    def delete(self, id: str) -> Row:
        """Remove a record and return what it was. Raises Refusal 81044."""
        row = self.get(id)
        self._forget(row)
        self._store.delete("cloudflare_record", id)
        return row

    def batch(self, deletes: list[Row], patches: list[Row], puts: list[Row], posts: list[Row]) -> Row:
        """All the changes in this order, or none: the first Refusal is raised and nothing is applied."""
        before = dict(self._rows)
        try:
            return {
                "deletes": [self.delete(_id_of(change)) for change in deletes],
                "patches": [self.edit(_id_of(change), change) for change in patches],
                "puts": [self.overwrite(_id_of(change), change) for change in puts],
                "posts": [self.create(change) for change in posts],
            }
        except Refusal:
            self._restore(before)
            raise

    def at(self, name: str) -> list[Record]:
        """What public DNS says of a name (a source of lab.names)."""
        records = [record for row in self._by_name.get(name, {}).values() for record in _public(row)]
        if name == self.name:
            records += [Record(name, "NS", server) for server in NAME_SERVERS]
        return records

    def names(self) -> Iterable[str]:
        """All names with records (a source of lab.names)."""
        return self._by_name.keys()

    def _replace(self, old: Row, fields: Row) -> Row:
        checked = self._checked(fields, own_id=old["id"])
        return self._put(checked | {"id": old["id"], "created_on": old["created_on"], "modified_on": _now()})

    def _put(self, row: Row) -> Row:
        if row["id"] in self._rows:
            self._forget(self._rows[row["id"]])
        self._rows[row["id"]] = row
        self._by_name.setdefault(row["name"], {})[row["id"]] = row
        self._store.save("cloudflare_record", row["id"], row)
        return row

    def _forget(self, row: Row) -> None:
        del self._rows[row["id"]]
        same = self._by_name[row["name"]]
        del same[row["id"]]
        if not same:
            del self._by_name[row["name"]]

    def _restore(self, before: dict[str, Row]) -> None:
        for id in self._rows.keys() - before.keys():
            self.delete(id)
        for id, row in before.items():
            if self._rows.get(id) is not row:
                self._put(row)

    def _checked(self, fields: Row, own_id: str = "") -> Row:
        """A whole record from what was sent, with defaults. Raises Refusal for what is not accepted."""
        type = str(fields.get("type", "")).upper()
        if type not in TYPES:
            raise _invalid(9004, f"DNS record type {type or 'null'} is invalid.")
        row = {
            "name": self._full_name(fields.get("name")),
            "type": type,
            "content": _content(type, fields.get("content")),
            "proxiable": type in PROXIABLE,
            "proxied": fields.get("proxied", False),
            "ttl": _ttl(fields.get("ttl", 1)),
            "settings": {},
            "meta": {},
            "comment": _comment(fields.get("comment")),
            "tags": fields.get("tags") or [],
        }
        if row["proxied"] not in (True, False):
            raise _invalid(9003, "Invalid 'proxied' value, must be a boolean")
        if row["proxied"]:
            if not row["proxiable"]:
                raise Refusal(400, 9041, "This DNS record cannot be proxied.")
            row["ttl"] = 1
        if row["tags"]:
            raise _invalid(9300, f"DNS record has {len(row['tags'])} tags, exceeding the quota of 0.")
        if type == "MX":
            row["priority"] = _priority(fields.get("priority"))
        self._refuse_conflict(row, own_id)
        return row

    def _full_name(self, name: Any) -> str:
        if not isinstance(name, str) or not name.strip("."):
            raise _invalid(9000, "DNS name is invalid.")
        full = name.rstrip(".").lower()
        if full == "@":
            full = self.name
        elif full != self.name and not full.endswith(f".{self.name}"):
            # Also a name of another domain: it is not refused, the zone is appended.
            full = f"{full}.{self.name}"
        if len(full) > 255 or not re.fullmatch(r"(\*\.)?([a-z0-9_-]{1,63}\.)*[a-z0-9-]{1,63}", full):
            raise _invalid(9000, "DNS name is invalid.")
        return full

    def _refuse_conflict(self, row: Row, own_id: str) -> None:
        others = [other for id, other in self._by_name.get(row["name"], {}).items() if id != own_id]
        hosts = [other for other in others if other["type"] in PROXIABLE]
        if any(other["type"] == row["type"] and other["content"] == row["content"] for other in others):
            same = [o for o in others if all(o[k] == row[k] for k in ("type", "content", "ttl", "proxied"))]
            if same:
                raise Refusal(400, 81058, "An identical record already exists.")
            raise Refusal(400, 81057, "The record already exists.")
        if (row["type"] == "CNAME" and hosts) or any(other["type"] == "CNAME" for other in hosts):
            if row["type"] in PROXIABLE:
                raise Refusal(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
            raise Refusal(400, 81054, "A CNAME record with that host already exists.")


def _public(row: Row) -> list[Record]:
    if row["proxied"]:
        return [Record(row["name"], "A", address) for address in EDGE_ADDRESSES]
    data = f"{row['priority']} {row['content']}" if row["type"] == "MX" else row["content"]
    return [Record(row["name"], row["type"], data, 300 if row["ttl"] == 1 else row["ttl"])]


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _invalid(code: int, message: str) -> Refusal:
    return Refusal(400, 1004, "DNS Validation Error", (code, message))


def _id_of(change: Row) -> str:
    id = change.get("id")
    if not isinstance(id, str):
        raise Refusal(400, 9207, "Request body is invalid.")
    return id


def _ttl(ttl: Any) -> int:
    valid = isinstance(ttl, int | float) and not isinstance(ttl, bool) and (ttl == 1 or 60 <= ttl <= 86400)
    if not valid:
        raise Refusal(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
    return int(ttl)


def _comment(comment: Any) -> str | None:
    if comment is None or comment == "":
        return None
    if not isinstance(comment, str) or "\n" in comment:
        raise _invalid(9312, "DNS record comment is invalid.")
    if len(comment) > COMMENT_LENGTH:
        what = f"DNS record comment exceeds the maximum length of {COMMENT_LENGTH} characters."
        raise Refusal(400, 9313, what)
    return comment


def _priority(priority: Any) -> int:
    if isinstance(priority, bool) or not isinstance(priority, int) or not 0 <= priority <= 65535:
        raise _invalid(9100, "Priority is invalid.")
    return priority


def _content(type: str, content: Any) -> str:
    if not isinstance(content, str) or not content:
        raise _invalid(9002, "DNS record content is invalid.")
    try:
        return _CONTENT[type](content)
    except ValueError:
        code, what = _CONTENT_ERRORS[type]
        raise Refusal(400, code, f"Content for {type} record {what}.") from None


def _host(content: str) -> str:
    host = content.rstrip(".").lower()
    if not re.fullmatch(r"([a-z0-9_-]{1,63}\.)*[a-z0-9-]{1,63}", host):
        raise ValueError(content)
    return host


def _text(content: str) -> str:
    if len(content) > 4096:
        raise ValueError(content)
    return content


_CONTENT: dict[str, Callable[[str], str]] = {
    "A": lambda content: str(ipaddress.IPv4Address(content)),
    "AAAA": lambda content: str(ipaddress.IPv6Address(content)),
    "CNAME": _host,
    "MX": _host,
    "NS": _host,
    "TXT": _text,
}
_CONTENT_ERRORS = {
    "A": (9005, "must be a valid IPv4 address"),
    "AAAA": (9006, "must be a valid IPv6 address"),
    "CNAME": (9007, "is invalid"),
    "MX": (9009, "is invalid"),
    "NS": (9008, "is invalid"),
    "TXT": (9010, "exceeds the maximum length"),
}

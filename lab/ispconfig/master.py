"""A zone file, read as `named-checkzone` of BIND 9.18 reads it: the whole zone, or a reason why not.

Every sentence was seen from `named-checkzone` 9.18.49 on files of the panel's template, and
tests/lab/test_ispconfig_bind.py asks it again where it is installed. What it only warns of is taken.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

LONGEST_TTL = 2**31 - 1  # seconds; more is taken as 0
SINGLE = {"CNAME", "DNAME", "SOA"}
FINGERPRINTS = {1: 40, 2: 64}  # hex digits of an SSHFP, by the kind of its fingerprint

_TOKEN = re.compile(rb'\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\;()]|\\.)+)|(;.*$)|([()"\\]))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(\d{3}|.|$)", re.DOTALL)


class Bad(Exception):
    """A record that BIND does not take; the whole zone then stays as it was."""

    def __init__(self, reason: str, by: str = "dns_master_load", at: str = "") -> None:
        super().__init__(reason)
        self.by, self.at = by, at


@dataclass(frozen=True, slots=True)
class Rr:
    """One record: whole names in lower case with their last dot. `data`: as `lab.names.Record` has it.
    `key`: what two records have to differ in."""

    name: str
    type: str
    ttl: int
    data: str
    key: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a zone is not loaded, in named-checkzone's lines."""

    lines: tuple[str, ...]


def read(origin: str, file: str, head: Sequence[bytes], lines: Sequence[bytes]) -> list[Rr] | Refused:
    """The records of a zone, its SOA first, or why there is none. `origin` with its last dot."""
    zone = f"zone {origin.rstrip('.')}/IN"
    default = _ttl(head[0].split()[1].decode())
    found: dict[str, list[Rr]] = {}
    complaints: list[str] = []
    reason = ""
    for number, line in enumerate((head[1], *lines), start=2):
        try:
            rr = _parsed(origin, default, line)
            if not _inside(rr.name, origin):
                continue
            beside = found.setdefault(rr.name, [])
            if complaint := _clash(rr, beside):
                raise Bad(complaint, at=rr.name.rstrip("."))
            beside.append(rr)
        except Bad as bad:
            reason = reason or str(bad)
            complaints.append(f"{bad.by}: {file}:{number}: {f'{bad.at}: ' if bad.at else ''}{bad}")
    if reason:
        complaints.append(f"{zone}: loading from master file {file} failed: {reason}")
        return Refused((*complaints, f"{zone}: not loaded due to errors."))
    if missing := _servers_missing(origin, found):
        return Refused((f"{zone}: {missing}", f"{zone}: not loaded due to errors."))
    return _sets(rr for beside in found.values() for rr in beside)


def _clash(last: Rr, beside: list[Rr]) -> str:
    """Why a record must not stand beside those of its name."""
    types = {rr.type for rr in beside}
    if (last.type == "CNAME" and types - {"CNAME"}) or ("CNAME" in types and last.type != "CNAME"):
        return "CNAME and other data"
    same = {rr.key for rr in beside if rr.type == last.type}
    if last.type in SINGLE and same - {last.key}:
        return "multiple RRs of singleton type"
    return "invalid NS owner name (wildcard)" if last.type == "NS" and last.name.startswith("*.") else ""


def _servers_missing(origin: str, found: dict[str, list[Rr]]) -> str:
    servers = [f"{rr.data}." for rr in found[origin] if rr.type == "NS"]
    if not servers:
        return "has no NS records"
    for name in servers:
        if _inside(name, origin) and not any(rr.type in ("A", "AAAA") for rr in found.get(name, ())):
            return f"NS '{name.rstrip('.')}' has no address records (A or AAAA)"
    return ""


def _sets(found: Iterable[Rr]) -> list[Rr]:
    """One of each record, with the TTL of the first of its set."""
    ttls: dict[tuple[str, str], int] = {}
    unique: dict[tuple[str, str, str], Rr] = {}
    for rr in found:
        ttl = ttls.setdefault((rr.name, rr.type), rr.ttl)
        unique.setdefault((rr.name, rr.type, rr.key), Rr(rr.name, rr.type, ttl, rr.data, rr.key))
    return list(unique.values())


def _inside(name: str, origin: str) -> bool:
    return name == origin or name.endswith(f".{origin}")


@lru_cache(maxsize=50_000)
def _parsed(origin: str, default: int, line: bytes) -> Rr:
    if b"\n" in line:
        raise Bad("unbalanced quotes" if line.count(b'"') else "unexpected end of line", "dns_rdata_fromtext")
    owner, *rest = line.split(b" ", 3)
    name = _name(owner, origin)
    if rest[0] == b"IN":  # the SOA's line has no TTL of its own
        type, ttl, data = "SOA", default, rest[2]
    else:
        type, ttl, data = rest[1].decode(), _ttl(rest[0].decode()) if rest[0] else default, rest[2]
    fields = list(_tokens(data))
    try:
        text, key = _RDATA[type](fields, origin)
    except Bad as bad:
        raise Bad(str(bad), "dns_rdata_fromtext", bad.at) from None
    except (IndexError, ValueError):
        raise Bad("unexpected end of input", "dns_rdata_fromtext", "near eol") from None
    return Rr(name, type, ttl, text, key)


def _ttl(text: str) -> int:
    return int(text) if int(text) <= LONGEST_TTL else 0


def _tokens(data: bytes) -> Iterator[bytes]:
    """The words and strings of a line, escapes still in them, up to a comment."""
    at = 0
    data = data.rstrip()
    while at < len(data):
        found = _TOKEN.match(data, at)
        if found is None or found[4] in (b'"', b"\\"):
            raise Bad("unbalanced quotes", "dns_rdata_fromtext")
        if found[3] is not None:
            return
        if found[4] is None:
            yield found[1] if found[1] is not None else found[2]
        at = found.end()


def _name(text: bytes, origin: str) -> str:
    """A whole name in lower case, with its last dot."""
    name = text.decode().lower()
    if name == ".":
        return name
    whole = origin if name == "@" else name if name.endswith(".") else f"{name}.{origin}"
    labels = whole[:-1].split(".")
    if not all(labels):
        raise Bad("empty label")
    if any(len(label) > 63 for label in labels):
        raise Bad("label too long")
    if len(whole) > 254:
        raise Bad("ran out of space")
    return whole


def _number(text: bytes, largest: int) -> int:
    if not text.isdigit():
        raise Bad("not a valid number", at=f"near '{text.decode(errors='replace')}'")
    if int(text) > largest:
        raise Bad("out of range", at=f"near '{text.decode()}'")
    return int(text)


def _bytes(text: bytes) -> bytes:
    """A string without its escapes: `\\DDD` is one byte, any other backslash only goes."""

    def byte(found: re.Match[bytes]) -> bytes:
        code = found[1]
        if len(code) == 3 and int(code) > 255:
            raise Bad("syntax error")
        return bytes([int(code)]) if len(code) == 3 else code

    if re.search(rb"(?<!\\)(?:\\\\)*\\\d(?!\d\d)", text):
        raise Bad("syntax error")
    value = _ESCAPED.sub(byte, text)
    if len(value) > 255:
        raise Bad("syntax error")
    return value


Rdata = tuple[str, str]
"""The text that is answered, and what makes two records different."""


def _address(kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address], reason: str) -> "Reader":
    def read(fields: list[bytes], origin: str) -> Rdata:
        try:
            address = str(kind(fields[0].decode()))
        except ValueError:
            raise Bad(reason, at=f"near '{fields[0].decode(errors='replace')}'") from None
        return address, address

    return read


def _hosts(*numbers: int) -> "Reader":
    """Numbers up to these, then a name."""

    def read(fields: list[bytes], origin: str) -> Rdata:
        values = [str(_number(fields[place], most)) for place, most in enumerate(numbers)]
        text = " ".join([*values, _name(fields[len(numbers)], origin).rstrip(".") or "."])
        return text, text

    return read


def _strings(fields: list[bytes], origin: str) -> Rdata:
    if not fields:
        raise Bad("unexpected end of input", at="near eol")
    strings = [_bytes(field) for field in fields]
    text = b"".join(strings).decode(errors="surrogateescape")
    return text, repr(strings)


def _permit(fields: list[bytes], origin: str) -> Rdata:
    flags = _number(fields[0], 255)
    if not fields[1].isalnum():
        raise Bad("syntax error", at=f"near '{fields[1].decode(errors='replace')}'")
    text = f'{flags} {fields[1].decode()} "{_bytes(fields[2]).decode(errors="surrogateescape")}"'
    return text, text


def _hashed(*numbers: int) -> "Reader":
    """Numbers up to these, then hex digits; of an SSHFP as many as its kind has."""

    def read(fields: list[bytes], origin: str) -> Rdata:
        values = [_number(fields[place], most) for place, most in enumerate(numbers)]
        digits = b"".join(fields[len(numbers) :]).decode()
        if not digits or len(digits) % 2 or not re.fullmatch("[0-9a-fA-F]+", digits):
            raise Bad("bad hex encoding", at="near eol")
        if len(numbers) == 2 and len(digits) != FINGERPRINTS.get(values[1], len(digits)):
            raise Bad("unexpected end of input", at="near eol")
        text = " ".join([*map(str, values), digits.lower()])
        return text, text

    return read


def _as_it_is(fields: list[bytes], origin: str) -> Rdata:
    text = b" ".join(fields).decode(errors="surrogateescape")
    return text, text


Reader = Callable[[list[bytes], str], Rdata]
_RDATA: dict[str, Reader] = {
    "A": _address(ipaddress.IPv4Address, "bad dotted quad"),
    "AAAA": _address(ipaddress.IPv6Address, "bad IPv6 address"),
    "CAA": _permit,
    "CNAME": _hosts(),
    "DNAME": _hosts(),
    "DS": _hashed(65_535, 255, 255),
    "HINFO": _as_it_is,
    "LOC": _as_it_is,
    "MX": _hosts(65_535),
    "NAPTR": _as_it_is,
    "NS": _hosts(),
    "PTR": _hosts(),
    "RP": _as_it_is,
    "SOA": lambda fields, origin: (" ".join(f.decode().rstrip(".") for f in fields), "SOA"),
    "SRV": _hosts(65_535, 65_535, 65_535),
    "SSHFP": _hashed(255, 255),
    "TLSA": _hashed(255, 255, 255),
    "TXT": _strings,
}

"""Zone files (RFC 1035, section 5; RFC 2308 for `$TTL`), read line by line and written.

A file from elsewhere is judged record by record: what cannot be taken is told with its line and the reason,
and does not keep the rest from being read. dnslib's own reader stops at the first thing that it does not
know, takes `\\DDD` as octal, and knows neither units of TTLs nor a class before the TTL (0.9.x, `dns.py`
RR.fromZone), so that only its parsing of messages is used here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dns import naming, records, txt
from dns.live import LiveZone
from dns.records import Entry, Held
from dns.zonelines import Logical, logical
from nodepoint.api.errors import ApiError

LARGEST = 5 * 1024 * 1024  # bytes
MOST = 2000  # records that are looked at; a zone has 500
SHOWN = 200  # characters of a line that is refused
DEFAULT_TTL = 3600  # seconds, where the file says none
AUTOMATIC = {1: 300}  # what Cloudflare exports for "automatic", and what it answers then
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
CLASSES = {"IN", "CH", "CS", "HS", "ANY", "NONE"}
SIGNING = {"CDNSKEY", "CDS", "DNSKEY", "NSEC", "NSEC3", "NSEC3PARAM", "RRSIG"}
NAMED = {"CNAME": 0, "NS": 0, "MX": 1, "SRV": 3}  # types that lead to a host, and where it stands

# What ISPConfig writes into its zone files (server/conf/bind_pri.domain.master).
PUBLISHED = {
    *("A", "AAAA", "ALIAS", "CAA", "CNAME", "DNAME", "DS", "HINFO", "LOC", "MX", "NAPTR", "NS"),
    *("PTR", "RP", "SRV", "SSHFP", "TLSA", "TXT"),
}

OURS = "The name servers and the SOA of the domain itself are ours and stay as they are."
SIGNED = "Keys and signatures of DNSSEC are made anew by our name servers."

_TTL = re.compile(r"(?:[0-9]{1,10}[smhdw]?)(?:[0-9]{1,10}[smhdw])*", re.IGNORECASE)
_PART = re.compile(r"([0-9]+)([smhdw]?)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([0-9]{3}|.)")


@dataclass(frozen=True)
class Line:
    """What one record of a file says: `entry`, or why it cannot be taken; `ours`: it is passed over, since
    that is the platform's. `note`: what was taken otherwise than it stands there."""

    number: int
    text: str
    entry: Entry | None = None
    reason: str = ""
    ours: bool = False
    note: str = ""


class _Unreadable(Exception):
    """A line that cannot be taken; it says why."""


def read(text: str, zone: str, proxy_ip: str) -> list[Line]:
    """All records of a file for the zone of that name (no last dot), in their order."""
    return list(_Reader(zone, proxy_ip).lines(text.removeprefix("\ufeff")))


class _Reader:
    """Reads one file, with what earlier lines say of the later ones."""

    def __init__(self, zone: str, proxy_ip: str) -> None:
        self._zone, self._proxy_ip = zone, proxy_ip
        self._origin = f"{zone}."
        self._owner = ""
        self._ttl: int | None = None  # of $TTL, else the last that was said, else the SOA's minimum
        self._fixed = False

    def lines(self, text: str) -> Iterator[Line]:
        """The records; directives have their effect and are not among them."""
        for place, line in enumerate(logical(text)):
            shown = " ".join(line.words)[:SHOWN].encode(errors="replace").decode()
            if place >= MOST:
                yield Line(line.number, "", reason=f"The file has more than {MOST} lines with records.")
                return
            try:
                if line.broken:
                    raise _Unreadable(line.broken)
                if found := self._line(line, shown):
                    yield found
            except (_Unreadable, naming.BadName) as error:
                yield Line(line.number, shown, reason=str(error))
            except ApiError as error:
                yield Line(line.number, shown, reason=error.sentence)

    def _line(self, line: Logical, shown: str) -> Line | None:
        first = line.words[0].upper()
        if first.startswith("$") and not line.inherits:
            self._directive(first, line.words[1:])
            return None
        name = self._named(line)
        ttl, type, data = self._fields(line.words if line.inherits else line.words[1:])
        if type == "SOA":
            self._learn(data)
        if type == "SOA" or (type == "NS" and name == f"{self._zone}."):
            return Line(line.number, shown, reason=OURS, ours=True)
        if type in SIGNING:
            return Line(line.number, shown, reason=SIGNED, ours=True)
        taken, note = _within(ttl)
        values = {"type": type, "name": name, "ttl": taken, "content": self._content(type, data)}
        return Line(line.number, shown, records.parse(values, self._zone, self._proxy_ip), note=note)

    def _directive(self, name: str, words: list[str]) -> None:
        if name == "$ORIGIN" and len(words) == 1:
            self._origin = self._whole(words[0])
        elif name == "$TTL" and len(words) == 1 and _TTL.fullmatch(words[0]):
            self._ttl, self._fixed = _seconds(words[0]), True
        elif name == "$INCLUDE":
            raise _Unreadable("Other files cannot be included: please put their lines here.")
        else:
            raise _Unreadable(f"The line {name} cannot be read.")

    def _named(self, line: Logical) -> str:
        if not line.inherits:
            self._owner = self._whole(line.words[0])
        if not self._owner:
            raise _Unreadable("The line has no name, and none comes before it.")
        return self._owner

    def _fields(self, words: list[str]) -> tuple[int, str, list[str]]:
        """TTL, type and data; TTL and class come in either order, or not at all."""
        ttl: int | None = None
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if ttl is None and _TTL.fullmatch(word):
                ttl = _seconds(word)
            elif word.upper() not in CLASSES:
                return self._ttl_of(ttl), word.upper(), rest
            elif word.upper() != "IN":
                raise _Unreadable(f"Records of the class {word.upper()} cannot be taken, only IN.")
        raise _Unreadable("The line says no type and no content.")

    def _ttl_of(self, said: int | None) -> int:
        if said is None:
            return DEFAULT_TTL if self._ttl is None else self._ttl
        if not self._fixed:
            self._ttl = said
        return said

    def _learn(self, soa: list[str]) -> None:
        """A file without $TTL means the minimum of its SOA (RFC 1035, 3.3.13)."""
        if self._ttl is None and len(soa) == 7 and _TTL.fullmatch(soa[6]):
            self._ttl = _seconds(soa[6])

    def _content(self, type: str, words: list[str]) -> str:
        if not words:
            raise _Unreadable("The line has no content.")
        if type == "TXT":  # every word is a string of its own
            return " ".join(word if word.startswith('"') else f'"{word}"' for word in words)
        place = NAMED.get(type, len(words))
        if place < len(words) and words[place].upper() != records.ALIAS:
            words = [*words[:place], self._whole(words[place]), *words[place + 1 :]]
        return " ".join(words)

    def _whole(self, word: str) -> str:
        """A name as files have it: without a last dot it is relative, whatever it ends in."""
        if word == "@":
            return self._origin
        if word.startswith('"'):
            raise _Unreadable("A name cannot stand in quotes.")
        name = _ESCAPED.sub(_sign, word)
        if name == ".":
            return name
        return name if name.endswith(".") else f"{name}.{self._origin}"


def _sign(found: re.Match[str]) -> str:
    """The character of an escape; one that would part labels, or that nobody can see, is no name here."""
    sign = chr(int(found[1])) if len(found[1]) == 3 else found[1]
    if sign in '."\\' or not "!" <= sign <= "~":
        raise _Unreadable("Names with such characters cannot be taken.")
    return sign


def _seconds(text: str) -> int:
    return sum(int(count) * UNITS[unit.lower()] for count, unit in _PART.findall(text))


def _within(ttl: int) -> tuple[int, str]:
    """A TTL that can be taken, and what to say where it is another one."""
    low, high = records.TTLS
    taken = min(max(AUTOMATIC.get(ttl, ttl), low), high)
    return taken, "" if taken == ttl else f"Its TTL of {ttl} seconds is taken as {taken}."


def write(zone: LiveZone) -> str:
    """The zone as a file: what our name servers publish, and as comments what they do not."""
    origin = f"{zone.name}."
    lines = [f"; {zone.name}, serial {zone.serial}", f"$ORIGIN {origin}"]
    if zone.soa:
        soa = zone.soa
        times = f"{zone.serial} {soa.refresh} {soa.retry} {soa.expire} {soa.minimum}"
        lines += [f"$TTL {soa.ttl}", f"{origin} IN SOA {soa.ns} {soa.mbox} {times}"]
    ordered = sorted(zone.records, key=lambda held: (held.entry.name != origin, held.entry.name, held.id))
    return "\n".join([*lines, *map(_written, ordered), ""])


def _written(held: Held) -> str:
    entry = held.entry
    type = "CNAME" if entry.type == "ALIAS" else entry.type  # as ISPConfig publishes it
    data = _quoted(held) if type == "TXT" else entry.data
    if entry.priority is not None:
        data = f"{entry.priority} {data}"
    line = f"{entry.name} {entry.ttl} IN {type} {data}"
    if not held.active or entry.type not in PUBLISHED or not line.isprintable():
        return f"; not published: {line.encode('unicode_escape').decode()}"
    return line


def _quoted(held: Held) -> str:
    """The strings of a TXT record, in plain ASCII."""
    octets = txt.octets(held.row.data) if held.row else held.entry.data.encode()
    parts = [octets[place : place + txt.CHUNK] for place in range(0, len(octets), txt.CHUNK)] or [b""]
    return " ".join(f'"{"".join(map(_octet, part))}"' for part in parts)


def _octet(byte: int) -> str:
    sign = chr(byte)
    if sign in '"\\':
        return f"\\{sign}"
    return sign if " " <= sign <= "~" else f"\\{byte:03}"

"""The text of TXT records, as ISPConfig stores it and BIND reads it.

The panel writes `"<stored text>"` into the zone file, with `" "` after every 255 bytes, wherever that is. So
`"` and `\\` are stored escaped, and characters beyond U+FFFF, which its tables cannot hold, as their bytes:
`\\240\\159\\152\\128`. A cut through an escape would stop the whole zone: where one would be cut, the string
is ended before it, with `" "` and as many blanks as fill up to the cut.

Source: server/plugins-available/bind_plugin.inc.php:287 (3.2.5+); run with MariaDB and BIND 9.18.49.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator

LONGEST = 4096  # bytes
CHUNK = 255
_SHORTEST_END = 3  # bytes of `" "`
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', re.DOTALL)
_PIECE = re.compile(rb'\\(\d{3})|\\(.?)|(")|([^"\\]+)', re.DOTALL)


class BadText(ValueError):
    """The text cannot be stored; it says why, in a sentence for customers."""


def clean(text: str) -> str:
    """The text that is meant: what was copied from a zone file, as one or more strings in quotes, without
    them."""
    text = text.strip()
    try:
        if _STRINGS.fullmatch(text):
            text = _said(text.encode(), quoted=False).decode()
        size = len(text.encode())
    except UnicodeError:
        raise BadText("The text must be UTF-8.") from None
    if not text:
        raise BadText("The text is missing.")
    if size > LONGEST:
        raise BadText(f"The text is too long: {LONGEST} bytes at most.")
    if any(unicodedata.category(sign) == "Cc" for sign in text):
        raise BadText("The text must not hold line breaks or other control characters.")
    return text


def escape(text: str) -> str:
    """The stored form of a clean text."""
    done: list[str] = []  # strings that are full
    units: list[str] = []  # of the string that is being filled: one character or escape each
    filled = 0  # bytes of it, with those of a character that the last cut went through
    for unit in _units(text):
        size = len(unit.encode())
        if unit[0] == "\\" and filled < CHUNK < filled + size:
            taken, carried = _ended(units, filled)
            done += taken
            units, filled = carried, sum(len(one.encode()) for one in carried)
        units.append(unit)
        filled += size
        if filled >= CHUNK:
            done += units
            units, filled = [], filled - CHUNK
    return "".join(done + units)


def unescape(stored: str) -> str:
    """The text that a stored form is public as. Bytes that are no UTF-8 are shown as `\\DDD`."""
    return octets(stored).decode(errors=_NUMBERED)


def octets(stored: str) -> bytes:
    """The bytes that a stored form is public as, in all its strings together."""
    data = stored.encode(errors="surrogateescape")
    strings = b'" "'.join(data[i : i + CHUNK] for i in range(0, len(data), CHUNK))
    return _said(strings, quoted=True)


def _units(text: str) -> Iterator[str]:
    """What must not be cut, one by one; of other characters BIND takes the bytes on both sides of a cut."""
    for sign in text:
        if sign in '"\\':
            yield f"\\{sign}"
        elif sign > "\uffff":
            yield from (f"\\{byte:03}" for byte in sign.encode())
        else:
            yield sign


def _ended(units: list[str], filled: int) -> tuple[list[str], list[str]]:
    """A string that is ended before the cut, and what of it belongs into the next one."""
    kept = list(units)
    carried: list[str] = []
    while CHUNK - filled < _SHORTEST_END:
        carried.insert(0, kept.pop())
        filled -= len(carried[0].encode())
    return [*kept, '"', " " * (CHUNK - filled - 2), '"'], carried


def _said(data: bytes, *, quoted: bool) -> bytes:
    """What a line of strings says; `quoted`: it begins and ends within one. Outside of quotes blanks part
    words, and a `;` ends all."""
    said = bytearray()
    for number, escaped, quote, plain in _PIECE.findall(data):
        if quote:
            quoted = not quoted
        elif number and int(number) <= 255:
            said.append(int(number))
        elif plain and not quoted:
            words, semicolon, _ = plain.partition(b";")
            said += b"".join(words.split())
            if semicolon:
                break
        else:
            said += number or escaped or plain
    return bytes(said)


def _as_number(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(f"\\{byte:03}" for byte in error.object[error.start : error.end]), error.end


_NUMBERED = "dns.numbered"
codecs.register_error(_NUMBERED, _as_number)

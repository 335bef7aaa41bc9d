"""The text of TXT records, as ISPConfig stores it: with `"` and `\\` escaped, and cut into strings of 255
bytes by the panel.

A cut through an escape breaks the whole zone, so no escape may lie across a multiple of 255. Where one would,
a letter before it is written as an escape of its own (`\\a` is `a`), which moves it by one byte.
"""

import re
import unicodedata

LONGEST = 4096  # bytes
CHUNK = 255
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


class BadText(ValueError):
    """The text cannot be stored; it says why, in a sentence for customers."""


def clean(text: str) -> str:
    """The text that is meant: what was copied from a zone file, as one or more strings in quotes, without
    them."""
    text = text.strip()
    if _STRINGS.fullmatch(text):
        text = "".join(unescape(found) for found in _STRING.findall(text))
    if not text:
        raise BadText("The text is missing.")
    if len(text.encode()) > LONGEST:
        raise BadText(f"The text is too long: {LONGEST} bytes at most.")
    if any(unicodedata.category(sign) == "Cc" for sign in text):
        raise BadText("The text must not hold line breaks or other control characters.")
    return text


def escape(text: str) -> str:
    """The stored form of a clean text. BadText in the rare case that it cannot be cut."""
    units: list[str] = []  # of the string that is being filled: one character or escape each
    done: list[str] = []
    filled = 0
    for sign in text:
        unit = f"\\{sign}" if sign in '"\\' else sign
        if len(unit) == 2 and filled == CHUNK - 1:
            _lengthen(units)
            filled += 1
        if filled >= CHUNK:
            done += units
            units, filled = [], filled - CHUNK
        units.append(unit)
        filled += len(unit.encode())
    return "".join(done + units)


def _lengthen(units: list[str]) -> None:
    """Write one letter of these as an escape. Digits will not do: `\\123` is the character of that number."""
    for place in range(len(units) - 1, -1, -1):
        unit = units[place]
        if len(unit) == 1 and unit.isascii() and not unit.isdigit():
            units[place] = f"\\{unit}"
            return
    raise BadText("The text holds too many quotes or backslashes in a row.")


def unescape(stored: str) -> str:
    """The text that a stored form stands for."""
    return re.sub(r"\\(\d{3}|.)", _character, stored, flags=re.DOTALL)


def _character(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code)) if len(code) == 3 else code

"""PHP's `idn_to_ascii` (UTS 46, non-transitional), through which the panel sends names: what it does not take
becomes nothing at all.

Seen with PHP 8.2.36 and ICU 72.1, whose answers are recorded in tests/lab/idn_facts.json. It is not IDNA2008:
symbols such as a snowman pass. What Unicode changed since ICU 72's version 15 is refused here, as there;
`ẞ` is still `ss`, not `ß`.
"""

import re
import unicodedata

import idna

LONGEST_LABEL, LONGEST = 63, 253
_NUMBERS = re.compile(r"[0-9.]+")
# Characters that the tables of `idna` take and those of ICU 72 do not: mapped, or ignored, only since then.
_SINCE = re.compile(
    "[\u04c0\u10a0-\u10c5\u115f\u1160\u17b4\u17b5\u1806\u180e\u2061-\u2063\u206a-\u206f\u2132\u2183"
    "\u3164\uffa0\U0001d173-\U0001d17a\U0002f868\U0002f874\U0002f91f\U0002f95f\U0002f9bf]"
)


def encoded(name: str) -> str:
    """What the panel's IDNTOASCII filter makes of a value, which may be nothing.

    Source: `_idn_encode_decode` and `idn_encode`, interface/lib/classes/functions.inc.php:324, 383 (3.2.5+).
    """
    return "\n".join(_line(line) for line in name.split("\n"))


def _line(text: str) -> str:
    if not text or _NUMBERS.fullmatch(text):
        return text  # it may be an address, they say there
    user, at, domain = text.rpartition("@")
    return user + at + (to_ascii(domain) or "")


def to_ascii(domain: str) -> str | None:
    """The name in ASCII and lower case; None where PHP returns false."""
    try:
        mapped = idna.uts46_remap(domain.replace("ẞ", "ss"), std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError):
        return None
    if _SINCE.search(domain):
        return None
    if any(unicodedata.category(sign) == "Cn" for sign in mapped):
        return None
    labels = mapped.split(".")
    inner = labels[:-1] if len(labels) > 1 and not labels[-1] else labels
    done = [_label(label) for label in inner]
    if any(label is None for label in done):
        return None
    whole = ".".join(label or "" for label in done)
    return whole + "." * (len(labels) - len(inner)) if 0 < len(whole) <= LONGEST else None


def _label(label: str) -> str | None:
    """One label that is mapped already."""
    if label.startswith("xn--"):
        return label if _is_encoded(label) else None
    if not _stands(label):
        return None
    if not label.isascii():
        label = "xn--" + label.encode("punycode").decode()
    return label if len(label) <= LONGEST_LABEL else None


def _stands(label: str) -> bool:
    return bool(
        label
        and not label.startswith("-")
        and not label.endswith("-")
        and label[2:4] != "--"
        and not unicodedata.category(label[0]).startswith("M")
    )


def _is_encoded(label: str) -> bool:
    """Whether a label that says it is punycode is: it must come back the same by way of its letters."""
    if len(label) > LONGEST_LABEL:
        return False
    try:
        letters = label[4:].encode().decode("punycode")
        is_mapped = idna.uts46_remap(letters, std3_rules=False, transitional=False) == letters
    except (idna.IDNAError, UnicodeError):
        return False
    again = "xn--" + letters.encode("punycode").decode()
    return is_mapped and not letters.isascii() and again == label and _stands(letters)

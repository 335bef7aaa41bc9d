"""Names of zones, records and hosts: every form that people write, as the one form that DNS has."""

import re

import idna

LONGEST = 253  # characters of a whole name
DASHES = "A part of a name may have -- in third and fourth place only when it is a valid xn-- form."
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_UNDERSCORED = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


class BadName(ValueError):
    """The text is no such name; it says why, in a sentence for customers."""


def domain(text: str) -> str:
    """A zone's name in ASCII and lower case, without a last dot: at least two labels, none with an
    underscore."""
    name = _ascii(text.strip().removesuffix("."))
    if "." not in name or not _fits(name, _LABEL) or name.rpartition(".")[2].isdigit():
        raise BadName("Use a domain name such as example.com.")
    return name


def record(text: str, zone: str, *, underscores: bool, wildcard: bool) -> str:
    """The whole name of a record in a zone, with its last dot.

    `@` is the zone itself. A name that ends in the zone, with or without a last dot, is whole; any other is
    relative.
    """
    text = text.strip()
    name = zone if text == "@" else _ascii(text.removesuffix("."))
    if name != zone and not name.endswith(f".{zone}"):
        if text.endswith("."):
            raise BadName(f"The name is not inside {zone}.")
        name = f"{name}.{zone}"
    inner = name.removeprefix("*.") if wildcard else name
    if len(name) > LONGEST or not _fits(inner, _UNDERSCORED if underscores else _LABEL):
        raise BadName(_allowed(underscores, wildcard))
    return f"{name}."


def _allowed(underscores: bool, wildcard: bool) -> str:
    signs = "letters, digits, - and _" if underscores else "letters, digits and -"
    star = ", or * as its first part" if wildcard else ""
    return f"A name is made of parts of 1 to 63 {signs}, with dots between{star}; @ is the domain itself."


def host(text: str, zone: str, *, underscores: bool = False) -> str:
    """The name of a host that a record leads to, with its last dot.

    A name without any dot is inside the zone, `@` is the zone itself; every other name is whole.
    """
    text = text.strip()
    name = zone if text == "@" else _ascii(text.removesuffix("."))
    if "." not in text and text != "@":
        name = f"{name}.{zone}"
    fits = _fits(name, _UNDERSCORED if underscores else _LABEL)
    if "." not in name or not fits or name.rpartition(".")[2].isdigit():
        raise BadName("Use a host name such as mail.example.com, not an address.")
    return f"{name}."


def written(text: str) -> str:
    """A name in ASCII and lower case, without a last dot, whatever it is; BadName for what IDNA does not
    have."""
    return _ascii(text.strip().removesuffix("."))


def ancestors(name: str) -> list[str]:
    """Every name above this one, the nearest first."""
    labels = name.split(".")
    return [".".join(labels[i:]) for i in range(1, len(labels))]


def related(name: str, other: str) -> bool:
    """Whether one of two names is, or is above, the other."""
    return name == other or name.endswith(f".{other}") or other.endswith(f".{name}")


def absolute(stored: str, origin: str) -> str:
    """A name as ISPConfig stores it, whole and in lower case; `origin` ends in a dot."""
    if stored in ("", "@"):
        return origin
    return stored.lower() if stored.endswith(".") else f"{stored.lower()}.{origin}"


def _ascii(name: str) -> str:
    """Lower case, with the labels that hold other letters in their IDNA form (mapped by UTS 46)."""
    try:
        mapped = name.lower() if name.isascii() else idna.uts46_remap(name, std3_rules=False)
        labels = [label if label.isascii() else idna.alabel(label).decode() for label in mapped.split(".")]
    except (idna.IDNAError, UnicodeError):
        raise BadName("The name holds letters that no domain name can have.") from None
    if not all(_is_kept(label) for label in labels):
        raise BadName(DASHES)
    return ".".join(labels)


def _is_kept(label: str) -> bool:
    """Whether ISPConfig stores a label as it is. One with `--` in third and fourth place that is no valid
    A-label it turns into nothing, so that the record lands on the domain itself (PHP's idn_to_ascii)."""
    if label[2:4] != "--":
        return True
    try:
        return idna.alabel(idna.ulabel(label)).decode() == label
    except (idna.IDNAError, UnicodeError):
        return False


def _fits(name: str, label: re.Pattern[str]) -> bool:
    return len(name) <= LONGEST and all(label.fullmatch(part) for part in name.split("."))

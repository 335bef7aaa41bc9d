"""The contents of SRV, CAA, TLSA and SSHFP records: written as in a zone file, or field by field.

ISPConfig looks at little of it (interface/web/dns/form/dns_srv, dns_caa, dns_tlsa, dns_sshfp.tform.php), BIND
at the form. What no client could use, such as a fingerprint of another length than its kind has, is refused
here, by the RFC of each type.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dns import naming
from dns.errors import BadField

MOST = {"weight": 65_535, "port": 65_535, "priority": 65_535}
LONGEST_PART = 64  # characters of each part of an SRV (dns_srv.tform.php: srv_error_regex)
LONGEST_VALUE = 255  # bytes of a CAA's value
LONGEST_ASSOCIATION = 4096  # hex digits of a TLSA: a certificate of 2 kB
NOWHERE = "."  # the target of an SRV that says that there is no such service (RFC 2782)
CRITICAL = (0, 128)  # RFC 8659, 4.1: all other bits are reserved
ISSUERS = ("issue", "issuewild", "issuemail", "issuevmc")  # RFC 8659, RFC 9495, and the registry of tags
CONTACTS = ("contactemail", "contactphone")
TAGS = (*ISSUERS, "iodef", *CONTACTS)
USAGES, SELECTORS = (0, 1, 2, 3), (0, 1)  # RFC 6698, 2.1
ASSOCIATIONS = {0: 0, 1: 64, 2: 128}  # hex digits, by the matching type; 0: the whole, of any length
ALGORITHMS = (1, 2, 3, 4, 6)  # RSA, DSA, ECDSA, Ed25519, Ed448 (RFC 4255, 6594, 7479, 8709)
FINGERPRINTS = {1: 40, 2: 64}  # hex digits of SHA-1 and SHA-256

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_TLSA_NAME = re.compile(r"_([0-9]{1,5})\._(tcp|udp)\..+")
_ISSUER = re.compile(
    r"(?P<ca>[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+)?[ \t]*"
    r"(;[ \t]*([a-z0-9-]+[ \t]*=[ \t]*[!-:<-~]*[ \t]*(;[ \t]*[a-z0-9-]+[ \t]*=[ \t]*[!-:<-~]*[ \t]*)*)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Structure:
    """`fields`: as the RFC calls them, in their order. `form`: how people write them. `read`: the data that
    is stored for these values, in a zone; ValueError with a sentence, BadField where one field is meant."""

    fields: tuple[str, ...]
    form: str
    read: Callable[[Mapping[str, str], str], str]


def _srv(values: Mapping[str, str], zone: str) -> str:
    weight, port = (_number(values, name) for name in ("weight", "port"))
    target = values["target"].strip()
    if target != NOWHERE:
        target = _of_field("target", lambda: naming.host(target, zone))
        if len(target) > LONGEST_PART:
            raise BadField("target", f"The target of an SRV has at most {LONGEST_PART - 1} characters here.")
    return f"{weight} {port} {target}"


def _caa(values: Mapping[str, str], zone: str) -> str:
    flags, tag, value = _number(values, "flags", CRITICAL), values["tag"].lower(), values["value"].strip()
    if tag not in TAGS:
        raise BadField("tag", f"Use one of the tags {', '.join(TAGS)}.")
    if not value or len(value) > LONGEST_VALUE or not re.fullmatch(r"[ !#-\[\]-~]+", value):
        raise BadField(
            "value", f"The value is 1 to {LONGEST_VALUE} plain characters, without quotes and backslashes."
        )
    if tag in ISSUERS and not _ISSUER.fullmatch(value):
        raise BadField("value", "Use the name of a certificate authority such as letsencrypt.org, or ;.")
    if tag == "iodef" and not re.match(r"(mailto:[^@\s]+@\S|https?://\S)", value):
        raise BadField("value", "Use an address such as mailto:security@example.com or https://example.com/.")
    if tag == "contactemail" and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise BadField("value", "Use an e-mail address.")
    return f'{flags} {tag} "{value}"'


def _tlsa(values: Mapping[str, str], zone: str) -> str:
    usage = _number(values, "certificate_usage", USAGES)
    selector = _number(values, "selector", SELECTORS)
    matching = _number(values, "matching_type", tuple(ASSOCIATIONS))
    digits = _hex(values, "certificate_association_data", ASSOCIATIONS[matching], LONGEST_ASSOCIATION)
    return f"{usage} {selector} {matching} {digits}"


def _sshfp(values: Mapping[str, str], zone: str) -> str:
    algorithm = _number(values, "algorithm", ALGORITHMS)
    kind = _number(values, "fp_type", tuple(FINGERPRINTS))
    return f"{algorithm} {kind} {_hex(values, 'fingerprint', FINGERPRINTS[kind])}"


STRUCTURES: dict[str, Structure] = {
    "SRV": Structure(("weight", "port", "target"), "10 20 5060 sip.example.com", _srv),
    "CAA": Structure(("flags", "tag", "value"), '0 issue "letsencrypt.org"', _caa),
    "TLSA": Structure(
        ("certificate_usage", "selector", "matching_type", "certificate_association_data"),
        "3 1 1 and 64 hex digits",
        _tlsa,
    ),
    "SSHFP": Structure(("algorithm", "fp_type", "fingerprint"), "4 2 and 64 hex digits", _sshfp),
}


def read(type: str, values: Mapping[str, Any], zone: str) -> tuple[int | None, str]:
    """Priority (of an SRV) and data of what a caller means: in the fields of the type, or all in `content`.
    BadField."""
    structure, priority = STRUCTURES[type], values.get("priority")
    if any(values.get(name) is not None for name in structure.fields):
        parts = {name: _present(values, name) for name in structure.fields}
    else:
        priority, parts = _taken_apart(type, structure, priority, _present(values, "content"))
    if type != "SRV":
        return None, structure.read(parts, zone)
    if priority is None:
        raise BadField("priority", "The field priority is missing.")
    number = _number({"priority": str(priority)}, "priority")
    return number, structure.read(parts, zone)


def _present(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None or not str(value).strip():
        raise BadField(name, f"The field {name} is missing.")
    return str(value)


def _taken_apart(
    type: str, structure: Structure, priority: Any, content: str
) -> tuple[Any, Mapping[str, str]]:
    """The fields in a text as it stands in a zone file; an SRV's priority may stand beside it instead."""
    words = [quoted or plain for quoted, plain in _WORD.findall(content)]
    most = len(structure.fields)
    if type == "SRV" and (priority is None or len(words) == most + 1):
        priority, words = (words[0] if words else None), words[1:]
    if type in ("TLSA", "SSHFP") and len(words) > most:
        words = [*words[: most - 1], "".join(words[most - 1 :])]
    if len(words) != most:
        raise BadField("content", f"Write a record of type {type} as: {structure.form}.")
    return priority, dict(zip(structure.fields, words, strict=True))


def _number(values: Mapping[str, str], name: str, allowed: tuple[int, ...] = ()) -> int:
    text = values[name].strip()
    number = int(text) if re.fullmatch("[0-9]{1,5}", text) else -1
    if allowed and number not in allowed:
        said = ", ".join(map(str, allowed[:-1]))
        raise BadField(name, f"The field {name} must be {said} or {allowed[-1]}.")
    if not allowed and not 0 <= number <= MOST[name]:
        raise BadField(name, f"The field {name} must be a number from 0 to {MOST[name]}.")
    return number


def _hex(values: Mapping[str, str], name: str, length: int, most: int = 0) -> str:
    digits = "".join(values[name].split()).replace(":", "").lower()
    if not re.fullmatch("(?:[0-9a-f]{2})+", digits):
        raise BadField(name, f"The field {name} must be hex digits, two for each byte.")
    if length and len(digits) != length:
        raise BadField(name, f"The field {name} must have {length} hex digits for its kind.")
    if most and len(digits) > most:
        raise BadField(name, f"The field {name} has at most {most} hex digits.")
    return digits


def _of_field(name: str, read: Callable[[], str]) -> str:
    try:
        return read()
    except ValueError as error:
        raise BadField(name, str(error)) from None


def check_name(type: str, name: str, zone: str) -> None:
    """Whether a whole name (with its last dot) is one under which clients look for such a record.
    `naming.BadName`."""
    labels = name.removesuffix(f"{zone}.").rstrip(".").split(".")
    if type == "SRV" and not (len(labels) >= 2 and all(label.startswith("_") for label in labels[:2])):
        raise naming.BadName("The name of an SRV begins with service and protocol, such as _sip._tcp.")
    if type == "TLSA":
        found = _TLSA_NAME.fullmatch(name)
        if found is None or not 1 <= int(found[1]) <= 65_535 or "_" in name[found.end(2) :]:
            raise naming.BadName(
                "The name of a TLSA is port, protocol (_tcp or _udp) and host, such as _443._tcp.www."
            )


def shown(type: str, data: str, origin: str) -> str:
    """Stored data in the one form that they have here: whole targets, hex digits in lower case and in one
    piece. What cannot be read stays as it is; staff may have written it."""
    words = data.split()
    if type == "SRV" and len(words) == 3:
        return f"{words[0]} {words[1]} {naming.absolute(words[2], origin)}"
    if type in ("TLSA", "SSHFP") and len(words) >= (most := len(STRUCTURES[type].fields)):
        return " ".join([*words[: most - 1], "".join(words[most - 1 :]).lower()])
    if type == "CAA" and (found := re.fullmatch(r'(\d+)\s+(\w+)\s+"?([^"]*)"?', data.strip())):
        return f'{found[1]} {found[2].lower()} "{found[3]}"'
    return data

"""What the panel's forms check, and what they let pass: patterns and error keys as 3.2.12 has them.

Source: interface/web/dns/form/dns_<type>.tform.php and dns_soa.tform.php (3.2.5+), and the recordings with
3.2.12. Python's `$`, like PHP's, matches before a newline at the end: that is how such names get through.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

LARGEST = 4294967295  # of an unsigned INT column; more is cut to it


def zone_errors(params: Mapping[str, Any]) -> list[str]:
    """The keys of what is wrong with the values of a zone."""
    errors = []
    if not params.get("server_id") and params.get("server_id") != 0:
        errors.append("server_id_error_empty")
    origin = str(params.get("origin") or "")
    if not origin:
        errors.append("origin_error_empty")
    if not re.match(r"^[a-zA-Z0-9.\-/]{1,255}\.[a-zA-Z0-9\-]{2,63}\.?$", origin):
        errors.append("origin_error_regex")
    if not re.match(r"^[a-zA-Z0-9.\-]{1,255}$", str(params.get("ns") or "")):
        errors.append("ns_error_regex")
    mbox = str(params.get("mbox") or "")
    if not mbox:
        errors.append("mbox_error_empty")
    if not re.match(r"^[a-zA-Z0-9._\-]{1,255}\.$", mbox):
        errors.append("mbox_error_regex")
    numbers = ("refresh", "retry", "expire", "minimum", "ttl")
    errors += [f"{name}_range_error" for name in numbers if _number(params.get(name)) < 60]
    for name in ("xfer", "also_notify"):
        if not _are_peers(str(params.get(name) or "")):
            errors.append(f"{name}_error_regex")
    return errors


def _are_peers(text: str) -> bool:
    """Nothing, `any`, or addresses with or without a prefix
    (interface/lib/classes/validate_dns.inc.php:287)."""
    if text in ("", "any"):
        return True
    return all(_is_peer(*part.strip().partition("/")) for part in text.split(","))


def _is_peer(address: str, slash: str, prefix: str) -> bool:
    longest = 128 if ":" in address else 32
    return _is_address(address) and (not slash or (prefix.isdecimal() and 1 <= int(prefix) <= longest))


def record_errors(type: str, params: Mapping[str, Any]) -> list[str]:
    """The keys of what is wrong with a record, as the form of the function's type sees it."""
    data = _plain(params.get("data"))
    name = str(params.get("name") or "")
    errors = _DATA[type](data)
    if not re.match(_NAMES[type], name):
        errors.insert(0, "name_error_regex")
    ttl = params.get("ttl")
    # "abc" is no number, and so it is not below the range either.
    if ttl in (None, "") or (_is_number(ttl) and _number(ttl) < 60):
        errors.append("ttl_range_error")
    return errors


def client_errors(params: Mapping[str, Any]) -> list[str]:
    """The keys of what is wrong with a client, uniqueness apart."""
    errors = [] if params.get("contact_name") else ["contact_error_empty"]
    username = str(params.get("username") or "")
    if not username:
        errors.append("username_error_empty")
    elif not re.match(r"^[\w.\-]{0,64}$", username):
        errors.append("username_error_regex")
    if not params.get("language"):
        errors.append("language_error_empty")
    email = str(params.get("email") or "")
    if not re.match(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", email):
        errors.append("email_error_isemail")
    if not email:
        errors.append("email_error_empty")
    errors += [f"{name}_notempty" for name in ("web_php_options", "ssh_chroot") if not params.get(name)]
    limits = ("limit_dns_zone", "limit_dns_record")
    errors += [f"{name}_error_notint" for name in limits if not _is_number(params.get(name, 0))]
    return errors


def weak(password: str) -> bool:
    """Whether a password is below the panel's default policy; an empty one is not looked at."""
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
    return bool(password) and (
        len(password) < 8 or sum(bool(re.search(kind, password)) for kind in kinds) < 3
    )


def number(value: Any) -> int:
    """What an unsigned INT column keeps of a value that it is given."""
    return max(0, min(LARGEST, _number(value)))


def _number(value: Any) -> int:
    match = re.match(r"\s*-?\d+", str(value if value is not None else ""))
    return int(match[0]) if match else 0


def _is_number(value: Any) -> bool:
    return re.fullmatch(r"\s*-?\d+", str(value)) is not None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return True


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")


def _address(kind: type) -> Callable[[str], list[str]]:
    def check(data: str) -> list[str]:
        errors = [] if data else ["data_error_empty"]
        try:
            kind(data)
        except ValueError:
            errors.append("ip_error_wrong")
        return errors

    return check


def _host(pattern: str) -> Callable[[str], list[str]]:
    def check(data: str) -> list[str]:
        errors = [] if data else ["data_error_empty"]
        if not re.match(pattern, data):
            errors.append("data_error_regex")
        return errors

    return check


def _pattern(pattern: str, key: str, needed: bool = True) -> Callable[[str], list[str]]:
    def check(data: str) -> list[str]:
        errors = ["data_error_empty"] if needed and not data else []
        return errors if re.match(pattern, data) else [*errors, key]

    return check


def _anything(data: str) -> list[str]:
    return [] if data else ["data_error_empty"]


_DATA: dict[str, Callable[[str], list[str]]] = {
    "A": _address(ipaddress.IPv4Address),
    "AAAA": _address(ipaddress.IPv6Address),
    "ALIAS": _host(r"^[a-zA-Z0-9.\-]{1,255}$"),
    "CAA": lambda data: [],
    "CNAME": _host(r"^[a-zA-Z0-9._\-]{1,255}$"),
    "DNAME": _host(r"^[a-zA-Z0-9._\-]{1,255}$"),
    "DS": _pattern(r"^\d{1,5}\s\d{1,2}\s\d{1,2}\s.+$", "invalid_type_ds", needed=False),
    "HINFO": _anything,
    "LOC": _anything,
    "MX": _host(r"^[a-zA-Z0-9.\-]{1,255}$"),
    "NAPTR": _pattern(
        r'^\s*(\d+)\s+"([a-zA-Z0-9]*)"\s+"([^"]*)"\s+"(.*)"\s+([^\s]*\.)\s*$', "naptr_error_regex"
    ),
    "NS": _host(r"^[a-zA-Z0-9.\-]{1,255}$"),
    "PTR": _host(r"^[a-zA-Z0-9.\-]{1,256}$"),
    "RP": _host(r"^[\w.\-\s]{1,128}$"),
    "SRV": _pattern(r"^[\w.\-]{0,64}\s[\w.\-]{0,64}\s[\w.\-]{0,64}$", "srv_error_regex"),
    "SSHFP": _anything,
    "TLSA": _pattern(r"^\d \d \d [a-zA-Z0-9]*$", "data_error_regex"),
    "TXT": _anything,
}
_NAMES = {
    "A": r"^[a-zA-Z0-9.*\-]{0,64}$",
    "AAAA": r"^[a-zA-Z0-9.*\-]{0,64}$",
    "ALIAS": r"^[a-zA-Z0-9._\-]{1,255}$",
    "CAA": r"^[a-zA-Z0-9._\-]{0,255}$",
    "CNAME": r"^[a-zA-Z0-9.*_\-]{0,255}$",
    "DNAME": r"^[a-zA-Z0-9.*_\-]{0,255}$",
    "DS": r"^[a-zA-Z0-9._\-]{0,255}$",
    "HINFO": r"^[a-zA-Z0-9.\-]{1,64}$",
    "LOC": r"^[a-zA-Z0-9._\-]{0,255}$",
    "MX": r"^[a-zA-Z0-9.*\-]{0,255}$",
    "NAPTR": r"^((\*|[a-zA-Z0-9\-_]{1,255})(\.[a-zA-Z0-9\-_]{1,255})*\.?)?$",
    "NS": r"^[a-zA-Z0-9._\-]{0,255}$",
    "PTR": r"^[a-zA-Z0-9.\-]{1,256}$",
    "RP": r"^[a-zA-Z0-9.\-]{0,255}$",
    "SRV": r"^[a-zA-Z0-9._\-]{0,255}$",
    "SSHFP": r"^(\*\.|[a-zA-Z0-9._\-]){0,255}$",
    "TLSA": r"^_\d{1,5}\._(tcp|udp)\.[a-zA-Z0-9.\-]{1,255}$",
    "TXT": r"^(\*\.|[a-zA-Z0-9._\-]){0,255}$",
}
TYPES = tuple(_DATA)
"""Types with functions of their own. `dns_a_delete` deletes a row of any other (DNSKEY), too."""
UNCONVERTED = ("AAAA", "TLSA")
"""Types whose form has no IDNTOASCII filter on the name."""
TARGETS = ("ALIAS", "CNAME", "DNAME", "MX", "NS", "PTR")
"""Types whose data are a name: converted, and lower case."""

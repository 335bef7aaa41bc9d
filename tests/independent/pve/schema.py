"""Parameters, checked against the published schemas of Proxmox VE 8.4 and 9.2, in the words of JSONSchema.pm.

`schema.json` holds, of the calls that are played, what the schemas say: types, bounds, patterns, and who may
call. A parameter that only one of the versions knows stands there with it.
"""

import ipaddress
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.independent.pve.refusals import Refusal

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"
NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
WORDS = {
    "dns-name": rf"(?:{NAME}\.)*{NAME}",
    "pve-configid": r"[a-zA-Z][a-zA-Z0-9_-]+",
    "pve-node": NAME,
    "pve-poolid": r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){0,2}",
    "pve-storage-id": r"[a-zA-Z][a-zA-Z0-9._-]*[a-zA-Z0-9]",
    "pve-vmid": r"[1-9][0-9]{2,8}",
    "pve-ha-resource-or-vm-id": r"(?:(?:ct|vm):)?[1-9][0-9]{2,8}",
    "pve-fw-dport-spec": r"\d+(?::\d+)?(?:,\d+(?::\d+)?)*",
}
LISTS = {
    "pve-vmid-list": "pve-vmid",
    "pve-storage-id-list": "pve-storage-id",
    "pve-configid-list": "pve-configid",
}


@dataclass(frozen=True)
class Call:
    """A call of the API as its schema describes it."""

    path: str
    method: str
    permissions: dict[str, Any]
    parameters: dict[str, dict[str, Any]]


@cache
def calls(version: str) -> list[Call]:
    """All that the version knows of those that are played."""
    entries = json.loads(Path(__file__).with_name("schema.json").read_text())
    return [
        Call(
            entry["path"],
            entry["method"],
            entry["permissions"],
            {name: schema for name, only, schema in entry["parameters"] if only in ("", version)},
        )
        for entry in entries
    ]


def find(version: str, method: str, path: str) -> tuple[Call, dict[str, str]] | None:
    """The call behind a path, and the variables in it."""
    for call in calls(version):
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", call.path)
        if call.method == method and (match := re.fullmatch(pattern, path)):
            return call, match.groupdict()
    return None


def check(call: Call, values: dict[str, str]) -> None:
    """Refusal 400 with all that is wrong."""
    errors: dict[str, str] = {}
    _object(call.parameters, values, "", errors)
    if errors:
        raise Refusal(400, "Parameter verification failed.", errors)


def _object(schema: dict[str, Any], values: dict[str, str], at: str, errors: dict[str, str]) -> None:
    for name, value in values.items():
        if (known := schema.get(re.sub(r"\d+$", "[n]", name)) or schema.get(name)) is None:
            errors[at + name] = UNKNOWN
            continue
        if (needed := known.get("requires")) and needed not in values:
            errors[at + needed] = f"missing property required by '{at}{name}'"
        if complaint := _property(known, value):
            errors[at + name] = complaint
    for name, known in schema.items():
        if not known.get("optional") and name not in values and "[n]" not in name:
            errors[at + name] = MISSING


def _property(schema: dict[str, Any], value: str) -> str:
    return _type(schema.get("type"), value) or _form(schema, value) or _bounds(schema, value)


def _type(kind: str | None, value: str) -> str:
    forms = {"boolean": "[01]", "integer": r"[+-]?\d+", "number": r"[+-]?\d*\.?\d+"}
    if kind in forms and not re.fullmatch(forms[kind], value):
        return f"type check ('{kind}') failed - got '{value}'"
    return ""


def _form(schema: dict[str, Any], value: str) -> str:
    form = schema.get("format")
    if isinstance(form, dict):
        return _property_string(form, value)
    if complaint := form and _format(form, value):
        return f"invalid format - {complaint}"
    if (pattern := schema.get("pattern")) and not re.fullmatch(_python(pattern), value):
        return "value does not match the regex pattern"
    return ""


def _bounds(schema: dict[str, Any], value: str) -> str:
    if "maxLength" in schema and len(value) > int(schema["maxLength"]):
        return f"value may only be {schema['maxLength']} characters long"
    if "minLength" in schema and len(value) < int(schema["minLength"]):
        return f"value must be at least {schema['minLength']} characters long"
    if re.fullmatch(r"[+-]?\d*\.?\d+", value):
        if "maximum" in schema and float(value) > float(schema["maximum"]):
            return f"value must have a maximum value of {schema['maximum']}"
        if "minimum" in schema and float(value) < float(schema["minimum"]):
            return f"value must have a minimum value of {schema['minimum']}"
    if "enum" in schema and value not in schema["enum"]:
        known = ", ".join(map(str, schema["enum"]))
        return f"value '{value}' does not have a value in the enumeration '{known}'"
    return ""


def split(value: str) -> list[str]:
    """PVE::Tools::split_list."""
    return [item for item in re.split(r"[\s,;\0]+", value) if item]


def property_string(value: str, default: str = "volume") -> dict[str, str]:
    """`a=1,b=2` as a mapping; a first value without a key is that of `default`."""
    parts = (part.partition("=") for part in value.split(",") if part)
    return {key if equals else default: text if equals else key for key, equals, text in parts}


def _property_string(schema: dict[str, Any], value: str) -> str:
    default = next((name for name, known in schema.items() if known.get("default_key")), "")
    parts = property_string(value, default)
    errors: dict[str, str] = {}
    if "" in parts:
        errors[parts[""]] = "value without key, but schema does not define a default key"
    _object(schema, {k: v for k, v in parts.items() if k}, "", errors)
    if not errors:
        return ""
    return "invalid format - format error\n" + "".join(f"{k}: {v}\n" for k, v in errors.items())


def _format(form: str, value: str) -> str:
    if form in LISTS:
        bad = [item for item in split(value) if not re.fullmatch(WORDS[LISTS[form]], item)]
        return f"invalid {LISTS[form]} '{bad[0]}'\n" if bad else ""
    if form == "pve-tag-list":
        bad = [item for item in split(value) if not re.fullmatch(r"[a-z0-9_][a-z0-9_.+-]*", item, re.I)]
        return "invalid characters in tag\n" if bad else ""
    if form in ("ipv4", "pve-ipv4-config", "pve-fw-addr-spec", "lxc-ip-with-ll-iface-list"):
        return _addresses(form, value)
    if form in WORDS and not re.fullmatch(WORDS[form], value):
        return f"value does not look like a valid {form}\n"
    return ""


def _addresses(form: str, value: str) -> str:
    if form == "pve-ipv4-config" and value in ("dhcp", "manual"):
        return ""
    if form == "pve-ipv4-config" and "/" not in value:
        return "invalid IPv4/CIDR\n"
    for item in split(value) if form.endswith(("list", "spec")) else [value]:
        try:
            for address in item.split("-") if form == "pve-fw-addr-spec" else [item]:
                ipaddress.ip_interface(address)
        except ValueError:
            return f"value does not look like a valid address: {item}\n"
    return ""


def _python(pattern: str) -> str:
    """A regular expression as Perl prints it."""
    return pattern.replace("(?^:", "(?:").replace("(?^i:", "(?i:")

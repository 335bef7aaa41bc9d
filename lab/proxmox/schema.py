"""Checks the parameters of a call against Proxmox's own schema (9.2; the facts stand in schema.json)."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.proxmox import formats

Fact = dict[str, Any]
"""What is known of one parameter: type (absent: text), required, minimum, maximum, minLength, maxLength,
enum, pattern, format (a name, or an object of facts for a property string), default_key, requires."""

CALLS: dict[str, dict[str, Fact]] = json.loads(Path(__file__).with_name("schema.json").read_text())
"""Facts by "METHOD /path/{template}" and parameter; ``net[n]`` stands for net0, net1, …"""


def _without_new(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts without those that came with 9, in property strings too."""
    return {
        name: fact
        | ({"format": _without_new(fact["format"])} if isinstance(fact.get("format"), dict) else {})
        for name, fact in facts.items()
        if "since" not in fact
    }


OLD_CALLS = {call: _without_new(facts) for call, facts in CALLS.items()}
"""The same for 8.4."""

MISSING = "property is missing and it is not optional"
UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
FAMILIES = {"net": 31, "mp": 255, "dev": 255, "unused": 255}


def check(
    call: str, parameters: Mapping[str, str], calls: Mapping[str, dict[str, Fact]] = CALLS
) -> tuple[dict[str, Any], dict[str, str]]:
    """Typed values and errors by parameter, in Proxmox's words. The call may go on only without errors.
    ``calls``: CALLS, or OLD_CALLS."""
    facts = calls[call]
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, text in parameters.items():
        fact = facts.get(_family(name))
        if fact is None:
            errors[name] = UNKNOWN
            continue
        error = check_value(fact, text)
        if error:
            errors[name] = error
        elif "requires" in fact and fact["requires"] not in parameters:
            errors[name] = f"missing property - '{name}' requires this property"
        else:
            values[name] = typed(fact, text)
    for name, fact in facts.items():
        if fact.get("required") and name not in parameters:
            errors[name] = MISSING
    return values, errors


def check_value(fact: Fact, text: str) -> str:
    """What is wrong with a text as the value of a parameter; empty when nothing is."""
    kind = fact.get("type", "string")
    if kind == "boolean":
        return "" if text in ("0", "1") else f"type check ('boolean') failed - got '{text}'"
    if kind == "integer" and not re.fullmatch(r"-?\d+", text):
        return f"type check ('integer') failed - got '{text}'"
    if kind == "number" and not re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        return f"type check ('number') failed - got '{text}'"
    if kind in ("integer", "number"):
        return _check_bounds(fact, float(text))
    return _check_text(fact, text)


def typed(fact: Fact, text: str) -> Any:
    """The value of a text that has passed ``check_value``: int, float or the text itself."""
    kind = fact.get("type", "string")
    if kind in ("boolean", "integer"):
        return int(text)
    return float(text) if kind == "number" else text


def parse_property_string(call: str, parameter: str, text: str) -> dict[str, str]:
    """``name=eth0,bridge=vmbr1`` as an object; a bare first part belongs to the default key."""
    facts = CALLS[call][_family(parameter)]["format"]
    return dict(_pairs(facts, text))


def _family(name: str) -> str:
    found = re.fullmatch(r"([a-z]+)(0|[1-9]\d*)", name)
    if found and int(found[2]) <= FAMILIES.get(found[1], -1):
        return f"{found[1]}[n]"
    return name


def _check_bounds(fact: Fact, number: float) -> str:
    if "minimum" in fact and number < fact["minimum"]:
        return f"value must have a minimum value of {fact['minimum']}"
    if "maximum" in fact and number > fact["maximum"]:
        return f"value must have a maximum value of {fact['maximum']}"
    return ""


def _check_text(fact: Fact, text: str) -> str:
    if len(text) < fact.get("minLength", 0):
        return f"value must be at least {fact['minLength']} characters long"
    if len(text) > fact.get("maxLength", len(text)):
        return f"value may only be {fact['maxLength']} characters long"
    if "enum" in fact and text not in fact["enum"]:
        return f"value '{text}' does not have a value in the enumeration '{', '.join(fact['enum'])}'"
    if "pattern" in fact and not re.fullmatch(fact["pattern"], text):
        return "value does not match the regex pattern"
    form = fact.get("format")
    if isinstance(form, dict):
        return _check_property_string(form, text)
    if form and not formats.matches(form, text):
        return f"invalid format - value does not look like a valid {form.removeprefix('pve-')}"
    return ""


def _check_property_string(facts: dict[str, Fact], text: str) -> str:
    errors = []
    seen: set[str] = set()
    for name, value in _pairs(facts, text):
        if name in seen:
            errors.append(f"duplicate key in comma-separated list property: {name}")
        elif name not in facts:
            errors.append(f"{name}: {UNKNOWN}")
        elif error := check_value(facts[name], value):
            errors.append(f"{name}: {error}")
        seen.add(name)
    errors += [
        f"{name}: {MISSING}" for name, fact in facts.items() if fact.get("required") and name not in seen
    ]
    return "invalid format - format error\n" + "\n".join(errors) + "\n" if errors else ""


def _pairs(facts: dict[str, Fact], text: str) -> list[tuple[str, str]]:
    default = next((name for name, fact in facts.items() if fact.get("default_key")), "")
    pairs = []
    for part in text.split(","):
        name, equals, value = part.partition("=")
        pairs.append((name, value) if equals else (default or part, part))
    return pairs

"""NPM's request schemas, and the words in which its validator (ajv, all errors, coercing types) refuses."""

import re
from collections.abc import Callable
from typing import Any


class Refusal(Exception):
    """NPM does not do what was asked. ``code`` is the one of its error body (and its HTTP status).

    ``stack`` and ``previous`` appear as ``debug`` on certificate paths only; ``i18n`` is ``message_i18n``.
    """

    def __init__(
        self,
        code: int,
        message: str,
        stack: list[str] | None = None,
        previous: dict[str, Any] | None = None,
        i18n: Any = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.i18n = code, message, i18n
        self.stack = stack or [f"Error: {message}"]
        self.previous = previous


def internal_error() -> Refusal:
    """The answer to everything that NPM did not foresee."""
    return Refusal(500, "Internal Error")


# Letters outside ASCII, wildcards and underscores pass; spaces, schemes, ports and quotes do not (recorded).
DOMAIN = "^[^&| @!#%^();:/\\\\}{=+?<>,~`'\"]+$"

_BOOL = {"type": "boolean"}
_NAMES = {
    "type": "array",
    "min": 1,
    "max": 100,
    "unique": True,
    "items": {"type": "string", "pattern": DOMAIN},
}
_SCHEME = {"type": "string", "enum": ["http", "https"]}
_HOST = {"type": "string", "min": 1, "max": 255}
_PORT = {"type": "integer", "min": 1, "max": 65535}
_ID = {"type": "integer", "min": 0}

LOCATION: dict[str, Any] = {
    "type": "object",
    "required": ["path", "forward_scheme", "forward_host", "forward_port"],
    "properties": {
        "id": {"type": "any"},
        "path": {"type": "string", "min": 1},
        "forward_scheme": _SCHEME,
        "forward_host": _HOST,
        "forward_port": _PORT,
        "forward_path": {"type": "string"},
        "advanced_config": {"type": "string"},
    },
}

_HOST_FIELDS: dict[str, Any] = {
    "domain_names": _NAMES,
    "forward_scheme": _SCHEME,
    "forward_host": _HOST,
    "forward_port": _PORT,
    "certificate_id": {"type": "integer", "min": 0, "or": "new"},
    "ssl_forced": _BOOL,
    "hsts_enabled": _BOOL,
    "hsts_subdomains": _BOOL,
    "trust_forwarded_proto": _BOOL,
    "http2_support": _BOOL,
    "block_exploits": _BOOL,
    "caching_enabled": _BOOL,
    "allow_websocket_upgrade": _BOOL,
    "access_list_id": _ID,
    "advanced_config": {"type": "string"},
    "enabled": _BOOL,
    "meta": {"type": "object"},
    "locations": {"type": "array", "items": LOCATION},
}

CREATE_HOST: dict[str, Any] = {
    "type": "object",
    "required": ["domain_names", "forward_scheme", "forward_host", "forward_port"],
    "properties": _HOST_FIELDS,
}
UPDATE_HOST: dict[str, Any] = {"type": "object", "min": 1, "properties": _HOST_FIELDS}

CREATE_CERTIFICATE: dict[str, Any] = {
    "type": "object",
    "required": ["provider"],
    "properties": {
        "provider": {"type": "string", "pattern": "^(letsencrypt|other)$"},
        "nice_name": {"type": "string"},
        # No minimum here: an empty list reaches nginx, which refuses it (recorded).
        "domain_names": {**_NAMES, "min": 0},
        "meta": {
            "type": "object",
            "properties": {
                "certificate": {"type": "string", "min": 1},
                "certificate_key": {"type": "string", "min": 1},
                "dns_challenge": _BOOL,
                "dns_provider": {"type": "string"},
                "dns_provider_credentials": {"type": "string"},
                "letsencrypt_certificate": {"type": "object"},
                "propagation_seconds": {"type": "integer", "min": 0},
                "key_type": {"type": "string", "enum": ["rsa", "ecdsa"]},
            },
        },
    },
}

LOGIN: dict[str, Any] = {
    "type": "object",
    "required": ["identity", "secret"],
    "properties": {
        "identity": {"type": "string", "min": 1},
        "scope": {"type": "string", "enum": ["user"]},
        "secret": {"type": "string", "min": 1},
    },
}


def validated(data: Any, schema: dict[str, Any]) -> Any:
    """``data`` with its types coerced as NPM does. Raises Refusal 400 that lists every violation."""
    errors: list[str] = []
    value = _check(data, schema, "data", errors)
    if errors:
        raise Refusal(400, ", ".join(errors))
    return value


def _check(value: Any, schema: dict[str, Any], at: str, errors: list[str]) -> Any:
    if schema["type"] == "any" or value == schema.get("or", _NOTHING):
        return value
    value = _coerced(value, schema["type"])
    if not _TYPES[schema["type"]](value):
        errors.append(f"{at} must be {schema['type']}")
        return value
    _bounds(value, schema, at, errors)
    if schema["type"] == "object":
        return _check_object(value, schema, at, errors)
    if schema["type"] == "array":
        return _check_array(value, schema, at, errors)
    return value


def _check_object(
    value: dict[str, Any], schema: dict[str, Any], at: str, errors: list[str]
) -> dict[str, Any]:
    known = schema.get("properties")
    if known is None:
        return value
    missing = [name for name in schema.get("required", []) if name not in value]
    errors += [f"{at} must have required property '{name}'" for name in missing]
    errors += [f"{at} must NOT have additional properties" for name in value if name not in known]
    return {
        name: _check(item, known[name], f"{at}/{name}", errors)
        for name, item in value.items()
        if name in known
    }


def _check_array(value: list[Any], schema: dict[str, Any], at: str, errors: list[str]) -> list[Any]:
    if schema.get("unique"):
        for later in range(len(value) - 1, 0, -1):
            if value[later] in value[:later]:
                earlier = value.index(value[later])
                errors.append(
                    f"{at} must NOT have duplicate items (items ## {later} and {earlier} are identical)"
                )
                break
    return [_check(item, schema["items"], f"{at}/{i}", errors) for i, item in enumerate(value)]


def _bounds(value: Any, schema: dict[str, Any], at: str, errors: list[str]) -> None:
    low, high = schema.get("min"), schema.get("max")
    if isinstance(value, int) and not isinstance(value, bool):
        if low is not None and value < low:
            errors.append(f"{at} must be >= {low}")
        if high is not None and value > high:
            errors.append(f"{at} must be <= {high}")
        return
    unit = {str: "characters", list: "items", dict: "properties"}.get(type(value), "")
    if low is not None and len(value) < low:
        errors.append(f"{at} must NOT have fewer than {low} {unit}")
    if high is not None and len(value) > high:
        errors.append(f"{at} must NOT have more than {high} {unit}")
    if "pattern" in schema and not re.match(schema["pattern"], value):
        errors.append(f'{at} must match pattern "{schema["pattern"]}"')
    if "enum" in schema and value not in schema["enum"]:
        errors.append(f"{at} must be equal to one of the allowed values")


_NOTHING = object()


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _coerced(value: Any, wanted: str) -> Any:
    if wanted == "boolean":
        # By identity of type: in Python 1 == True, and True needs no coercion.
        pairs = {"true": True, "false": False, "1": True, "0": False, "None": False}
        return pairs.get(str(value), value) if not isinstance(value, (bool, list, dict)) else value
    if wanted == "integer":
        return _coerced_integer(value)
    if wanted == "string":
        if value is None:
            return ""
        return str(value) if _is_integer(value) or isinstance(value, float) else value
    return value


def _coerced_integer(value: Any) -> Any:
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value, re.ASCII):
        return int(value)
    return value

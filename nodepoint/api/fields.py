"""Input fields that several apps take."""

import ipaddress
import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

SERVICE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "pattern": f"^{SERVICE_ID.pattern}$", "maxLength": 64},
            {"type": "integer", "minimum": 0},
        ]
    }
)
class ServiceIdField(serializers.Field):
    """The billing system's name of a service: 1 to 64 of `A-Z a-z 0-9 _ -`, case-sensitive, not beginning
    with `-`.

    A JSON number that is a non-negative integer means its decimal string.
    """

    default_error_messages = {
        "invalid": "Use 1 to 64 of the characters A-Z a-z 0-9 _ -, not beginning with -.",
    }

    def to_internal_value(self, data: Any) -> str:
        """The id as text."""
        if isinstance(data, int) and not isinstance(data, bool) and 0 <= data < 10**64:
            data = str(data)
        if not isinstance(data, str) or not SERVICE_ID.fullmatch(data):
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        """As it is."""
        return value


@extend_schema_field({"type": "string", "format": "ipv4"})
class PublicIpField(serializers.Field):
    """An IPv4 address as four decimal numbers without leading zeros, which some systems read as octal."""

    default_error_messages = {"invalid": "Use an IPv4 address that can be reached, such as 203.0.113.10."}

    def to_internal_value(self, data: Any) -> str:
        """The address as text."""
        try:
            address = ipaddress.IPv4Address(data if isinstance(data, str) else "")
        except ValueError:
            self.fail("invalid")
        if address.is_unspecified or address.is_loopback or address.is_multicast or address.is_reserved:
            self.fail("invalid")
        return str(address)

    def to_representation(self, value: str) -> str:
        """As it is."""
        return value


class EmailField(serializers.EmailField):
    """One e-mail address of at most 254 characters, in ASCII before the `@`, without quotes, blanks or line
    breaks.

    Addresses with other letters before the `@` (RFC 6531) are refused: most mail servers do not take them.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 254, "trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        """The address as it was given."""
        if not isinstance(data, str) or not data.isprintable() or '"' in data:
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]})
class DigitsField(serializers.Field):
    """A number that may also be written as text: `digits` at most, no sign, no blanks."""

    default_error_messages = {"invalid": "Use 1 to {digits} digits."}

    def __init__(self, digits: int, *, text: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.digits, self.text = digits, text

    def to_internal_value(self, data: Any) -> str | int:
        """The number, or its digits where `text` is asked for."""
        if isinstance(data, int) and not isinstance(data, bool):
            data = str(data) if abs(data) < 10**self.digits else ""
        if not isinstance(data, str) or not re.fullmatch(rf"[0-9]{{1,{self.digits}}}", data):
            self.fail("invalid", digits=self.digits)
        return data if self.text else int(data)

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value

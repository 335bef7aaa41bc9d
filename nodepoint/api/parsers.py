"""Reading bodies: a JSON object, or a form. Anything odd is refused here, so that no view meets it."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qsl

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

DEEPEST = 32  # levels of nesting; what we take has two
MOST_FIELDS = 200


class ObjectParser(BaseParser):
    """`application/json`: one object in UTF-8."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The object; ParseError for anything else, and for what no database of ours can hold."""
        text = _text(stream)
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        _examine(value)
        return value


class FormParser(BaseParser):
    """`application/x-www-form-urlencoded` as a plain dictionary; the last one counts where a name comes
    twice.

    DRF's own gives a QueryDict, for which an absent boolean means false.
    """

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        """The fields; ParseError where they are not UTF-8 or too many."""
        try:
            pairs = parse_qsl(
                _text(stream), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
            )
        except ValueError as error:
            raise ParseError("The body is not a valid form.") from error
        fields = dict(pairs)
        _examine(fields)
        return fields


def _text(stream: IO[bytes]) -> str:
    try:
        return stream.read().decode()
    except UnicodeDecodeError as error:
        raise ParseError("The body is not valid UTF-8.") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON.")


def _examine(value: Any) -> None:
    """Refuse NUL characters, halves of surrogate pairs, infinite numbers and deep nesting."""
    level, found = 0, [value]
    while found:
        level += 1
        if level > DEEPEST:
            raise ParseError("The body is nested too deeply.")
        inner: list[Any] = []
        for one in found:
            if isinstance(one, str):
                _examine_text(one)
            elif isinstance(one, float) and not math.isfinite(one):
                raise ParseError("The body holds a number that is too large.")
            elif isinstance(one, dict):
                inner += [*one, *one.values()]
            elif isinstance(one, list):
                inner += one
        found = inner


def _examine_text(text: str) -> None:
    if "\0" in text:
        raise ParseError("The body holds a NUL character.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ParseError("The body holds an incomplete character.") from error

"""`GET /schema` (OpenAPI 3) and `GET /docs`, a page of it for people that loads nothing from elsewhere."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.authentication import StaffSession, TokenAuthentication, TokenOrStaff
from nodepoint.api.schema import FAILURES
from nodepoint.api.views import ApiView


@cache
def openapi() -> dict[str, Any]:
    """The description of all paths; it cannot change while the process lives."""
    return SchemaGenerator().get_schema(request=None, public=True)


class DocumentView(ApiView):
    """For any token, or staff who are logged in."""

    scope = None
    authentication_classes = [TokenAuthentication, StaffSession]
    permission_classes = [TokenOrStaff]


class SchemaView(DocumentView):
    """This description, as OpenAPI 3 in JSON."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT, **FAILURES})
    def get(self, request: Request) -> Response:
        """The document itself, without `success`."""
        return Response(openapi())


class DocsView(DocumentView):
    """This description, as a page for people."""

    @extend_schema(responses={(200, "text/html"): OpenApiTypes.STR, **FAILURES})
    def get(self, request: Request) -> HttpResponse:
        """HTML."""
        return render(request._request, "api/docs.html", {"groups": _groups(openapi())})


def _groups(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The operations by tag, in the form that the page shows."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            shown = {"method": method.upper(), "path": path, "description": operation.get("description", "")}
            shown["input"] = _input(schema, operation)
            shown["output"] = _output(schema, operation)
            groups.setdefault(operation["tags"][0], []).append(shown)
    return dict(sorted(groups.items()))


def _input(schema: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    fields = [
        _field(schema, one["name"], one["schema"], one.get("required", False), one.get("description", ""))
        for one in operation.get("parameters", [])
    ]
    content = operation.get("requestBody", {}).get("content", {})
    return _fields(schema, content["application/json"]["schema"]) + fields if content else fields


def _output(schema: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    content = operation["responses"]["200"].get("content", {})
    parts = [part for one in content.values() for part in one["schema"].get("allOf", [])]
    return [field for part in parts for field in _fields(schema, part)]


def _fields(schema: dict[str, Any], found: dict[str, Any]) -> list[dict[str, Any]]:
    found = _resolve(schema, found)
    required = found.get("required", [])
    return [
        _field(schema, name, one, name in required, one.get("description", ""))
        for name, one in found.get("properties", {}).items()
    ]


def _field(
    schema: dict[str, Any], name: str, found: dict, required: bool, description: str
) -> dict[str, Any]:
    return {"name": name, "type": _type(schema, found), "required": required, "description": description}


def _type(schema: dict[str, Any], found: dict[str, Any]) -> str:
    """A type in words: `string`, `array of object`, `string or integer`."""
    found = _resolve(schema, found)
    if choices := found.get("oneOf") or found.get("allOf"):
        return " or ".join(dict.fromkeys(_type(schema, one) for one in choices))
    if found.get("type") == "array":
        return f"array of {_type(schema, found.get('items', {}))}"
    return " ".join(str(part) for part in (found.get("format"), found.get("type", "any")) if part)


def _resolve(schema: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in found:
        found = schema["components"]["schemas"][found["$ref"].rpartition("/")[2]]
    return found

"""The plain answers that older callers expect: they send no Accept header and look at the first word."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


class PlainText(BaseRenderer):
    """`Success`, or the sentence of the error, on one line."""

    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The line, in UTF-8."""
        body = data if isinstance(data, Mapping) else {}
        if body.get("success"):
            return b"Success: it is being carried out." if body.get("state") == "running" else b"Success"
        return " ".join(str(body.get("error", "")).split()).encode()


class ZoneFileText(BaseRenderer):
    """The `zonefile` of an answer as it is (RFC 4027), or the sentence of an error."""

    media_type = "text/dns"
    format = "zone"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """In UTF-8."""
        body = data if isinstance(data, Mapping) else {}
        return str(body.get("zonefile") or f"; {body.get('error', '')}\n").encode()


class ZoneFileUnlessJson(DefaultContentNegotiation):
    """A zone file, unless the caller names JSON."""

    def select_renderer(
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Never refuses."""
        wanted = JSONRenderer if "json" in request.META.get("HTTP_ACCEPT", "") else ZoneFileText
        renderer = next(one for one in renderers if isinstance(one, wanted))
        return renderer, renderer.media_type


class PlainWithoutAccept(DefaultContentNegotiation):
    """Plain text for a request without an Accept header, JSON for every other."""

    def select_renderer(
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Never refuses."""
        wanted = JSONRenderer if "HTTP_ACCEPT" in request.META else PlainText
        renderer = next(one for one in renderers if isinstance(one, wanted))
        return renderer, renderer.media_type

"""Which form an answer has."""

from collections.abc import Sequence

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AlwaysJson(DefaultContentNegotiation):
    """The view's first renderer, whatever `Accept` says: callers send `*/*`, text/html or nothing, and all
    mean JSON."""

    def select_renderer(
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Never refuses."""
        return renderers[0], renderers[0].media_type

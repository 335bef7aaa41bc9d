"""Routes of the API: each answers with and without a slash at its end, without a redirect.

A redirect would cost callers their POST: most HTTP clients follow it with a GET.
"""

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern
from rest_framework.views import APIView


class SlashOptional(RoutePattern):
    """A route, written without a slash at its end, that one slash more matches too."""

    def match(self, path: str) -> tuple[str, tuple, dict] | None:
        """As Django's, for the path without its last slash."""
        return super().match(path.removesuffix("/"))


def route(path: str, view: type[APIView], name: str | None = None) -> URLPattern:
    """A route for an app's `urls.py`, such as `route("create-site", CreateSite)` or
    `route("jobs/<str:job_id>", JobView)`."""
    pattern = SlashOptional(path.strip("/"), name=name, is_endpoint=True)
    return URLPattern(pattern, view.as_view(), name=name)

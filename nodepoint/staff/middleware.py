"""Around every request of staff: for whom it acts, and whether its session has proved all it has to."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from nodepoint.api.authentication import client_address
from nodepoint.audit import origin
from nodepoint.staff import second_factor

# What stays open to a session that lacks its second factor.
OPEN = {"admin:code", "admin:second_factor", "admin:logout", "admin:login", "admin:jsi18n"}
PAGES = {"code": "admin:code", "enrolment": "admin:second_factor"}


class StaffMiddleware:
    """Notes who is acting, and leads those who lack a second factor to where they can prove or get one, from
    whichever path. Requests without a session, such as those with a token, pass it untouched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_session(request):
            origin.note(origin.Origin("staff", request.user.get_username(), client_address(request)))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """A redirect where something is missing."""
        if not _has_session(request) or request.resolver_match.view_name in OPEN:
            return None
        missing = second_factor.missing(request)
        if not missing:
            return None
        back = {"next": request.get_full_path()} if request.method == "GET" else {}
        return HttpResponseRedirect(f"{reverse(PAGES[missing])}?{urlencode(back)}")


def _has_session(request: HttpRequest) -> bool:
    """Whether somebody is logged in; the database is not asked for requests without a cookie."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated

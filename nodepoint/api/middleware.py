"""Around every request: its id and log line, and the error envelope for what no view of the API answered."""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.response import Response

from nodepoint.api.errors import ApiError, of_status
from nodepoint.audit import origin

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
HUMAN_PATHS = ("/admin/", "/static/")  # pages for people, with Django's own errors in HTML

GetResponse = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger("nodepoint.access")


class RequestIdMiddleware:
    """Takes over or makes `X-Request-ID`, which then stands in every log line and job of the request, and
    in the answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        request.arrived_at = time.monotonic()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            with origin.acting_as(origin.SYSTEM):  # until somebody has said who is calling
                response = self.get_response(request)
            response["X-Request-ID"] = request_id
            _log(request, response)
        finally:
            structlog.contextvars.clear_contextvars()
        return response


def _log(request: HttpRequest, response: HttpResponse) -> None:
    """One line; neither query nor headers, which may hold secrets."""
    token = getattr(request, "auth", None)
    log.info(
        "request",
        method=request.method,
        path=request.path_info,
        status=response.status_code,
        ms=round((time.monotonic() - request.arrived_at) * 1000, 1),
        token=token.name if token else None,
    )


class ApiMiddleware:
    """Refuses bodies that are too large, and gives every failure of the framework itself the form of the
    API's errors."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(HUMAN_PATHS):
            return self.get_response(request)
        try:
            _limit_body(request)
        except ApiError as error:
            return error.response()
        response = self.get_response(request)
        if response.status_code >= 400 and not isinstance(response, Response | JsonResponse):
            return of_status(response.status_code).response()
        return response


def _limit_body(request: HttpRequest) -> None:
    """413 for a body over the limit of its path. The web server has taken in the whole of it, chunks too, and
    says its length."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    limit = settings.API_LARGER_BODIES.get(request.path_info.rstrip("/"), settings.API_BODY_LIMIT)
    if not length.isdecimal() or int(length) > limit:
        raise of_status(413 if length.isdecimal() else 400)

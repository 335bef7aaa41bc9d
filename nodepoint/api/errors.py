"""One form for every failure: `{"success": false, "error", "code", "request_id"}`, and `fields` where
fields are wrong."""

import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from nodepoint import logs
from nodepoint.api.jobs import render
from nodepoint.clients.errors import ClientError
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job

log = logging.getLogger("nodepoint.api")

CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "wrong_state",
    429: "rate_limited",
    500: "internal",
    503: "unavailable",
}
UNKNOWN_ETA = 10  # seconds until it is worth trying again, where nobody can tell
SENTENCES = {
    400: "The request could not be understood.",
    401: "A valid token is needed: in the header Authorization, after the word Bearer.",
    403: "The token does not permit this.",
    404: "There is nothing here.",
    405: "This path does not take that method.",
    408: "The request did not arrive in time.",
    413: "The request is too large.",
    414: "The address of the request is too long.",
    431: "The request's headers are too long.",
    500: "Something went wrong on our side. Our staff can find it by the request id.",
    503: "The service is not available at the moment. Please try again shortly.",
}


# Callers strip tags from what they show, with all that stands between the brackets: a sentence holds none,
# also where it repeats what was asked.
TAGLESS = str.maketrans("<>", "‹›")


class ApiError(Exception):
    """A failure to answer with. `sentence` is read by customers; `extra` stands beside it in the body,
    `headers` in the head, and `http` is the status, where the class does not say it.

    Views raise these from the errors of their services. 401 without `WWW-Authenticate` is meant: a suspended
    service.
    """

    http: ClassVar[int] = 400
    code: ClassVar[str] = "validation"

    def __init__(
        self,
        sentence: str,
        *,
        http: int = 0,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        sentence = sentence.translate(TAGLESS)
        super().__init__(sentence)
        self.sentence = sentence
        self.status_code = http or self.http
        self.error_code = code or self.code
        self.headers = dict(headers or {})
        self.extra = extra

    @property
    def body(self) -> dict[str, Any]:
        """The envelope, with the id of the request that is being served."""
        facts = {"error": self.sentence, "code": self.error_code, "request_id": logs.request_id()}
        return {"success": False, **facts, **self.extra}

    def response(self) -> JsonResponse:
        """The answer, where no view of the API is at work."""
        response = JsonResponse(self.body, status=self.status_code, headers=self.headers)
        response["Content-Length"] = len(response.content)  # or it goes out in chunks
        return response


class BadRequest(ApiError):
    """400: a value is missing or wrong. `fields={"email": ["…"]}` says which."""


class ServiceSuspended(ApiError):
    """401: what customers may not do while their service is suspended."""

    http, code = 401, "service_suspended"


class Forbidden(ApiError):
    """403: the token may not do this."""

    http, code = 403, "forbidden"


class Missing(ApiError):
    """404: no such service, domain, backup, zone, record, or it belongs to somebody else."""

    http, code = 404, "not_found"


class Conflict(ApiError):
    """409. Give the code that says why: exists, taken, quota_exceeded, busy, wrong_state, protected, …"""

    http, code = 409, "wrong_state"


class InfrastructureFailed(ApiError):
    """500: a system that we drive failed; the sentence names it."""

    http, code = 500, "infrastructure"


class Unavailable(ApiError):
    """503: our own database or queue is away."""

    http, code = 503, "unavailable"


def of_status(status: int, sentence: str = "", **options: Any) -> ApiError:
    """The plain error of an HTTP status."""
    default = SENTENCES.get(status) or f"{HTTPStatus(status).phrase}."
    return ApiError(sentence or default, http=status, code=CODES.get(status, "validation"), **options)


def retry_after(job: Job | None) -> dict[str, str]:
    """The head of a 409 `busy`: the seconds after which `job`, which stands in the way, is likely to have
    ended. One query for its steps."""
    eta = render(job)["eta_seconds"] if job else None
    return {"Retry-After": str(UNKNOWN_ETA if eta is None else max(1, eta))}


def as_refusal(error: ApiError) -> dict[str, Any]:
    """What a job keeps (`Fail.refusal`) in order to be answered with this error: `http`, `code`, and what
    stands beside the sentence."""
    return {"http": error.status_code, "code": error.error_code, **error.extra}


def from_job(job: Job) -> ApiError:
    """The error of a job that ended badly: what customers may read of it, and the job itself."""
    if job.state == Job.State.CANCELLED:
        sentence = "It was taken back, because a later request went before it."
        return Conflict(job.error or sentence, job=render(job))
    if job.refusal:
        return ApiError(job.error, **job.refusal, job=render(job))
    return InfrastructureFailed(job.error or "The work could not be carried out.", job=render(job))


def invalid(detail: Any) -> ApiError:
    """The error of input that a serializer refused; the sentence names the fields, `fields` lists every
    complaint."""
    if not isinstance(detail, Mapping):
        return BadRequest(" ".join(_messages(detail)))
    fields = {name: _messages(found) for name, found in detail.items() if name != "non_field_errors"}
    general = _messages(detail.get("non_field_errors", []))
    said = [_complaint(name, detail[name], messages[0]) for name, messages in fields.items()]
    return BadRequest(" ".join(said + general), **({"fields": fields} if fields else {}))


def _messages(detail: Any) -> list[str]:
    """Every sentence in an error of DRF, however it is nested."""
    if isinstance(detail, Mapping):
        return [f"{name}: {text}" for name, found in detail.items() for text in _messages(found)]
    if isinstance(detail, list | tuple):
        return [text for found in detail for text in _messages(found)]
    return [str(detail)]


def _complaint(name: str, detail: Any, message: str) -> str:
    codes = {getattr(found, "code", "") for found in detail} if isinstance(detail, list) else set()
    if codes & {"required", "null", "blank", "empty"}:
        return f"The field {name} is missing."
    return f"The field {name} is not valid: {message}"


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> Response:
    """What DRF calls for whatever a view raised; nothing gets past it."""
    error = translate(exception)
    if error.status_code >= 500:
        _log_failure(exception, error)
    return Response(error.body, status=error.status_code, headers=error.headers)


def _log_failure(exception: Exception, error: ApiError) -> None:
    if isinstance(exception, ClientError):
        log.error("infrastructure failed: %s", exception)
    elif not isinstance(exception, ApiError):
        log.error("%s failed", error.error_code, exc_info=exception)


def translate(exception: Exception) -> ApiError:  # noqa: C901 - a table of one line per error
    """Any exception as the error to answer with. What nobody expected is a fault of ours, told without
    details."""
    match exception:
        case ApiError():
            return exception
        case drf.ValidationError():
            return invalid(exception.detail)
        case drf.Throttled():
            wait = max(1, math.ceil(exception.wait or 1))
            sentence = f"Too many requests with this token. Please try again in {wait} seconds."
            return of_status(429, sentence, headers={"Retry-After": str(wait)})
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            given = str(exception.detail) if isinstance(exception, drf.AuthenticationFailed) else ""
            return of_status(401, given, headers={"WWW-Authenticate": "Bearer"})
        case drf.MethodNotAllowed():
            return of_status(405)
        case drf.UnsupportedMediaType():
            return of_status(415, "Please send the request as application/json.")
        case drf.APIException() if exception.status_code < 500:
            return of_status(exception.status_code, str(exception.detail))
        case Http404():
            return of_status(404)
        case PermissionDenied():
            return of_status(403)
        case RequestDataTooBig():
            return of_status(413)
        case SuspiciousOperation() | UnreadablePostError():
            return of_status(400)
        case JobRefused():
            return Conflict(str(exception), code="busy", headers=retry_after(exception.running))
        case ClientError():
            return InfrastructureFailed(exception.sentence)
        case OperationalError() | InterfaceError():
            return Unavailable(SENTENCES[503])
        case _:
            return of_status(500)

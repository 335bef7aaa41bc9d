"""What the tests of the edge share: a token, a caller, and paths that do what a test needs."""

import json
from collections.abc import Callable
from typing import Any
from unittest import mock

from django.db import connection
from django.test import Client, TestCase, TransactionTestCase, override_settings
from django.urls import include, path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api import fields, waiting
from nodepoint.api.models import Token
from nodepoint.api.routes import route
from nodepoint.api.views import ApiView, success
from nodepoint.jobs import registry
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done

FLOW = registry.register(
    registry.Flow(
        "test.edge",
        title="Walk along the edge",
        subject="",
        scope="sites",
        steps=(
            registry.Step("first", "Taking the first step", lambda call: Done(), nothing_to_undo="Nothing."),
            registry.Step(
                "second",
                "Taking the second step",
                lambda call: Done(),
                nothing_to_undo="Nothing.",
                after=("first",),
            ),
        ),
    )
)


class EchoInput(serializers.Serializer):
    service_id = fields.ServiceIdField()
    email = fields.EmailField(required=False)
    public_ip = fields.PublicIpField(required=False)
    enabled = serializers.BooleanField(required=False)


class EchoView(ApiView):
    """Gives back what it took; `act`, replaced by tests, is what it does."""

    scope = "sites"
    input = EchoInput
    act: Callable[[Request], Any] = staticmethod(lambda request: None)

    def get(self, request: Request) -> Response:
        return success(**self.read(request))

    def post(self, request: Request) -> Response:
        values = self.read(request)
        self.act(request)
        return success(**values)


class JobStartView(ApiView):
    """Answers for the job that the test has put into `job`."""

    scope = "sites"
    forgets_key_when_job_fails = True
    job: Job
    default_wait: float | None = None

    def post(self, request: Request) -> Response:
        return waiting.finish(
            request, self.job, lambda job: {"vmid": 900}, default_wait=type(self).default_wait
        )


class ScopelessView(ApiView):
    """Forgot to declare its scope."""

    def get(self, request: Request) -> Response:
        return success()


urlpatterns = [
    route("echo", EchoView),
    route("start", JobStartView),
    route("scopeless", ScopelessView),
    path("", include("nodepoint.urls")),
]


class ApiMixin:
    """A caller with a token for sites."""

    client: Client

    def make_token(self, *scopes: str, **options: Any) -> str:
        self.token, text = Token.issue("Tester", scopes or ["sites"], **{"rate_per_minute": 0, **options})
        return text

    def call(
        self,
        path: str,
        body: Any = None,
        *,
        method: str = "",
        token: str | None = "",
        raw: bytes | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """The response to a request; a body makes it a POST. `headers`: with `_` for `-`."""
        if token == "":
            token = self.secret
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        posted = raw is not None or body is not None
        data = raw if raw is not None else (json.dumps(body) if body is not None else b"")
        return self.client.generic(
            method or ("POST" if posted else "GET"),
            path,
            data,
            content_type=content_type,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def assert_error(self, response: Any, status: int, code: str, part: str = "") -> dict[str, Any]:
        """The envelope, checked."""
        self.assertEqual(response.status_code, status, response.content)
        self.assertEqual(response["Content-Type"], "application/json")
        body = response.json()
        self.assertIs(body["success"], False)
        self.assertEqual(body["code"], code)
        self.assertEqual(body["request_id"], response["X-Request-ID"])
        self.assertIn(part, body["error"])
        return body


@override_settings(ROOT_URLCONF="tests.nodepoint.api.base")
class ApiTestCase(ApiMixin, TestCase):
    """Tests of the edge with a token of scope sites in `self.secret`."""

    def setUp(self) -> None:
        self.secret = self.make_token()

    def acting(self, act: Callable[[Request], Any]) -> Any:
        """Have `POST /echo` do something."""
        return mock.patch.object(EchoView, "act", staticmethod(act))


class SeveralConnectionsTestCase(TransactionTestCase):
    """Tests with threads, each of which has a connection of its own."""

    def setUp(self) -> None:
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("A database in memory has one writer and no queue; MariaDB and files on disk have.")

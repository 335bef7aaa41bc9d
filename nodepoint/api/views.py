"""What all views of the API are made of.

class SuspendSite(ApiView):
    scope = "sites"
    input = ServiceInput

    def post(self, request):
        job = services.suspend_site(self.read(request)["service_id"], actor=request.auth.actor)
        return finish(request, job, lambda job: {"status": "suspended"})
"""

from copy import copy
from functools import cache, partial
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from nodepoint.api import idempotency


def success(**facts: Any) -> Response:
    """200 and `{"success": true, …}`."""
    return Response({"success": True, **facts})


class ApiView(APIView):
    """A path of the API.

    `scope`: what the token must have, None for any token; there is no default. `input`: serializer of the
    body of a POST or the query of a GET. `output`: serializer of what stands beside `success`, for the
    documentation. `forgets_key_when_job_fails`: the Idempotency-Key of a request may be used anew when the
    job in its answer ended badly. `keeps_answer`: whether an answer may be kept for repeats with the same
    key; not where it holds a secret, which is made anew for each request then.
    """

    scope: ClassVar[str | None]
    input: ClassVar[type[Serializer] | None] = None
    output: ClassVar[type[Serializer] | None] = None
    forgets_key_when_job_fails: ClassVar[bool] = False
    keeps_answer: ClassVar[bool] = True
    http_method_names = ["get", "head", "post"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After token, scope and rate limit: read the body, so that a bad one is refused whatever the view
        does with it."""
        super().initial(request, *args, **kwargs)
        if request.method != "POST" or not hasattr(self, "post"):
            return
        _ = request.data
        if "Idempotency-Key" in request.headers:
            self.post = partial(idempotency.once, self, self.post)

    def read(self, request: Request) -> dict[str, Any]:
        """The values of `input`, from the body of a POST, else from the query. Bad ones end in 400 with
        `fields`."""
        serializer = copy(_kept(self.input))
        serializer.initial_data = request.data if request.method == "POST" else request.query_params.dict()
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


@cache
def _kept(kind: type[Serializer]) -> Serializer:
    """A serializer of which each request takes a copy: its fields, which hold nothing of a request, are made
    once a process."""
    serializer = kind()
    _ = serializer.fields
    return serializer

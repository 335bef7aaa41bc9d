"""How views of the API are described in OpenAPI: from their docstrings, `scope`, `input` and `output`."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    pattern=r"^[!-~]([ -~]{0,253}[!-~])?$",
    description="1 to 255 printable ASCII characters. A repeat gets the first answer again.",
)
SUCCESS = {
    "type": "object",
    "required": ["success"],
    "properties": {"success": {"type": "boolean", "enum": [True]}},
}


class VerificationOutput(serializers.Serializer):
    """A TXT record that only the holder of a domain can set: with it in DNS, the same request is accepted."""

    name = serializers.CharField(help_text="`_nodepoint.` and the domain.")
    type = serializers.ChoiceField(choices=["TXT"])
    value = serializers.CharField(help_text="The same at every request; good for this owner and name alone.")


class ErrorOutput(serializers.Serializer):
    """Every failure."""

    success = serializers.BooleanField(help_text="Always false.")
    error = serializers.CharField(help_text="A sentence that a customer can read.")
    code = serializers.CharField(help_text="For programs; docs/api.md lists them.")
    request_id = serializers.CharField()
    fields = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text="By field."
    )
    verification = VerificationOutput(
        required=False,
        help_text="Where a domain is somebody else's or does not lead here: what shows whose it is.",
    )


FAILURES = {
    "4XX": OpenApiResponse(ErrorOutput, description="The request was refused."),
    "5XX": OpenApiResponse(ErrorOutput, description="We, or a system that we drive, failed."),
}


class ApiSchema(AutoSchema):
    """The OpenAPI description of one path and method."""

    @property
    def scope(self) -> str | None:
        """What the token must have; None for any."""
        return self.view.scope

    def get_operation_id(self) -> str:
        """The words of the path: `create_site`, `action_setdomain`."""
        words = re.findall(r"[A-Za-z0-9]+", self.path)
        methods = {"get", "post"} & set(dir(self.view))
        return "_".join(words + ([self.method.lower()] if len(methods) > 1 else []))

    def get_tags(self) -> list[str]:
        """One group for each scope."""
        return [self.scope or "operations"]

    def get_summary(self) -> str:
        """The first sentence of the view's docstring."""
        return self._docstring().split(". ")[0].rstrip(".")

    def get_description(self) -> str:
        """The view's docstring and what the token must have."""
        if not self.view.permission_classes:
            return self._docstring()
        need = f"the scope `{self.scope}`" if self.scope else "any scope"
        return f"{self._docstring()} Needs a token with {need}."

    def _docstring(self) -> str:
        return " ".join((self.view.__doc__ or "").split())

    def get_auth(self) -> list[dict[str, list[str]]]:
        """A token everywhere but where nothing is asked for."""
        return [{"token": []}] if self.view.permission_classes else []

    def get_override_parameters(self) -> list[Any]:
        """The query of a GET; the header that every POST takes."""
        if self.method == "POST":
            return [IDEMPOTENCY_KEY]
        return [self.view.input] if self.view.input else []

    def get_request_serializer(self) -> Any:
        """The body of a POST."""
        return self.view.input if self.method == "POST" else None

    def get_response_serializers(self) -> dict[str, Any]:
        """`success` with the view's output beside it; the envelope for every failure."""
        parts = [SUCCESS]
        if self.view.output:
            parts.append(self.resolve_serializer(self.view.output, "response").ref)
        return {"200": {"allOf": parts}, **FAILURES}

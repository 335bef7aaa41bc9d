"""POST /service/owner: whose a service is, in whichever product it is one."""

from typing import Protocol

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.errors import Forbidden, Missing
from nodepoint.api.fields import DigitsField, EmailField, ServiceIdField
from nodepoint.api.views import ApiView, success


class ChangesOwner(Protocol):
    """What a product does about a new owner. Whether it has the service at all; an ApiError where it cannot
    be done."""

    def __call__(self, service_id: str, *, user_id: str, email: str, actor: str) -> bool: ...


_products: dict[str, ChangesOwner] = {}


def register(scope: str, change: ChangesOwner) -> None:
    """Have a product told of new owners, by tokens with its scope."""
    _products[scope] = change


class OwnerInput(serializers.Serializer):
    """Whose the service is from now on."""

    service_id = ServiceIdField()
    user_id = DigitsField(20, text=True, help_text="The customer's id in the billing portal.")
    email = EmailField(help_text="Where his e-mails go.")


class ChangeOwner(ApiView):
    """Say whose a service is from now on. A site keeps its name and address. What the token's scopes reach is
    told: sites with `sites`, support keys with `support`."""

    scope = None  # which one is needed depends on the service
    input = OwnerInput
    output = OwnerInput

    def post(self, request: Request) -> Response:
        """The owner and the address as they are now."""
        values = self.read(request)
        reached = [change for scope, change in _products.items() if scope in request.auth.scopes]
        if not reached:
            raise Forbidden(f"The token lacks the scopes {' and '.join(_products)}.")
        if not any([change(**values, actor=request.auth.actor) for change in reached]):
            raise Missing("There is no such service.")
        return success(**values)

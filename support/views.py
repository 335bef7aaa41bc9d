"""The calls of the SSupport extension, and the one of ticket systems."""

from collections.abc import Callable
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.authentication import client_address
from nodepoint.api.views import ApiView, success
from support import services
from support.models import SupportKey
from support.serializers import (
    CreateSupportKeyInput,
    RotateSupportKeyInput,
    SupportKeyCreatedOutput,
    SupportKeyOutput,
    SupportServiceInput,
    SupportStatusOutput,
    VerifySupportKeyInput,
    VerifySupportKeyOutput,
)


class CreateSupportKey(ApiView):
    """Give a service its support key. A service has one key for ever: a repeat is refused."""

    scope = "support"
    input = CreateSupportKeyInput
    output = SupportKeyCreatedOutput

    def post(self, request: Request) -> Response:
        """The new key, active."""
        row = services.create_support_key(**self.read(request), actor=request.auth.actor)
        return success(service_id=row.service_id, support_key=row.support_key, status=row.status)


class ChangeStatus(ApiView):
    """What suspend, unsuspend and terminate share."""

    scope = "support"
    input = SupportServiceInput
    output = SupportStatusOutput
    act: ClassVar[Callable[..., SupportKey]]

    def post(self, request: Request) -> Response:
        """The status afterwards; the same for every repeat."""
        row = self.act(**self.read(request), actor=request.auth.actor)
        return success(status=row.status)


class SuspendSupport(ChangeStatus):
    """Suspend the support of a service. Its key stays, and is not valid until the support is unsuspended."""

    act = staticmethod(services.suspend_support)


class UnsuspendSupport(ChangeStatus):
    """Make the key of a service valid again, after a suspension or a termination."""

    act = staticmethod(services.unsuspend_support)


class TerminateSupport(ChangeStatus):
    """End the support of a service. Its key is kept, and is not valid any more."""

    act = staticmethod(services.terminate_support)


class RotateSupportKey(ApiView):
    """Replace the key of a service, which is dead at once. Whoever asks names the key that he has: of two who
    ask at once, one makes the new key, and the other is refused (409)."""

    scope = "support"
    input = RotateSupportKeyInput
    output = SupportKeyCreatedOutput

    def post(self, request: Request) -> Response:
        """The new key; the status stays."""
        values = self.read(request)
        row = services.rotate_key(
            values["service_id"],
            old_key=values["support_key"],
            actor=request.auth.actor,
            reason="Asked for by the billing portal.",
        )
        return success(service_id=row.service_id, support_key=row.support_key, status=row.status)


class SupportStatus(ApiView):
    """The support key of a service."""

    scope = "support"
    input = SupportServiceInput
    output = SupportKeyOutput

    def get(self, request: Request) -> Response:
        """Key, status, e-mail and age."""
        row = services.get_support_key(**self.read(request))
        return success(
            support_key=row.support_key, status=row.status, email=row.email, created_at=row.created_at
        )


class VerifySupportKey(ApiView):
    """Whether a key gives a right to support now, and whose it is.

    After 30 wrong keys a minute by one token, or from one address, the answer is 429.
    """

    scope = "support"
    reads = True
    input = VerifySupportKeyInput
    output = VerifySupportKeyOutput

    def post(self, request: Request) -> Response:
        """`valid`, and the person only when it is true: an unknown key and a suspended one look the same."""
        key = self.read(request)["support_key"]
        row = services.verify_key(key, token=request.auth, address=client_address(request))
        if row is None:
            return success(valid=False)
        person = {"firstname": row.firstname, "lastname": row.lastname, "email": row.email}
        return success(valid=True, service_id=row.service_id, **person)

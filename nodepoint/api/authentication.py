"""Who calls, from where, and what it may do."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from nodepoint.api.errors import SENTENCES, Forbidden
from nodepoint.api.models import Token
from nodepoint.audit import origin

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself loads this module


def client_address(request: HttpRequest | Request) -> str:
    """The caller's IP address, as ForwardedMiddleware has found it."""
    return request.META.get("REMOTE_ADDR", "")


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`; the token becomes `request.auth`, and there is no user."""

    def authenticate(self, request: Request) -> tuple[None, Token] | None:
        """None without the header; 401 for whatever is no valid token, 403 where it may not be used from
        the caller's address."""
        scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        token = Token.of(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise AuthenticationFailed(SENTENCES[401])
        if not token.allows_address(client_address(request)):
            raise Forbidden("The token may not be used from this address.")
        token.note_use()
        origin.note(origin.Origin("api", token.name, client_address(request)))
        return None, token

    def authenticate_header(self, request: Request) -> str:
        """What stands in WWW-Authenticate of a 401."""
        return "Bearer"


class StaffSession(BaseAuthentication):
    """The session of a staff member who is logged in to the admin. For views that only read: it checks no
    CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """None for everybody else."""
        user = getattr(request._request, "user", None)
        return (user, None) if user and user.is_active and user.is_staff else None


class HasScope(BasePermission):
    """Every view says `scope = "sites"`, or None for any token; one that does not fails loudly instead of
    being open. Of those that take a POST and change nothing it also says `reads = True`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """False without a token; Forbidden when the token lacks the scope."""
        if not hasattr(view, "scope"):
            raise ImproperlyConfigured(f"{type(view).__name__} declares no scope.")
        if request.auth is None:
            return False
        if view.scope is not None and view.scope not in request.auth.scopes:
            raise Forbidden(f"The token lacks the scope {view.scope}.")
        if request.auth.read_only and not (request.method in SAFE_METHODS or getattr(view, "reads", False)):
            raise Forbidden("The token may read only.")
        return True


class TokenOrStaff(HasScope):
    """Any token, or a staff session."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """As above."""
        return request.user is not None or super().has_permission(request, view)

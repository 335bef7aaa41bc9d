"""Logging in: the password, then the code, and what happens to those who guess.

django-axes counts wrong passwords and wrong codes by name and address; after AXES_FAILURE_LIMIT of them that
pair is refused for AXES_COOLOFF_TIME, whether there is such a user or not.
"""

import math
import time
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model, login, user_login_failed
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode
from django_otp.models import Device

from nodepoint.api.authentication import client_address
from nodepoint.audit import origin, trail
from nodepoint.staff import second_factor

PENDING = "staff_pending"  # in the session: who has given his password and not yet his code
PENDING_SECONDS = 600


class PasswordView(LoginView):
    """The first step. Who has a second factor is not logged in before that fits, too."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Log in, or ask for the code."""
        user = form.get_user()
        if second_factor.device_of(user) is None:
            return super().form_valid(form)
        self.request.session.cycle_key()
        self.request.session[PENDING] = {
            "user": user.pk,
            "backend": user.backend,
            "hash": user.get_session_auth_hash(),
            "at": time.time(),
        }
        query = urlencode({self.redirect_field_name: self.get_success_url()})
        return HttpResponseRedirect(f"{reverse('admin:code')}?{query}")


def pending(request: HttpRequest) -> AbstractBaseUser | None:
    """Who is asked for a code: he has given his password a short while ago, and it is still his; or he is
    logged in by a session that has not proved its second factor."""
    noted = request.session.get(PENDING)
    if noted is None or time.time() - noted["at"] > PENDING_SECONDS:
        unproved = request.user.is_authenticated and request.user.otp_device is None
        return request.user if unproved else None
    user = get_user_model().objects.filter(pk=noted["user"], is_active=True).first()
    if user is None or not constant_time_compare(noted["hash"], user.get_session_auth_hash()):
        return None
    user.backend = noted["backend"]
    return user


def complete(request: HttpRequest, user: AbstractBaseUser, device: Device) -> None:
    """The code fits: the session is the user's, and proved."""
    request.session.pop(PENDING, None)
    user.otp_device = device
    login(request, user, getattr(user, "backend", None) or request.session[BACKEND_SESSION_KEY])


def is_locked_out(request: HttpRequest, user: AbstractBaseUser) -> bool:
    """Whether so many guesses came for this name from this address that none is looked at for a while; the
    answer to the request is then `locked_out`."""
    if AxesProxyHandler.is_allowed(request, {"username": user.get_username()}):
        return False
    request.axes_locked_out = True
    request.axes_credentials = {"username": user.get_username()}
    return True


def note_wrong_code(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Count it like a wrong password."""
    credentials = {"username": user.get_username()}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """429 with the minutes to wait, for django-axes."""
    name = (credentials or {}).get("username") or request.POST.get("username", "")
    attempts = AccessAttempt.objects.filter(username=name, ip_address=client_address(request) or None)
    last = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    end = (last or timezone.now()) + settings.AXES_COOLOFF_TIME
    seconds = max(1, math.ceil((end - timezone.now()).total_seconds()))
    context = admin.site.each_context(request) | {
        "minutes": math.ceil(seconds / 60),
        "title": "Too many tries",
    }
    answer = render(request, "staff/locked_out.html", context, status=429)
    answer["Retry-After"] = seconds
    return answer


def note(sender: Any, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    """Write a login down."""
    if not user.is_staff:
        return
    by = origin.Origin("staff", user.get_username(), client_address(request))
    proof = getattr(getattr(user, "otp_device", None), "name", "")
    with origin.acting_as(by):
        after = {"second_factor": proof} if proof else {}
        trail.record("staff.log_in", f"auth.user:{user.pk}", label=user.get_username(), after=after)

"""The pages of the second factor: asking for a code, and setting a device up."""

import math
from typing import Any

import segno
from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from nodepoint.staff import login, second_factor
from nodepoint.staff.forms import CodeForm

KEY = "staff_new_key"  # in the session: the secret of the device that is being set up
LAST_CODES = 3  # recovery codes; fewer are a reason to make new ones


@sensitive_post_parameters()
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """The second step of logging in."""
    user = login.pending(request)
    if user is None:
        return redirect("admin:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = _verified(request, user, form)
        if device is not None:
            login.complete(request, user, device)
            _warn_of_few(request, user)
            return redirect(_next(request))
    context = {
        **admin.site.each_context(request),
        "title": "Second step",
        "form": form,
        "next": _next(request),
    }
    return TemplateResponse(request, "staff/code.html", context)


def _verified(request: HttpRequest, user: AbstractBaseUser, form: CodeForm) -> Any:
    """The device that the code belongs to; None with an error in the form when it does not fit."""
    if login.is_locked_out(request, user):
        return None
    try:
        return second_factor.verify(user, form.cleaned_data["code"])
    except second_factor.WrongCode as wrong:
        if wrong.until is None:
            login.note_wrong_code(request, user)
        form.add_error("code", _sentence(wrong))
    return None


def _sentence(wrong: second_factor.WrongCode) -> str:
    if wrong.until is None:
        return "This code is wrong or was used before. Wait for the next one of your app."
    seconds = max(1, math.ceil((wrong.until - timezone.now()).total_seconds()))
    return f"After wrong codes there is a pause. Try again in {_duration(seconds)}."


def _duration(seconds: int) -> str:
    count, unit = (seconds, "second") if seconds < 120 else (math.ceil(seconds / 60), "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _warn_of_few(request: HttpRequest, user: AbstractBaseUser) -> None:
    left = second_factor.standing(user).codes_left
    if left <= LAST_CODES:
        messages.warning(request, f"Only {left} recovery codes are left: make new ones at “Second factor”.")


def _next(request: HttpRequest) -> str:
    """Where to go afterwards: only to pages of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else reverse("admin:index")


@sensitive_post_parameters()
@never_cache
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """One's own second factor: set it up; later, new recovery codes and taking it away, each for a code."""
    if second_factor.device_of(request.user) is None:
        return _enrolment(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _verified(request, request.user, form) is not None:
        if request.POST.get("act") == "remove":
            second_factor.remove(request.user)
            messages.success(request, "Your second factor is gone. Set up a new one here.")
            return redirect("admin:second_factor")
        codes = second_factor.renew_codes(request.user)
        return _page(request, "staff/recovery_codes.html", codes=codes, next=_next(request))
    return _page(
        request, "staff/second_factor.html", form=form, standing=second_factor.standing(request.user)
    )


def _enrolment(request: HttpRequest) -> HttpResponse:
    """A QR code, and a code of the app that shows that it was read."""
    key = request.session.setdefault(KEY, second_factor.new_key())
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device, codes = second_factor.enrol(request.user, key, form.cleaned_data["code"])
        except second_factor.WrongCode:
            form.add_error("code", "The app should show another code. Does its clock go right?")
        else:
            del request.session[KEY]
            login.complete(request, request.user, device)
            return _page(request, "staff/recovery_codes.html", codes=codes, next=_next(request))
    draft = second_factor.draft(request.user, key)
    return _page(request, "staff/enrolment.html", form=form, next=_next(request), **_readable(draft))


def _readable(device: Any) -> dict[str, str]:
    """The secret for cameras and for people."""
    url = device.config_url
    picture = segno.make(url, micro=False).svg_inline(
        scale=5, border=4, dark="#000", light="#fff", title="QR code", svgclass=None, lineclass=None
    )
    secret = url.partition("secret=")[2].partition("&")[0]
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return {"picture": mark_safe(picture), "secret": groups}  # noqa: S308 - drawn by segno, no text inside


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Second factor", **context}
    return TemplateResponse(request, template, context)

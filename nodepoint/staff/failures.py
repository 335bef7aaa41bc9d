"""What staff read where a page cannot be shown: what it means, and where to go on. Callers of the API have
their own (`nodepoint.api.errors`)."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from nodepoint import logs
from nodepoint.admin import NoSuchRow

NOT_THERE = "There is nothing at this address: it was deleted, or the address is wrong."
NOT_YOURS = "Your role does not allow this. An administrator can give you another one, or do it for you."
STALE = (
    "This page was open for too long, or you have logged in anew since. Nothing was done. Go back, load the"
    " page again, and repeat it there."
)
UNREADABLE = "Your browser sent what cannot be read, or used a name that is not in ALLOWED_HOSTS."
FAILED = (
    "This is a fault of NodePoint. What you had asked for was not done, or the page would say so; look at the"
    " board before you repeat it."
)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404. `exception`: a `NoSuchRow` says more than the address."""
    return _page(request, 404, "Not found", str(exception) if isinstance(exception, NoSuchRow) else NOT_THERE)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _page(request, 403, "Not allowed", NOT_YOURS)


def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose token is not the session's."""
    return _page(request, 403, "Please load the page again", STALE)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, without asking for who it is."""
    return _plain(request, 400, "Not understood", UNREADABLE)


def failed(request: HttpRequest) -> HttpResponse:
    """500: with the id of the request, by which the log tells more. Asks no database."""
    return _plain(request, 500, "Something went wrong", FAILED)


def _page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    """In the frame of the admin for who is logged in."""
    if not admin.site.has_permission(request):
        return _plain(request, status, title, sentence)
    shown = {**admin.site.each_context(request), "title": title, "subtitle": None, "sentence": sentence}
    return render(request, "staff/failure.html", shown, status=status)


def _plain(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    shown = {"title": title, "sentence": sentence, "request_id": logs.request_id()}
    return render(request, "staff/failure_plain.html", shown, status=status)

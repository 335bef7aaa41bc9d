"""E-mails to customers as they would look now: each kind in each language, with sample values, the plain and
the HTML part side by side. What an operator has overridden is shown as it would be sent."""

from collections.abc import Callable
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.admin import ModelAdmin

from nodepoint.notices import letters
from nodepoint.notices.letters import Mail, Rendered, Unreadable
from nodepoint.notices.models import Language, Preferences

# The HTML of an e-mail in a frame of ours: its own styles, and nothing else.
FRAMED = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": [""],
}

View = Callable[..., HttpResponse]


def links() -> list[dict[str, Any]]:
    """Each kind, with the addresses of its previews by language."""
    silenced = Preferences.current().silenced
    return [
        {
            "mail": mail,
            "is_silenced": mail.kind in silenced,
            "languages": [(label, address(mail, value)) for value, label in Language.choices],
        }
        for mail in letters.mails()
    ]


def address(mail: Mail, language: str, part: str = "mail") -> str:
    """Of a preview, or of the frame in it (`page`)."""
    return reverse(f"admin:notices_preferences_{part}", args=[mail.template, language])


def view(page: ModelAdmin) -> View:
    """The page of a preview."""

    def show(request: HttpRequest, name: str, language: str) -> HttpResponse:
        mail = _asked(page, request, name, language)
        try:
            made, fault = _made(mail, language), ""
        except Unreadable as error:
            made, fault = None, str(error)
        context = {
            **page.admin_site.each_context(request),
            "opts": page.opts,
            "title": mail.title,
            "subtitle": None,
            "mail": mail,
            "made": made,
            "fault": fault,
            "frame": address(mail, language, "page"),
            "language": language,
            "languages": [(value, label, address(mail, value)) for value, label in Language.choices],
            "others": [(other, address(other, language)) for other in letters.mails()],
            "back": reverse("admin:notices_preferences_change", args=[1]),
        }
        return TemplateResponse(request, "notices/mail.html", context)

    return page.admin_site.admin_view(csp_update({"frame-src": [SELF]})(show))


def page(page: ModelAdmin) -> View:
    """The HTML part itself, for the frame."""

    def show(request: HttpRequest, name: str, language: str) -> HttpResponse:
        mail = _asked(page, request, name, language)
        try:
            return HttpResponse(_made(mail, language).html)
        except Unreadable:
            raise Http404 from None

    return xframe_options_sameorigin(page.admin_site.admin_view(csp_replace(FRAMED)(show)))


def _asked(page: ModelAdmin, request: HttpRequest, name: str, language: str) -> Mail:
    if not page.has_view_permission(request):
        raise PermissionDenied
    found = next((mail for mail in letters.mails() if mail.template == name), None)
    if found is None or language not in Language.values:
        raise Http404
    return found


def _made(mail: Mail, language: str) -> Rendered:
    return letters.render(mail.template, mail.sample, language, Preferences.current())

"""Pages of one row that show how it is now and move by themselves (`static/nodepoint/live.js`)."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

MOVING, RESTING = 2, 10  # seconds between two looks: while something goes on, and else


def ask(page: ModelAdmin, request: HttpRequest, variant: str = "danger", **question: Any) -> HttpResponse:
    """The page before an act whose button is a link: what GET shows, and POST does. `question` holds `title`,
    `question`, `explanation`, `back` (an address), and `original` where the act is of one row; `variant` is
    the theme's name for the look of the button, `primary` where the act does no harm."""
    given = {"opts": page.opts, "subtitle": None, "variant": variant, **question}
    context = {**page.admin_site.each_context(request), **given}
    return TemplateResponse(request, "staff/ask.html", context)


class LivePageMixin:
    """For a ModelAdmin whose change page is to look at. `live_parts`: the template of each part that is
    looked at anew, by its name in the page."""

    live_parts: Mapping[str, str] = {}

    def shown(self, request: HttpRequest, subject: Model) -> dict[str, Any]:
        """What the page and its parts are made of; `say`: its news in one sentence; `again`: seconds until
        the next look."""
        raise NotImplementedError

    def page_title(self, subject: Model) -> str:
        """The title of the page."""
        return str(subject)

    def get_urls(self) -> list[URLPattern]:
        """With the address that the page looks at."""
        live = self.admin_site.admin_view(self.live_view)
        return [path("<path:object_id>/live/", live, name=self._live_name), *super().get_urls()]

    @property
    def _live_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_live"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page itself."""
        subject = self.get_object(request, object_id)
        if subject is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, subject):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **self.shown(request, subject),
            "opts": self.opts,
            "original": subject,
            "title": self.page_title(subject),
            "subtitle": None,
            "live_url": reverse(f"admin:{self._live_name}", args=[subject.pk]),
        }
        request.current_app = self.admin_site.name
        return HttpResponse(render_to_string(self.change_form_template, context, request))

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The parts as they are now: `{"parts": {name: markup}, "say", "again": seconds}`."""
        subject = self.get_object(request, object_id)
        if subject is None or not self.has_view_permission(request, subject):
            raise PermissionDenied
        shown = self.shown(request, subject)
        parts = {
            name: render_to_string(template, shown, request) for name, template in self.live_parts.items()
        }
        return JsonResponse({"parts": parts, "say": shown["say"], "again": shown["again"]})

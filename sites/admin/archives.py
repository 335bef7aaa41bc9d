"""Archives for staff: all of them, and which nights were complete."""

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import action, display

from nodepoint.admin import ReadOnlyAdmin
from sites.archives import calendar
from sites.models import Archive

COLOURS = {
    "ready": "success",
    "creating": "info",
    "failed": "danger",
    "missing": "danger",
    "deleted": "default",
}


@admin.register(Archive)
class ArchiveAdmin(ReadOnlyAdmin):
    """Archives, newest first, and those that are gone. Made and deleted on the page of their site."""

    actions_list = ("nights",)
    list_display = (
        "name",
        "service_id",
        "state_label",
        "origin",
        "made_at",
        "size_mb",
        "storage",
        "expires_at",
        "verified_at",
        "protected",
    )
    list_filter = ("state", "origin", "protected", "night")
    list_select_related = ("site",)
    search_fields = ("name", "service_id", "volid", "vmid")

    def get_urls(self) -> list[URLPattern]:
        """With the page of the nights."""
        view = self.admin_site.admin_view(self.nights_view)
        return [path("nights/", view, name="sites_archive_nights"), *super().get_urls()]

    @display(description="State", ordering="state", label=COLOURS)
    def state_label(self, archive: Archive) -> tuple[str, str]:
        """In colour."""
        return archive.state, archive.get_state_display()

    @action(description="Nights", icon="calendar_month")
    def nights(self, request: HttpRequest) -> HttpResponse:
        """The button above the list."""
        return HttpResponseRedirect(reverse("admin:sites_archive_nights"))

    def nights_view(self, request: HttpRequest) -> HttpResponse:
        """What was archived when, and what was not."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Nights of the archives",
            "storage": settings.ARCHIVE_STORAGE,
            "lines": calendar.lines() if settings.ARCHIVE_STORAGE else [],
        }
        return TemplateResponse(request, "sites/admin/nights.html", context)

"""Support keys for staff: is this key good, whose is it, what happened to it, what can be done."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display

from nodepoint.admin import ReadOnlyAdmin, ReadOnlyInline
from nodepoint.lists import CappedPaginator
from nodepoint.staff.acts import ActsMixin
from support import keys, search, services
from support.acts import ACTS, CREATE, FITS
from support.export import as_csv
from support.models import HistoryEntry, SupportKey

STATUS_COLOURS = {
    SupportKey.Status.ACTIVE: "success",
    SupportKey.Status.SUSPENDED: "warning",
    SupportKey.Status.INACTIVE: "danger",
}


class Searched:
    """The search box of the admin, answered from the index of terms."""

    search_help_text = "Key, service, e-mail or name"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """The rows of the support keys that the search finds."""
        if not search_term.strip():
            return queryset, False
        found, more = search.matching(search_term)
        if more:
            messages.warning(request, f"More than {search.MOST} keys match: these are not all of them.")
        return queryset.filter(**{f"{self.path_to_key}__in": found}), False


class HistoryInline(ReadOnlyInline):
    """The history of a key, newest first."""

    model = HistoryEntry
    fields = readonly_fields = ("at", "kind", "before", "after", "actor", "reason", "replaced_key")
    verbose_name_plural = "History"
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: SupportKey | None = None) -> bool:
        """Whoever may see a key may see its history."""
        return request.user.has_perm("support.view_supportkey")


@admin.register(SupportKey)
class SupportKeyAdmin(ActsMixin, Searched, ReadOnlyAdmin):
    """Keys, newest first. A whole key in the search box is answered in one sentence above the list."""

    acts = tuple(ACTS.values())
    path_to_key = "pk"
    list_display = ("support_key", "service_id", "person", "email", "status_label", "created_at")
    list_filter = ("status", "created_at")
    search_fields = ("support_key",)  # makes the box appear; `Searched` answers it
    sortable_by = ("support_key", "service_id", "created_at")  # what has an index
    list_before_template = "support/verdict.html"
    actions = ["export_chosen"]
    actions_list = ["create", "export"]
    actions_detail = list(ACTS)
    fields = (("support_key", "status"), ("service_id", "created_at"), ("person", "email"))
    readonly_fields = ("person",)
    inlines = [HistoryInline]

    @display(description="Name")
    def person(self, row: SupportKey) -> str:
        """The name, kept from turning the direction of the text around it."""
        return format_html("<bdi>{}</bdi>", row.name)

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_label(self, row: SupportKey) -> tuple[str, str]:
        """The status in colour."""
        return row.status, row.get_status_display()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, and above it the answer to “is this key good?”."""
        asked = request.GET.get(SEARCH_VAR, "")
        verdict = services.judge(asked) if keys.complete(asked) else None
        return super().changelist_view(request, {**(extra_context or {}), "verdict": verdict})

    def legal_acts(self, request: HttpRequest, subject: SupportKey) -> set[str]:
        """Those that the key's status admits."""
        return {name for name, states in FITS.items() if subject.status in states}

    def act_label(self, subject: SupportKey | None) -> str:
        """The key, the service and the person."""
        return f"{subject.support_key} · service {subject.service_id} · {subject.name}" if subject else ""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The acts that fit."""
        row = self.get_object(request, object_id)
        names = self.legal_acts(request, row) if row else set()
        fitting = {f"support_supportkey_{name}" for name in names}
        return [one for one in super().get_actions_detail(request, object_id) if one.action_name in fitting]

    # By name: where an action names a permission in full, Unfold's system check asks the database for it,
    # before `migrate` has made its tables.

    def has_status_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may change keys."""
        return request.user.has_perm("support.change_supportkey")

    def has_rotate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may replace keys."""
        return request.user.has_perm("support.rotate_supportkey")

    def get_urls(self) -> list[URLPattern]:
        """With the page on which a key is made."""
        create = self.admin_site.admin_view(self.create_view)
        return [path("make-key/", create, name="support_supportkey_make"), *super().get_urls()]

    @action(description=CREATE.label, icon=CREATE.icon, permissions=["status"])
    def create(self, request: HttpRequest) -> HttpResponse:
        """The button above the list leads to the page of the act."""
        return HttpResponseRedirect(reverse("admin:support_supportkey_make"))

    def create_view(self, request: HttpRequest) -> HttpResponse:
        """An act without a row: it makes one."""
        if not self.may(request, CREATE):
            raise PermissionDenied
        return self.ask_or_do(request, CREATE, None)

    @action(description="Suspend", icon="pause", permissions=["status"])
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then do."""
        return self.act_view(request, object_id, "suspend")

    @action(description="Unsuspend", icon="play_arrow", permissions=["status"])
    def unsuspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then do."""
        return self.act_view(request, object_id, "unsuspend")

    @action(description="Terminate", icon="block", permissions=["status"])
    def terminate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then do."""
        return self.act_view(request, object_id, "terminate")

    @action(description="New key", icon="key", permissions=["rotate"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then do."""
        return self.act_view(request, object_id, "rotate")

    @action(description="Export all as CSV", icon="download", permissions=["view"])
    def export(self, request: HttpRequest) -> HttpResponse:
        """The whole list."""
        return _download(self.get_queryset(request))

    @admin.action(description="Export the chosen ones as CSV", permissions=["view"])
    def export_chosen(self, request: HttpRequest, queryset: QuerySet[SupportKey]) -> HttpResponse:
        """The chosen rows; with “select all”, all of the list as it is filtered."""
        return _download(queryset)


def _download(queryset: QuerySet[SupportKey]) -> HttpResponse:
    name = f"support-keys-{timezone.localdate():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(as_csv(queryset), content_type="text/csv; charset=utf-8", headers=headers)


@admin.register(HistoryEntry)
class HistoryAdmin(Searched, ReadOnlyAdmin):
    """Everything that happened to all keys, newest first."""

    path_to_key = "support_key"
    list_display = ("at", "kind", "service", "before", "after", "actor", "reason")
    list_filter = ("kind",)
    paginator = CappedPaginator
    list_select_related = ("support_key",)
    search_fields = ("replaced_key",)  # makes the box appear; `Searched` answers it
    sortable_by = ()
    fields = ("at", "kind", "support_key", "before", "after", "replaced_key", "actor", "reason", "request_id")

    @display(description="Service")
    def service(self, entry: HistoryEntry) -> str:
        """Whose support it is about."""
        return entry.support_key.service_id

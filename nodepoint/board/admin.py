"""Pages of the board: systems, differences, calls of the API, and what the first page asks for."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.board import differences, dismissals, page, search  # noqa: F401 - `differences` registers
from nodepoint.board.alerts import ABOUT
from nodepoint.board.models import Alert, CallCount, SystemState
from nodepoint.board.registry import Level
from nodepoint.lists import BigList, Choice
from nodepoint.staff.acts import LONGEST_REASON, one_line


@admin.register(SystemState)
class SystemStateAdmin(ReadOnlyAdmin):
    """The systems that we drive, as the last check found them. Its addresses also hold what belongs to the
    first page."""

    list_display = ("name", "how_it_is", "latency", "error", "since", "checked_at")
    list_display_links = None
    custom_urls = (
        ("in-flight/", "board_in_flight", lambda request, model_admin: page.in_flight_view(request)),
        ("needs/", "board_needs", lambda request, model_admin: page.needs_view(request)),
        ("dismiss/", "board_dismiss", lambda request, model_admin: dismiss_view(request)),
        ("search/", "board_search", lambda request, model_admin: search_view(request, model_admin)),
    )

    @display(description="State", label={"up": "success", "down": "danger"})
    def how_it_is(self, state: SystemState) -> tuple[str, str]:
        """In colour."""
        return ("up", "works") if state.ok else ("down", "down")

    @display(description="Answered in")
    def latency(self, state: SystemState) -> str:
        """Milliseconds."""
        return "–" if state.latency_ms is None else f"{state.latency_ms:.0f} ms"


class DismissForm(forms.Form):
    """Which trouble, and why it needs nobody any more."""

    key = forms.CharField(max_length=80)
    reason = forms.CharField(max_length=LONGEST_REASON, required=False, validators=[one_line])


def dismiss_view(request: HttpRequest) -> HttpResponse:
    """Take a trouble off the board."""
    if not request.user.has_perm("jobs.steer_job"):
        raise PermissionDenied
    form = DismissForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            dismissals.dismiss(
                form.cleaned_data["key"], request.user.get_username(), form.cleaned_data["reason"]
            )
        except dismissals.NothingThere:
            raise Http404 from None
        messages.success(request, "It is off the board. The job's page keeps what happened.")
    return HttpResponseRedirect(reverse("admin:index"))


def search_view(request: HttpRequest, model_admin: SystemStateAdmin) -> HttpResponse:
    """The search box as a page of its own: without scripts, by keyboard, on a phone. What the text can only
    mean is opened at once."""
    text = request.GET.get("s", "")
    hits = search.hits(request.user, text)
    if only := search.meant(hits, text):
        return HttpResponseRedirect(only.url)
    context = {**model_admin.admin_site.each_context(request), "title": "Search", "hits": hits, "text": text}
    return TemplateResponse(request, "board/search.html", context)


def _per_call(row: CallCount) -> str:
    return f"{row.ms / max(1, row.calls):.0f}"


@admin.register(CallCount)
class CallCountAdmin(BigList, ReadOnlyAdmin):
    """Calls of the API by hour, route, and how they ended."""

    list_display = ("hour", "route", "ended", "calls", "mean_ms")
    list_display_links = None
    ordering = ("-hour", "-route", "-status")  # the index read backwards
    sortable_by = ()
    list_filter = ("status", "hour")
    search_fields = ("route",)
    search_help_text = "Path"
    actions_list = ("export_list",)
    csv_name = "api-calls"
    csv_columns = (
        ("hour", lambda row: row.hour),
        ("route", lambda row: row.route),
        ("status", lambda row: f"{row.status}xx"),
        ("calls", lambda row: row.calls),
        ("mean_ms", _per_call),
    )

    @display(description="Ended", label={"2xx": "success", "4xx": "warning", "5xx": "danger"})
    def ended(self, row: CallCount) -> str:
        """In colour."""
        return f"{row.status}xx"

    @display(description="Mean time (ms)")
    def mean_ms(self, row: CallCount) -> str:
        """Milliseconds of one call."""
        return _per_call(row)


class AlertState(Choice):
    """Whether it stands, and whether anybody was told."""

    title = "state"
    parameter_name = "state"
    questions = {
        "standing": ("stands, and was told", lambda rows: rows.filter(over_at=None, told_at__isnull=False)),
        "young": ("too young to be told", lambda rows: rows.filter(told_at=None)),
        "over": ("over", lambda rows: rows.filter(over_at__isnull=False)),
    }


class Severity(Choice):
    """Whether it breaks quiet hours."""

    title = "severity"
    parameter_name = "severity"
    questions = {
        "urgent": ("urgent", lambda rows: rows.filter(level=Level.FAILING)),
        "normal": ("can wait", lambda rows: rows.filter(level=Level.WAITING)),
    }


@admin.register(Alert)
class AlertAdmin(BigList, ReadOnlyAdmin):
    """Troubles of the board that stand or stood, the newest first; those that are over for 90 days."""

    list_display = (
        "title",
        "group",
        "severity",
        "state_label",
        "detail",
        "since",
        "told_at",
        "over_at",
        "told",
    )
    list_filter = (AlertState, Severity, "first_seen")
    sortable_by = ()
    search_fields = ("title",)
    search_help_text = "What it is called"
    actions_list = ("export_list",)
    fields = (
        ("title", "group"),
        "detail",
        ("severity_word", "state_word"),
        ("first_seen", "since"),
        ("told_at", "over_at"),
        ("where", "told"),
    )
    readonly_fields = ("severity_word", "state_word", "where", "told")
    csv_name = "alerts"
    csv_columns = (
        ("group", lambda row: row.group),
        ("title", lambda row: row.title),
        ("detail", lambda row: row.detail),
        ("severity", lambda row: Level(row.level).severity),
        ("first_seen", lambda row: row.first_seen),
        ("told_at", lambda row: row.told_at),
        ("over_at", lambda row: row.over_at),
    )

    @display(description="Severity", label={"urgent": "danger", "normal": "warning"})
    def severity(self, row: Alert) -> tuple[str, str]:
        """In colour."""
        severity = Level(row.level).severity
        return severity, "urgent" if severity == "urgent" else "can wait"

    @display(description="State", label={"stands": "danger", "young": "info", "over": "success"})
    def state_label(self, row: Alert) -> tuple[str, str]:
        """In colour."""
        if row.over_at:
            return "over", "over"
        return ("stands", "stands") if row.told_at else ("young", "not told yet")

    @display(description="Severity")
    def severity_word(self, row: Alert) -> str:
        """The same without colour, for the page."""
        return self.severity(row)[1]

    @display(description="State")
    def state_word(self, row: Alert) -> str:
        """Likewise."""
        return self.state_label(row)[1]

    @display(description="Put right at")
    def where(self, row: Alert) -> str:
        """The page of the admin."""
        return format_html('<a href="{}">{}</a>', row.url, row.url) if row.url.startswith("/") else row.url

    @display(description="Told")
    def told(self, row: Alert) -> str:
        """Its deliveries."""
        if row.told_at is None:
            return "–"
        address = f"{reverse('admin:notices_notice_changelist')}?q={ABOUT}{row.pk}"
        return format_html('<a href="{}">deliveries</a>', address)

"""Pages of the board: systems, differences, calls of the API, and what the first page asks for."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.board import dismissals, drift, findings, page, search
from nodepoint.board.alerts import ABOUT
from nodepoint.board.models import Alert, CallCount, Finding, SystemState
from nodepoint.board.registry import Level
from nodepoint.jobs.errors import MoveRefused
from nodepoint.lists import BigList, BulkAct, Choice
from nodepoint.staff.acts import LONGEST_REASON, Act, ActsMixin, Result, one_line
from nodepoint.staff.pages import ask

MEND = "sites.override_site"  # what putting differences right needs


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


def _mend(row: Finding, actor: str) -> bool:
    if row.data.get("act") == drift.REMOVE_ALONE:
        return False
    return drift.put_right(row, actor) is not None


def _put_right(row: Finding, *, actor: str, reason: str) -> Result:
    job = drift.put_right(row, actor)
    if job is None:
        raise MoveRefused("There is nothing to be done any more, or something else goes on there.")
    return Result("It is being put right.", where=reverse("admin:jobs_job_change", args=[job.pk]))


def _will_happen(row: Finding, query: dict[str, str]) -> str:
    if row.data.get("act") == drift.REMOVE_ALONE:
        return (
            "It carries our mark, and no row of ours says that it is dead: it may be alive, as after the "
            "database came back from an older dump. Look at it in the system itself first. It is removed for "
            "good, unless it is in use."
        )
    if row.data.get("act") == drift.REMOVE:
        return "It is removed for good, after another look: what has been taken into use meanwhile stays."
    return "What differs is made again as our rows say. What is right is left alone."


PUT_RIGHT = Act(
    "put_right",
    "Put right",
    "Put this difference right?",
    _will_happen,
    "It is being put right.",
    _put_right,
    MEND,
    icon="build",
)


def _leave(row: Finding, *, actor: str, reason: str) -> Result:
    findings.leave(row, actor, reason)
    return Result(where=reverse("admin:board_finding_changelist"))


def _take_up(row: Finding, *, actor: str, reason: str) -> None:
    findings.take_up(row)


LEAVE = Act(
    "leave",
    "Leave as it is",
    "Leave this difference as it is?",
    "It is meant to be so: the board and the notices do not name it any more. It comes back by itself when it"
    " differs otherwise than now, and stays in the list until no look finds it.",
    "It is off the board.",
    _leave,
    MEND,
    icon="visibility_off",
    needs_reason=True,
)
TAKE_UP = Act(
    "take_up",
    "Put on the board again",
    "Put this difference on the board again?",
    "It counts as every other one.",
    "It is on the board again.",
    _take_up,
    MEND,
    icon="visibility",
)


class Left(Choice):
    """Whether staff have left it as it is."""

    title = "on the board"
    parameter_name = "left"
    questions = {
        "no": ("yes", lambda rows: rows.filter(left_at=None)),
        "yes": ("no, left as it is", lambda rows: rows.filter(left_at__isnull=False)),
    }


@admin.register(Finding)
class FindingAdmin(ActsMixin, BigList, ReadOnlyAdmin):
    """What the periodic looks found to be not as our rows say. It goes by itself when a later look no longer
    finds it."""

    list_display = ("thing", "kind_label", "system", "of", "detail", "cure", "first_seen", "last_seen")
    list_filter = ("kind", "system", "mendable", Left)
    search_fields = ("thing", "label")
    list_before_template = "board/compared.html"
    change_form_outer_before_template = "board/finding_acts.html"
    acts = (PUT_RIGHT, LEAVE, TAKE_UP)
    actions_list = ("compare_now", "export_list")
    fields = (
        ("thing", "kind"),
        ("system", "of"),
        "detail",
        ("first_seen", "last_seen"),
        ("mendable", "look"),
        ("left_at", "left_by"),
        "left_reason",
    )
    readonly_fields = ("of",)
    csv_name = "differences"
    csv_columns = tuple(
        (name, lambda row, name=name: getattr(row, name))
        for name in ("kind", "system", "thing", "label", "detail", "mendable", "first_seen", "last_seen")
    )
    bulk = (
        BulkAct(
            name="put_right",
            label="Put right",
            warning=(
                "What differs is made again as our rows say. What is left over is removed for good, after "
                "another look: what has been taken into use meanwhile stays. What no row of ours knows to be "
                "dead is removed from its own page only, one at a time."
            ),
            done="being put right: their jobs run now",
            permission=MEND,
            perform=_mend,
        ),
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, and above it when everything was compared last."""
        compared_at, unread = drift.state()
        facts = {"compared_at": compared_at, "unread": unread}
        return super().changelist_view(request, {**(extra_context or {}), **facts})

    def legal_acts(self, request: HttpRequest, subject: Finding) -> Iterable[str]:
        """Its cure, where a job has one, and whether the board names it."""
        cure = {PUT_RIGHT.name} if subject.mendable else set()
        return cure | {TAKE_UP.name if subject.left_at else LEAVE.name}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the button of its cure."""
        row = self.get_object(request, object_id)
        buttons = self.buttons(request, row, self.legal_acts(request, row)) if row else []
        context = {**(extra_context or {}), "finding": row, "buttons": buttons}
        return super().change_view(request, object_id, form_url, context)

    def has_compare_permission(self, request: HttpRequest) -> bool:
        """Whoever may put things right."""
        return request.user.has_perm(MEND)

    @action(description="Compare now", icon="sync", permissions=["compare"])
    def compare_now(self, request: HttpRequest) -> HttpResponse:
        """Ask, then submit the job that looks; nothing is changed by it."""
        if request.method != "POST":
            question = {
                "title": "Compare now?",
                "question": "Compare the database with all systems now?",
                "explanation": "A job asks Proxmox VE, Cloudflare, Nginx Proxy Manager and ISPConfig for all"
                " that they hold. Nothing is changed.",
                "back": reverse("admin:board_finding_changelist"),
            }
            return ask(self, request, "primary", **question)
        job = drift.request(f"staff {request.user.get_username()}")
        return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job.pk]))

    @display(description="What", ordering="kind", label={"missing": "danger", "runs": "danger"})
    def kind_label(self, row: Finding) -> tuple[str, str]:
        """In colour."""
        return row.kind, row.get_kind_display()

    @display(description="Of")
    def of(self, row: Finding) -> str:
        """The site or zone it is about, with a link to it."""
        label, _, key = row.subject.partition(":")
        if not key:
            return row.label or "–"
        app, _, model = label.partition(".")
        return format_html(
            '<a href="{}">{}</a>', reverse(f"admin:{app}_{model}_change", args=[key]), row.label
        )

    @display(description="Cure")
    def cure(self, row: Finding) -> str:
        """What can be done about it."""
        if row.left_at:
            return "left as it is"
        if not row.mendable:
            return "by hand"
        cures = {drift.REMOVE: "remove", drift.REMOVE_ALONE: "remove, one at a time"}
        return cures.get(row.data.get("act"), "repair")


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

"""Pages of what was told to whom, and of how people are told."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from nodepoint.admin import ReadOnlyAdmin, StaffAdmin
from nodepoint.audit.edits import Audited
from nodepoint.board import search
from nodepoint.jobs import registry
from nodepoint.jobs.models import Job, JobStep
from nodepoint.lists import BigList, Choice
from nodepoint.notices import again, previews
from nodepoint.notices.forms import PreferencesForm
from nodepoint.notices.models import PREFIX, WEBHOOK, Notice, Preferences, key
from nodepoint.staff.acts import Act, ActsMixin, Result

MOST = 1000  # rows of one search or filter that are looked up beforehand
COLOURS = {
    "sent": "success",
    "partly": "warning",
    "held": "info",
    "waiting": "warning",
    "failed": "danger",
    "nobody": "default",
    "gone": "default",
}
WORDS = {
    "sent": "sent",
    "partly": "sent to some",
    "held": "held back",
    "waiting": "on its way",
    "failed": "failed",
    "nobody": "nobody was told",
    "gone": "not known any more",
}


def _jobs(**which: Any) -> list[str]:
    """The keys of notices whose jobs are so, the newest."""
    jobs = Job.objects.filter(kind__startswith=PREFIX, **which).order_by("-created_at")
    return [subject.partition(":")[2] for subject in jobs.values_list("subject", flat=True)[:MOST]]


def _unsent(**which: Any) -> Any:
    return lambda rows: rows.filter(sent_at=None, summary="", pk__in=_jobs(**which))


class State(Choice):
    """What became of it."""

    title = "state"
    parameter_name = "state"
    questions = {
        "sent": ("sent", lambda rows: rows.filter(sent_at__isnull=False)),
        "waiting": ("on its way", _unsent(state__in=Job.ALIVE)),
        "held": ("held back by quiet hours", lambda rows: rows.filter(held_at__isnull=False)),
        "failed": ("failed", _unsent(state__in=Job.ENDED_BADLY)),
        "nobody": ("nobody was told", _unsent(state=Job.State.SUCCEEDED)),
    }


class Kind(admin.SimpleListFilter):
    """What it tells of; asked of the release, not of all rows."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """All kinds by their title."""
        found = [(flow.name, flow.title) for flow in registry.flows() if flow.name.startswith(PREFIX)]
        return sorted(found, key=lambda one: one[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        """Those of the chosen kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


def _send_again(row: Notice, *, actor: str, reason: str) -> Result:
    job = again.send_again(row, actor)
    return Result("It is being sent.", where=reverse("admin:jobs_job_change", args=[job.pk]))


def _will_happen(row: Notice, query: dict[str, str]) -> list[str]:
    if row.sent_at is None:
        return ["It goes to whoever does not have it, if it is still true."]
    return [
        f"{row.recipient or row.sent_to} has it already, and gets another one, if it is still true.",
        "What it says is made anew. A link to set a password voids the one of the first e-mail.",
    ]


SEND_AGAIN = Act(
    "send_again",
    "Send again",
    "Send it again?",
    _will_happen,
    "It is being sent.",
    _send_again,
    "notices.send_notice",
    icon="forward_to_inbox",
)


@admin.register(Notice)
class NoticeAdmin(ActsMixin, BigList, ReadOnlyAdmin):
    """What was told to whom, by which way, and what came of it. The newest first."""

    list_display = ("what", "to", "way", "of", "state_label", "tries", "said", "next_try", "created_at")
    list_filter = (State, Kind, "created_at")
    sortable_by = ("created_at",)
    search_fields = ("id",)  # makes the box appear; `matching` answers it
    search_help_text = "The customer's e-mail address, service, domain, zone, or the id"
    change_form_outer_before_template = "notices/delivery.html"
    acts = (SEND_AGAIN,)
    actions_list = ("export_list",)
    fields = (
        ("what", "state_word"),
        ("to", "way"),
        ("of", "cause_link"),
        ("tries", "next_try"),
        "said",
        ("created_at", "sent_at"),
        ("held", "summary_link"),
    )
    readonly_fields = (
        *("what", "state_word", "to", "way", "of", "cause_link", "tries", "next_try", "said", "held"),
        "summary_link",
    )
    csv_name = "deliveries"
    csv_columns = (
        ("id", lambda row: row.pk),
        ("kind", lambda row: row.kind),
        ("to", lambda row: _to(row)),
        ("about", lambda row: row.about),
        ("created_at", lambda row: row.created_at),
        ("sent_at", lambda row: row.sent_at),
    )

    def enrich(self, rows: Sequence[Notice]) -> None:
        """Its newest job, with the step. Two queries for the page."""
        subjects = {row.key: row for row in rows}
        jobs = Job.objects.filter(subject__in=list(subjects)).order_by("created_at").prefetch_related("steps")
        for row in rows:
            row.job = None
        for job in jobs:
            subjects[job.subject].job = job

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Notice | None:
        """With its job."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.enrich([row])
        return row

    def matching(self, text: str) -> tuple[Iterable[Any], bool]:
        """By its recipient, its id, or whatever the thing it tells of is known by."""
        text = search.tidy(text)
        rows = Notice.objects.order_by("-created_at")
        found = [
            *rows.filter(search.begins("recipient", text)).values_list("pk", flat=True)[: MOST + 1],
            *rows.filter(about__in=[text, *search.subjects(text)]).values_list("pk", flat=True)[: MOST + 1],
            *rows.filter(pk=text).values_list("pk", flat=True),
        ]
        keys = list(dict.fromkeys(found))
        return keys[:MOST], len(keys) > MOST

    def legal_acts(self, request: HttpRequest, subject: Notice) -> Iterable[str]:
        """Whether it can be sent now is seen when it is tried; what has begun a moment ago is left alone."""
        return {SEND_AGAIN.name}

    def act_label(self, subject: Notice | None) -> str:
        """What it is, and to whom."""
        return f"{subject.title} · {_to(subject)}" if subject else ""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the button, the job, and each try of a webhook."""
        row = self.get_object(request, object_id)
        context = {**(extra_context or {}), "buttons": []}
        if row:
            step = _step(row)
            context["buttons"] = self.buttons(request, row, self.legal_acts(request, row))
            context["job"] = row.job
            context["attempts"] = [
                (datetime.fromisoformat(at), said)
                for at, said in (step.data if step else {}).get("attempts", [])
            ]
        return super().change_view(request, object_id, form_url, context)

    @display(description="What")
    def what(self, row: Notice) -> str:
        """The title of its kind."""
        return row.title

    @display(description="To")
    def to(self, row: Notice) -> str:
        """Who has it or is to get it."""
        return _to(row)

    @display(description="By")
    def way(self, row: Notice) -> str:
        """E-mail or webhook."""
        return "webhook" if row.kind == WEBHOOK else "e-mail"

    @display(description="Of")
    def of(self, row: Notice) -> str:
        """What it tells of, with a link to it."""
        name = (row.job.data.get("service_id") or row.job.data.get("zone")) if row.job else ""
        label, _, pk = row.about.partition(":")
        app, _, model = label.partition(".")
        if not pk or f"{app}.{model}" not in LINKED:
            return name or row.about or "–"
        return format_html(
            '<a href="{}">{}</a>', reverse(f"admin:{app}_{model}_change", args=[pk]), name or row.about
        )

    @display(description="State", label=COLOURS)
    def state_label(self, row: Notice) -> tuple[str, str]:
        """In colour."""
        state = _state(row)
        return state, "told in a summary" if row.summary and state == "sent" else WORDS[state]

    @display(description="State")
    def state_word(self, row: Notice) -> str:
        """The same without colour, for the page."""
        return self.state_label(row)[1]

    @display(description="Because of")
    def cause_link(self, row: Notice) -> str:
        """The job that it tells of."""
        if not row.cause:
            return "–"
        return format_html(
            '<a href="{}">job {}</a>', reverse("admin:jobs_job_change", args=[row.cause]), row.cause
        )

    @display(description="Held back since")
    def held(self, row: Notice) -> Any:
        """By quiet hours."""
        return row.held_at or "–"

    @display(description="Tries")
    def tries(self, row: Notice) -> str:
        """How often it was begun."""
        step = _step(row)
        return str(step.calls) if step else "–"

    @display(description="Answer")
    def said(self, row: Notice) -> str:
        """What the other side said last, or why nobody was told."""
        step = _step(row)
        taken = "taken" if row.sent_at else "–"
        return (" ".join(filter(None, [step.error, step.detail])) if step else "") or taken

    @display(description="Next try")
    def next_try(self, row: Notice) -> Any:
        """When."""
        step = _step(row)
        return step.due_at if step and row.job.alive and step.due_at else "–"

    @display(description="Summary")
    def summary_link(self, row: Notice) -> str:
        """The notice that tells of it among others."""
        if not row.summary:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse(f"admin:{NAME}_change", args=[row.summary]), key(row.summary)
        )


NAME = "notices_notice"
LINKED = {"sites.site", "sites.customdomain", "dns.zone", "board.alert"}


def _to(row: Notice) -> str:
    if row.kind == WEBHOOK:
        return "the webhook"
    return row.recipient or ", ".join(row.has) or ("the customer" if "customer" in row.title else "staff")


def _step(row: Notice) -> JobStep | None:
    return next(iter(row.job.steps.all()), None) if row.job else None


def _state(row: Notice) -> str:
    if row.sent_at:
        return "sent"
    if row.held_at:
        return "held"
    if row.job is None:
        return "gone"
    if row.job.alive:
        return "partly" if row.sent_to else "waiting"
    return "nobody" if row.job.state == Job.State.SUCCEEDED else "failed"


@admin.register(Preferences)
class PreferencesAdmin(Audited, StaffAdmin):
    """How people are told: one row, so that its list leads straight to it. Its addresses also hold the
    e-mails to customers as they would look."""

    form = PreferencesForm
    fieldsets = (
        ("E-mails to customers", {"fields": ("language", "portal_url", "contact", "silenced")}),
        ("Quiet hours of staff", {"fields": (("quiet_from", "quiet_until"), "held_too")}),
    )
    change_form_outer_before_template = "notices/kinds.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Preferences | None = None) -> bool:
        """There is always one."""
        return False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Preferences | None:
        """The row, also where a database has lost it."""
        return Preferences.current() if object_id == "1" else None

    def get_urls(self) -> list[URLPattern]:
        """With the previews."""
        view, page = previews.view(self), previews.page(self)
        return [
            path("mails/<slug:name>/<slug:language>/", view, name="notices_preferences_mail"),
            path("mails/<slug:name>/<slug:language>/page/", page, name="notices_preferences_page"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The row's page."""
        return HttpResponseRedirect(reverse("admin:notices_preferences_change", args=[1]))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the list of e-mails."""
        context = {**(extra_context or {}), "title": "How people are told", "mails": previews.links()}
        return super().change_view(request, object_id, form_url, context)

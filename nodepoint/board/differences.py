"""The page of differences: what the periodic looks found, its cure, and leaving it as it is."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.board import drift, findings
from nodepoint.board.models import Finding
from nodepoint.jobs.errors import MoveRefused
from nodepoint.lists import BigList, BulkAct, Choice
from nodepoint.staff.acts import Act, ActsMixin, Result
from nodepoint.staff.pages import ask

MEND = "sites.override_site"  # what putting differences right needs


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

"""What staff can do with a support key: a page that says what will happen and asks why, and a POST."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from nodepoint.api.errors import ApiError
from support import services
from support.models import SupportKey
from support.text import plain

Status = SupportKey.Status


@dataclass(frozen=True)
class Act:
    """`question` and `warning` stand on the page before, `done` is said after; `states`: where it fits."""

    question: str
    warning: str
    done: str
    states: frozenset[str]
    service: Callable[..., SupportKey]
    needs_reason: bool = False
    replaces_key: bool = False

    def fits(self, status: str | None) -> bool:
        """Whether a key of that status can be treated so."""
        return status in self.states


ACTS = {
    "suspend": Act(
        question="Suspend this support?",
        warning="The key is not valid until somebody unsuspends it. The billing portal is not told.",
        done="Suspended.",
        states=frozenset({Status.ACTIVE}),
        service=services.suspend_support,
    ),
    "unsuspend": Act(
        question="Make this key valid again?",
        warning="The same key gives a right to support again. The billing portal is not told.",
        done="Active again.",
        states=frozenset({Status.SUSPENDED, Status.INACTIVE}),
        service=services.unsuspend_support,
    ),
    "terminate": Act(
        question="Terminate this support?",
        warning="The key is not valid any more; the row is kept. The billing portal is not told.",
        done="Terminated.",
        states=frozenset({Status.ACTIVE, Status.SUSPENDED}),
        service=services.terminate_support,
    ),
    "rotate": Act(
        question="Replace this key by a new one?",
        warning="The old key is dead at once, and the customer has to be told the new one.",
        done="The new key stands below. The old one is dead.",
        states=frozenset(Status.values),
        service=services.rotate_key,
        needs_reason=True,
        replaces_key=True,
    ),
}


class ReasonForm(forms.Form):
    """Why, and which key the page was opened for."""

    reason = forms.CharField(max_length=200, validators=[plain], widget=UnfoldAdminTextInputWidget)
    old_key = forms.CharField(widget=forms.HiddenInput)


def perform(admin: ModelAdmin, request: HttpRequest, row: SupportKey, act: Act) -> HttpResponse:
    """The page of an act, or, at a POST with a valid form, the act itself."""
    form = ReasonForm(request.POST or None, initial={"old_key": row.support_key})
    form.fields["reason"].required = act.needs_reason
    if request.method == "POST" and form.is_valid():
        return _carry_out(admin, request, row, act, form.cleaned_data)
    context = {**admin.admin_site.each_context(request), "opts": admin.opts, "title": act.question}
    return TemplateResponse(
        request, "support/confirm.html", {**context, "act": act, "original": row, "form": form}
    )


def _carry_out(
    admin: ModelAdmin, request: HttpRequest, row: SupportKey, act: Act, given: dict[str, str]
) -> HttpResponse:
    facts = {"actor": f"staff {request.user.get_username()}", "reason": given["reason"]}
    if act.replaces_key:
        facts["old_key"] = given["old_key"]
    try:
        act.service(row.service_id, **facts)
    except ApiError as error:
        messages.error(request, error.sentence)
    else:
        admin.log_change(request, row, act.done)
        messages.success(request, act.done)
    return redirect("admin:support_supportkey_change", row.pk)

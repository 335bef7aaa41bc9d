"""What staff can do with a row: a button where it is legal, a page that says what will happen and asks why,
and a POST to the service."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminTextInputWidget

from nodepoint.api.errors import ApiError, translate
from nodepoint.audit import origin
from nodepoint.clients.errors import ClientError
from nodepoint.jobs.errors import JobRefused, MoveRefused

LONGEST_REASON = 200
LONGEST_ACTOR = 128  # as jobs and the log of acts keep it
REFUSALS = (ApiError, JobRefused, MoveRefused, ClientError)
one_line = RegexValidator(
    re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"),
    "Control characters and line breaks are not allowed.",
    inverse_match=True,
)


class ActForm(forms.Form):
    """Why; forms of acts that need more add their fields. `subject`: what the act is done to."""

    reason = forms.CharField(
        max_length=LONGEST_REASON, required=False, validators=[one_line], widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, subject: Model | None, needs_reason: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.subject = subject
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])
        self.fields["reason"].required = needs_reason
        if not needs_reason:
            self.fields["reason"].label = "Reason (may be empty)"


@dataclass(frozen=True)
class Result:
    """What came of an act. `said`: instead of the act's own sentence. `where`: the page to go on with, else
    that of the row. `shown_once`: something that is shown now and stored nowhere, such as a login link."""

    said: str = ""
    where: str = ""
    shown_once: str = ""


@dataclass(frozen=True)
class Act:
    """`label` and `icon` make the button, in the group `group`. `question` and `warning` (sentences, or a
    function of the row and the filled-in query that gives them) stand on the page before; `done` is said
    after. `perform(row, actor=…, **fields of the form)` calls the service, whose refusals are shown.
    `permission`: in full, such as `sites.power_site`."""

    name: str
    label: str
    question: str
    warning: str | Callable[..., str | list[str]]
    done: str
    perform: Callable[..., Result | None]
    permission: str
    icon: str = ""
    group: str = ""
    form: type[ActForm] = ActForm
    needs_reason: bool = False
    dangerous: bool = False

    def consequences(self, subject: Model | None, query: dict[str, str]) -> list[str]:
        """The sentences of the page before."""
        said = self.warning(subject, query) if callable(self.warning) else self.warning
        return [said] if isinstance(said, str) else list(said)


@dataclass(frozen=True)
class Button:
    """An act as it is offered."""

    act: Act
    url: str


class ActsMixin:
    """For a ModelAdmin whose rows can be acted on: `acts`, and `legal_acts`, which says which of them fit."""

    acts: Sequence[Act] = ()

    def legal_acts(self, request: HttpRequest, subject: Model) -> Iterable[str]:
        """The names of the acts that the row's state admits."""
        raise NotImplementedError

    def act_label(self, subject: Model | None) -> str:
        """How the page before names the row."""
        return str(subject) if subject else ""

    def act_pages(self) -> dict[str, Act]:
        """The acts by name."""
        return {act.name: act for act in self.acts}

    def get_urls(self) -> list[URLPattern]:
        """With one page for each act."""
        view = self.admin_site.admin_view(self.act_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        return [path("<path:object_id>/act/<slug:name>/", view, name=name), *super().get_urls()]

    def act_url(self, subject: Model, name: str, **query: str) -> str:
        """The page of an act; `query` fills in its form."""
        route = f"admin:{self.opts.app_label}_{self.opts.model_name}_act"
        return reverse(route, args=[subject.pk, name]) + (f"?{urlencode(query)}" if query else "")

    def may(self, request: HttpRequest, act: Act, subject: Model | None = None) -> bool:
        """Whether the member of staff may do it at all."""
        return request.user.has_perm(act.permission) and self.has_view_permission(request, subject)

    def buttons(self, request: HttpRequest, subject: Model, legal: Iterable[str]) -> list[Button]:
        """The acts that are legal and permitted, in their order."""
        return [
            Button(act, self.act_url(subject, act.name))
            for act in self.acts
            if act.name in legal and self.may(request, act, subject)
        ]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """The page of an act or, at a POST with a valid form, the act itself."""
        act = self.act_pages().get(name)
        subject = self.get_object(request, object_id)
        if act is None or subject is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.may(request, act, subject):
            raise PermissionDenied
        if request.method != "POST" and name not in self.legal_acts(request, subject):
            messages.warning(request, f"{act.label}: this is not possible any more.")
            return HttpResponseRedirect(self.act_end(subject))
        return self.ask_or_do(request, act, subject)

    def ask_or_do(self, request: HttpRequest, act: Act, subject: Model | None) -> HttpResponse:
        """Ask, or do what was answered. `subject` None: for acts that make a row."""
        query = request.GET.dict()
        options = {"subject": subject, "needs_reason": act.needs_reason}
        form = act.form(request.POST if request.method == "POST" else None, initial=query, **options)
        if request.method == "POST" and form.is_valid():
            return self._do(request, act, subject, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": act.question,
            "act": act,
            "consequences": act.consequences(subject, query),
            "label": self.act_label(subject),
            "original": subject,
            "form": form,
            "back": self.act_end(subject),
        }
        return TemplateResponse(request, "staff/confirm.html", context)

    def act_end(self, subject: Model | None) -> str:
        """Where an act leads back to."""
        route = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return reverse(f"{route}_change", args=[subject.pk]) if subject else reverse(f"{route}_changelist")

    def _do(
        self, request: HttpRequest, act: Act, subject: Model | None, given: dict[str, Any]
    ) -> HttpResponse:
        actor = f"staff {request.user.get_username()}"[:LONGEST_ACTOR]
        try:
            with origin.because(given["reason"]):
                result = act.perform(subject, actor=actor, **given) or Result()
        except REFUSALS as error:
            sentence = str(error) if isinstance(error, MoveRefused) else translate(error).sentence
            messages.error(request, sentence)
            return HttpResponseRedirect(self.act_end(subject))
        if result.shown_once:
            return self._shown_once(request, act, subject, result.shown_once)
        messages.success(request, result.said or act.done)
        return HttpResponseRedirect(result.where or self.act_end(subject))

    def _shown_once(self, request: HttpRequest, act: Act, subject: Model | None, link: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": act.done,
            "label": self.act_label(subject),
            "link": link,
            "original": subject,
            "back": self.act_end(subject),
        }
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return TemplateResponse(request, "staff/shown_once.html", context, headers=headers)

"""What staff can do with a support key: the table of acts, and the states that each fits."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from nodepoint.staff.acts import Act, ActForm, Result
from nodepoint.staff.forms import ServiceIdField
from support import services
from support.models import SupportKey
from support.text import plain

Status = SupportKey.Status
NOT_TOLD = "The billing portal is not told."


class RotateForm(ActForm):
    """Which key the page was opened for: a second click makes no second key."""

    old_key = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["old_key"] = self.subject.support_key


class KeyForm(ActForm):
    """Whose key it is to be."""

    service_id = ServiceIdField()
    email = forms.EmailField(max_length=254, widget=UnfoldAdminTextInputWidget, label="E-mail")
    firstname = forms.CharField(
        max_length=255, validators=[plain], widget=UnfoldAdminTextInputWidget, label="First name"
    )
    lastname = forms.CharField(
        max_length=255,
        required=False,
        validators=[plain],
        widget=UnfoldAdminTextInputWidget,
        label="Last name",
    )


def _create(row: None, *, actor: str, reason: str, **facts: str) -> Result:
    made = services.create_support_key(**facts, actor=actor)
    return Result(where=reverse("admin:support_supportkey_change", args=[made.pk]))


CREATE = Act(
    "create",
    "Make a key",
    "Make a support key?",
    f"The service has a right to support from then on. {NOT_TOLD}",
    "The key stands below.",
    _create,
    "support.change_supportkey",
    icon="add",
    form=KeyForm,
)


def _of_service(service: Callable[..., SupportKey]) -> Callable[..., None]:
    def perform(row: SupportKey, *, actor: str, reason: str, **given: Any) -> None:
        service(row.service_id, actor=actor, reason=reason, **given)

    return perform


FITS = {
    "suspend": frozenset({Status.ACTIVE}),
    "unsuspend": frozenset({Status.SUSPENDED, Status.INACTIVE}),
    "terminate": frozenset({Status.ACTIVE, Status.SUSPENDED}),
    "rotate": frozenset(Status.values),
}

ACTS = {
    "suspend": Act(
        "suspend",
        "Suspend",
        "Suspend this support?",
        f"The key is not valid until somebody unsuspends it. {NOT_TOLD}",
        "Suspended.",
        _of_service(services.suspend_support),
        "support.change_supportkey",
        icon="pause",
        dangerous=True,
    ),
    "unsuspend": Act(
        "unsuspend",
        "Unsuspend",
        "Make this key valid again?",
        f"The same key gives a right to support again. {NOT_TOLD}",
        "Active again.",
        _of_service(services.unsuspend_support),
        "support.change_supportkey",
        icon="play_arrow",
    ),
    "terminate": Act(
        "terminate",
        "Terminate",
        "Terminate this support?",
        f"The key is not valid any more; the row is kept. {NOT_TOLD}",
        "Terminated.",
        _of_service(services.terminate_support),
        "support.change_supportkey",
        icon="block",
        dangerous=True,
    ),
    "rotate": Act(
        "rotate",
        "New key",
        "Replace this key by a new one?",
        "The old key is dead at once, and the customer has to be told the new one.",
        "The new key stands below. The old one is dead.",
        _of_service(services.rotate_key),
        "support.rotate_supportkey",
        icon="key",
        form=RotateForm,
        needs_reason=True,
        dangerous=True,
    ),
}

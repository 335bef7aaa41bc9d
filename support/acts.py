"""What staff can do with a support key: the table of acts, and the states that each fits."""

from collections.abc import Callable
from typing import Any

from django import forms

from nodepoint.staff.acts import Act, ActForm
from support import services
from support.models import SupportKey

Status = SupportKey.Status
NOT_TOLD = "The billing portal is not told."


class RotateForm(ActForm):
    """Which key the page was opened for: a second click makes no second key."""

    old_key = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["old_key"] = self.subject.support_key


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

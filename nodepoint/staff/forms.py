"""Fields that staff fill in on several pages."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from unfold.widgets import UnfoldAdminTextInputWidget

from nodepoint.api.fields import SERVICE_ID


class CodeForm(forms.Form):
    """Six digits of the app, or a recovery code."""

    code = forms.CharField(
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            {
                "autocomplete": "one-time-code",
                "autofocus": True,
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )


class ServiceIdField(forms.CharField):
    """The billing system's id of a service, as the API takes it."""

    widget = UnfoldAdminTextInputWidget
    default_validators = [
        RegexValidator(rf"\A{SERVICE_ID.pattern}\Z", "1 to 64 of A-Z a-z 0-9 _ -, not beginning with -.")
    ]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 64, "label": "Service id", **options})

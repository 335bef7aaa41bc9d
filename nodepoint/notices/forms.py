"""What staff choose about how people are told."""

from functools import partial
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from nodepoint.notices import letters
from nodepoint.notices.models import Preferences, Urgency


class PreferencesForm(forms.ModelForm):
    """The row; kinds of e-mails are ticked."""

    silenced = forms.MultipleChoiceField(
        label="Not sent",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Kinds that customers do not get, such as those that the billing portal sends by itself.",
    )

    held_too = forms.MultipleChoiceField(
        label="Held back as well",
        required=False,
        choices=Urgency.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What is urgent goes out at once, unless it is ticked here.",
    )

    class Meta:
        model = Preferences
        fields = ("language", "portal_url", "contact", "silenced", "quiet_from", "quiet_until", "held_too")
        field_classes = {"portal_url": partial(forms.URLField, assume_scheme="https")}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "silenced" in self.fields:
            self.fields["silenced"].choices = [(mail.kind, mail.title) for mail in letters.mails()]

"""Bodies of requests and answers."""

from typing import Any

from rest_framework import serializers

from nodepoint.api.fields import EmailField, ServiceIdField
from support.keys import KEY
from support.models import SupportKey
from support.text import plain


class NameField(serializers.CharField):
    """A name of at most 255 characters, kept as it is; control characters and line breaks are refused."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 255, "trim_whitespace": False, "validators": [plain], **options})

    def to_internal_value(self, data: Any) -> str:
        """Text only: a number or a list is no name."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class FirstNameField(NameField):
    """A name that has to say something."""

    def run_validation(self, data: Any = serializers.empty) -> str:
        """Blanks alone count as missing."""
        return super().run_validation("" if isinstance(data, str) and not data.strip() else data)


class SupportServiceInput(serializers.Serializer):
    """Which service is meant."""

    service_id = ServiceIdField()


class CreateSupportKeyInput(SupportServiceInput):
    """Who has ordered support."""

    email = EmailField()
    firstname = FirstNameField()
    lastname = NameField(allow_blank=True, help_text="Empty for people who have one name only.")


class VerifySupportKeyInput(serializers.Serializer):
    """A key to be checked."""

    support_key = serializers.CharField(
        max_length=255,
        help_text="`SUP-` and 16 of `A-Z0-9`, as people type it: any case, with blanks and dashes.",
    )


class RotateSupportKeyInput(SupportServiceInput):
    """Which key is to be replaced."""

    support_key = serializers.CharField(max_length=255, help_text="The service's key as it is now.")


class KeyField(serializers.RegexField):
    """A key as it is handed out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(KEY, **options)


class SupportStatusOutput(serializers.Serializer):
    """Whether the service's key is good."""

    status = serializers.ChoiceField(choices=SupportKey.Status.choices)


class SupportKeyCreatedOutput(SupportStatusOutput):
    """The new key."""

    service_id = serializers.CharField()
    support_key = KeyField()


class SupportKeyOutput(SupportStatusOutput):
    """The key of a service."""

    support_key = KeyField()
    email = serializers.CharField()
    created_at = serializers.DateTimeField()


class VerifySupportKeyOutput(serializers.Serializer):
    """`valid`, and whose key it is when it is."""

    valid = serializers.BooleanField()
    service_id = serializers.CharField(required=False)
    firstname = serializers.CharField(required=False)
    lastname = serializers.CharField(required=False)
    email = serializers.CharField(required=False)

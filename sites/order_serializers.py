"""Bodies of an order, and of what is asked before one."""

from typing import Any

from rest_framework import serializers

from nodepoint.api.fields import DigitsField, EmailField, PublicIpField
from sites import naming
from sites.serializers import ServiceInput


class SubdomainField(serializers.CharField):
    """A wished subdomain, in lower case; empty for none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 255, "allow_blank": True, "allow_null": True, **options})

    def run_validation(self, data: Any = serializers.empty) -> str:
        """Blank and null are no wish."""
        return super().run_validation(data) or ""

    def to_internal_value(self, data: Any) -> str:
        """A sentence that says what one is."""
        text = super().to_internal_value(data)
        try:
            return naming.subdomain(text) if text else ""
        except naming.BadName as bad:
            raise serializers.ValidationError(str(bad)) from None


class SubdomainInput(serializers.Serializer):
    """A subdomain that somebody thinks of."""

    name = serializers.CharField(max_length=255)


class SubdomainOutput(serializers.Serializer):
    """Whether it could be had."""

    name = serializers.CharField(help_text="In the form of DNS.")
    free = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True, help_text="Why not.")


class CreateSiteInput(ServiceInput):
    """An order."""

    email = EmailField(help_text="The customer's; the subdomain is made from it.")
    plan = serializers.CharField(max_length=64, help_text="Name of a plan, without regard to case.")
    public_ip = PublicIpField(help_text="IPv4 address of the reverse proxy, to which the DNS record leads.")
    user_id = DigitsField(
        20,
        text=True,
        required=False,
        allow_null=True,
        help_text="The customer's id in the billing portal: whose the site is.",
    )
    archive = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Name of a kept archive of the same customer's: the site is made of it.",
    )
    subdomain = SubdomainField(
        required=False,
        default="",
        help_text="The one that he wishes; it gets a suffix where it is not free any more. By default it is"
        " made from the e-mail address.",
    )

"""Tokens, for staff. Their secrets are shown once, when a token is made."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple, ModelForm, MultipleChoiceField
from django.http import HttpRequest

from nodepoint.admin import StaffAdmin
from nodepoint.api.models import SCOPES, Token, valid_networks
from nodepoint.audit.edits import Audited, record


class TokenForm(ModelForm):
    """A token with its scopes to tick."""

    scopes = MultipleChoiceField(choices=[(scope, scope) for scope in SCOPES], widget=CheckboxSelectMultiple)

    class Meta:
        model = Token
        fields = [
            "name",
            "scopes",
            "networks",
            "rate_per_minute",
            "read_only",
            "expires_at",
            "max_unused_days",
        ]

    def clean_networks(self) -> list[str]:
        """Networks in their usual form."""
        networks = self.cleaned_data["networks"] or []
        if not isinstance(networks, list) or not all(isinstance(network, str) for network in networks):
            raise ValidationError('Write a list, such as ["192.168.1.0/24"].')
        try:
            return valid_networks(networks)
        except ValueError as error:
            raise ValidationError(str(error)) from error


@admin.register(Token)
class TokenAdmin(Audited, StaffAdmin):
    """Making and revoking tokens; a secret can neither be read nor changed."""

    form = TokenForm
    list_display = ["name", "np_prefix", "allowed", "read_only", "last_used_at", "ends_at", "revoked_at"]
    list_filter = ["revoked_at"]
    search_fields = ["name", "prefix"]
    readonly_fields = ["np_prefix", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    @admin.display(description="Token", ordering="prefix")
    def np_prefix(self, token: Token) -> str:
        """How a token begins, to tell which one a caller has."""
        return f"np_{token.prefix}_…"

    @admin.display(description="Scopes")
    def allowed(self, token: Token) -> str:
        """Its scopes in one line."""
        return ", ".join(token.scopes)

    def save_model(self, request: HttpRequest, obj: Token, form: ModelForm, change: bool) -> None:
        """A new token gets its secret, which this page alone shows."""
        if change:
            obj.save(update_fields=[*form.changed_data])
            return
        text = obj.give_secret()
        messages.warning(request, f"The token is {text} – copy it now: it cannot be shown again.")

    def has_delete_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        """Tokens are revoked: old jobs name who asked for them."""
        return False

    @admin.action(description="Revoke the chosen tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        """From now on they are refused."""
        alive = list(queryset.filter(revoked_at=None))
        for token in alive:
            with transaction.atomic():
                token.revoke()
                record("revoke", token)
        self.message_user(request, f"{len(alive)} revoked.")

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        """A new token has nothing to show yet."""
        return self.readonly_fields if obj else []

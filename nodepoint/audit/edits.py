"""What staff change by a form of the admin goes into the log of acts, field by field."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest

from nodepoint.audit import trail

# Fields whose values are nobody's business: that they changed is all that is kept.
SECRET = {"password", "password1", "password2"}
NOISE = {"usable_password", "set_usable_password"}  # buttons of Django's own forms
HIDDEN = "•••"


class Audited:
    """A ModelAdmin, first among its bases: each addition, change and deletion by its pages is an entry,
    written in the same transaction."""

    def construct_change_message(
        self, request: HttpRequest, form: BaseForm, formsets: Any, add: bool = False
    ) -> Any:
        """Django's, after which one of the `log_…` follows: keep the values for that."""
        request.audited_form = form
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Also Django's own entry, which the history of the page shows."""
        record("add", obj, after=_after(request))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """An entry if any field has changed."""
        before, after = _before(request), _after(request)
        if before or after:
            record("change", obj, before=before, after=after)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet | Iterable[Model]) -> Any:
        """One entry for each row."""
        for obj in queryset:
            record("delete", obj, before={"was": str(obj)})
        return super().log_deletions(request, queryset)


def record(verb: str, obj: Model, *, label: str = "", **change: dict[str, Any]) -> None:
    """An entry for an act on a row that has no service of its own, such as `change` of a plan. `label`: what
    people call it, else the row's text."""
    options = obj._meta
    act, subject = f"{options.app_label}.{verb}_{options.model_name}", f"{options.label_lower}:{obj.pk}"
    trail.record(act, subject, label=label or str(obj), **change)


def _before(request: HttpRequest) -> dict[str, Any]:
    form = getattr(request, "audited_form", None)
    return _values(form, form.initial) if form else {}


def _after(request: HttpRequest) -> dict[str, Any]:
    form = getattr(request, "audited_form", None)
    if form is None:
        return {}
    secret = {"password": HIDDEN} if SECRET & set(form.changed_data) else {}
    return _values(form, form.cleaned_data) | secret


def _values(form: BaseForm, values: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in form.changed_data if name not in SECRET | NOISE]
    return {name: _plain(values[name]) for name in names if name in values}


def _plain(value: Any) -> Any:
    """As a JSON value; rows by what people call them."""
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, QuerySet | list | tuple | set):
        return [_plain(one) for one in value]
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder, default=str))

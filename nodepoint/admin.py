"""What admin pages of all apps share."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NoReturn

from django.db.models import DateTimeField, Model
from django.http import Http404, HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from nodepoint.moments import moment


class NoSuchRow(Http404):
    """A sentence for staff."""


class StaffAdmin(ModelAdmin):
    """The pages of a model."""

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """With times as people say them, the moment on hover; sorted as ever."""
        return [self._times.get(column, column) for column in super().get_list_display(request)]

    @cached_property
    def _times(self) -> dict[Any, Callable[[Model], str]]:
        fields = [field for field in self.opts.fields if isinstance(field, DateTimeField)]
        return {field.name: _column(field) for field in fields}

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> NoReturn:
        """Django's leads to the first page: whoever follows an old link would look for what it was about."""
        named = f"{opts.verbose_name} {object_id[:64]}"
        raise NoSuchRow(f"There is no {named}: it was deleted, or the address is wrong.")


def _column(field: DateTimeField) -> Callable[[Model], str]:
    """A column of a list."""

    @display(description=field.verbose_name, ordering=field.name)
    def shown(row: Model) -> str:
        return moment(getattr(row, field.name))

    return shown


class ReadOnly:
    """Rows that the platform writes by itself: staff look at them."""

    def has_add_permission(self, request: HttpRequest, *args) -> bool:
        """Nobody adds them by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, *args) -> bool:
        """Nobody changes them by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, *args) -> bool:
        """Nobody deletes them by hand."""
        return False


class ReadOnlyAdmin(ReadOnly, StaffAdmin):
    """A list and detail pages to look at."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnlyInline(ReadOnly, TabularInline):
    """Rows of a page to look at."""

    extra = 0
    can_delete = False
    show_change_link = False

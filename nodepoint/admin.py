"""What admin pages of all apps share."""

from typing import Any, NoReturn

from django.http import Http404, HttpRequest
from unfold.admin import ModelAdmin, TabularInline


class NoSuchRow(Http404):
    """A sentence for staff."""


class StaffAdmin(ModelAdmin):
    """The pages of a model."""

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> NoReturn:
        """Django's leads to the first page: whoever follows an old link would look for what it was about."""
        named = f"{opts.verbose_name} {object_id[:64]}"
        raise NoSuchRow(f"There is no {named}: it was deleted, or the address is wrong.")


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

"""What admin pages of all apps share."""

from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline


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


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    """A list and detail pages to look at."""

    list_per_page = 50
    show_full_result_count = False


class ReadOnlyInline(ReadOnly, TabularInline):
    """Rows of a page to look at."""

    extra = 0
    can_delete = False
    show_change_link = False

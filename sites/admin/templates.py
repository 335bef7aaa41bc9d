"""Golden container templates for staff."""

from django.contrib import admin

from nodepoint.admin import ReadOnlyAdmin
from sites.models import Template


@admin.register(Template)
class TemplateAdmin(ReadOnlyAdmin):
    """Templates, newest first. `manage.py build_template` makes them; a job shows how far it is."""

    list_display = ("build_id", "state", "volid", "distribution", "wordpress_version", "built_on", "built_at")
    list_filter = ("state",)
    ordering = ("-created_at",)
    search_fields = ("build_id", "volid")

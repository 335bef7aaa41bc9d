"""Plans for staff."""

from django.contrib import admin

from nodepoint.admin import StaffAdmin
from nodepoint.audit.edits import Audited
from sites.models import Plan


@admin.register(Plan)
class PlanAdmin(Audited, StaffAdmin):
    """Plans. A change counts for new orders; sites follow at their next upgrade."""

    list_display = ("name", "memory_mb", "disk_gb", "cores", "backups", "domains", "high_availability")
    search_fields = ("name",)

"""Plans for staff."""

from django.contrib import admin
from unfold.decorators import display

from nodepoint.admin import StaffAdmin
from nodepoint.audit.edits import Audited
from sites.models import Plan


@admin.register(Plan)
class PlanAdmin(Audited, StaffAdmin):
    """Plans. A change counts for new orders; sites follow at their next upgrade."""

    list_display = (
        "name",
        "memory_mb",
        "disk_gb",
        "cores",
        "backups",
        "archives",
        "domains",
        "high_availability",
    )
    search_fields = ("name",)

    @display(description="Archives")
    def archives(self, plan: Plan) -> str:
        """Nights and weeks that are kept."""
        return f"{plan.archives_daily} + {plan.archives_weekly}"

"""Customers, their zones and the zone template for staff. Records are shown where they are: at ISPConfig, and
to their owner."""

from django.contrib import admin
from django.db.models import CharField, Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from dns.models import Customer, TemplateRecord, Zone
from nodepoint.admin import ReadOnlyAdmin
from nodepoint.jobs.models import Job

COLOURS = {"creating": "info", "active": "success", "deleting": "warning", "failed": "danger"}


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Users of the billing portal who have, or had, zones."""

    list_display = ("user_id", "email", "customer_no", "client_id", "zones_now", "created_at")
    search_fields = ("user_id", "email", "zones__name")
    fields = ("user_id", "email", "customer_no", "client_id", "group_id", "created_at")
    readonly_fields = ("customer_no",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """With the number of zones that each has now."""
        held = Count("zones", filter=Q(zones__name_key__isnull=False), distinct=True)
        return super().get_queryset(request).annotate(held=held)

    @display(description="Zones", ordering="held")
    def zones_now(self, customer: Customer) -> str:
        """How many, with a link to them."""
        address = f"{reverse('admin:dns_zone_changelist')}?customer__id__exact={customer.pk}"
        return format_html('<a href="{}">{}</a>', address, customer.held)


@admin.register(Zone)
class ZoneAdmin(ReadOnlyAdmin):
    """Zones, newest first."""

    list_display = ("name", "state_label", "customer", "ispconfig_id", "created_at", "job_link")
    list_filter = ("state", "created_at")
    list_select_related = ("customer",)
    search_fields = ("name", "customer__user_id", "customer__email")
    fields = (
        ("name", "state_label", "job_link"),
        ("customer", "ispconfig_id"),
        ("created_at", "deletion_requested_at", "ended_at"),
    )
    readonly_fields = ("state_label", "job_link")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Zone]:
        """With the id of the latest job of each, in the same query."""
        key = Concat(Value("dns.zone:"), Cast(OuterRef("pk"), CharField()))
        latest = Job.objects.filter(subject=key).order_by("-created_at")
        zones = super().get_queryset(request)
        return zones.annotate(
            job_id=Subquery(latest.values("pk")[:1]), job_state=Subquery(latest.values("state")[:1])
        )

    @display(description="State", ordering="state", label=COLOURS)
    def state_label(self, zone: Zone) -> tuple[str, str]:
        """The state in colour; a wished deletion goes before all."""
        state = "deleting" if zone.deletion_requested_at and zone.name_key else zone.state
        return state, state

    @display(description="Latest job", ordering="job_state")
    def job_link(self, zone: Zone) -> str:
        """Its state, with a link to it."""
        if not zone.job_id:
            return "-"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[zone.job_id]), zone.job_state
        )


@admin.register(TemplateRecord)
class TemplateRecordAdmin(ModelAdmin):
    """What new zones begin with, beside their name servers. Zones that exist keep what they have."""

    list_display = ("name", "type", "content", "priority", "ttl", "position")
    list_editable = ("position",)

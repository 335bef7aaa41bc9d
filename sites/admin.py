"""Sites and plans for staff."""

from django.contrib import admin
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.jobs.models import Job
from sites.models import CustomDomain, Plan, Site

OVERRULED = ("high_availability", "backup_quota", "domain_quota")
COLOURS = {"provisioning": "info", "live": "success", "deleting": "warning", "failed": "danger"}


@admin.register(Plan)
class PlanAdmin(ModelAdmin):
    """Plans. A change counts for new orders; sites follow at their next upgrade."""

    list_display = ("name", "memory_mb", "disk_gb", "cores", "backups", "domains", "high_availability")
    search_fields = ("name",)


@admin.register(Site)
class SiteAdmin(ModelAdmin):
    """Sites, newest first. Staff may overrule the plan's quotas and its high availability, which follows at
    the site's next upgrade; all else is written by jobs."""

    list_per_page = 50
    show_full_result_count = False
    list_display = (
        "service_id",
        "state_label",
        "plan",
        "email",
        "address",
        "private_ip",
        "vmid",
        "node",
        "job_link",
    )
    list_filter = ("state", "plan", "node", "created_at")
    list_select_related = ("plan",)
    search_fields = ("service_id", "email", "subdomain", "private_ip", "vmid")
    fields = (
        ("service_id", "state_word"),
        ("plan", "email"),
        ("address", "public_ip"),
        ("private_ip", "vmid"),
        ("node", "job_link"),
        ("dns_record_id", "proxy_host_id"),
        ("certificate_id", "high_availability"),
        ("backup_quota", "domain_quota"),
        ("power", "proxy_enabled"),
        ("created_at", "live_at"),
        ("suspended_at", "deletion_requested_at"),
        "owner_mark",
    )
    readonly_fields = tuple(
        name for row in fields for name in ([row] if isinstance(row, str) else row) if name not in OVERRULED
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Sites are ordered, not added."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Site | None = None) -> bool:
        """A row that is gone would leave everything else behind."""
        return False

    def save_model(self, request: HttpRequest, site: Site, form: ModelForm, change: bool) -> None:
        """Write what staff changed and nothing else: jobs write the other columns meanwhile."""
        site.save(update_fields=form.changed_data)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Site]:
        """With the id of the latest job of each, in the same query."""
        key = Concat(Value("sites.site:"), Cast(OuterRef("pk"), CharField()))
        latest = Job.objects.filter(subject=key).order_by("-created_at")
        sites = super().get_queryset(request)
        return sites.annotate(
            job_id=Subquery(latest.values("pk")[:1]), job_state=Subquery(latest.values("state")[:1])
        )

    @display(description="State", ordering="state", label=COLOURS)
    def state_label(self, site: Site) -> tuple[str, str]:
        """The state in colour; a wished deletion goes before all."""
        gone = site.state in (Site.State.DELETED, Site.State.FAILED)
        state = "deleting" if site.deletion_requested_at and not gone else site.state
        return state, state

    @display(description="State")
    def state_word(self, site: Site) -> str:
        """The same in words alone, for the page of one site."""
        return self.state_label(site)[1]

    @display(description="Address", ordering="subdomain")
    def address(self, site: Site) -> str:
        """Where visitors find it."""
        if not site.url:
            return "-"
        return format_html('<a href="{}" rel="noreferrer" target="_blank">{}</a>', site.url, site.hostname)

    @display(description="Latest job", ordering="job_state")
    def job_link(self, site: Site) -> str:
        """Its latest job."""
        if not site.job_id:
            return "-"
        url = reverse("admin:jobs_job_change", args=[site.job_id])
        return format_html('<a href="{}">{}</a>', url, Job.State(site.job_state).label)


@admin.register(CustomDomain)
class CustomDomainAdmin(ReadOnlyAdmin):
    """Customers' own host names, newest first."""

    list_display = ("domain", "site", "status", "certificate", "error", "created_at")
    list_filter = ("status", "certificate")
    list_select_related = ("site",)
    ordering = ("-pk",)
    search_fields = ("domain", "site__service_id")

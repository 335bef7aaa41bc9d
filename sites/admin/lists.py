"""The lists of sites and of custom domains: filters, search and columns that answer questions."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from nodepoint.board import findings, search, statistics, troubles
from nodepoint.board.models import Finding
from nodepoint.jobs.lists import job_link, latest_jobs
from nodepoint.jobs.models import Job
from nodepoint.lists import NEWEST, BigList, BulkAct, Choice, newest
from sites import board, services, watch
from sites.admin import addresses
from sites.models import CustomDomain, Site, SiteHealth
from sites.services.repair import repair_site
from sites.thresholds import DISK

MOST_FOUND = 1000  # rows of one search or filter
COLOURS = {
    "provisioning": "info",
    "live": "success",
    "suspended": "warning",
    "deleting": "warning",
    "failed": "danger",
}
STANDING = (Site.State.PROVISIONING, Site.State.LIVE)


# Filters


def _with_jobs(wanted: Q) -> Callable[[QuerySet[Site]], QuerySet[Site]]:
    """Sites that such a job works on. Few at any time, so they are looked up first."""

    def chosen(sites: QuerySet[Site]) -> QuerySet[Site]:
        jobs = Job.objects.filter(wanted() if callable(wanted) else wanted, subject__startswith="sites.site:")
        subjects = jobs.values_list("subject", flat=True)[:MOST_FOUND]
        return sites.filter(pk__in=_keys(subjects))

    return chosen


def _with_findings(*kinds: str) -> Callable[[QuerySet[Site]], QuerySet[Site]]:
    def chosen(sites: QuerySet[Site]) -> QuerySet[Site]:
        rows = Finding.objects.filter(kind__in=kinds, subject__startswith="sites.site:")
        return sites.filter(pk__in=_keys(rows.values_list("subject", flat=True)[:MOST_FOUND]))

    return chosen


def _keys(subjects: Iterable[str]) -> list[int]:
    return [int(subject.partition(":")[2]) for subject in subjects]


def _failed(sites: QuerySet[Site]) -> QuerySet[Site]:
    """Whose last act failed and was not made good."""
    subjects = (job.subject for job in troubles.unsettled())
    return sites.filter(pk__in=_keys(one for one in subjects if one.startswith("sites.site:")))


def _over_quota(sites: QuerySet[Site]) -> QuerySet[Site]:
    """Sites with more custom domains or backups than they may have. Of those that the last look found; what
    was put right since is not shown. Before the first look all are counted."""
    noted = findings.last(watch.OVER_QUOTA)
    return sites.filter(pk__in=watch.over_quota(noted.data["sites"] if noted else None))


def _in_need_of_care(sites: QuerySet[Site]) -> QuerySet[Site]:
    """In which the daily look has found something, or which have not answered it for days."""
    return sites.filter(pk__in=list(SiteHealth.needing_care().values_list("pk", flat=True)[:MOST_FOUND]))


def _slow(sites: QuerySet[Site]) -> QuerySet[Site]:
    """Whose order is taking clearly longer than is usual, or took it, of the newest."""
    usual = statistics.usual_seconds([board.PROVISION]).get(board.PROVISION)
    if usual is None:
        return sites.none()
    limit = timedelta(seconds=1.5 * usual)
    still = Site.objects.filter(state=Site.State.PROVISIONING, created_at__lt=timezone.now() - limit)
    took = newest(Site.objects.filter(state=Site.State.LIVE, live_at__gt=F("created_at") + limit))
    keys = (rows.values_list("pk", flat=True)[:MOST_FOUND] for rows in (still, took))
    return sites.filter(pk__in=[*chain(*keys)])


class Attention(Choice):
    """The questions that a list of sites is opened for; the same as on the board."""

    title = "needs attention"
    parameter_name = "attention"
    questions = {
        "failed": ("something failed", _failed),
        "stuck": ("stuck", _with_jobs(troubles.stuck)),
        "busy": ("a job is running", _with_jobs(Q(state__in=Job.ALIVE))),
        "suspended_running": ("suspended but running", _with_findings(Finding.Kind.RUNS)),
        "differs": ("differs from the systems", _with_findings(*board.DRIFT)),
        "over_quota": ("over quota, as of the last look", _over_quota),
        "disk": (
            f"disk {DISK[0]} % full or more",
            lambda sites: sites.filter(usage__disk_percent__gte=DISK[0]),
        ),
        "care": ("something is wrong inside", _in_need_of_care),
        "slow": (f"slower than usual, of the newest {NEWEST:,}", _slow),
    }


class Standing(Choice):
    """How a site stands, as its rows say."""

    title = "state"
    parameter_name = "is"
    questions = {
        "provisioning": (
            "provisioning",
            lambda sites: sites.filter(state=Site.State.PROVISIONING, deletion_requested_at=None),
        ),
        "live": ("live", lambda sites: sites.filter(state=Site.State.LIVE, suspended_at=None)),
        "stopped": (
            "stopped by the customer",
            lambda sites: sites.filter(state=Site.State.LIVE, suspended_at=None, wanted_power="stopped"),
        ),
        "suspended": (
            "suspended",
            lambda sites: sites.filter(suspended_at__isnull=False, state__in=STANDING),
        ),
        "deleting": (
            "deleting",
            lambda sites: sites.filter(deletion_requested_at__isnull=False, state__in=STANDING),
        ),
        "failed": ("failed", lambda sites: sites.filter(state=Site.State.FAILED)),
        "deleted": ("deleted", lambda sites: sites.filter(state=Site.State.DELETED)),
    }


class NodeFilter(admin.SimpleListFilter):
    """By node; asked of the settings, not of all rows."""

    title = "node"
    parameter_name = "node"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """The nodes of the cluster."""
        return [(name, name) for name in settings.PROXMOX_NODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Site]) -> QuerySet[Site]:
        """The sites there."""
        return queryset.filter(node=self.value()) if self.value() else queryset


# Acts on many


def _by_service(service: Callable[..., Any]) -> Callable[[Site, str], Any]:
    """An act of the services, which name sites by their service. A row that no longer stands for its service
    is left alone: its service may have another site."""

    def perform(site: Site, actor: str) -> Any:
        return service(site.service_id, actor=actor) if site.live_key else False

    return perform


BULK = (
    BulkAct(
        "start",
        "Start",
        "Containers that are stopped are started.",
        "being started",
        "sites.power_site",
        _by_service(services.start_site),
    ),
    BulkAct(
        "stop",
        "Stop",
        "The sites are not reachable until somebody starts them; after 60 seconds stopping is forced.",
        "being stopped",
        "sites.power_site",
        _by_service(services.stop_site),
    ),
    BulkAct(
        "restart",
        "Restart",
        "Each site is away for some seconds.",
        "being restarted",
        "sites.power_site",
        _by_service(services.restart_site),
    ),
    BulkAct(
        "back_up",
        "Back up",
        "A snapshot of each is made, which counts in its customer's quota.",
        "being backed up",
        "sites.back_up_site",
        _by_service(services.create_backup),
    ),
    BulkAct(
        "suspend",
        "Suspend",
        "They are stopped and without traffic until they are unsuspended. The billing system is not told.",
        "being suspended",
        "sites.suspend_site",
        _by_service(services.suspend_site),
    ),
    BulkAct(
        "unsuspend",
        "Unsuspend",
        "They are as their customers had wished again. The billing system is not told.",
        "being unsuspended",
        "sites.suspend_site",
        _by_service(services.unsuspend_site),
    ),
    BulkAct(
        "repair",
        "Repair",
        "What differs in Proxmox VE, Cloudflare or Nginx Proxy Manager is made again as our rows say.",
        "being repaired",
        "sites.override_site",
        lambda site, actor: repair_site(site, actor=actor) is not None,
    ),
)


class SiteList(BigList):
    """The list part of the sites' admin."""

    list_display = (
        "service_id",
        "state_label",
        "plan_name",
        "email",
        "address",
        "private_ip",
        "vmid",
        "node",
        "power",
        "job_link",
        "created_at",
    )
    list_filter = (Attention, Standing, "plan", NodeFilter, "created_at")
    sortable_by = ("service_id", "email", "address", "private_ip", "vmid", "created_at")  # what has an index
    search_fields = ("service_id",)  # makes the box appear; `matching` answers it
    search_help_text = "Service, e-mail, subdomain, domain, address, VMID, support key"
    actions_list = ("export_list",)
    bulk = BULK
    csv_name = "sites"
    csv_related = ("plan",)
    csv_columns = (
        *(
            (name, lambda site, name=name: getattr(site, name))
            for name in (
                "service_id",
                "state",
                "email",
                "plan",
                "hostname",
                "private_ip",
                "public_ip",
                "vmid",
            )
        ),
        *(
            (name, lambda site, name=name: getattr(site, name))
            for name in (
                "node",
                "power",
                "proxy_enabled",
                "suspended_at",
                "created_at",
                "live_at",
                "ended_at",
            )
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """With the page of the address pool."""
        view = self.admin_site.admin_view(lambda request: addresses.page(self, request))
        return [path("addresses/", view, name="sites_site_addresses"), *super().get_urls()]

    def matching(self, text: str) -> tuple[Iterable[int], bool]:
        """By whatever staff know of a site, its support key included."""
        found, more = board.matching(text, MOST_FOUND)
        services_of_keys = list(search.services(text))
        if services_of_keys:
            rows = Site.objects.filter(service_id__in=services_of_keys)
            found += rows.values_list("pk", flat=True)[:MOST_FOUND]
        return found, more

    def get_queryset(self, request: HttpRequest) -> QuerySet[Site]:
        """Plans are fetched beside: in a join MariaDB begins with the few plans, and sorts all sites."""
        return super().get_queryset(request).prefetch_related("plan")

    def enrich(self, rows: Sequence[Site]) -> None:
        """With the latest job of each."""
        latest = latest_jobs(site.key for site in rows)
        for site in rows:
            site.latest_job = latest.get(site.key)

    @display(description="State", label=COLOURS)
    def state_label(self, site: Site) -> tuple[str, str]:
        """The state in colour; a wished deletion goes before all, a suspension before the rest."""
        state = site.state
        if state in STANDING and site.deletion_requested_at:
            state = "deleting"
        elif state in STANDING and site.suspended:
            state = "suspended"
        return state, state

    @display(description="Plan")
    def plan_name(self, site: Site) -> str:
        """Its plan."""
        return site.plan.name

    @display(description="Address", ordering="subdomain")
    def address(self, site: Site) -> str:
        """Where visitors find it."""
        if not site.url:
            return "–"
        return format_html('<a href="{}" rel="noreferrer" target="_blank">{}</a>', site.url, site.hostname)

    @display(description="Latest job")
    def job_link(self, site: Site) -> str:
        """Its latest job."""
        return job_link(getattr(site, "latest_job", None))


class DomainAttention(Choice):
    """The questions that a list of domains is opened for."""

    title = "needs attention"
    parameter_name = "attention"
    questions = {
        "failed": ("could not be set up", lambda rows: rows.filter(status=CustomDomain.Status.FAILED)),
        "certificate": (
            "without certificate",
            lambda rows: rows.filter(
                certificate__in=(
                    CustomDomain.CertificateStatus.FAILED,
                    CustomDomain.CertificateStatus.NONE,
                )
            ),
        ),
    }


class DomainList(BigList):
    """The list part of the custom domains' admin."""

    list_display = ("domain", "site", "status", "certificate", "error", "created_at")
    list_filter = (DomainAttention, "status", "certificate", "created_at")
    list_select_related = ("site",)
    ordering = ("-pk",)
    sortable_by = ("domain",)
    search_fields = ("domain",)  # makes the box appear; `matching` answers it
    search_help_text = "Beginning of the domain, or whatever its site is known by"
    actions_list = ("export_list",)
    csv_name = "custom-domains"
    csv_related = ("site",)
    csv_columns = (
        ("domain", lambda row: row.domain),
        ("service_id", lambda row: row.site.service_id),
        ("status", lambda row: row.status),
        ("certificate", lambda row: row.certificate),
        ("error", lambda row: row.error),
        ("created_at", lambda row: row.created_at),
    )

    def matching(self, text: str) -> tuple[Iterable[int], bool]:
        """By its name, or those of the sites that the text finds."""
        named = CustomDomain.objects.filter(search.begins("domain", search.tidy(text).lower()))
        found = list(named.values_list("pk", flat=True)[: MOST_FOUND + 1])
        sites, more = board.matching(text, MOST_FOUND)
        found += CustomDomain.objects.filter(site__in=sites).values_list("pk", flat=True)[:MOST_FOUND]
        return found[:MOST_FOUND], more or len(found) > MOST_FOUND

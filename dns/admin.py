"""Customers, their zones with their records, and the zone template for staff. Records are shown as ISPConfig
holds them at that moment."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display

from dns import acts, board, published, rules
from dns.live import LiveZone
from dns.models import Customer, Parent, Publication, TemplateRecord, Zone
from nodepoint.admin import ReadOnlyAdmin, StaffAdmin
from nodepoint.audit.edits import Audited
from nodepoint.board import search
from nodepoint.jobs.lists import job_link, latest_jobs
from nodepoint.lists import BigList, Choice
from nodepoint.staff.acts import ActsMixin

COLOURS = {"creating": "info", "active": "success", "deleting": "warning", "failed": "danger"}
MOST_FOUND = 1000
ZONE_ACTS = ("add-record", "import-records", "delete-zone")  # of the zone as a whole
CHANGES_SHOWN = 30


@admin.register(Customer)
class CustomerAdmin(BigList, ReadOnlyAdmin):
    """Users of the billing portal who have, or had, zones."""

    list_display = ("user_id", "email", "client_id", "zones_now", "created_at")
    sortable_by = ("user_id", "created_at")
    search_fields = ("user_id",)  # makes the box appear; `matching` answers it
    search_help_text = "User id, beginning of the e-mail or of a zone"
    fields = ("user_id", "email", "client_id", "group_id", "created_at")
    actions_list = ("export_list",)
    csv_name = "dns-customers"
    csv_columns = tuple(
        (name, lambda row, name=name: getattr(row, name))
        for name in ("user_id", "email", "client_id", "created_at")
    )

    def matching(self, text: str) -> tuple[Iterable[int], bool]:
        """By user id, e-mail, or one of the zones."""
        found, more = board.customers_matching(text, MOST_FOUND)
        zones = Zone.objects.filter(search.begins("name", search.tidy(text).lower().rstrip(".")))
        found += zones.values_list("customer", flat=True)[:MOST_FOUND]
        return found[:MOST_FOUND], more or len(found) > MOST_FOUND

    def enrich(self, rows: Sequence[Customer]) -> None:
        """With the number of zones that each has now."""
        zones = Zone.objects.filter(customer__in=rows, name_key__isnull=False).order_by()
        held = dict(zones.values_list("customer").annotate(Count("pk")))
        for customer in rows:
            customer.held = held.get(customer.pk, 0)

    @display(description="Zones")
    def zones_now(self, customer: Customer) -> str:
        """How many, with a link to them."""
        address = f"{reverse('admin:dns_zone_changelist')}?customer__id__exact={customer.pk}"
        return format_html('<a href="{}">{}</a>', address, customer.held)


class Published(Choice):
    """Zones that the name servers do not serve as ISPConfig holds them."""

    title, parameter_name = "published", "published"
    questions = {
        "no": (
            "not published",
            lambda zones: zones.filter(pk__in=published.unpublished().order_by().values("zone")),
        )
    }


@admin.register(Zone)
class ZoneAdmin(ActsMixin, BigList, ReadOnlyAdmin):
    """Zones, newest first; the page of one shows its records."""

    list_display = ("name", "state_label", "customer", "ispconfig_id", "created_at", "job_link")
    list_filter = ("state", Published, "created_at")
    list_select_related = ("customer",)
    sortable_by = ("name", "created_at")
    search_fields = ("name",)  # makes the box appear; `matching` answers it
    search_help_text = "Beginning of the zone, a name in it, user id or e-mail of its owner"
    fields = (
        ("name", "state_word", "job_link"),
        ("customer", "ispconfig_id"),
        "publication_word",
        "above_word",
        ("created_at", "deletion_requested_at", "ended_at"),
    )
    readonly_fields = ("state_word", "publication_word", "above_word", "job_link")
    change_form_after_template = "dns/admin/records.html"
    actions_list = ("add_zone", "export_list")
    acts = acts.ACTS
    csv_name = "zones"
    csv_related = ("customer",)
    csv_columns = (
        ("name", lambda row: row.name),
        ("state", lambda row: row.state),
        ("user_id", lambda row: row.customer.user_id),
        ("email", lambda row: row.customer.email),
        ("created_at", lambda row: row.created_at),
        ("ended_at", lambda row: row.ended_at),
    )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """The list of customers links to the zones of one."""
        return lookup == "customer__id__exact" or super().lookup_allowed(lookup, value, request)

    def matching(self, text: str) -> tuple[Iterable[int], bool]:
        """By name, or by owner."""
        return board.matching(text, MOST_FOUND)

    def enrich(self, rows: Sequence[Zone]) -> None:
        """With the latest job of each."""
        latest = latest_jobs(zone.key for zone in rows)
        for zone in rows:
            zone.latest_job = latest.get(zone.key)

    def get_urls(self) -> list[URLPattern]:
        """With the page that adds a zone."""
        view = self.admin_site.admin_view(self.new_zone)
        return [path("new/", view, name="dns_zone_new"), *super().get_urls()]

    def new_zone(self, request: HttpRequest) -> HttpResponse:
        """Ask for whom and which, or have it made."""
        if not self.may(request, acts.CREATE):
            raise PermissionDenied
        return self.ask_or_do(request, acts.CREATE, None)

    def has_new_permission(self, request: HttpRequest) -> bool:
        """Whoever may add zones."""
        return request.user.has_perm(acts.CREATE.permission)

    @action(description="Add a zone", icon="add", permissions=["new"])
    def add_zone(self, request: HttpRequest) -> HttpResponse:
        """The page that asks for whom and which."""
        return self.new_zone(request)

    def legal_acts(self, request: HttpRequest, zone: Zone) -> Iterable[str]:
        """Records while the zone is served; its deletion until that was asked for."""
        if zone.name_key is None or zone.deletion_requested_at:
            return ()
        if zone.state == Zone.State.ACTIVE:
            return [act.name for act in self.acts]
        return ["delete-zone"]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the records, as ISPConfig holds them now: one reading, within two seconds."""
        zone = (
            Zone.objects.select_related("customer").filter(pk=object_id).first()
            if object_id.isdecimal()
            else None
        )
        more = self._records(request, zone) if zone and self.has_view_permission(request, zone) else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def _records(self, request: HttpRequest, zone: Zone) -> dict[str, Any]:
        found, trouble = acts.read(zone)
        legal = set(self.legal_acts(request, zone))
        buttons = {button.act.name: button for button in self.buttons(request, zone, legal)}
        return {
            "trouble": trouble,
            "records": self._rows(zone, found, buttons) if found else [],
            "zone_buttons": [buttons[name] for name in ZONE_ACTS if name in buttons],
            "changes": self._changes(zone, "undo-change" in buttons),
        }

    def _changes(self, zone: Zone, may_undo: bool) -> list[dict[str, Any]]:
        """The latest changes of the zone, whoever made them. One query."""
        return [
            {
                "change": one,
                "said": one.after or one.before,
                "by": one.by or "found at ISPConfig",
                "url": self.act_url(zone, "undo-change", change_id=str(one.pk)) if may_undo else "",
            }
            for one in zone.changes.all()[:CHANGES_SHOWN]
        ]

    def _rows(self, zone: Zone, found: LiveZone, buttons: dict[str, Any]) -> list[dict[str, Any]]:
        """Each record with the addresses of what can be done with it; the platform's own stay as they are."""
        rows = []
        for held in found.records:
            free = not rules.is_protected(held.entry, zone.origin)
            links = [
                {"label": buttons[name].act.label, "url": self.act_url(zone, name, rc_id=str(held.id))}
                for name in ("change-record", "delete-record")
                if free and name in buttons
            ]
            rows.append({"held": held, "links": links, "protected": not free})
        return rows

    @display(description="State", ordering="state", label=COLOURS)
    def state_label(self, zone: Zone) -> tuple[str, str]:
        """The state in colour; a wished deletion goes before all."""
        state = "deleting" if zone.deletion_requested_at and zone.name_key else zone.state
        return state, state

    @display(description="State")
    def state_word(self, zone: Zone) -> str:
        """The same in words alone, for the page of one zone."""
        return self.state_label(zone)[1]

    @display(description="Published")
    def publication_word(self, zone: Zone) -> str:
        """What the last look at the name servers found, and when that was."""
        seen = Publication.objects.filter(zone=zone).first()
        if seen is None or zone.name_key is None:
            return "not known"
        when = f"at {timezone.localtime(seen.looked_at):%Y-%m-%d %H:%M}"
        said = published.for_staff(seen) if seen.wrong_since else f"serial {seen.serial}"
        return f"{said} ({when})"

    @display(description="Zone above")
    def above_word(self, zone: Zone) -> str:
        """Whom it refers to, with which DS records, and when that was looked at."""
        seen = Parent.objects.filter(zone=zone).first()
        if seen is None or zone.name_key is None:
            return "not known"
        since = (
            f"; not here since {timezone.localtime(seen.away_since):%Y-%m-%d %H:%M}"
            if seen.away_since
            else ""
        )
        ds = f"DS {'; '.join(seen.ds)}" if seen.ds else "no DS"
        when = f"at {timezone.localtime(seen.looked_at):%Y-%m-%d %H:%M}"
        return f"refers to {', '.join(seen.servers) or 'nobody'}{since}; {ds} ({when})"

    @display(description="Latest job")
    def job_link(self, zone: Zone) -> str:
        """Its state, with a link to it."""
        if not hasattr(zone, "latest_job"):  # the page of one zone
            self.enrich([zone])
        return job_link(zone.latest_job)


@admin.register(TemplateRecord)
class TemplateRecordAdmin(Audited, StaffAdmin):
    """What new zones begin with, beside their name servers. Zones that exist keep what they have."""

    list_display = ("name", "type", "content", "priority", "ttl", "position")
    list_editable = ("position",)

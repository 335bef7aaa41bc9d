"""The page of a site: everything about it, what can be done, and its bar that moves by itself."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import action

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.staff.acts import Act, ActsMixin, Button
from nodepoint.staff.pages import MOVING, RESTING, LivePageMixin
from sites.admin import page
from sites.admin.acts import ACTS, ADOPT, ORDER
from sites.admin.lists import SiteList
from sites.models import Site
from sites.services.legality import Facts, legal_acts

PARTS = {
    "now": "sites/admin/now.html",
    "acts": "sites/admin/acts.html",
    "hosts": "sites/admin/hosts.html",
    "backups": "sites/admin/backups.html",
    "archives": "sites/admin/archives.html",
    "inside": "sites/admin/inside.html",
    "job": "jobs/timeline.html",
    "jobs": "jobs/lines.html",
    "entries": "staff/entries.html",
}
ON_ROWS = {
    "roll_back",
    "delete_backup",
    "delete_archive",
    "retry_domain",
    "make_primary",
    "remove_domain",
}  # offered beside what they are about

# Acts that help where a step of a job, done once more, fails again: a script that hangs inside the container
# ends with a restart.
BESIDE = dict.fromkeys(("tuned", "handed_over", "verified"), ("restart", "repair"))


@admin.register(Site)
class SiteAdmin(LivePageMixin, ActsMixin, SiteList, ReadOnlyAdmin):
    """Sites, newest first. What is to change is asked of the services, never written here."""

    acts = ACTS
    actions_list = (*SiteList.actions_list, "order", "adopt")
    change_form_template = "sites/admin/site.html"
    live_parts = PARTS
    beside_failed_steps = BESIDE

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Site | None:
        """With its plan, and without what only the list needs."""
        try:
            return Site.objects.select_related("plan").filter(pk=object_id).first()
        except ValueError:
            return None

    def get_urls(self) -> list[URLPattern]:
        """With the pages of the acts that make a row."""
        order = self.admin_site.admin_view(self.order_view)
        adopt = self.admin_site.admin_view(self.adopt_view)
        return [
            path("order-site/", order, name="sites_site_order_site"),
            path("adopt-container/", adopt, name="sites_site_adopt_container"),
            *super().get_urls(),
        ]

    def legal_acts(self, request: HttpRequest, subject: Site) -> Iterable[str]:
        """As the services would decide."""
        return legal_acts(Facts(subject))

    def act_label(self, subject: Site | None) -> str:
        """The service, its name and its container."""
        if subject is None:
            return ""
        container = f"VMID {subject.vmid}" if subject.vmid else None
        return " · ".join(
            filter(None, [f"Service {subject.service_id}", subject.hostname, container, subject.email])
        )

    def page_title(self, subject: Site) -> str:
        """By its service."""
        return f"Site {subject.service_id}"

    @action(description="Order a site", icon=ORDER.icon, permissions=["order"])
    def order(self, request: HttpRequest) -> HttpResponse:
        """The button above the list leads to the page of the act."""
        return HttpResponseRedirect(reverse("admin:sites_site_order_site"))

    def has_order_permission(self, request: HttpRequest) -> bool:
        """By name, as the other one."""
        return self.may(request, ORDER)

    def order_view(self, request: HttpRequest) -> HttpResponse:
        """An act without a row: it makes one."""
        return self._make(request, ORDER)

    @action(description="Adopt a container", icon=ADOPT.icon, permissions=["adopt"])
    def adopt(self, request: HttpRequest) -> HttpResponse:
        """The button above the list leads to the page of the act."""
        return HttpResponseRedirect(reverse("admin:sites_site_adopt_container"))

    def has_adopt_permission(self, request: HttpRequest) -> bool:
        """By name: with the permission itself Unfold's system check would ask the database, before
        `migrate` has made its tables."""
        return self.may(request, ADOPT)

    def adopt_view(self, request: HttpRequest) -> HttpResponse:
        """Another one."""
        return self._make(request, ADOPT)

    def _make(self, request: HttpRequest, act: Act) -> HttpResponse:
        if not self.may(request, act):
            raise PermissionDenied
        return self.ask_or_do(request, act, None)

    def shown(self, request: HttpRequest, subject: Site) -> dict[str, Any]:
        """Everything about the site, and what can be done with it."""
        site, facts = subject, Facts(subject)
        shown = page.parts(facts)
        offered = self.buttons(request, site, legal_acts(facts))
        by_name = {button.act.name: button for button in offered}
        for name in shown["names"]:
            name["buttons"] = list(self._on_domain(by_name, site, name))
        for backup in shown["backups"]:
            backup["buttons"] = list(self._on_backup(by_name, site, backup))
        for archive in shown["archives"]["rows"]:
            archive["buttons"] = list(self._on_archive(by_name, site, archive))
        for offer in shown["offers"]:
            offer["buttons"] = list(self._on_offer(by_name, site, offer))
        moving = facts.running is not None
        return {
            **shown,
            "running": facts.running,
            "groups": grouped(button for button in offered if button.act.name not in ON_ROWS),
            "say": page.sentence(shown),
            "again": MOVING if moving else RESTING,
        }

    def _on_domain(self, offered: dict[str, Button], site: Site, name: dict[str, Any]) -> Iterable[Button]:
        fitting = {
            "retry_domain": name.get("retry", False),
            "make_primary": name["may_be_primary"],
            "remove_domain": not name["own"],
        }
        for act, fits in fitting.items():
            if act in offered and fits:
                yield Button(offered[act].act, self.act_url(site, act, domain=name["name"]))

    def _on_offer(self, offered: dict[str, Button], site: Site, offer: dict[str, Any]) -> Iterable[Button]:
        if "replace" in offered:
            act = offered["replace"].act
            yield Button(act, self.act_url(site, act.name, old=offer["from"], new=offer["to"]))

    def _on_backup(self, offered: dict[str, Button], site: Site, backup: dict[str, Any]) -> Iterable[Button]:
        for act in ("roll_back", "delete_backup"):
            if act in offered and backup["state"] == "ready":
                yield Button(offered[act].act, self.act_url(site, act, backup=backup["row"].name))

    def _on_archive(self, offered: dict[str, Button], site: Site, row: dict[str, Any]) -> Iterable[Button]:
        if "delete_archive" in offered and row["state"] == "ready":
            act = offered["delete_archive"].act
            yield Button(act, self.act_url(site, act.name, archive=row["row"].name))


def grouped(buttons: Iterable[Button]) -> list[dict[str, Any]]:
    """`[{"name", "buttons"}]`, in the order of the acts."""
    groups: dict[str, list[Button]] = {}
    for button in buttons:
        groups.setdefault(button.act.group, []).append(button)
    return [{"name": name, "buttons": found} for name, found in groups.items()]

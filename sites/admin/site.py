"""The page of a site: everything about it, what can be done, and its bar that moves by itself."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from unfold.decorators import action

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.staff.acts import ActsMixin, Button
from sites.admin import page
from sites.admin.acts import ACTS, ADOPT
from sites.admin.lists import SiteList
from sites.models import Site
from sites.services.legality import Facts, legal_acts

MOVING, RESTING = 2, 10  # seconds until the page looks again
PARTS = {
    "now": "sites/admin/now.html",
    "acts": "sites/admin/acts.html",
    "hosts": "sites/admin/hosts.html",
    "backups": "sites/admin/backups.html",
    "job": "jobs/timeline.html",
    "jobs": "jobs/lines.html",
    "entries": "staff/entries.html",
}
ON_ROWS = {
    "roll_back",
    "delete_backup",
    "retry_domain",
    "remove_domain",
}  # offered beside what they are about


@admin.register(Site)
class SiteAdmin(ActsMixin, SiteList, ReadOnlyAdmin):
    """Sites, newest first. What is to change is asked of the services, never written here."""

    acts = ACTS
    actions_list = (*SiteList.actions_list, "adopt")
    change_form_template = "sites/admin/site.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Site | None:
        """With its plan, and without what only the list needs."""
        try:
            return Site.objects.select_related("plan").filter(pk=object_id).first()
        except ValueError:
            return None

    def get_urls(self) -> list[URLPattern]:
        """With the address that the page looks at, and the page of adoption."""
        live = self.admin_site.admin_view(self.live_view)
        adopt = self.admin_site.admin_view(self.adopt_view)
        return [
            path("adopt-container/", adopt, name="sites_site_adopt_container"),
            path("<path:object_id>/live/", live, name="sites_site_live"),
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

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page itself."""
        site = self.get_object(request, object_id)
        if site is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, site):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **self._shown(request, site),
            "opts": self.opts,
            "original": site,
            "title": f"Site {site.service_id}",
            "subtitle": None,
            "live_url": reverse("admin:sites_site_live", args=[site.pk]),
        }
        request.current_app = self.admin_site.name
        return HttpResponse(render_to_string(self.change_form_template, context, request))

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The parts of the page as they are now: `{"parts": {name: markup}, "say", "again": seconds}`."""
        site = self.get_object(request, object_id)
        if site is None or not self.has_view_permission(request, site):
            raise PermissionDenied
        shown = self._shown(request, site)
        parts = {name: render_to_string(template, shown, request) for name, template in PARTS.items()}
        return JsonResponse({"parts": parts, "say": shown["say"], "again": shown["again"]})

    @action(description="Adopt a container", icon=ADOPT.icon, permissions=["adopt"])
    def adopt(self, request: HttpRequest) -> HttpResponse:
        """The button above the list leads to the page of the act."""
        return HttpResponseRedirect(reverse("admin:sites_site_adopt_container"))

    def has_adopt_permission(self, request: HttpRequest) -> bool:
        """By name: with the permission itself Unfold's system check would ask the database, before
        `migrate` has made its tables."""
        return self.may(request, ADOPT)

    def adopt_view(self, request: HttpRequest) -> HttpResponse:
        """An act without a row: it makes one."""
        if not self.may(request, ADOPT):
            raise PermissionDenied
        return self.ask_or_do(request, ADOPT, None)

    def _shown(self, request: HttpRequest, site: Site) -> dict[str, Any]:
        facts = Facts(site)
        shown = page.parts(facts)
        offered = self.buttons(request, site, legal_acts(facts))
        by_name = {button.act.name: button for button in offered}
        for name in shown["names"]:
            name["buttons"] = list(self._on_domain(by_name, site, name))
        for backup in shown["backups"]:
            backup["buttons"] = list(self._on_backup(by_name, site, backup))
        moving = facts.running is not None
        return {
            **shown,
            "running": facts.running,
            "groups": grouped(button for button in offered if button.act.name not in ON_ROWS),
            "say": page.sentence(shown),
            "again": MOVING if moving else RESTING,
        }

    def _on_domain(self, offered: dict[str, Button], site: Site, name: dict[str, Any]) -> Iterable[Button]:
        acts = ("retry_domain", "remove_domain") if name.get("retry") else ("remove_domain",)
        for act in acts:
            if act in offered and not name["own"]:
                yield Button(offered[act].act, self.act_url(site, act, domain=name["name"]))

    def _on_backup(self, offered: dict[str, Button], site: Site, backup: dict[str, Any]) -> Iterable[Button]:
        for act in ("roll_back", "delete_backup"):
            if act in offered and backup["state"] == "ready":
                yield Button(offered[act].act, self.act_url(site, act, backup=backup["row"].name))


def grouped(buttons: Iterable[Button]) -> list[dict[str, Any]]:
    """`[{"name", "buttons"}]`, in the order of the acts."""
    groups: dict[str, list[Button]] = {}
    for button in buttons:
        groups.setdefault(button.act.group, []).append(button)
    return [{"name": name, "buttons": found} for name, found in groups.items()]

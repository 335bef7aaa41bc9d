"""What holds for the platform as a whole."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from nodepoint import restoration
from nodepoint.admin import ReadOnlyAdmin
from nodepoint.audit import trail
from nodepoint.models import Restoration
from nodepoint.staff.acts import Act, ActsMixin
from sites.admin.forms import LiftForm
from sites.models import Platform
from sites.services import lift, overrides
from sites.steps.lifting import liftable

KEY = "sites.platform:1"


def _pause(platform: Platform, *, actor: str, reason: str) -> None:
    overrides.pause_orders(actor=actor, reason=reason)


def _resume(platform: Platform, *, actor: str, reason: str) -> None:
    overrides.resume_orders(actor=actor)


def _release(platform: Platform, *, actor: str, reason: str) -> None:
    restoration.release(actor)


def _lift(platform: Platform, *, actor: str, reason: str, batch: int) -> None:
    lift.lift_all(batch, actor=actor)


def _stop_lifting(platform: Platform, *, actor: str, reason: str) -> None:
    lift.stop_lifting(actor=actor)


ACTS = (
    Act(
        "pause_orders",
        "Pause new orders",
        "Pause new orders for the whole platform?",
        lambda platform, query: [
            "Every new order is refused with “New orders are paused for maintenance.”",
            "The billing portal does not repeat a refused order: it has to be ordered again there.",
            "Sites that stand, and orders that were accepted, go on as always.",
        ],
        "New orders are paused.",
        _pause,
        "sites.override_site",
        icon="pause_circle",
        needs_reason=True,
        dangerous=True,
    ),
    Act(
        "resume_orders",
        "Take new orders",
        "Take new orders again?",
        "From now on orders are accepted again.",
        "New orders are taken.",
        _resume,
        "sites.override_site",
        icon="play_circle",
    ),
    Act(
        "release_restored",
        "Release the restored database",
        "Release the restored database?",
        lambda platform, query: [
            "New orders are taken, and jobs that the dump held as going on are carried on.",
            "What is left over may be removed from now on, by `reconcile` and from its page.",
            "Look at every line that is listed before.",
        ],
        "It is released.",
        _release,
        "sites.override_site",
        icon="lock_open",
        needs_reason=True,
        dangerous=True,
    ),
    Act(
        "lift",
        "Lift sites",
        "Have all sites lifted to this release’s install script?",
        lambda platform, query: [
            f"The script runs once more in {liftable().count()} sites, some at a time: seconds each.",
            "No container is stopped; PHP and the web server are told anew where something changes.",
            "Sites that are stopped or suspended are lifted when they start next.",
            "It can be stopped here, and stops by itself after three failures in a row.",
        ],
        "They are being lifted.",
        _lift,
        "sites.override_site",
        icon="upgrade",
        form=LiftForm,
    ),
    Act(
        "stop_lifting",
        "Stop lifting",
        "Take up no more sites?",
        "Those that are being lifted are finished; the others stay as they are.",
        "No more sites are taken up.",
        _stop_lifting,
        "sites.override_site",
        icon="stop_circle",
    ),
)


@admin.register(Platform)
class PlatformAdmin(ActsMixin, ReadOnlyAdmin):
    """One row, so that its list leads straight to it."""

    acts = ACTS

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Platform | None:
        """The row, also where a database has lost it."""
        return Platform.current() if object_id == "1" else None

    def legal_acts(self, request: HttpRequest, subject: Platform) -> Iterable[str]:
        """Those that change something."""
        legal = {"resume_orders" if subject.orders_paused_at else "pause_orders"}
        if Restoration.is_open():
            legal = {"release_restored"}
        if lift.lifting():
            return legal | {"stop_lifting"}
        return legal | {"lift"} if liftable().exists() else legal

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The row's page."""
        return HttpResponseRedirect(reverse("admin:sites_platform_change", args=[1]))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Whether orders are taken, how many sites are below the level, and who changed what when."""
        platform = self.get_object(request, object_id)
        if platform is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, platform):
            raise PermissionDenied
        restored = Restoration.open()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": platform,
            "title": "Platform",
            "subtitle": None,
            "platform": platform,
            "buttons": self.buttons(request, platform, self.legal_acts(request, platform)),
            "lift": lift.levels(),
            "restored": restored,
            "lines": restoration.lines_of(restored) if restored else [],
            "entries": list(trail.entries_of(KEY)[:20]),
        }
        return render(request, "sites/admin/platform.html", context)

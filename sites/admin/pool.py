"""The pool of ready containers for staff."""

from collections.abc import Iterable

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.timesince import timesince
from unfold.decorators import action, display

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.staff.acts import Act, ActsMixin, Result
from sites.models import Spare
from sites.pool import refill
from sites.services import pool

COLOURS = {
    "ready": "success",
    "building": "info",
    "claimed": "default",
    "draining": "warning",
    "failed": "danger",
}


def _fill(spare: None, *, actor: str, reason: str) -> Result:
    return Result(said=f"Begun: {pool.fill_pool(actor=actor)}.")


def _drain(spare: None, *, actor: str, reason: str) -> Result:
    return Result(said=f"Being destroyed: {pool.drain_pool(actor=actor)}.")


def _destroy(spare: Spare, *, actor: str, reason: str) -> None:
    pool.destroy_spare(spare, reason=reason, actor=actor)


FILL = Act(
    "fill",
    "Fill",
    "Make missing containers ready now?",
    lambda spare, query: [
        f"As many as are missing, {refill.AT_ONCE} at once, also where a try has failed lately.",
        "Orders go first: what is begun waits until none is on its way.",
    ],
    "They are being made.",
    _fill,
    "sites.override_site",
    icon="playlist_add",
)
DRAIN = Act(
    "drain",
    "Drain",
    "Destroy all ready containers?",
    lambda spare, query: [
        "Each is destroyed with what is in it; its mark is read before. Orders that have one keep it.",
        "As long as POOL_SIZE is not 0, new ones are made in their place.",
    ],
    "They are being destroyed.",
    _drain,
    "sites.override_site",
    icon="delete_sweep",
    needs_reason=True,
    dangerous=True,
)
DESTROY = Act(
    "destroy",
    "Destroy",
    "Destroy this ready container?",
    "No order gets it from now on. Its mark is read before it is destroyed; another is made in its place.",
    "It is being destroyed.",
    _destroy,
    "sites.override_site",
    icon="delete_forever",
    needs_reason=True,
    dangerous=True,
)


@admin.register(Spare)
class SpareAdmin(ActsMixin, ReadOnlyAdmin):
    """Ready containers, the youngest first, and what became of earlier ones."""

    acts = (DESTROY,)
    actions_list = ("fill", "drain")
    list_display = (
        "build_id",
        "state_label",
        "node",
        "vmid",
        "private_ip",
        "age",
        "template",
        "reason",
        "site",
    )
    list_filter = ("state", "node")
    list_select_related = ("site",)
    search_fields = ("build_id", "vmid", "private_ip", "template")

    def get_urls(self) -> list[URLPattern]:
        """With the pages of the acts on the pool as a whole."""
        pages = {"fill-pool": self.fill_view, "drain-pool": self.drain_view}
        own = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"sites_spare_{name.replace('-', '_')}")
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def legal_acts(self, request: HttpRequest, subject: Spare) -> Iterable[str]:
        """One that waits, or is to, can be destroyed."""
        return ["destroy"] if subject.state in refill.KEPT else []

    @display(description="State", ordering="state", label=COLOURS)
    def state_label(self, spare: Spare) -> tuple[str, str]:
        """In colour."""
        return spare.state, spare.state

    @display(description="Ready for")
    def age(self, spare: Spare) -> str:
        """How long it has waited, or did."""
        return timesince(spare.ready_at, spare.ended_at or timezone.now()) if spare.ready_at else "–"

    @action(description="Fill", icon=FILL.icon, permissions=["fill"])
    def fill(self, request: HttpRequest) -> HttpResponse:
        """The button above the list leads to the page of the act."""
        return HttpResponseRedirect(reverse("admin:sites_spare_fill_pool"))

    @action(description="Drain", icon=DRAIN.icon, permissions=["drain"])
    def drain(self, request: HttpRequest) -> HttpResponse:
        """The same for the other one."""
        return HttpResponseRedirect(reverse("admin:sites_spare_drain_pool"))

    def has_fill_permission(self, request: HttpRequest) -> bool:
        """By name: see `SiteAdmin.has_adopt_permission`."""
        return self.may(request, FILL)

    def has_drain_permission(self, request: HttpRequest) -> bool:
        """Likewise."""
        return self.may(request, DRAIN)

    def fill_view(self, request: HttpRequest) -> HttpResponse:
        """The page of an act without a row."""
        return self._act(request, FILL)

    def drain_view(self, request: HttpRequest) -> HttpResponse:
        """Another one."""
        return self._act(request, DRAIN)

    def _act(self, request: HttpRequest, act: Act) -> HttpResponse:
        if not self.may(request, act):
            raise PermissionDenied
        return self.ask_or_do(request, act, None)

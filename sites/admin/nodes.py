"""The nodes of the cluster for staff: how full they are, and what may be done with them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.audit import trail
from nodepoint.staff.acts import Act, ActForm, ActsMixin
from sites.models import ClusterNode, Template
from sites.placement import drain, overview
from sites.placement.rows import HIGHEST_RATIO
from sites.services import nodes

SITES = 50  # that are shown on the page of a node


class LimitsForm(ActForm):
    """How much of a node may be promised."""

    memory_ratio = forms.FloatField(
        min_value=0.1,
        max_value=HIGHEST_RATIO,
        widget=UnfoldAdminDecimalFieldWidget,
        label="Memory that may be promised (times the node's)",
        help_text="1.0 promises nothing twice. Containers rarely use all of theirs: 1.5 is common.",
    )
    memory_reserve_gb = forms.IntegerField(
        min_value=0,
        max_value=4096,
        widget=UnfoldAdminIntegerFieldWidget,
        label="Memory kept for the node itself (GB)",
    )
    disk_ratio = forms.FloatField(
        min_value=0.1,
        max_value=HIGHEST_RATIO,
        widget=UnfoldAdminDecimalFieldWidget,
        label="Disk that may be promised (times the storage's)",
        help_text="More than 1.0 only on thin storages, and only while somebody watches them.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in nodes.LIMITS:
            self.fields[name].initial = getattr(self.subject, name)


class DrainForm(ActForm):
    """How many sites at once."""

    batch = forms.IntegerField(
        min_value=1,
        max_value=nodes.MOST,
        initial=nodes.BATCH,
        widget=UnfoldAdminIntegerFieldWidget,
        label="Sites at once",
    )


def _close(node: ClusterNode, *, actor: str, reason: str) -> None:
    nodes.close_node(node, note=reason, actor=actor)


def _open(node: ClusterNode, *, actor: str, reason: str) -> None:
    nodes.open_node(node, actor=actor)


def _begin_maintenance(node: ClusterNode, *, actor: str, reason: str) -> None:
    nodes.begin_maintenance(node, note=reason, actor=actor)


def _end_maintenance(node: ClusterNode, *, actor: str, reason: str) -> None:
    nodes.end_maintenance(node, actor=actor)


def _limit(node: ClusterNode, *, actor: str, reason: str, **limits: Any) -> None:
    nodes.set_limits(node, actor=actor, **limits)


def _drain(node: ClusterNode, *, actor: str, reason: str, batch: int) -> None:
    nodes.drain_node(node, batch=batch, note=reason, actor=actor)


def _stop(node: ClusterNode, *, actor: str, reason: str) -> None:
    nodes.stop_draining(node, actor=actor)


def _what_a_drain_does(node: ClusterNode, query: dict[str, str]) -> list[str]:
    number = drain.sites_on(node.name).count()
    templates = Template.objects.filter(built_on=node.name).exclude(volid="")
    built = ", ".join(templates.values_list("volid", flat=True))
    return [
        f"{number} site{'s' if number != 1 else ''} of ours on {node.name} move to other nodes, one after the"
        " other. A site that runs is ended, moved and started: its visitors wait for about half a minute.",
        "Those that HA manages are moved by the HA manager. A site with a lock (a backup) is waited for.",
        "It takes no new sites from now on. Ready containers on it are destroyed, others are made elsewhere.",
        "Guests that are not ours stay. A site that cannot be moved stays where it is, and the rest goes on.",
        *([f"Templates that were built there may lie on its own storage: {built}."] if built else []),
        "It can be stopped here at any time.",
    ]


MANAGE = "sites.override_site"
ACTS = (
    Act(
        "close",
        "No new sites",
        "Have this node take no new sites?",
        "Orders and ready containers go to other nodes. What stands there stays, and goes on as always.",
        "It takes no new sites.",
        _close,
        MANAGE,
        icon="block",
        needs_reason=True,
    ),
    Act(
        "open",
        "Take new sites",
        "Have this node take new sites again?",
        "Orders may go there from now on, as far as it has room.",
        "It takes new sites.",
        _open,
        MANAGE,
        icon="check_circle",
    ),
    Act(
        "begin_maintenance",
        "Maintenance",
        "Put this node into maintenance?",
        lambda node, query: [
            "It takes no new sites. Its sites get no updates meanwhile, and are not lifted.",
            "Nothing is moved or stopped: drain it for that. The HA manager has a maintenance mode of its"
            " own.",
        ],
        "It is in maintenance.",
        _begin_maintenance,
        MANAGE,
        icon="construction",
        needs_reason=True,
    ),
    Act(
        "end_maintenance",
        "End maintenance",
        "End the maintenance of this node?",
        "What has waited goes on.",
        "The maintenance is over.",
        _end_maintenance,
        MANAGE,
        icon="task_alt",
    ),
    Act(
        "limits",
        "Limits",
        "Change how much of this node may be promised?",
        "Orders that find no node with room wait, for 30 minutes at most. What stands there is not touched.",
        "The limits are changed.",
        _limit,
        MANAGE,
        icon="speed",
        form=LimitsForm,
    ),
    Act(
        "drain",
        "Drain",
        "Move everything of ours off this node?",
        _what_a_drain_does,
        "It is being drained.",
        _drain,
        MANAGE,
        icon="move_up",
        form=DrainForm,
        needs_reason=True,
        dangerous=True,
    ),
    Act(
        "stop_draining",
        "Stop draining",
        "Move no more sites off this node?",
        "Those on their way are finished; the others stay. It goes on taking no new sites.",
        "No more sites are moved.",
        _stop,
        MANAGE,
        icon="stop_circle",
    ),
)


@admin.register(ClusterNode)
class ClusterNodeAdmin(ActsMixin, ReadOnlyAdmin):
    """All nodes that the cluster has named."""

    acts = ACTS
    list_display = ("name", "state_label", "new_sites", "memory", "disk", "sites", "room", "note")
    search_fields = ("name",)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows of the page, each with what is known of it: read once for all of them."""
        shown = super().get_changelist_instance(request)
        for row, seen in zip(shown.result_list, overview.of(shown.result_list), strict=True):
            row.seen = seen
        return shown

    @display(description="State", label={"online": "success", "maintenance": "warning", "offline": "danger"})
    def state_label(self, node: ClusterNode) -> str:
        """In colour."""
        return node.seen.state[0]

    @display(description="New sites", label={"yes": "success", "closed": "warning", "no": "danger"})
    def new_sites(self, node: ClusterNode) -> str:
        """Whether one could go there."""
        return node.seen.new_sites[0]

    @display(description="Memory")
    def memory(self, node: ClusterNode) -> str:
        """Promised, and in use."""
        return node.seen.memory

    @display(description="Disk for sites")
    def disk(self, node: ClusterNode) -> str:
        """The same of the storage."""
        return node.seen.disk

    @display(description="Sites")
    def sites(self, node: ClusterNode) -> int:
        """How many stand there."""
        return node.seen.promise.sites

    @display(description="Room for more")
    def room(self, node: ClusterNode) -> str:
        """Of the smallest plan."""
        return "–" if node.seen.room is None else f"{node.seen.room:,}"

    @display(description="Why")
    def note(self, node: ClusterNode) -> str:
        """What staff have noted, or why no site would go there."""
        return node.maintenance or node.closed or node.seen.why_not

    def legal_acts(self, request: HttpRequest, subject: ClusterNode) -> Iterable[str]:
        """Those that change something."""
        legal = {"limits", "open" if subject.closed_at else "close"}
        legal.add("end_maintenance" if subject.maintenance_at else "begin_maintenance")
        if nodes.draining(subject):
            return legal - {"open"} | {"stop_draining"}
        return legal | {"drain"} if drain.sites_on(subject.name).exists() else legal

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """How it is, how full, what stands there, and how far it is emptied."""
        node = self.get_object(request, object_id)
        if node is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, node):
            raise PermissionDenied
        (seen,) = overview.of([node])
        standing = drain.sites_on(node.name).select_related("plan")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": node,
            "title": node.name,
            "subtitle": None,
            "node": node,
            "seen": seen,
            "choice": overview.next_choice(),
            "drain": overview.last_drain(node),
            "sites": standing[:SITES],
            "number": seen.promise.sites,
            "buttons": self.buttons(request, node, self.legal_acts(request, node)),
            "entries": list(trail.entries_of(node.key)[:20]),
        }
        return render(request, "sites/admin/node.html", context)

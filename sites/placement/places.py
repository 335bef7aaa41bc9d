"""The place of a container: chosen and reserved, so that two orders never get the same last one."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from nodepoint.clients.errors import Busy
from sites import allocation
from sites.connections import proxmox
from sites.models import Placement, Site, Spare, Template
from sites.placement import promises, reading
from sites.placement.choice import Choice, Wish, choose

KEPT_FREE = 0.1  # of memory and disk, which the pool leaves to orders
Holder = Site | Spare | Template


def site_place(site: Site) -> str:
    """The node for a site's new container. Busy when none can take it."""
    return place(site, Wish(site.plan.memory_mb, site.plan.disk_gb))


def spare_place(spare: Spare) -> str:
    """The same for a ready container: spread over the nodes, and what is kept for orders is not touched."""
    return place(spare, Wish(spare.memory_mb, spare.disk_gb, kept=KEPT_FREE, kin="ready containers"))


def template_place(template: Template) -> str:
    """The same for a template that is built."""
    return place(template, Wish(promises.TEMPLATE_MB, promises.TEMPLATE_GB, kin=""))


def place(subject: Holder, wish: Wish, *, home: str | None = None) -> str:
    """Choose a node and reserve the place there; what is reserved already is kept while it fits. `home`: by
    default PROXMOX_HOME_NODE. One remote call. Busy, with the reason of each node, when none can take it."""
    asked, looked = cluster(), reading.last_look()
    with transaction.atomic():
        allocation.lock()
        places = promises.reserved()
        mine = next((row for row in places if row.subject == subject.key), None)
        promised = promises.of_ours(row for row in places if row is not mine)
        nodes = reading.put_together(looked, promised, asked, _kin(subject))
        home = settings.PROXMOX_HOME_NODE if home is None else home
        choice = choose(nodes, wish, home, mine.node if mine else "")
        if choice.node:
            _reserve(subject, wish, choice, mine)
    if not choice.node:
        raise Busy("proxmox", choice.sentence)
    return choice.node


def _reserve(subject: Holder, wish: Wish, choice: Choice, mine: Placement | None) -> None:
    """Call while orders wait for one another. What is kept as it was keeps its reason."""
    values = {"memory_mb": wish.memory, "disk_gb": wish.disk}
    if mine is None or mine.node != choice.node:
        values |= {"node": choice.node, "why": choice.sentence, "open": True, "placed_at": timezone.now()}
    if not Placement.objects.filter(subject=subject.key).update(**values):
        Placement.objects.create(subject=subject.key, **values)


def cluster() -> dict[str, dict[str, Any]]:
    """What the cluster says of its nodes now, as `reading` takes it. One call; ClientError."""
    return {
        node.name: {
            "online": node.online,
            "load": node.cpu,
            "memory_mb": node.maxmem // reading.MIB,
            "memory_used_mb": node.mem // reading.MIB,
        }
        for node in proxmox().nodes()
    }


def _kin(subject: Holder) -> Mapping[str, int]:
    """Containers of the same customer, or other ready ones, by node. One query."""
    if isinstance(subject, Template):
        return {}
    if isinstance(subject, Spare):
        rows = Spare.objects.filter(state__in=Spare.STANDING, node__gt="").exclude(pk=subject.pk)
    else:
        same = Q(email__in={subject.email, subject.email.lower()})
        same |= Q(user_id=subject.user_id) if subject.user_id else Q()
        rows = Site.objects.filter(same, node__gt="").exclude(pk=subject.pk)
    return dict(rows.order_by().values_list("node").annotate(Count("pk")))


def settle(subject: Holder) -> None:
    """The container stands, or nothing of it is left: its row says where from now on. One query."""
    Placement.objects.filter(subject=subject.key, open=True).update(open=False)

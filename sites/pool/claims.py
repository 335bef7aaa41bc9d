"""How an order gets a ready container, in the transaction that accepts it."""

from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from nodepoint.jobs.models import Job
from sites.install import LEVEL
from sites.models import Plan, Site, Spare
from sites.placement import reading

TAKEN_OVER = ("container", "started", "wordpress")  # steps of an order that find most of it done
USUAL = 1.5  # seconds that each of them takes then
TOP_UP = "sites.tasks.fill_pool"
HANDED_OVER = {"vmid": None, "private_ip": None}


def of_today() -> QuerySet[Spare]:
    """Those that are as an order made now would be: of the template, the storage and the install script that
    are in use."""
    in_use = {"template": settings.PROXMOX_TEMPLATE, "storage": settings.PROXMOX_STORAGE}
    return Spare.objects.filter(**in_use, level=LEVEL)


def take(plan: Plan) -> Spare | None:
    """Take the spare that has been ready for longest, out of those that fit the plan and stand where orders
    may go; None: there is none. Its VMID and address, which the answer still has, are the caller's.

    One conditional update decides: a spare is never had by two, nor by an order and its destruction. Nothing
    is asked where there is no pool; else three queries, eight more where it has to grow, and an update."""
    if not settings.POOL_SIZE:
        return None
    nodes, now = reading.known(), timezone.now()
    ready = of_today().filter(state=Spare.State.READY, disk_gb__lte=plan.disk_gb)
    for spare in ready.order_by("ready_at", "pk"):
        if not nodes.has_room(spare.node, plan.memory_mb - spare.memory_mb, plan.disk_gb - spare.disk_gb):
            continue
        mine = Spare.objects.filter(pk=spare.pk, state=Spare.State.READY)
        if mine.update(state=Spare.State.CLAIMED, ended_at=now, **HANDED_OVER):
            return spare
    return None


def note(site: Site) -> None:
    """Say at the spare whose it became, now that the site has a number."""
    if site.claimed:
        Spare.objects.filter(build_id=site.claimed).update(site=site)


def hasten(site: Site, job: Job) -> None:
    """Have the job of an order with a spare promise what it takes, and have the pool looked at soon."""
    if site.claimed:
        job.steps.filter(name__in=TAKEN_OVER).update(usual_seconds=USUAL)
        transaction.on_commit(partial(async_task, TOP_UP, save=False, ack_failure=True), robust=True)

"""Taking a container that stands already as the site of a service."""

from django.db import transaction

from nodepoint.audit import trail
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites import allocation, install, live
from sites.errors import NotAdoptable, WrongState
from sites.models import Site
from sites.services.orders import find_plan, refuse_standing
from sites.services.standing import failed_last, own_status

ADOPT = "sites.adopt"


def adopt_site(
    *, service_id: str, email: str, plan: str, public_ip: str, vmid: int, actor: str = ""
) -> tuple[Site, Job]:
    """Have the container `vmid` become the site of a service: marked as ours, with record, proxy host and
    firewall. The job looks at it before it writes, and takes back what it wrote when the site does not
    answer.

    UnknownPlan; SiteExists and its kin; NotAdoptable when there is no such container, it is a site's, or
    Proxmox VE does not answer.
    """
    chosen = find_plan(plan)
    refuse_standing(service_id)
    node = _node(vmid)
    with transaction.atomic():
        allocation.lock()
        holder = Site.objects.filter(vmid=vmid).first()
        if (holder and not holder.ended_at) or allocation.is_ours("vmid", vmid):
            raise NotAdoptable(f"VMID {vmid} belongs to a site, to the pool, or to a template being built.")
        if Site.objects.filter(live_key=service_id).exists():
            raise NotAdoptable("The service has got a site at this very moment.")
        if holder:
            _give_up(holder, actor)
        names = {"service_id": service_id, "live_key": service_id, "email": email, "public_ip": public_ip}
        # What is inside was made by others: it is not to be lifted, and the script would not touch it.
        site = Site.objects.create(**names, plan=chosen, vmid=vmid, node=node, level=install.LEVEL)
        # The row forgets its VMID when the job is undone; who asks once more has to know it.
        data = {"service_id": service_id, "vmid": vmid}
        order = {"email": email, "plan": chosen.name, "public_ip": public_ip, "vmid": vmid}
        return site, queue.submit(ADOPT, site.key, data=data, actor=actor, after=order)


def _give_up(holder: Site, actor: str) -> None:
    """A site that has ended held the container's address, VMID and name so that nobody else would get them,
    as after an adoption in vain. Now the container is to have them again."""
    before = {name: getattr(holder, name) for name in ("vmid", "private_ip", "subdomain")}
    Site.objects.filter(pk=holder.pk).update(vmid=None, private_ip=None, subdomain=None, node="")
    trail.record("sites.release", holder.key, label=holder.service_id, before=before, actor=actor)


def adopt_again(site: Site, vmid: int, *, actor: str = "") -> tuple[Site, Job]:
    """Have a container adopted once more whose adoption was undone, as it was asked for. WrongState unless it
    failed and is the service's latest; and what `adopt_site` raises."""
    now = Site.objects.select_related("plan").get(pk=site.pk)
    if not failed_last(now):
        raise WrongState(own_status(now))
    order = {"email": now.email, "plan": now.plan.name, "public_ip": now.public_ip}
    return adopt_site(service_id=now.service_id, **order, vmid=vmid, actor=actor)


def _node(vmid: int) -> str:
    reading = live.reading()
    if reading.stale:
        raise NotAdoptable("Proxmox VE does not answer: nobody can see whether that container exists.")
    if vmid not in reading.guests:
        raise NotAdoptable(f"There is no container {vmid} in the cluster.")
    return reading.guests[vmid].node

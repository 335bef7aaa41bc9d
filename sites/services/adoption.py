"""Taking a container that stands already as the site of a service."""

from django.db import transaction

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites import allocation, live
from sites.errors import NotAdoptable
from sites.models import Site, Template
from sites.services.orders import find_plan, refuse_standing

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
        if any(model.objects.filter(vmid=vmid).exists() for model in (Site, Template)):
            raise NotAdoptable(f"VMID {vmid} belongs to a site, or to a template that is being built.")
        if Site.objects.filter(live_key=service_id).exists():
            raise NotAdoptable("The service has got a site at this very moment.")
        names = {"service_id": service_id, "live_key": service_id, "email": email, "public_ip": public_ip}
        site = Site.objects.create(**names, plan=chosen, vmid=vmid, node=node)
        data = {"service_id": service_id}
        order = {"email": email, "plan": chosen.name, "public_ip": public_ip, "vmid": vmid}
        return site, queue.submit(ADOPT, site.key, data=data, actor=actor, after=order)


def _node(vmid: int) -> str:
    reading = live.reading()
    if reading.stale:
        raise NotAdoptable("Proxmox VE does not answer: nobody can see whether that container exists.")
    if vmid not in reading.guests:
        raise NotAdoptable(f"There is no container {vmid} in the cluster.")
    return reading.guests[vmid].node

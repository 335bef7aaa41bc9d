"""Having a site's things made as its rows say."""

from django.db import transaction

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.models import Site

REPAIR = "sites.repair"


def repair_site(site: Site, *, actor: str = "") -> Job | None:
    """Have what differs put right. None when the site is not live any more, or something else goes on: what
    runs may be just that."""
    with transaction.atomic():
        queue.lock(site.key)
        live = Site.objects.filter(pk=site.pk, state=Site.State.LIVE, deletion_requested_at=None)
        if not live.exists() or Job.objects.filter(subject=site.key, state__in=Job.ALIVE).exists():
            return None
        return queue.submit(REPAIR, site.key, data={"service_id": site.service_id}, actor=actor)

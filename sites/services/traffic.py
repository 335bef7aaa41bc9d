"""Whether visitors get through, as the customer wishes."""

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.models import Site
from sites.services.standing import site_for_action

TOGGLE = "sites.toggle"


def toggle_traffic(service_id: str, enabled: bool | None = None, *, actor: str = "") -> tuple[Site, Job]:
    """Have all host names of a site switched on or off (None: the other way round), the container left alone.

    The wish stays also where it could not be carried out. JobRefused while a job of the site runs, and what
    `site_for_action` raises.
    """
    site = site_for_action(service_id)

    def work() -> tuple[Site, Job]:
        data = {"service_id": service_id}
        wish = not site.proxy_enabled if enabled is None else enabled
        change = {"before": {"proxy_enabled": site.proxy_enabled}, "after": {"proxy_enabled": wish}}
        job = queue.submit(TOGGLE, site.key, data=data, actor=actor, queue=False, **change)
        now = site_for_action(service_id)  # as it is once no other job of the site can begin
        now.proxy_enabled = not now.proxy_enabled if enabled is None else enabled
        Site.objects.filter(pk=now.pk).update(proxy_enabled=now.proxy_enabled)
        return now, job

    return queue.whole(work)

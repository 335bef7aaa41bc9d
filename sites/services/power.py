"""What a customer wants the container to do. The wish is stored with the job that carries it out."""

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.models import Site
from sites.services.standing import site_for_action


def start_site(service_id: str, *, actor: str = "") -> tuple[Site, Job]:
    """Have the container started.

    UnknownSite, WrongState, ServiceSuspended; JobRefused while another job runs.
    """
    return _wish(service_id, "sites.start", "running", actor)


def stop_site(service_id: str, *, actor: str = "") -> tuple[Site, Job]:
    """Have the container ended, gracefully for 60 s. Errors as for `start_site`."""
    return _wish(service_id, "sites.stop", "stopped", actor)


def restart_site(service_id: str, *, actor: str = "") -> tuple[Site, Job]:
    """Have the container ended and started; one that is stopped is started. Errors as for `start_site`."""
    return _wish(service_id, "sites.restart", "running", actor)


def _wish(service_id: str, kind: str, power: str, actor: str) -> tuple[Site, Job]:
    site = site_for_action(service_id)
    return site, queue.whole(lambda: _submit(site, kind, power, actor))


def _submit(site: Site, kind: str, power: str, actor: str) -> Job:
    # The job's row before the site's: every runner takes them in this order too.
    data = {"service_id": site.service_id}
    change = {"before": {"wanted_power": site.wanted_power}, "after": {"wanted_power": power}}
    job = queue.submit(kind, site.key, data=data, actor=actor, queue=False, **change)
    free = Site.objects.filter(
        pk=site.pk, state=Site.State.LIVE, suspended_at=None, deletion_requested_at=None
    )
    if not free.update(wanted_power=power):
        site_for_action(site.service_id)  # says what has become of it meanwhile
    return job

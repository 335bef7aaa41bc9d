"""Domains that lead elsewhere for too long, and what becomes of them. Nobody asks for it: the hourly look
finds it (`sites.domain_watch`)."""

from datetime import datetime

from nodepoint.audit import trail
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.flows.domain_notices import DOMAIN_LAPSED, DOMAIN_LAPSED_STAFF
from sites.models import CustomDomain, Site
from sites.services.domains import ADD, REMOVE
from sites.steps import domains as steps

ACTOR = "hourly look at domains"

Status, CertificateStatus = CustomDomain.Status, CustomDomain.CertificateStatus


def lapse(domain: CustomDomain, why: str, now: datetime) -> bool:
    """A domain that has led elsewhere for too long is `failed` from now on, and is not the site's name any
    more; its customer and staff are told, once a day at most. Its proxy host and its certificate stay for the
    day it comes back. False where something else has become of it, or a job is about to do so."""
    since = f"{domain.astray_since:%Y-%m-%d %H:%M} UTC"
    error = f"{domain.domain} has not led here since {since}, so it is not used any more. {why}"

    def work() -> bool:
        if _is_worked_on(domain):
            return False
        standing = CustomDomain.objects.filter(pk=domain.pk, status=Status.ACTIVE)
        if not standing.update(status=Status.FAILED, lapsed_at=now, error=error):
            return False
        _record("sites.domain_lapsed", domain, {"domain": domain.domain, "error": error})
        for kind in (DOMAIN_LAPSED, DOMAIN_LAPSED_STAFF):
            data = {"service_id": domain.site.service_id, "domain": domain.domain}
            queue.tell(kind, domain.key, once=f"{kind}/{domain.pk}/{now:%Y%m%d}", data=data)
        steps.name_wished(domain.site, domain.domain, ACTOR)
        return True

    return queue.whole(work)


def come_back(domain: CustomDomain) -> bool:
    """A domain that had lapsed and leads here again is `active`. The job of its certificate sees to the rest:
    one that has ended meanwhile is ordered anew, the proxy host is looked at, and the site goes by the name
    again. False where something else has become of it, or a job is about to do so."""

    def work() -> bool:
        if _is_worked_on(domain):
            return False
        values = {"status": Status.ACTIVE, "certificate": CertificateStatus.PENDING, "error": ""}
        lapsed = CustomDomain.objects.filter(pk=domain.pk, status=Status.FAILED, lapsed_at__isnull=False)
        if not lapsed.update(lapsed_at=None, **values):
            return False
        _record("sites.domain_came_back", domain, {"domain": domain.domain})
        data = {"service_id": domain.site.service_id, "domain": domain.domain}
        queue.submit(steps.CERTIFICATE, domain.key, data=data, actor=ACTOR, cancel=True)
        return True

    return queue.whole(work)


def _is_worked_on(domain: CustomDomain) -> bool:
    """Whether the site goes away, or a job adds or removes this very domain. None can begin until the
    transaction ends."""
    queue.lock(domain.site.key)
    if not Site.objects.filter(pk=domain.site_id, state=Site.State.LIVE, deletion_requested_at=None).exists():
        return True
    jobs = Job.objects.filter(subject=domain.site.key, kind__in=(ADD, REMOVE), state__in=Job.ALIVE)
    return any(job.data["domain"] == domain.domain for job in jobs)


def _record(act: str, domain: CustomDomain, after: dict[str, str]) -> None:
    trail.record(act, domain.site.key, label=domain.site.service_id, after=after, actor=ACTOR)

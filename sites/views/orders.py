"""Ordering a site, deleting it, and how it is."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api import jobs
from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import finish
from nodepoint.jobs.models import Job
from nodepoint.prepared import prepared
from sites import representation, services
from sites.models import Plan, Site
from sites.order_serializers import CreateSiteInput, SubdomainInput, SubdomainOutput
from sites.serializers import (
    CreateSiteOutput,
    DeleteSiteInput,
    DeleteSiteOutput,
    PlansOutput,
    ServiceInput,
    SiteOutput,
)


class CreateSite(ApiView):
    """Order a site. Answers at once, while the site is being made."""

    scope = "sites"
    input = CreateSiteInput
    output = CreateSiteOutput
    forgets_key_when_job_fails = True

    def post(self, request: Request) -> Response:
        """The reservation and the job."""
        site, job = services.create_site(**self.read(request), actor=request.auth.actor)

        def answer(job: Job) -> dict[str, Any]:
            site.vmid, site.state = prepared(Site).filter(pk=site.pk).values("vmid", "state")[0]
            # Of a job that goes on, `finish` tells itself.
            ended = {} if job.alive else {"job": jobs.render(job)}
            return {**representation.names(site), "status": services.status(site), **ended}

        return finish(request, job, answer, default_wait=0)


class Subdomain(ApiView):
    """Whether a subdomain could be had, for the checkout of the billing portal: it has the form of one, is
    not reserved, and nobody is known to have it. Nothing is reserved by asking."""

    scope = "sites"
    input = SubdomainInput
    output = SubdomainOutput

    def get(self, request: Request) -> Response:
        """The name in the form of DNS, whether it is free, and why not."""
        name, reason = services.subdomain_standing(**self.read(request))
        return success(name=name, free=reason is None, reason=reason)


class DeleteSite(ApiView):
    """Delete a site, whatever it is doing. The intent is stored before the answer and carried through."""

    scope = "sites"
    input = DeleteSiteInput
    output = DeleteSiteOutput

    def post(self, request: Request) -> Response:
        """`deleting` and the job; `deleted` when nothing is left."""
        site, job = services.delete_site(**self.read(request), actor=request.auth.actor)
        if job is None or site.state == Site.State.DELETED:
            return success(status="deleted")
        return finish(request, job, _deletion, default_wait=0)


def _deletion(job: Job) -> dict[str, Any]:
    return {"status": "deleting" if job.alive else "deleted", "job": jobs.render(job)}


class SiteStatus(ApiView):
    """Everything about one site."""

    scope = "sites"
    input = ServiceInput
    output = SiteOutput

    def get(self, request: Request) -> Response:
        """The site as it is now, from rows and one reading that all sites share."""
        return success(**representation.site(services.get_site(self.read(request)["service_id"], "usage")))


class Plans(ApiView):
    """The plans, for the product form of the billing system."""

    scope = "sites"
    output = PlansOutput

    def get(self, request: Request) -> Response:
        """All plans, smallest first."""
        return success(plans=[representation.plan(plan) for plan in Plan.objects.all()])

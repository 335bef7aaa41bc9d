"""What the billing system does with a site in the course of time."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api import jobs
from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import finish
from nodepoint.jobs.models import Job
from sites import services
from sites.serializers import ServiceInput, StatusOutput, UpgradeInput, UpgradeOutput
from sites.views.power import power_of


class SuspendSite(ApiView):
    """Stop a site and its traffic, and keep it so; its data is kept. Any number of times."""

    scope = "sites"
    input = ServiceInput
    output = StatusOutput

    def post(self, request: Request) -> Response:
        """`suspended`, as soon as the wish is stored."""
        site, job = services.suspend_site(**self.read(request), actor=request.auth.actor)
        return finish(request, job, power_of(site))


class UnsuspendSite(ApiView):
    """Bring back the power state and the traffic that the customer had wished. Any number of times."""

    scope = "sites"
    input = ServiceInput
    output = StatusOutput

    def post(self, request: Request) -> Response:
        """The status afterwards."""
        site, job = services.unsuspend_site(**self.read(request), actor=request.auth.actor)
        if job is None:
            return success(status=services.status(site))
        return finish(request, job, power_of(site))


class UpgradeSite(ApiView):
    """Move a site to another plan. Disks grow only; a suspended site stays stopped."""

    scope = "sites"
    input = UpgradeInput
    output = UpgradeOutput

    def post(self, request: Request) -> Response:
        """The plan and the job."""
        values = self.read(request)
        if values.pop("dry_run"):
            return success(plan=services.would_take(**values).name, job=None)
        plan, job = services.upgrade_site(**values, actor=request.auth.actor)

        def answer(job: Job) -> dict[str, Any]:
            return {"plan": plan.name, "job": jobs.render(job)}

        return finish(request, job, answer)

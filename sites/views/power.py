"""Starting, stopping and restarting."""

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.views import ApiView
from nodepoint.api.waiting import finish
from nodepoint.jobs.models import Job
from sites import services
from sites.models import Site
from sites.serializers import ServiceInput, StatusOutput


def power_of(site: Site) -> Callable[[Job], dict[str, Any]]:
    """The `status` to answer with: what a job of ours verified last."""

    def answer(job: Job) -> dict[str, Any]:
        site.refresh_from_db()
        return {"status": services.own_status(site)}

    return answer


class PowerAction(ApiView):
    """What a customer does with the container."""

    scope = "sites"
    input = ServiceInput
    output = StatusOutput
    act: ClassVar[Callable[..., tuple[Site, Job]]]

    def post(self, request: Request) -> Response:
        """The status afterwards."""
        site, job = type(self).act(**self.read(request), actor=request.auth.actor)
        return finish(request, job, power_of(site))


class StartSite(PowerAction):
    """Start the container."""

    act = staticmethod(services.start_site)


class StopSite(PowerAction):
    """End the container: gracefully, forced after 60 s."""

    act = staticmethod(services.stop_site)


class RestartSite(PowerAction):
    """End the container and start it."""

    act = staticmethod(services.restart_site)

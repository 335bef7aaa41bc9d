"""Sites as they are in their archives."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.views import ApiView
from nodepoint.api.waiting import finish
from sites import services
from sites.serializers import RestoreInput, StatusOutput


class RestoreArchive(ApiView):
    """Restore the whole site as it is in one of its archives. Names, address, plan and domains stay those of
    now; its backups, which are snapshots, go. The site is served as before until the archive is unpacked, and
    what is there now comes back where WordPress does not answer with what was restored."""

    scope = "sites"
    input = RestoreInput
    output = StatusOutput

    def post(self, request: Request) -> Response:
        """The status of the site. Answered at once unless asked to wait."""
        site, job = services.restore_archive(**self.read(request), actor=request.auth.actor)

        def answer(_: Any) -> dict[str, Any]:
            site.refresh_from_db()
            return {"status": services.status(site)}

        return finish(request, job, answer, default_wait=0)

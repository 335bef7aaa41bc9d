"""Archives: whole sites on other storage."""

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import finish
from sites import services
from sites.archives import representation
from sites.archives.serializers import ArchiveInput, ArchiveOutput, ArchiveQuotaOutput, ArchivesOutput
from sites.serializers import ServiceInput
from sites.services.archives import schedule_of


class Archives(ApiView):
    """The archives of a site, newest first, and when the next one is made. Also of a site that was deleted,
    as long as something is kept of it."""

    scope = "sites"
    input = ServiceInput
    output = ArchivesOutput

    def get(self, request: Request) -> Response:
        """From rows alone."""
        return success(**representation.archives(schedule_of(**self.read(request))))


class MakeArchive(ApiView):
    """Make an archive: the whole site, on the storage for archives."""

    scope = "sites"
    input = ServiceInput
    output = ArchiveOutput

    def post(self, request: Request) -> Response:
        """Its name and the quota with it."""
        archive, job = services.create_archive(**self.read(request), actor=request.auth.actor)
        return finish(
            request, job, lambda job: {"archive": archive.name, **representation.quota(archive.site)}
        )


class DeleteArchive(ApiView):
    """Delete an archive."""

    scope = "sites"
    input = ArchiveInput
    output = ArchiveQuotaOutput

    def post(self, request: Request) -> Response:
        """The quota without it."""
        archive, job = services.delete_archive(**self.read(request), actor=request.auth.actor)
        return finish(request, job, lambda job: representation.quota(archive.site))

"""What a site holds."""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.errors import of_status
from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import finish, place
from sites import services
from sites.serializers import ExportOutput, ImportInput, ReplaceInput, ReplaceOutput, ServiceInput


class ReplaceAddresses(ApiView):
    """Put one host name in the place of another in the addresses that the site's tables hold, after a
    snapshot for safety (`before`). With `dry_run` they are counted, and nothing is changed."""

    scope = "sites"
    input = ReplaceInput
    output = ReplaceOutput

    def post(self, request: Request) -> Response:
        """How many addresses in how many tables, and how many values were left alone."""
        values = self.read(request)
        _, job = services.replace_addresses(
            values["service_id"],
            values["from"],
            values["to"],
            dry_run=values["dry_run"],
            actor=request.auth.actor,
        )
        return finish(request, job, services.addresses_found)


class ImportContent(ApiView):
    """Put the content of an archive in the place of all that the site holds, after a snapshot for safety
    (`before`). The archive (tar, also compressed, or zip) holds a folder `wp-content` and a dump of the
    database."""

    scope = "sites"
    input = ImportInput
    output = ReplaceOutput

    def post(self, request: Request) -> Response:
        """How many addresses got the site's own name. Answered at once unless asked to wait."""
        values = self.read(request)
        with _leave_to_look(values["service_id"]):
            _, job = services.import_content(**values, actor=request.auth.actor)
        return finish(request, job, services.addresses_found, default_wait=0)


class ExportContent(ApiView):
    """All that a site holds as one archive, files and database, offered at the site's own name: to whoever
    has the address, until it was fetched whole or for a day. `POST /action/import` of another site takes
    it."""

    scope = "sites"
    input = ServiceInput
    output = ExportOutput

    def get(self, request: Request) -> Response:
        """What the last export offers, asked of the site; each null when there is nothing to be had."""
        service_id = self.read(request)["service_id"]
        site, job = services.last_export(service_id)
        with _leave_to_look(service_id):
            return success(**services.export_offered(site, job))

    def post(self, request: Request) -> Response:
        """The address, once the archive is whole; an earlier one is gone. Answered at once unless asked to
        wait."""
        service_id = self.read(request)["service_id"]
        with _leave_to_look(service_id):
            site, job = services.export_content(service_id, actor=request.auth.actor)
        return finish(request, job, lambda job: services.export_made(site, job), default_wait=0)


@contextmanager
def _leave_to_look(service_id: str) -> Iterator[None]:
    """DNS and a site may take their time, and the other half of the threads is not for that."""
    with place(f"service_id:{service_id}") as free:
        if not free:
            sentence = "Too many requests are being worked on at the moment. Please try again."
            raise of_status(429, sentence, headers={"Retry-After": "5"})
        yield

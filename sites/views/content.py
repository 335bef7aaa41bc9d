"""What a site holds."""

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.errors import of_status
from nodepoint.api.views import ApiView
from nodepoint.api.waiting import finish, place
from sites import services
from sites.serializers import ImportInput, ReplaceInput, ReplaceOutput


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
        # DNS and a site may take their time, and the other half of the threads is not for that.
        with place(f"service_id:{values['service_id']}") as free:
            if not free:
                sentence = "Too many requests are being worked on at the moment. Please try again."
                raise of_status(429, sentence, headers={"Retry-After": "5"})
            _, job = services.import_content(**values, actor=request.auth.actor)
        return finish(request, job, services.addresses_found, default_wait=0)

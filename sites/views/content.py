"""What a site holds."""

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.views import ApiView
from nodepoint.api.waiting import finish
from sites import services
from sites.serializers import ReplaceInput, ReplaceOutput


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

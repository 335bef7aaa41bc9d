"""Logging a customer into his WordPress."""

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.errors import of_status
from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import place
from sites import services
from sites.serializers import LoginOutput, ServiceInput


class LogIn(ApiView):
    """Make a one-time link into wp-admin, valid for 5 minutes. It is kept nowhere: a repeat makes another."""

    scope = "sites"
    input = ServiceInput
    output = LoginOutput
    keeps_answer = False

    def post(self, request: Request) -> Response:
        """The link, for the customer's browser alone."""
        values = self.read(request)
        # A site may take its time, and the other half of the threads is not for that.
        with place(f"service_id:{values['service_id']}") as free:
            if not free:
                sentence = "Too many requests are being worked on at the moment. Please try again."
                raise of_status(429, sentence, headers={"Retry-After": "5"})
            url = services.log_in(**values, actor=request.auth.actor)
        response = success(url=url)
        response["Cache-Control"] = "no-store"
        return response

"""What a customer chooses about WordPress inside his site."""

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import finish
from sites import representation, services
from sites.serializers import OptionsInput, OptionsOutput, SafeModeInput, ToggleOutput


class SetOptions(ApiView):
    """Change options of WordPress inside the site, those that are named. In a stopped container they hold
    from its next start."""

    scope = "sites"
    input = OptionsInput
    output = OptionsOutput

    def post(self, request: Request) -> Response:
        """All options as they are wished now."""
        values = self.read(request)
        site, job = services.set_options(values["service_id"], values["options"], actor=request.auth.actor)
        answer = {"options": representation.options(site)}
        return finish(request, job, lambda job: answer) if job else success(**answer)


class SwitchSafeMode(ApiView):
    """Leave plugins, theme, must-use plugins and drop-ins out of WordPress, or take them in again. Neither
    they nor the database are changed, and logging in works meanwhile."""

    scope = "sites"
    input = SafeModeInput
    output = ToggleOutput

    def post(self, request: Request) -> Response:
        """What was asked for."""
        values = self.read(request)
        _, job = services.switch_safe_mode(**values, actor=request.auth.actor)
        return finish(request, job, lambda job: {"enabled": values["enabled"]})

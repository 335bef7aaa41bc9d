"""What browsers may do with our answers: the content security policy of each kind, and features nobody needs.

docs/security.md says what each word of the admin's policy is there for.
"""

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponse

# Answers of the API: nothing may be loaded, run, framed or sent.
API = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
# The page of the API's description has one block of styles, and loads nothing.
DOCS = API | {"style-src": [NONCE]}
# The few styles of its loading indicators that htmx 2 adds to a page, always the same ones.
HTMX_STYLES = "'sha256-bsV5JivYxvGywDAZ22EZJKBFip65Ng9xoJVLbBg7bdo='"
# The admin: everything from here. Alpine evaluates the expressions in the theme's attributes, and writes
# styles into elements.
ADMIN = {
    "default-src": [NONE],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, HTMX_STYLES],
    "style-src-attr": [UNSAFE_INLINE],
    "img-src": [SELF],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "object-src": [NONE],
}
# Each feature is refused to our pages and to whatever they would frame.
NO_FEATURES = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "publickey-credentials-get",
        "screen-wake-lock",
        "usb",
        "xr-spatial-tracking",
    )
)


def of(path: str) -> dict[str, list[str]]:
    """The policy for answers under a path."""
    if path.startswith("/admin"):
        return ADMIN
    return DOCS if path.rstrip("/") == "/docs" else API


class PolicyMiddleware(CSPMiddleware):
    """Content-Security-Policy by path, and Permissions-Policy."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponse, report_only: bool = False
    ) -> PolicyParts:
        """Those of the path; a view may still add to them with django-csp's decorators."""
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None:
            parts.config = of(request.path_info)
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Both headers."""
        response.setdefault("Permissions-Policy", NO_FEATURES)
        return super().process_response(request, response)

"""A visitor's look at a site, through the proxy."""

import requests

from nodepoint.clients.http import PerThread, fit

SYSTEM = "npm"


class Website:
    """`address` is host:port of the proxy's HTTPS side as it is reached from here; `timeout` in seconds.

    The certificate is not verified: what is asked is whether the chain name, proxy, container works, and a
    platform's wildcard may come from an authority that only its CDN trusts.
    """

    def __init__(self, address: str, timeout: float = 10.0) -> None:
        self._url = f"https://{address}/"
        self._timeout = timeout
        self._sessions = PerThread(lambda: fit(requests.Session(), SYSTEM))

    def front_page(self, hostname: str) -> int:
        """The HTTP status of the site's front page. `Unreachable`, `TimedOut`, `BadAnswer` (a redirect) as
        the transport says.
        """
        response = self._sessions.get().get(
            self._url,
            headers={"Host": hostname},
            timeout=self._timeout,
            verify=False,
            allow_redirects=False,
        )
        return response.status_code

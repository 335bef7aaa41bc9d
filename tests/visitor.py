"""A visitor of the simulated proxy: TLS by the site's name, whatever the address."""

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter


class _ByName(HTTPAdapter):
    def __init__(self, name: str | None) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As requests says, with the name for the handshake and for the look at the certificate."""
        super().init_poolmanager(*args, server_hostname=self._name, assert_hostname=self._name, **options)


def visit(address: str, url: str, method: str = "GET", **options: Any) -> requests.Response:
    """The answer to `url` from `address` (host:port), its name in the handshake; redirects are left."""
    parts = urlsplit(url)
    headers = {"Host": parts.netloc, **options.pop("headers", {})}
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", _ByName(parts.hostname))
        return session.request(
            method,
            f"{parts.scheme}://{address}{path}",
            headers=headers,
            allow_redirects=False,
            **{"timeout": 10, **options},
        )

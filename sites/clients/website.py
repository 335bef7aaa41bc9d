"""A site's front page, as its server answers it inside the container or through the proxy."""

import re
from dataclasses import dataclass

import requests

from nodepoint.clients.http import PerThread, fit

SYSTEM = "npm"
MOST = 64 * 1024  # characters of a page that are looked at
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
# What every front page of WordPress has in its head, whatever its theme, and no other server's default page.
WORDPRESS = re.compile(r"/wp-(?:includes|content)/|https://api\.w\.org/")
# Where WordPress leads its visitors as long as it is not set up.
NOT_SET_UP = {
    "setup-config.php": "it has no wp-config.php: anybody may point it at a database of his own",
    "install.php": "it is not installed: anybody may take it over",
}


@dataclass(frozen=True)
class Page:
    """The answer to a visitor. `location`: where it leads, else empty; `text`: head and beginning of the
    page."""

    status: int
    location: str
    text: str

    @classmethod
    def read(cls, answer: str) -> "Page":
        """From what `curl -i` prints. ValueError when that is no answer of a web server."""
        head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
        first, *lines = head.split("\n")
        if not (found := re.match(r"HTTP/[\d.]+ (\d{3})", first)):
            raise ValueError(f"no answer of a web server: {first[:80]!r}")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (s.partition(":") for s in lines)
        }
        return cls(int(found[1]), headers.get("location", ""), f"{headers.get('link', '')}\n{body}"[:MOST])

    @property
    def title(self) -> str:
        """The page's title in one line, at most 80 characters; empty without one."""
        found = TITLE.search(self.text)
        return " ".join(found[1].split())[:80] if found else ""

    def trouble(self) -> str:
        """Why this is not the front page of a WordPress that is set up; empty when it is. For staff.

        A status alone says too little: a WordPress without configuration answers 302, and an nginx without a
        site 200.
        """
        if self.location:
            script = self.location.partition("?")[0].rpartition("/")[2]
            return NOT_SET_UP.get(script) or f"{self.status}, it leads to {self.location[:80]}"
        if self.status != 200:
            return f"{self.status} {self.title.removeprefix(str(self.status)).strip()}".strip()
        return (
            ""
            if WORDPRESS.search(self.text)
            else f"200, but no page of WordPress: {self.title or 'no title'}"
        )


class Website:
    """`address` is host:port of the proxy's HTTPS side as it is reached from here; `timeout` in seconds.

    The certificate is not verified: what is asked is whether the chain name, proxy, container works, and a
    platform's wildcard may come from an authority that only its CDN trusts.
    """

    def __init__(self, address: str, timeout: float = 10.0) -> None:
        self._url = f"https://{address}/"
        self._timeout = timeout
        self._sessions = PerThread(lambda: fit(requests.Session(), SYSTEM))

    def front_page(self, hostname: str) -> Page:
        """The site's front page as a visitor gets it. `Unreachable`, `TimedOut`, `BadAnswer` (a redirect) as
        the transport says.
        """
        response = self._sessions.get().get(
            self._url,
            headers={"Host": hostname},
            timeout=self._timeout,
            verify=False,
            allow_redirects=False,
        )
        link = response.headers.get("Link", "")
        return Page(
            response.status_code, response.headers.get("Location", ""), f"{link}\n{response.text}"[:MOST]
        )

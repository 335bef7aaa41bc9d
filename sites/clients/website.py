"""A site's front page, as its server answers it inside the container or through the proxy."""

import re
import secrets
import socket
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from nodepoint.clients.deadline import end_of, left_until
from nodepoint.clients.errors import Unreachable
from nodepoint.clients.line import Line, trust

SYSTEM = "npm"
# The alert (112) with which nginx ends a handshake for a name that it does not serve, in OpenSSL's words.
UNRECOGNIZED = "unrecognized name"
MOST = 64 * 1024  # characters of a page that are looked at
TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,400})", re.IGNORECASE)  # bounded: the page is a stranger's
# What every front page of WordPress has in its head, whatever its theme, and no other server's default page.
WORDPRESS = re.compile(r"/wp-(?:includes|content)/|https://api\.w\.org/")
# Where WordPress leads its visitors as long as it is not set up.
NOT_SET_UP = {
    "setup-config.php": "it has no wp-config.php: anybody may point it at a database of his own",
    "install.php": "it is not installed: anybody may take it over",
}


@dataclass(frozen=True)
class Page:
    """The answer to a visitor. `status` 0: the proxy does not serve the name; `location`: where it leads,
    else empty; `text`: head and beginning of the page."""

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
        if not self.status:
            return (
                "no TLS for this name: its proxy host is off, has no certificate, or nginx has not taken it"
            )
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


NOT_SERVED = Page(0, "", "")


class Website:
    """`address` is host[:port] of the proxy's HTTPS side as it is reached from here, `plain` that of its HTTP
    side (empty: port 80 beside port 443, else not known); `timeout` in seconds.

    Each look is a connection of its own, as a visitor's: one that is kept may end at an nginx that has not
    been told yet. The name goes into the handshake (SNI), since NPM's nginx refuses all others
    (its conf.d/default.conf: `ssl_reject_handshake on`).

    The certificate is not verified: what is asked is whether the chain name, proxy, container works, and a
    platform's wildcard may come from an authority that only its CDN trusts.
    """

    def __init__(self, address: str, plain: str = "", timeout: float = 10.0) -> None:
        self._url = f"https://{address}/"
        self._address = _host_and_port(address, 443)
        self._plain = _host_and_port(plain, 80) if plain else None
        if self._plain is None and self._address[1] == 443:
            self._plain = (self._address[0], 80)
        self._timeout = timeout

    def front_page(self, hostname: str) -> Page:
        """The site's front page as a visitor gets it; `NOT_SERVED` where the proxy has no such name. Raises
        `Unreachable`, `TimedOut`, `BadAnswer` (a redirect) as the transport says.
        """
        line = Line(SYSTEM, self._timeout, verify=False, headers={"Host": hostname}, hostname=hostname)
        try:
            response = line.request("GET", self._url)
        except Unreachable as error:
            if _is_unrecognized(error.vendor):
                return NOT_SERVED
            raise
        finally:
            line.close()
        link = response.headers.get("Link", "")
        return Page(
            response.status_code, response.headers.get("Location", ""), f"{link}\n{response.text}"[:MOST]
        )

    def serves_plainly(self, hostname: str) -> bool | None:
        """Whether the proxy's HTTP side has a server for the name: whether it answers otherwise than for a
        name that nobody has, which gets NPM's *Default Site*, whichever staff have chosen. None: where that
        side is, is not known. Raises `Unreachable` where it cannot be asked."""
        if self._plain is None:
            return None
        nobodys = f"{secrets.token_hex(8)}.invalid"
        return self._plain_page(hostname) != self._plain_page(nobodys)

    def _plain_page(self, hostname: str) -> Page:
        """What a visitor gets by HTTP, the name in an address that it leads to left out. `NOT_SERVED` for no
        answer at all, which is one of NPM's default sites (`return 444`)."""
        request = f"GET / HTTP/1.0\r\nHost: {hostname}\r\nAccept: text/html\r\n\r\n"
        try:
            answer = self._exchange(request.encode())
            page = Page.read(answer.decode(errors="replace")) if answer else NOT_SERVED
        except (OSError, ValueError) as error:
            raise Unreachable(SYSTEM, f"{type(error).__name__}: {error}") from error
        return replace(page, location=page.location.replace(hostname, ""))

    def _exchange(self, request: bytes) -> bytes:
        """The beginning of the answer to one plain request, all within the time of a call."""
        end, answer = end_of(self._timeout), b""
        with socket.create_connection(self._plain, left_until(end)) as plain:
            plain.sendall(request)
            while len(answer) < MOST:
                plain.settimeout(left_until(end))
                if not (part := plain.recv(MOST)):
                    break
                answer += part
        return answer

    def serves(self, hostname: str) -> bool:
        """Whether the proxy opens TLS for the name, which takes a proxy host that nginx serves with a
        certificate. Raises `Unreachable` where it cannot be asked."""
        end = end_of(self._timeout)
        try:
            with socket.create_connection(self._address, left_until(end)) as plain:
                plain.settimeout(left_until(end))
                with trust(False).wrap_socket(plain, server_hostname=hostname):
                    return True
        except OSError as error:  # ssl.SSLError is one
            if _is_unrecognized(str(error)):
                return False
            raise Unreachable(SYSTEM, f"{type(error).__name__}: {error}") from error


def _host_and_port(address: str, default: int) -> tuple[str, int]:
    parts = urlsplit(f"//{address}")
    return parts.hostname or "", parts.port or default


def _is_unrecognized(words: str) -> bool:
    return UNRECOGNIZED in words.lower().replace("_", " ")

"""Where a customer wants content to be fetched from: whether it may be asked, and whether what is there would
fit. Looked at before anything begins: by DNS from here, by the first byte from inside the container."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import BadAnswer, Busy
from nodepoint.resolver import Resolver, Status
from sites import answers, install, isolation
from sites.connections import console
from sites.models import Site
from sites.naming import BadName, host_name
from sites.steps.proxmox import require

SECONDS = 13.0  # for the look from inside
QUESTION_SECONDS = 3.0
LONGEST = 2000  # characters of an address
# What stands in no quoted word of curl's: printable ASCII without quotation mark and backslash.
PLAIN = re.compile(r"https://[!#-\[\]-~]+")
ANSWER = re.compile(r"^answer ([0-9]{3}):", re.MULTILINE)
NOTHING = 71  # the script's exit code where nothing is to be had
LOOK = re.compile(r"look (-1|[0-9]{1,15}) ([0-9]{1,15})")
RESERVE = 128 << 20  # bytes of the disk that stay free; the script has the same


class BadUrl(Exception):
    """An address that nothing is fetched from. The text is a sentence for the customer."""


class NotRunning(Exception):
    """The container does not run."""


class NotOurs(Exception):
    """What is inside the container was not made by us."""


class NothingThere(Exception):
    """The container got nothing from the address. The text is a sentence that says what it got."""


@dataclass(frozen=True)
class Look:
    """`size`: bytes that are to be fetched, -1 where the server does not tell. `free`: bytes of the site's
    disk."""

    size: int
    free: int

    @property
    def missing_mb(self) -> int:
        """How much too small the disk is: the archive and what is in it are there at the same time."""
        return max(0, -(-(2 * self.size + RESERVE - self.free) // (1 << 20)))


def check(url: str) -> str:
    """The address without its fragment. Asks DNS, for up to 6 s. BadUrl."""
    url = url.strip().partition("#")[0]
    if len(url) > LONGEST or not PLAIN.fullmatch(url):
        raise BadUrl("Use an address that begins with https://, without blanks and quotation marks.")
    try:
        parts = urlsplit(url)
        name, _ = host_name(parts.hostname or ""), parts.port
    except (BadName, ValueError):
        raise BadUrl(
            "Use an address with a host name, such as https://www.example.com/site.tar.gz."
        ) from None
    if "@" in parts.netloc:
        raise BadUrl("Use an address without a user name and a password.")
    _refuse_closed(name)
    return url


def _refuse_closed(name: str) -> None:
    resolver = Resolver(settings.DNS_RESOLVERS, timeout=QUESTION_SECONDS)
    found = [resolver.lookup(name, type) for type in ("A", "AAAA")]
    addresses = [ip_address(text) for answer in found for text in answer.records]
    if any(answer.status is Status.FAILED for answer in found):
        raise BadUrl(f"The name servers gave no answer about {name}. Please try again later.")
    if not addresses:
        raise BadUrl(f"There is no server called {name}.")
    closed = isolation.closed()
    if any(
        address in network or address.is_loopback or address.is_multicast or address.is_unspecified
        for address in addresses
        for network in closed
    ):
        raise BadUrl(f"{name} leads into a network that no site may reach.")


def look(site: Site, url: str) -> Look:
    """What the container gets at the address, which `check` has let pass. ClientError, NotRunning, NotOurs,
    NothingThere."""
    with deadline(SECONDS):
        container = require(site)
        script = install.content_script("look", new=site.hostname, url=url)
        try:
            output = console().run(container.node, container.vmid, ["bash", "-s", "look"], script)
        except Busy as error:
            if "not running" in error.vendor:
                raise NotRunning from error
            raise
    if output.exit_code == install.NO_SITE:
        raise NotOurs
    if output.exit_code == NOTHING:
        raise NothingThere(_said(output.stderr))
    found = LOOK.fullmatch(output.stdout.strip())
    if output.exit_code or not found:
        raise BadAnswer("ssh", answers.complaint(output))
    return Look(int(found[1]), int(found[2]))


def _said(text: str) -> str:
    found = ANSWER.search(text)
    if not found or found[1] == "000":
        return "Nothing answers at this address by https."
    return f"The server at this address answers {int(found[1])} instead of a file."

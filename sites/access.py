"""Links that let their holder into a site's WordPress, made inside its container when they are asked for.

They are secrets: given back, never stored, never logged, and in no error's text.
"""

import re
from urllib.parse import urlsplit

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import Busy, NotFound
from nodepoint.prepared import prepared
from sites import answers, install, pointing
from sites.clients.console import Output
from sites.connections import console
from sites.models import CustomDomain, Site
from sites.steps.proxmox import require

SECONDS = 15.0  # for one link
DOES_NOT_ANSWER = 70  # exit code: WordPress does not
LOOK_SECONDS = 2.0  # at where the site's name leads
LOGIN = re.compile(
    r"link https://([a-z0-9.-]+)/wp-admin/admin-post\.php\?action=nodepoint_login#[0-9a-f]{64}"
)
PASSWORD = re.compile(
    r"link https://([a-z0-9.-]+)/wp-login\.php\?action=rp&key=\w+&login=[\w%.~-]+", re.ASCII
)


class NotRunning(Exception):
    """The container does not run."""


class NoLink(Exception):
    """The container gave no link. The text says why, for staff; it holds nothing that the site wrote but the
    end of its error output. `culprit`: what is at fault, in words for customers, where the site names it.
    """

    def __init__(self, detail: str, culprit: str = "") -> None:
        super().__init__(detail)
        self.culprit = culprit


class NotSwitched(NoLink):
    """Safe mode was not switched. `final`: asking again will not help."""

    def __init__(self, detail: str, culprit: str, *, final: bool) -> None:
        super().__init__(detail, culprit)
        self.final = final


class StrangeName(NoLink):
    """The link leads to a name that is none of the site's."""


class LeadsElsewhere(Exception):
    """The site's name, which is the text, does not lead here now, and the site does not go by another one."""


def login_link(site: Site) -> str:
    """A link into wp-admin: once, within five minutes. It leads to the name by which the site goes, or to the
    platform's unless that one certainly leads here at this moment: whoever has a name that lapsed must get no
    token. ClientError, NotRunning, NoLink, LeadsElsewhere.
    """
    with deadline(SECONDS):
        try:
            link = _link(site, LOGIN, "login")
        except StrangeName:  # its domain has moved to another site, and WordPress is about to be told
            return _link(site, LOGIN, "login", site.hostname)
        name = urlsplit(link).netloc
        if name == site.hostname or pointing.look(name, site.public_ip, LOOK_SECONDS).is_here:
            return link
        try:
            return _link(site, LOGIN, "login", site.hostname)
        except NoLink as error:  # one whose wp-config.php leads every name to the primary one
            raise LeadsElsewhere(name) from error


def password_link(site: Site) -> str:
    """A link with which the site's administrator sets his password, within 24 hours; it voids the one before.
    ClientError, NotRunning, NoLink.
    """
    return _link(site, PASSWORD, "password")


def switch_safe_mode(site: Site, enabled: bool) -> None:
    """Have plugins, theme and whatever else customers add left out of WordPress, or back in.

    ClientError, NotRunning, NotSwitched."""
    wanted = "on" if enabled else "off"
    with deadline(SECONDS):
        output = _asked(site, "safemode", wanted)
    if output.exit_code or output.stdout.rstrip("\n").rpartition("\n")[2] != f"safemode {wanted}":
        final = output.exit_code == DOES_NOT_ANSWER
        raise NotSwitched(answers.complaint(output), answers.culprit(output), final=final)


def _link(site: Site, form: re.Pattern[str], *act: str) -> str:
    with deadline(SECONDS):
        output = _asked(site, *act)
    if output.exit_code:
        raise NoLink(answers.complaint(output), answers.culprit(output))
    found = form.fullmatch(output.stdout.rstrip("\n").rpartition("\n")[2])
    # A container whose root was taken over must not send its customer to a stranger's page.
    if not found:
        raise NoLink("The answer is no link.")
    if found[1] not in (act[1:] or _names(site)):
        raise StrangeName("The answer is a link to a name that is not the site's.")
    return found[0].removeprefix("link ")


def _asked(site: Site, *act: str) -> Output:
    try:
        return _run(site, *act)
    except NotFound:  # moved between the look and the command; the next look finds it
        return _run(site, *act)


def _run(site: Site, *act: str) -> Output:
    container = require(site)
    command = ["bash", "-s", *act]
    try:
        return console().run(container.node, container.vmid, command, install.access_script(site))
    except Busy as error:
        if "not running" in error.vendor:
            raise NotRunning from error
        raise


def _names(site: Site) -> set[str | None]:
    return {site.hostname, *prepared(CustomDomain).filter(site_id=site.pk).values("domain")}

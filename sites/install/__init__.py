"""The scripts that run inside containers, and how they are handed their parameters.

Parameters become quoted assignments inside a script, which goes to the standard input of `bash -s`: as
arguments they would be parsed once more by the node's shell and stand in its process list.
"""

import re
import shlex
from functools import cache
from importlib.resources import files
from typing import Any

from django.conf import settings

from sites import options
from sites.install import nftables
from sites.models import Site, Spare

LEVEL = 1
"""Of the install script. A change of it that earlier sites are to get, too, raises it."""
STATUS_FILE = "/run/nodepoint/install.status"
UPDATE_STATUS_FILE = "/var/lib/nodepoint/update.status"
CONTENT_STATUS_FILE = "/var/lib/nodepoint/content.status"
FOREIGN = 66  # exit code: the container holds what others have made, and keeps it
SPARE_NAME = "spare.invalid"
"""The name that WordPress in a spare is installed under; claim.sh looks for it."""
NO_SITE = 69  # exit code: what a script is for is not in the container
AT_WORK = "at work"  # said by the script for content: this very run is
BUSY = 75  # exit code: an earlier run of the script is still at work
LONGEST_STAY = 12
"""Seconds that the script for a site waits at most for its own end."""
PARAMETERS = "# parameters\n"
WITH = re.compile(r"^# with ([\w-]+\.\w+)\n", re.MULTILINE)  # where a script takes in another file
END = "END_OF_FILE"  # no file that is taken in has this line


def script(site: Site, primary_domain: str, stay: int = 0) -> str:
    """The install script for a site that goes by this name: `bash -s install`. `stay`: seconds that it waits
    for its end, LONGEST_STAY at most."""
    return _filled("wordpress.sh", {**parameters(site), "PRIMARY_DOMAIN": primary_domain, "STAY": stay})


def claim_script(site: Site) -> str:
    """The same for a site whose container was a spare: what is its own, made anew. It takes a second or two,
    and is waited for."""
    own = {"PRIMARY_DOMAIN": site.hostname, "PART": "claim", "STAY": LONGEST_STAY}
    return _filled("wordpress.sh", {**parameters(site), **own})


def parameters(site: Site) -> dict[str, str | int]:
    """What the install script needs to know of a site. MEMORY, UPLOAD_MB and MEMORY_LIMIT_MB (PHP's; 0: as
    MEMORY says) in MB; XMLRPC and PAGE_CACHE are yes or no."""
    return {
        "SITE_HOSTNAME": site.hostname,
        "ADMIN_EMAIL": site.email,
        "MEMORY": site.plan.memory_mb,
        "SMTP_URL": settings.SITE_SMTP_URL,
        "CRON_MINUTE": _cron_minute(site.vmid),
        "PART": "all",
        **choices(site),
        **_firewall(),
        **_surroundings(),
    }


def choices(site: Site) -> dict[str, str | int]:
    """Those of them that the customer chooses."""
    return {
        "XMLRPC": _yes(site.xmlrpc),
        "UPLOAD_MB": options.of(site).upload_mb,
        "MEMORY_LIMIT_MB": options.memory_limit(site),
        "PAGE_CACHE": _yes(site.page_cache),
    }


def _yes(choice: bool) -> str:
    return "yes" if choice else "no"


def _cron_minute(vmid: int | None) -> int:
    """Not all containers at once."""
    return (vmid or 0) % 5


def _firewall() -> dict[str, str]:
    return {"FIREWALL_IN": nftables.statements("in"), "FIREWALL_OUT": nftables.statements("out")}


def _surroundings() -> dict[str, str]:
    return {"PROXY_IPS": " ".join(settings.PROXY_LAN_IPS), "WORDPRESS_URL": settings.WORDPRESS_URL}


def base_script(memory_mb: int, stay: int = 0) -> str:
    """The install script for what all sites have in common, without a site: `bash -s install`."""
    # Names and mail server are those of a site; they must not get into what all sites are made from.
    nobody = {"SITE_HOSTNAME": "template.invalid", "ADMIN_EMAIL": "nobody@template.invalid", "SMTP_URL": ""}
    values = {
        "PART": "base",
        "MEMORY": memory_mb,
        "CRON_MINUTE": 0,
        "STAY": stay,
        **nobody,
        **_surroundings(),
    }
    return _filled("wordpress.sh", values)


def spare_script(spare: Spare, stay: int = 0) -> str:
    """The install script for a container that waits for an order: a whole site under a name of nobody's."""
    unset = {"XMLRPC": "no", "UPLOAD_MB": options.UPLOAD_MB, "MEMORY_LIMIT_MB": 0, "PAGE_CACHE": "yes"}
    values = {"PART": "all", "MEMORY": spare.memory_mb, "SMTP_URL": settings.SITE_SMTP_URL, **unset}
    names = {"SITE_HOSTNAME": SPARE_NAME, "ADMIN_EMAIL": f"nobody@{SPARE_NAME}"}
    own = {"CRON_MINUTE": _cron_minute(spare.vmid), "STAY": stay}
    return _filled("wordpress.sh", {**values, **names, **own, **_firewall(), **_surroundings()})


def sparing_script(build_id: str) -> str:
    """The script that takes what is secret, or one site's own, out of such a container: `bash -s spare`."""
    return _filled("spare.sh", {"BUILD_ID": build_id})


def seal_script(build_id: str) -> str:
    """The script that makes a container with the base fit to be copied: `bash -s seal`."""
    return _filled("seal.sh", {"BUILD_ID": build_id})


def access_script(site: Site) -> str:
    """The script that makes links into a site: `bash -s login`, `bash -s password`."""
    return _filled("access.sh", {"ADMIN_EMAIL": site.email})


def health_script() -> str:
    """The script that looks how a site is from inside: `bash -s health`."""
    return _filled("health.sh", {})


def update_script(run: str, part: str) -> str:
    """The script that brings WordPress to the newest release of its branch (`part`: `wordpress`), or puts in
    the security updates of the `system`: `bash -s update`. `run`: what its status file goes by; one that has
    ended is not done twice."""
    return _filled("update.sh", {"RUN": run, "PART": part})


def database_script() -> str:
    """The script that holds and releases the site's database: `bash -s hold`, `bash -s release`."""
    return _filled("database.sh", {})


def content_script(
    run: str, old: str = "", new: str = "", url: str = "", size: int = -1, token: str = ""
) -> str:
    """The script that works on what a site holds. `run`: what its status file goes by; one that has ended
    well is not done twice. `bash -s replace`, `bash -s count`: the host names `old` and `new`. `bash -s
    look`, `bash -s import`, `bash -s back`: the name `new` of the site, and `url`, from which `size` bytes
    come (-1: not known). `bash -s room`, `bash -s export`, `bash -s offer`, `bash -s withdraw`: the name
    `new`, and the `token` in the archive's address."""
    values = {"JOB": run, "FROM": old, "TO": new, "URL": url, "SIZE": size, "TOKEN": token}
    return _filled("content.sh", values)


def _filled(name: str, values: dict[str, Any]) -> str:
    template = _taken_in(name)
    assignments = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in values.items())
    return template.replace(PARAMETERS, assignments, 1)


@cache
def _taken_in(name: str) -> str:
    """Bash with what it takes in itself; of every other file (`objects.php`) a function that prints it
    (`objects_php`)."""
    text = _text(name)
    if name.endswith(".sh"):
        return WITH.sub(lambda other: _taken_in(other[1]), text)
    return f"{re.sub(r'[^a-z0-9]', '_', name)}() {{\n    cat <<'{END}'\n{text}{END}\n}}\n"


def _text(name: str) -> str:
    return files("sites.install").joinpath(name).read_text()

"""An export of a site: whether there is room for it, the address under which it is offered, and whether it
still is. The address is known from the job alone, and stored nowhere."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.crypto import salted_hmac

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import BadAnswer, Busy
from nodepoint.jobs.models import Job
from sites import answers, install
from sites.clients.console import Output
from sites.connections import console
from sites.models import Site
from sites.steps.proxmox import require

SECONDS = 15.0  # for a look from inside; counting the files has eight of them
ROOM = re.compile(r"room (-1|[0-9]{1,15}) (-?[0-9]{1,15})")
OFFER = re.compile(r"offer (?:none|([0-9]{1,15}) ([0-9]{1,12}))")
MB = 1 << 20
KEPT = timedelta(days=1)  # the script has the same


class NotRunning(Exception):
    """The container does not run."""


class NotOurs(Exception):
    """What is inside the container was not made by us."""


@dataclass(frozen=True)
class Offer:
    """An archive that can be fetched: `size` in bytes, until when."""

    size: int
    until: datetime


def token(job_id: str) -> str:
    """What nobody can guess in the address of this job's archive: 64 hexadecimal digits."""
    return salted_hmac("sites.export", job_id, algorithm="sha256").hexdigest()


def url(site: Site, job: Job) -> str:
    """Under the platform's name, which leads here whatever becomes of the customer's own ones."""
    return f"https://{site.hostname}/nodepoint-export/{token(job.pk)}.tar.gz"


def missing_mb(site: Site) -> int:
    """How much too small the site's disk is for an export; 0 also where nobody could count in time.
    ClientError, NotRunning, NotOurs."""
    found = ROOM.fullmatch(_asked(site, "room").stdout.strip())
    if not found:
        raise BadAnswer("ssh", "room: the container says something else")
    needed, free = int(found[1]), int(found[2])
    return max(0, -(-(needed - free) // MB))


def offered(site: Site, job: Job) -> Offer | None:
    """What this job has packed, as long as it is to be had. ClientError, NotRunning, NotOurs."""
    found = OFFER.fullmatch(_asked(site, "offer", job).stdout.strip())
    if not found:
        raise BadAnswer("ssh", "offer: the container says something else")
    return Offer(int(found[1]), datetime.fromtimestamp(int(found[2]), UTC)) if found[1] else None


def _asked(site: Site, act: str, job: Job | None = None) -> Output:
    given = {"token": token(job.pk)} if job else {}
    script = install.content_script(act, new=site.hostname, **given)
    with deadline(SECONDS):
        container = require(site)
        try:
            output = console().run(container.node, container.vmid, ["bash", "-s", act], script)
        except Busy as error:
            if "not running" in error.vendor:
                raise NotRunning from error
            raise
    if output.exit_code == install.NO_SITE:
        raise NotOurs
    if output.exit_code:
        raise BadAnswer("ssh", answers.complaint(output))
    return output

"""What a site holds: the addresses in its content, after its name has changed, and the content of another
site in its place."""

from typing import Any
from urllib.parse import urlsplit

from nodepoint.api.errors import BadRequest
from nodepoint.jobs import queue
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from sites import imports
from sites.errors import ContentUnknown, DoesNotFit, WrongState
from sites.models import CustomDomain, Site
from sites.naming import BadName, host_name
from sites.services.standing import site_for_action

COUNT, REPLACE, IMPORT = "sites.count_addresses", "sites.replace_addresses", "sites.import"


def replace_addresses(
    service_id: str, old: str, new: str, *, dry_run: bool = False, actor: str = ""
) -> tuple[Site, Job]:
    """Have the addresses in a site's content that bear the host name `old` bear `new`, after a snapshot for
    safety; with `dry_run` only have them counted.

    `new` must be a name by which the site is served: with any other, a slip of the finger included, all of
    its pictures and links would be dead. BadRequest; WrongState while it is stopped; JobRefused while a job
    of the site runs; and what `site_for_action` raises.
    """
    site = site_for_action(service_id)
    old, new = _name(old, "from"), _name(new, "to")
    if old == new:
        raise _bad("from", "The two names are the same.")
    if new not in served_names(site):
        raise _bad("to", f"{new} is no name by which this site is served.")
    if site.power_wished != "running":
        raise WrongState(site.power_wished)
    data = {"service_id": site.service_id, "old": old, "new": new}
    kind = COUNT if dry_run else REPLACE
    return site, queue.whole(lambda: _submitted(kind, site, data, actor))


def import_content(service_id: str, url: str, *, actor: str = "") -> tuple[Site, Job]:
    """Have all of a site's content replaced by that of an archive at `url` (https), after a snapshot for
    safety. Its addresses bear the site's own name afterwards.

    Asks DNS and the container, for up to 20 s. BadRequest; DoesNotFit; WrongState while it is stopped;
    JobRefused while a job of the site runs; ClientError; and what `site_for_action` raises.
    """
    site = site_for_action(service_id)
    if site.power_wished != "running":
        raise WrongState(site.power_wished)
    if refusing := queue.in_the_way(site.key):
        raise JobRefused(refusing)
    url, size = _fitting(site, url)
    # The address may hold a key to what is there; staff are shown whose it is.
    host = urlsplit(url).hostname
    data = {"service_id": site.service_id, "from_host": host, "size": size, "new": site.primary_domain}
    return site, queue.whole(lambda: _submitted(IMPORT, site, data, actor, secret={"url": url}))


def _fitting(site: Site, url: str) -> tuple[str, int]:
    """The address, and how many bytes are there; -1: its server does not tell."""
    try:
        url = imports.check(url)
        look = imports.look(site, url)
    except imports.BadUrl as error:
        raise _bad("url", str(error)) from None
    except imports.NothingThere as error:
        raise _bad("url", str(error)) from None
    except imports.NotOurs:
        raise ContentUnknown() from None
    except imports.NotRunning:
        raise WrongState("stopped") from None
    if look.size >= 0 and look.missing_mb:
        raise DoesNotFit(-(-look.size // (1 << 20)), look.missing_mb)
    return url, look.size


def served_names(site: Site) -> list[str]:
    """The platform's name of the site, and its custom domains that are set up."""
    active = site.custom_domains.filter(status=CustomDomain.Status.ACTIVE)
    return [*filter(None, [site.hostname]), *active.values_list("domain", flat=True)]


def addresses_found(job: Job) -> dict[str, int | None]:
    """`{tables, changes, left}` of a job of this module; each null until it is known."""
    name = {COUNT: "counted", REPLACE: "replaced", IMPORT: "imported"}[job.kind]
    step = job.steps.filter(name=name).only("data").first()
    found = step.data.get("found", {}) if step else {}
    return {key: found.get(key) for key in ("tables", "changes", "left")}


def _submitted(
    kind: str, site: Site, data: dict[str, Any], actor: str, secret: dict[str, str] | None = None
) -> Job:
    job = queue.submit(kind, site.key, data=data, secret=secret, actor=actor, queue=False)
    site_for_action(site.service_id)  # as it is once no other job of the site can begin
    return job


def _name(text: str, field: str) -> str:
    try:
        return host_name(text)
    except BadName as error:
        raise _bad(field, str(error)) from None


def _bad(field: str, sentence: str) -> BadRequest:
    return BadRequest(sentence, fields={field: [sentence]})

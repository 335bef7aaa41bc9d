"""What a site holds: the addresses in its content, after its name has changed."""

from nodepoint.api.errors import BadRequest
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.errors import WrongState
from sites.models import CustomDomain, Site
from sites.naming import BadName, host_name
from sites.services.standing import site_for_action

COUNT, REPLACE = "sites.count_addresses", "sites.replace_addresses"


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

    def work() -> Job:
        job = queue.submit(COUNT if dry_run else REPLACE, site.key, data=data, actor=actor, queue=False)
        site_for_action(service_id)  # as it is once no other job of the site can begin
        return job

    return site, queue.whole(work)


def served_names(site: Site) -> list[str]:
    """The platform's name of the site, and its custom domains that are set up."""
    active = site.custom_domains.filter(status=CustomDomain.Status.ACTIVE)
    return [*filter(None, [site.hostname]), *active.values_list("domain", flat=True)]


def addresses_found(job: Job) -> dict[str, int | None]:
    """`{tables, changes, left}` of a job of `replace_addresses`; each null until it is known."""
    name = "counted" if job.kind == COUNT else "replaced"
    step = job.steps.filter(name=name).only("data").first()
    found = step.data.get("found", {}) if step else {}
    return {key: found.get(key) for key in ("tables", "changes", "left")}


def _name(text: str, field: str) -> str:
    try:
        return host_name(text)
    except BadName as error:
        raise _bad(field, str(error)) from None


def _bad(field: str, sentence: str) -> BadRequest:
    return BadRequest(sentence, fields={field: [sentence]})

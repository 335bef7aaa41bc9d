"""An order's name turns out to be a stranger's: the same job goes on under another one."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Fail, Outcome, Retry
from sites import strangers
from sites.allocation import reserve_other_name
from sites.models import Site

MOST = 5  # names that one order loses; after them the cause is another one


def another_name(call: Call, holder: str, *, otherwise: Fail) -> Outcome:
    """Something foreign, `holder`, stands on the site's name. No later order gets that, and this one takes
    another, for which the step is called again; what was made under the old one `name.settled` moves.
    `otherwise`: for a site that is live, whose name is known to its visitors."""
    site: Site = call.subject
    taken = site.subdomain
    strangers.met(site, holder)
    in_vain = len(site.former_subdomains) >= MOST
    # Jobs that began in an earlier release have no step that moves what stands under the old name.
    if site.state != Site.State.PROVISIONING or in_vain or not call.job.steps.filter(name="name").exists():
        return otherwise
    name = reserve_other_name(site)
    return Retry(ref="", seconds=0.1, detail=f"{holder} stands on {taken}: the site becomes {name}.")

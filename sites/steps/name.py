"""What has to follow where an order took another name on its way (`renaming.another_name`). The record and
the proxy host are made side by side, so that one of them may stand under the old name, even one whose call
was under way when the other step found the stranger."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites.connections import proxmox
from sites.models import Site
from sites.steps import dns_record, hosts, proxy_host, wordpress
from sites.steps.proxmox import require


def was_changed(site: Site) -> bool:
    """Whether something of the site may bear a name that it was to have."""
    return bool(site.former_subdomains)


def settled(call: Call) -> Outcome:
    """Record and proxy host stand under the site's name, and nothing of it under another."""
    site: Site = call.subject
    for hostname in site.hostnames[1:]:
        dns_record.removed(site, hostname)
        hosts.gone(hosts.HostName(hostname, site, None))
    facts: dict[str, object] = {}
    for step in (dns_record.present, proxy_host.served):
        outcome = step(call)
        if not isinstance(outcome, Done):
            return outcome  # a stranger on this name, too
        facts |= outcome.facts
    return Done(facts=facts, note=f"Strangers hold {', '.join(site.former_subdomains)}.")


def carried_inside(call: Call) -> Outcome:
    """The container is called like the site, and so is WordPress."""
    site: Site = call.subject
    if not call.ref:
        container = require(site)
        if container.config.hostname != site.subdomain:
            proxmox().set_config(container.node, container.vmid, hostname=site.subdomain)
        if site.serves_as == site.primary_domain:
            return Done()
    return wordpress.installed(call)

"""Whether visitors get through to a site, for all of its host names."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites.connections import npm
from sites.models import Site
from sites.steps import hosts


def as_wished(call: Call) -> Outcome:
    """Every proxy host of the site is on while the customer wishes so and it is not suspended, else off."""
    site: Site = call.subject
    for wanted in hosts.names(site):
        if hosts.traffic_wished(site) and wanted.stands:
            hosts.served(wanted)  # also makes one again that somebody has removed
        else:
            _switch(wanted)
    return Done()


def _switch(wanted: hosts.HostName) -> None:
    for host in npm().find_proxy_hosts(wanted.name):
        if wanted.owns(host):
            hosts.switched(wanted, host)

"""The container's firewall at Proxmox: a hacked site sits on the same network as Proxmox, the proxy and our
API.
"""

from django.conf import settings

from nodepoint.clients.errors import BadAnswer
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites.clients.proxmox import FirewallOptions, FirewallRule
from sites.connections import proxmox, site_network
from sites.steps.proxmox import Container, require

OPTIONS = FirewallOptions(enable=True, policy_in="DROP", policy_out="ACCEPT", ipfilter=True, macfilter=True)


def rules() -> list[FirewallRule]:
    """In: port 80 from the proxy. Out: nothing inside the sites' network but gateway and name servers. The
    first that fits decides.
    """
    network = site_network()
    inside = [ip for ip in dict.fromkeys([settings.SITE_GATEWAY, *settings.SITE_NAMESERVERS]) if ip]
    return [
        FirewallRule("in", "ACCEPT", proto="tcp", dport="80", source=",".join(settings.PROXY_LAN_IPS)),
        *(FirewallRule("out", "ACCEPT", dest=ip) for ip in inside),
        FirewallRule("out", "DROP", dest=str(network)),
    ]


def firewall_on(call: Call) -> Outcome:
    """The firewall is on with exactly our rules. What was written is read once more before the site counts as
    kept apart.
    """
    container = require(call.subject)
    present = proxmox().firewall_rules(container.node, container.vmid)
    if not _is_closed(container, present):
        _close(container, present)
        if not _is_closed(container, proxmox().firewall_rules(container.node, container.vmid)):
            raise BadAnswer("proxmox", "the firewall is not as it was written")
    return Done()


def _is_closed(container: Container, present: list[FirewallRule]) -> bool:
    if [_meaning(rule) for rule in present] != [_meaning(rule) for rule in rules()]:
        return False
    return proxmox().firewall_options(container.node, container.vmid) == OPTIONS


def _close(container: Container, present: list[FirewallRule]) -> None:
    """Write the options, and the rules anew: from the end, so that the positions before stay as they are."""
    node, vmid = container.node, container.vmid
    proxmox().set_firewall_options(node, vmid, OPTIONS)
    for rule in reversed(present):
        proxmox().delete_firewall_rule(node, vmid, rule.pos)
    for rule in reversed(rules()):  # a new rule always stands first
        proxmox().add_firewall_rule(node, vmid, rule)


def _meaning(rule: FirewallRule) -> tuple:
    return (rule.type, rule.action, rule.proto, rule.source, rule.dest, rule.dport, rule.macro, rule.enable)

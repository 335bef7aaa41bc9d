"""The rules of `sites.isolation` as the container's own firewall has them: one truth, held a second time.

Proxmox VE's firewall stands where nobody inside reaches it; this one stands where that one is off or late.
"""

from collections.abc import Iterator
from ipaddress import collapse_addresses, ip_network

from sites import isolation
from sites.clients.proxmox import FirewallRule

FAMILIES = {4: "ip", 6: "ip6"}


def statements(direction: str) -> str:
    """What decides in one direction (`in`, `out`), in the order of the rules, for a chain whose own hook and
    policy say the rest: `ip daddr { 192.168.1.1 } accept; …` in one line."""
    return "; ".join(
        line for rule in isolation.rules() if rule.type == direction for line in _statements(rule)
    )


def _statements(rule: FirewallRule) -> Iterator[str]:
    """One for each IP version. Without an address there is none: it would be for everybody."""
    end, addresses = ("saddr", rule.source) if rule.type == "in" else ("daddr", rule.dest)
    port = f"{rule.proto} dport {rule.dport} " if rule.dport else ""
    networks = [ip_network(text) for text in addresses.split(",") if text]
    for version, family in FAMILIES.items():
        # A set of nftables takes no network that lies in another one.
        if found := list(collapse_addresses(one for one in networks if one.version == version)):
            listed = ", ".join(_written(one) for one in found)
            yield f"{family} {end} {{ {listed} }} {port}{rule.action.lower()}"


def _written(network: isolation.Network) -> str:
    return str(network.network_address if network.num_addresses == 1 else network)

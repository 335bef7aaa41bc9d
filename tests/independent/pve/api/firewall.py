"""A container's firewall (pve-firewall, API2/Firewall/)."""

from typing import Any

from tests.independent.pve.api import Values, handles
from tests.independent.pve.api.containers import check_digest
from tests.independent.pve.cluster import Cluster
from tests.independent.pve.firewall import Firewall
from tests.independent.pve.refusals import die

FIREWALL = "/nodes/{node}/lxc/{vmid}/firewall"
NUMBERS = {"enable", "dhcp", "ipfilter", "macfilter", "ndp", "radv"}


def _of(cluster: Cluster, values: Values) -> Firewall:
    return cluster.guest(values["node"], int(values["vmid"])).firewall


@handles("GET", f"{FIREWALL}/options")
def options(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    found = _of(cluster, values).options
    return {name: int(value) if name in NUMBERS else value for name, value in found.items()}


@handles("PUT", f"{FIREWALL}/options")
def set_options(cluster: Cluster, values: Values, user: str) -> None:
    firewall = _of(cluster, values)
    firewall.options.update(
        {k: v for k, v in values.items() if k not in ("node", "vmid", "digest", "delete")}
    )
    firewall.note()


@handles("GET", f"{FIREWALL}/rules")
def rules(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    firewall = _of(cluster, values)
    common = {"digest": firewall.digest}
    return [
        {**rule, "enable": int(rule["enable"]), "pos": pos, **common}
        for pos, rule in enumerate(firewall.rules)
    ]


@handles("POST", f"{FIREWALL}/rules")
def add_rule(cluster: Cluster, values: Values, user: str) -> None:
    _of(cluster, values).add(values)


@handles("PUT", f"{FIREWALL}/rules/{{pos}}")
def change_rule(cluster: Cluster, values: Values, user: str) -> None:
    firewall = _of(cluster, values)
    check_digest(firewall.digest, values)
    firewall.change(_position(firewall, values), values)


@handles("DELETE", f"{FIREWALL}/rules/{{pos}}")
def delete_rule(cluster: Cluster, values: Values, user: str) -> None:
    firewall = _of(cluster, values)
    check_digest(firewall.digest, values)
    firewall.remove(_position(firewall, values))


def _position(firewall: Firewall, values: Values) -> int:
    if not 0 <= int(values["pos"]) < len(firewall.rules):
        die(f"no rule at position {values['pos']}")
    return int(values["pos"])

"""A container's own firewall: options and rules. The cluster's switch is on."""

from typing import Any

from lab.proxmox.errors import BadParameter, failure
from lab.proxmox.formats import split_list
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container, digest

ACTIONS = ("ACCEPT", "DROP", "REJECT")
WITH_PORTS = ("tcp", "udp", "sctp", "dccp", "udplite", "6", "17", "33", "132", "136")
MACROS = (
    "http",
    "https",
    "web",
    "ssh",
    "dns",
    "ping",
    "smtp",
    "ntp",
)  # those that the lab knows; there are more
NOT_STORED = ("pos", "digest")


class Firewall:
    """Firewall files of containers; part of the Cluster."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def options(self, container: Container) -> dict[str, Any]:
        """GET options: only what has been set."""
        return {**container.firewall_options, "digest": digest(container.firewall_options)}

    def set_options(self, container: Container, values: dict[str, Any]) -> None:
        """PUT options."""
        _check_digest(values, container.firewall_options)
        for name in split_list(values.pop("delete", "")):
            container.firewall_options.pop(name, None)
        container.firewall_options.update(values)
        self._inventory.save(container)

    def rules(self, container: Container) -> list[dict[str, Any]]:
        """GET rules, in the order in which they are asked."""
        stamp = digest(container.firewall_rules)
        shown = []
        for pos, rule in enumerate(container.firewall_rules):
            version = _versions(rule)
            known = {"ipversion": version.pop()} if version else {}
            shown.append({**rule, **known, "pos": pos, "digest": stamp})
        return shown

    def rule(self, container: Container, pos: int) -> dict[str, Any]:
        """GET one rule."""
        self._check_position(container, pos)
        return self.rules(container)[pos]

    def add_rule(self, container: Container, values: dict[str, Any]) -> None:
        """POST: in front of all others; off unless ``enable=1``. ``pos`` and ``digest`` are in the schema,
        which is shared with PUT, and mean nothing (pve-firewall 6.0.4, API2/Firewall/Rules.pm:287-313)."""
        rule = {"enable": 0, **{name: value for name, value in values.items() if name not in NOT_STORED}}
        _check_rule(rule)
        container.firewall_rules.insert(0, rule)
        self._inventory.save(container)

    def change_rule(self, container: Container, pos: int, values: dict[str, Any]) -> None:
        """PUT: move a rule with ``moveto``, then all else is ignored; or change it."""
        _check_digest(values, container.firewall_rules)
        self._check_position(container, pos)
        rules = container.firewall_rules
        moveto = values.pop("moveto", pos)
        if moveto != pos:
            # The place is counted while the rule still stands in its old one.
            rules.insert(moveto - (moveto > pos), rules.pop(pos))
        else:
            changed = {**rules[pos], **{key: value for key, value in values.items() if key != "delete"}}
            for name in split_list(values.get("delete", "")):
                changed.pop(name, None)
            _check_rule(changed)
            rules[pos] = changed
        self._inventory.save(container)

    def delete_rule(self, container: Container, pos: int, values: dict[str, Any]) -> None:
        """DELETE one rule; those behind move up."""
        _check_digest(values, container.firewall_rules)
        self._check_position(container, pos)
        del container.firewall_rules[pos]
        self._inventory.save(container)

    def _check_position(self, container: Container, pos: int) -> None:
        if not 0 <= pos < len(container.firewall_rules):
            raise failure(f"no rule at position {pos}")


def _check_digest(values: dict[str, Any], content: Any) -> None:
    wanted = values.pop("digest", None)
    if wanted is not None and wanted != digest(content):
        raise failure("detected modified configuration - file changed by other user? Try again.")


def _check_rule(rule: dict[str, Any]) -> None:
    """What pve-firewall's ``verify_rule`` refuses."""
    errors = _port_errors(rule)
    if rule["type"] == "group":
        errors["action"] = "invalid security group name: the lab has none"
    elif rule["action"] not in ACTIONS:
        errors["action"] = f"unknown action '{rule['action']}'"
    if "macro" in rule and rule["macro"].lower() not in MACROS:
        errors["macro"] = f"unknown macro '{rule['macro']}'"
    for side in ("source", "dest"):
        if unknown := [error for item in rule.get(side, "").split(",") if (error := _unknown_name(item))]:
            errors[side] = unknown[0]
    if errors:
        raise BadParameter(errors)
    if len(_versions(rule)) > 1:
        raise failure("detected mixed ipv4/ipv6 addresses in rule")


def _port_errors(rule: dict[str, Any]) -> dict[str, str]:
    """Ports need a protocol that has some, beside a macro too."""
    errors = {}
    for port in ("dport", "sport"):
        if port in rule and "proto" not in rule:
            errors["proto"] = f"missing property - '{port}' requires this property"
        elif port in rule and rule["proto"] not in WITH_PORTS:
            errors[port] = f"protocol '{rule['proto']}' does not support ports"
    return errors


def _unknown_name(item: str) -> str:
    """What is wrong with an item that names an IP set or an alias: the lab has none of either."""
    if item.startswith("+"):
        return f"no such ipset '{item[1:].rpartition('/')[2]}'"
    named = item and item.rpartition("/")[2][:1].isalpha() and ":" not in item
    return f"no such alias '{item}'" if named else ""


def _versions(rule: dict[str, Any]) -> set[int]:
    """Of IP, among the addresses of a rule."""
    items = [item for side in ("source", "dest") for item in rule.get(side, "").split(",") if item]
    return {6 if ":" in item else 4 for item in items}

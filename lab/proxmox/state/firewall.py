"""A container's own firewall: options and rules. The cluster's switch is on."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from lab.proxmox.errors import BadParameter, failure
from lab.proxmox.formats import split_list
from lab.proxmox.state.model import Container

if TYPE_CHECKING:
    from lab.proxmox.state.cluster import Cluster

ACTIONS = ("ACCEPT", "DROP", "REJECT")


class Firewall:
    """Firewall files of containers; part of the Cluster."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster

    def options(self, container: Container) -> dict[str, Any]:
        """GET options: only what has been set."""
        return {**container.firewall_options, "digest": digest(container.firewall_options)}

    def set_options(self, container: Container, values: dict[str, Any]) -> None:
        """PUT options."""
        _check_digest(values, container.firewall_options)
        for name in split_list(values.pop("delete", "")):
            container.firewall_options.pop(name, None)
        container.firewall_options.update(values)
        self._cluster.save(container)

    def rules(self, container: Container) -> list[dict[str, Any]]:
        """GET rules, in the order in which they are asked."""
        stamp = digest(container.firewall_rules)
        return [{**rule, "pos": pos, "digest": stamp} for pos, rule in enumerate(container.firewall_rules)]

    def rule(self, container: Container, pos: int) -> dict[str, Any]:
        """GET one rule."""
        self._check_position(container, pos)
        return self.rules(container)[pos]

    def add_rule(self, container: Container, values: dict[str, Any]) -> None:
        """POST: in front of all others unless ``pos`` says otherwise; off unless ``enable=1``."""
        _check_digest(values, container.firewall_rules)
        pos = values.pop("pos", 0)
        values.setdefault("enable", 0)
        _check_rule(values)
        container.firewall_rules.insert(pos, values)
        self._cluster.save(container)

    def change_rule(self, container: Container, pos: int, values: dict[str, Any]) -> None:
        """PUT: change a rule, or move it with ``moveto``."""
        self._check_position(container, pos)
        _check_digest(values, container.firewall_rules)
        rules = container.firewall_rules
        moveto = values.pop("moveto", None)
        if moveto is not None:
            # The place is counted while the rule still stands in its old one.
            rules.insert(moveto - (moveto > pos), rules.pop(pos))
        else:
            changed = {**rules[pos], **{key: value for key, value in values.items() if key != "delete"}}
            for name in split_list(values.get("delete", "")):
                changed.pop(name, None)
            _check_rule(changed)
            rules[pos] = changed
        self._cluster.save(container)

    def delete_rule(self, container: Container, pos: int, values: dict[str, Any]) -> None:
        """DELETE one rule; those behind move up."""
        self._check_position(container, pos)
        _check_digest(values, container.firewall_rules)
        del container.firewall_rules[pos]
        self._cluster.save(container)

    def _check_position(self, container: Container, pos: int) -> None:
        if not 0 <= pos < len(container.firewall_rules):
            raise failure(f"no rule at position {pos}")


def digest(content: Any) -> str:
    """Changes with every change of the firewall file's section."""
    return hashlib.sha1(json.dumps(content, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _check_digest(values: dict[str, Any], content: Any) -> None:
    wanted = values.pop("digest", None)
    if wanted is not None and wanted != digest(content):
        raise failure("detected modified configuration - file changed by other user? Try again.")


def _check_rule(rule: dict[str, Any]) -> None:
    errors = {}
    if rule["type"] in ("in", "out", "forward") and rule["action"] not in ACTIONS:
        errors["action"] = f"unknown action '{rule['action']}'"
    for port in ("dport", "sport"):
        if port in rule and "proto" not in rule and "macro" not in rule:
            errors["proto"] = "missing property - 'dport/sport' requires this property"
    if "macro" in rule and not rule["macro"].isalnum():
        errors["macro"] = f"unknown macro '{rule['macro']}'"
    if errors:
        raise BadParameter(errors)

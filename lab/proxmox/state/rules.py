"""HA rules of Proxmox VE 9: on which nodes resources should run, and which belong together."""

from collections.abc import Callable
from typing import Any

from lab.proxmox.errors import BadParameter, failure
from lab.proxmox.formats import split_list
from lab.proxmox.state.model import digest
from lab.store import Store


class Rules:
    """HA rules by id. Affinity between resources is kept but has no effect in the
    lab."""

    def __init__(self, store: Store, managed: Callable[[str], bool]) -> None:
        """``managed``: whether a sid is an HA resource."""
        self._store, self._managed = store, managed
        self._rules: dict[str, dict[str, Any]] = store.load("ha-rule")

    def all(self, type: str = "", resource: str = "") -> list[dict[str, Any]]:
        """GET rules."""
        return [
            self.get(id)
            for id, rule in sorted(self._rules.items())
            if type in ("", rule["type"]) and (not resource or resource in split_list(rule["resources"]))
        ]

    def get(self, id: str) -> dict[str, Any]:
        """GET one rule."""
        if id not in self._rules:
            raise failure(f"no such ha rule '{id}'")
        return {**self._rules[id], "digest": digest(self._rules)}

    def add(self, values: dict[str, Any]) -> None:
        """POST a rule."""
        id = values["rule"]
        if id in self._rules:
            raise failure(f"HA rule '{id}' already defined")
        self._check(id, values)
        self._save(id, values)

    def update(self, id: str, values: dict[str, Any]) -> None:
        """PUT a rule: read, change, write with ``digest``."""
        current = self.get(id)
        if values.pop("digest", current["digest"]) != current["digest"]:
            raise failure("detected modified configuration - file changed by other user? Try again.")
        gone = split_list(values.pop("delete", ""))
        changed = {key: value for key, value in {**self._rules[id], **values}.items() if key not in gone}
        self._check(id, changed)
        self._save(id, changed)

    def delete(self, id: str) -> None:
        """DELETE a rule."""
        self.get(id)
        del self._rules[id]
        self._store.delete("ha-rule", id)

    def forget(self, sid: str) -> None:
        """A resource went: it leaves its rules, and a rule goes with its last one."""
        for id, rule in list(self._rules.items()):
            rest = [item for item in split_list(rule["resources"]) if item != sid]
            if not rest:
                self.delete(id)
            elif len(rest) < len(split_list(rule["resources"])):
                self._save(id, {**rule, "resources": ",".join(rest)})

    def allowed(self, sid: str, nodes: list[str]) -> dict[str, int]:
        """Which of ``nodes`` may take a resource, with their priority; all alike without a rule."""
        for rule in self._rules.values():
            if (
                rule["type"] != "node-affinity"
                or rule.get("disable")
                or sid not in split_list(rule["resources"])
            ):
                continue
            priorities = dict(item.partition(":")[::2] for item in split_list(rule["nodes"]))
            named = {name: int(priorities[name] or 0) for name in nodes if name in priorities}
            if named or rule.get("strict"):
                return named
        return dict.fromkeys(nodes, 0)

    def _check(self, id: str, rule: dict[str, Any]) -> None:
        resources = split_list(rule["resources"])
        unmanaged = [sid for sid in resources if not self._managed(sid)]
        if unmanaged:
            raise failure(f"cannot use unmanaged resource(s) {', '.join(unmanaged)}.")
        needed = "nodes" if rule["type"] == "node-affinity" else "affinity"
        if needed not in rule:
            raise BadParameter({needed: "property is missing and it is not optional"})
        if rule["type"] == "resource-affinity" and len(resources) < 2:
            raise _invalid(id, "rule must have two or more resources")
        for other, that in self._rules.items():
            both = rule["type"] == that["type"] == "node-affinity"
            if other != id and both and set(resources) & set(split_list(that["resources"])):
                raise _invalid(id, "resources are already used in another node affinity rule")

    def _save(self, id: str, rule: dict[str, Any]) -> None:
        self._rules[id] = rule
        self._store.save("ha-rule", id, rule)


def _invalid(id: str, why: str) -> BadParameter:
    return BadParameter({"resources": why}, f"Rule '{id}' is invalid.")

"""A container's firewall, and what it lets through (pve-firewall; PVE/API2/Firewall/Rules.pm)."""

import hashlib
import json
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

OFF = {"enable": "0"}
FIELDS = (
    "type",
    "action",
    "macro",
    "iface",
    "source",
    "dest",
    "proto",
    "sport",
    "dport",
    "log",
    "icmp-type",
)


@dataclass
class Firewall:
    """`rules` in their order, as dicts in the API's terms; `history`: every state that ever was."""

    options: dict[str, str] = field(default_factory=dict)
    rules: list[dict[str, str]] = field(default_factory=list)
    history: list["Firewall"] = field(default_factory=list)

    def note(self) -> None:
        """Keep what stands now."""
        self.history.append(Firewall(dict(self.options), [dict(rule) for rule in self.rules]))

    @property
    def digest(self) -> str:
        """Of the whole list."""
        return hashlib.sha256(json.dumps(self.rules, sort_keys=True).encode()).hexdigest()[:40]

    def add(self, values: dict[str, str]) -> None:
        """On top, whatever `pos` says: `unshift @$rules, $rule`. Off unless it is enabled."""
        rule = {name: values[name] for name in FIELDS if name in values}
        if values.get("comment"):
            rule["comment"] = values["comment"]
        self.rules.insert(0, {**rule, "enable": values.get("enable", "0")})
        self.note()

    def change(self, pos: int, values: dict[str, str]) -> None:
        """PUT of a rule: another place (`moveto`, before the rule that stands there), else other contents."""
        rule = self.rules[pos]
        if "moveto" in values:
            target = int(values["moveto"])
            before, after = self.rules[:target], self.rules[target:]
            rest = [[r for r in part if r is not rule] for part in (before, after)]
            self.rules = [*rest[0], rule, *rest[1]]
        else:
            for name in (values.get("delete") or "").split(","):
                rule.pop(name, None)
            rule.update({name: values[name] for name in (*FIELDS, "comment", "enable") if name in values})
        self.note()

    def remove(self, pos: int) -> None:
        """DELETE of a rule."""
        del self.rules[pos]
        self.note()

    def lets(self, direction: str, address: str, proto: str = "tcp", port: int = 80) -> bool:
        """Whether a packet from (in) or to (out) this address passes."""
        if self.options.get("enable") != "1":
            return True
        for rule in self.rules:
            if rule["enable"] == "1" and rule["type"] == direction and _fits(rule, address, proto, port):
                return rule["action"] == "ACCEPT"
        default = {"in": "DROP", "out": "ACCEPT"}[direction]
        return self.options.get(f"policy_{direction}", default) == "ACCEPT"


def _fits(rule: dict[str, str], address: str, proto: str, port: int) -> bool:
    there = rule.get("source" if rule["type"] == "in" else "dest")
    if there and not any(ip_address(address) in _network(part) for part in there.split(",")):
        return False
    if "dport" in rule and str(port) not in rule["dport"].split(","):
        return False
    return rule.get("proto", proto) == proto


def _network(text: str):
    return ip_network(text.strip(), strict=False)

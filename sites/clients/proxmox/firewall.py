"""The firewall of a container. It works only with the cluster's firewall on and `firewall=1` on net0."""

from dataclasses import dataclass
from typing import Any

from nodepoint.clients.errors import NotFound
from sites.clients.proxmox.calls import Calls
from sites.clients.proxmox.values import integer, required, text, yes


@dataclass(frozen=True)
class FirewallOptions:
    """Defaults are those of Proxmox VE. `ipfilter` allows only the addresses of the configuration as
    source."""

    enable: bool = False
    policy_in: str = "DROP"
    policy_out: str = "ACCEPT"
    ipfilter: bool = False
    macfilter: bool = True
    dhcp: bool = False
    ndp: bool = True


@dataclass(frozen=True)
class FirewallRule:
    """`type` in, out or group; `action` ACCEPT, DROP, REJECT or a group's name; `dport` like "80" or
    "80,443".

    `dest` and `source` are addresses or networks of one IP version, separated by commas, at most 512
    characters; a rule with both versions is an error, which the compiler skips with a line in syslog
    (pve-firewall 6.0.4 `Firewall.pm`, `parse_address_list`). `narrowed`: what else the rule that was read
    depends on, such as an interface or a source port; we never write such rules. `pos` and `digest` (of the
    whole list) are those of the list that was read and are not sent with a new rule.
    """

    type: str
    action: str
    proto: str = ""
    source: str = ""
    dest: str = ""
    dport: str = ""
    macro: str = ""
    comment: str = ""
    enable: bool = True
    narrowed: tuple[tuple[str, str], ...] = ()
    pos: int | None = None
    digest: str = ""


TEXTS = ("type", "action", "proto", "source", "dest", "dport", "macro", "comment")
NARROWING = ("iface", "sport", "icmp-type", "errors")


class Firewall(Calls):
    """Options and rules; rules are tried from position 0 on, the first that fits decides."""

    def firewall_options(self, node: str, vmid: int) -> FirewallOptions:
        """The container's firewall options."""
        data = self._get_dict("nodes", node, "lxc", vmid, "firewall", "options")
        default = FirewallOptions()
        return FirewallOptions(
            enable=_switch(data, "enable", default.enable),
            policy_in=text(data.get("policy_in"), default.policy_in),
            policy_out=text(data.get("policy_out"), default.policy_out),
            ipfilter=_switch(data, "ipfilter", default.ipfilter),
            macfilter=_switch(data, "macfilter", default.macfilter),
            dhcp=_switch(data, "dhcp", default.dhcp),
            ndp=_switch(data, "ndp", default.ndp),
        )

    def set_firewall_options(self, node: str, vmid: int, options: FirewallOptions) -> None:
        """Sets all the options of `options`."""
        self._put("nodes", node, "lxc", vmid, "firewall", "options", **vars(options))

    def firewall_rules(self, node: str, vmid: int) -> list[FirewallRule]:
        """The container's rules in their order."""
        rows = self._get_rows("pos", "nodes", node, "lxc", vmid, "firewall", "rules")
        return sorted((_rule(row) for row in rows), key=lambda rule: rule.pos or 0)

    def add_firewall_rule(self, node: str, vmid: int, rule: FirewallRule) -> None:
        """Puts a rule on top of all others. There is no other place for a new one: `pos` stands in the schema
        and is ignored (pve-firewall 6.0.4 `API2/Firewall/Rules.pm`, `unshift @$rules, $rule`). A repeat adds
        a second one: read the list first."""
        texts = {name: getattr(rule, name) or None for name in TEXTS}
        self._post("nodes", node, "lxc", vmid, "firewall", "rules", **texts, enable=rule.enable)

    def enable_firewall_rule(self, node: str, vmid: int, pos: int, digest: str = "") -> None:
        """Switches the rule at `pos` on. `Busy` when the list is no longer that of `digest`: read it
        again."""
        path = ("nodes", node, "lxc", vmid, "firewall", "rules", pos)
        self._put(*path, enable=True, digest=digest or None)

    def delete_firewall_rule(self, node: str, vmid: int, pos: int, digest: str = "") -> None:
        """Deletes the rule at `pos`; one that is gone is fine. With the list's `digest` a list changed
        meanwhile is `Busy`: read it again."""
        try:
            self._delete("nodes", node, "lxc", vmid, "firewall", "rules", pos, digest=digest or None)
        except NotFound:
            return


def _switch(data: dict[str, Any], name: str, default: bool) -> bool:
    """An option that is its default where nothing is said."""
    value = data.get(name)
    return default if value is None else yes(value)


def _rule(row: dict[str, Any]) -> FirewallRule:
    return FirewallRule(
        type=required(row, "type"),
        action=required(row, "action"),
        proto=text(row.get("proto")),
        source=text(row.get("source")),
        dest=text(row.get("dest")),
        dport=text(row.get("dport")),
        macro=text(row.get("macro")),
        comment=text(row.get("comment")).rstrip("\n"),
        enable=yes(row.get("enable")),
        narrowed=tuple((name, text(row[name])) for name in NARROWING if row.get(name)),
        pos=integer(row.get("pos")),
        digest=text(row.get("digest")),
    )

"""Who is in a history: customers that no answer may mix up, and others whose things nobody may touch."""

import json
from typing import TYPE_CHECKING, Any

from lab.content import Archive
from lab.proxmox.state.model import Stranger
from sites.connections import cloudflare, npm

if TYPE_CHECKING:
    from tests.histories.world import World

PROXY = "203.0.113.10"
SERVICES = ("svc-0", "svc-1", "svc-2", "svc-3")
USERS = ("500", "501", "502", "503")
# Two are called alike, one like a service of the platform, one like somebody who has the name already.
EMAILS = ("jane@uno.example", "Jane@due.example", "mail@tre.example", "rose@quattro.example")
DOMAINS = ("shop.alpha.com", "www.delta.org", "blog.delta.org", "xn--laden-3ya.de", "taken.delta.org")
ZONES = ("alpha.com", "beta.net", "sub.beta.net")
OURS = ["ns1.nodepoint.eu", "ns2.nodepoint.eu"]
ARCHIVE = "https://files.example.org/site.zip"

FOREIGN_VMIDS = (901, 903)
FOREIGN_NAMES = ("rose.nodepoint.eu", "www.nodepoint.eu", "legacy.nodepoint.eu", "taken.delta.org")
FOREIGN_ZONE = "gamma.net"
THEIR_ADDRESS = "192.168.1.77"
ANOTHERS = "nodepoint:other:svc-0:1"  # the mark of another installation


class Broken(AssertionError):
    """Something was not as it has to be; the text says what."""


def settle_in(world: "World") -> None:
    """Public DNS, what can be imported, and the things of others."""
    for name in DOMAINS:
        world.lab.dns.set(name, "A", [PROXY])
    for zone in ZONES:
        world.lab.dns.set(zone, "NS", OURS)
    world.lab.dns.set("files.example.org", "A", ["198.51.100.20"])
    world.lab.guest.archives[ARCHIVE] = Archive("old.example", {"wp_options": ["https://old.example"]})
    _containers(world)
    cloudflare().create_record("A", "rose.nodepoint.eu", "198.51.100.7", comment="by hand")
    cloudflare().create_record("A", "www.nodepoint.eu", "198.51.100.8", comment=ANOTHERS)
    npm().create_proxy_host(["legacy.nodepoint.eu", "taken.delta.org"], THEIR_ADDRESS)
    add_zone(world, FOREIGN_ZONE)


def _containers(world: "World") -> None:
    for number, vmid in enumerate(FOREIGN_VMIDS):
        make(world, vmid, f"192.168.1.{vmid - 800}", ("Do not touch", ANOTHERS)[number])
    with world.lab.lock:
        world.cluster.add_stranger(Stranger(905, "node3", "windows"))
    world.clock.move(120)
    world.lab.world.settle()


def make(world: "World", vmid: int, address: str, description: str) -> None:
    """A container of somebody else."""
    values = {
        "vmid": vmid,
        "ostemplate": world.lab.settings["PROXMOX_TEMPLATE"],
        "hostname": f"theirs-{vmid}",
        "rootfs": "global-lvm:8",
        "description": description,
        "net0": f"name=eth0,bridge=vmbr1,ip={address}/24,gw=192.168.1.1",
    }
    with world.lab.lock:
        world.cluster.lifecycle.create("node2", "root@pam", world.clock.time.timestamp(), values)


def add_zone(world: "World", name: str) -> None:
    """A zone that somebody makes in the panel."""
    panel, values = world.lab.ispconfig.panel, {"server_id": 1, "ttl": 3600, "active": "Y"}
    times = {"refresh": 7200, "retry": 540, "expire": 604800, "minimum": 3600}
    names = {"origin": f"{name}.", "ns": "ns1.nodepoint.eu.", "mbox": f"root.{name}.", "serial": 1}
    with world.lab.lock:
        zone = panel.dns_zone_add(0, {**names, **values, **times, "xfer": "", "also_notify": ""})
        record = {"zone": zone, "type": "A", "name": "www", "data": "198.51.100.9", "aux": 0, **values}
        panel.record_add("A", 0, {**record, "stamp": "2026-01-01 00:00:00"}, False)


def foreign_things(world: "World") -> dict[str, Any]:
    """All that is others', as it stands now. What a node's death or HA does to it is nobody's doing."""
    lab = world.lab
    with lab.lock:
        found = {vmid: world.container(vmid) for vmid in world.strangers}
        containers = {
            vmid: (theirs.config, sorted(theirs.snapshots), theirs.firewall_options, theirs.firewall_rules)
            for vmid, theirs in found.items()
            if theirs
        }
        records = [row for row in lab.cloudflare.state_view()["records"] if is_record(row)]
        hosts = [
            row for row in world.lab.npm.state_view()["proxy_hosts"] if row["forward_host"].endswith(".77")
        ]
        zones = [row for row in lab.ispconfig.state_view()["zones"] if FOREIGN_ZONE in row["origin"]]
        asked = [
            f"{task.type} {task.id}"
            for task in world.cluster.tasks.all()
            if task.id.isdecimal() and int(task.id) in world.strangers and "!" in task.user
        ]
        things = {
            "containers": containers,
            "records": records,
            "hosts": hosts,
            "zones": zones,
            "asked": asked,
        }
        return json.loads(json.dumps(things, default=str))


def is_record(row: dict[str, Any]) -> bool:
    """Whether a record is others'."""
    return row.get("comment") in ("by hand", ANOTHERS)


def is_host(row: dict[str, Any]) -> bool:
    """The same for a proxy host, or a file of nginx."""
    return row.get("forward_host") == THEIR_ADDRESS


def others_words(who: str) -> list[str]:
    """What no answer to this customer may hold."""
    number = number_of(who)
    words = [name for row in (SERVICES, EMAILS) for n, name in enumerate(row) if n != number]
    return [word.lower() for word in words]


def number_of(who: str) -> int:
    """Of a service, or a customer of DNS."""
    return (SERVICES if who in SERVICES else USERS).index(who)


def refuse_others(who: str, asked: str, said: str) -> None:
    """No answer tells of another customer."""
    for word in others_words(who):
        if word in said.lower():
            raise Broken(f"{who} asked {asked} and was told of {word}: {said}")

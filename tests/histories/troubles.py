"""Acts of the infrastructure, and of people who change things there by hand."""

from lab.proxmox.state.model import Container
from lab.proxmox.state.storages import STORAGES
from sites import marks
from sites.connections import cloudflare, npm
from sites.models import Site, Spare, Template
from sites.steps import hosts
from tests.histories.acts import ON, WHICH, act, one_of
from tests.histories.people import ANOTHERS, DOMAINS, PROXY, ZONES, make
from tests.histories.world import World

NODES = ("node1", "node2", "node3")
KINDS = ("error", "refuse", "hang", "drop_before", "drop_after", "slow")
CALLS = (
    ("proxmox", ""),
    ("proxmox", "POST "),
    ("proxmox", "/lxc"),
    ("proxmox", "/config"),
    ("proxmox", "/snapshot"),
    ("proxmox", "/status/"),
    ("proxmox", "/ha/"),
    ("proxmox", "/tasks/"),
    ("proxmox", "/firewall"),
    ("proxmox", "/cluster/resources"),
    ("proxmox", "DELETE "),
    ("proxmox", "TASK vzcreate"),
    ("proxmox", "TASK vzdestroy"),
    ("proxmox", "TASK vzsnapshot"),
    ("proxmox", "TASK vzdelsnapshot"),
    ("proxmox", "TASK vzrollback"),
    ("proxmox", "TASK vzstart"),
    ("ssh", ""),
    ("ssh", "INSTALL"),
    ("ssh", "CONTENT"),
    ("cloudflare", ""),
    ("cloudflare", "POST "),
    ("cloudflare", "DELETE "),
    ("npm", ""),
    ("npm", "POST /api/nginx/proxy-hosts"),
    ("npm", "PUT "),
    ("npm", "DELETE "),
    ("npm", "certificates"),
    ("npm", "able"),
    ("ispconfig", ""),
    ("ispconfig", "_add"),
    ("ispconfig", "_delete"),
    ("ispconfig", "_update"),
    ("dns", ""),
    ("dns", " A"),
)


@act(6, call=range(len(CALLS)), kind=KINDS, count=(1, 1, 1, 2, 5, 40))
def fault(world: World, call: int, kind: str, count: int) -> None:
    """The next calls go wrong."""
    system, match = CALLS[call]
    world.lab.faults.add(system, kind, count, match, seconds=3)


@act(2)
def mended(world: World) -> None:
    """All systems are well again, all nodes back."""
    world.lab.faults.clear()
    world.free_all()
    with world.lab.lock:
        for name in NODES:
            world.cluster.set_node_up(name, True)
            world.cluster.set_node_maintenance(name, False)
    world.lab.world.settle()


@act(2, node=NODES, up=(False, False, True))
def node(world: World, node: str, up: bool) -> None:
    """It goes away with all that is on it, or comes back. Two stay: else nothing can be written."""
    with world.lab.lock:
        others = [one for one in world.cluster.nodes.values() if one.name != node]
        if up or all(one.up for one in others):
            world.cluster.set_node_up(node, up)
    world.lab.world.settle()


@act(node=NODES, on=ON)
def maintenance(world: World, node: str, on: bool) -> None:
    with world.lab.lock:
        world.cluster.set_node_maintenance(node, on)


@act(gigabytes=(0, 30))
def full(world: World, gigabytes: int) -> None:
    """Others have filled the storage."""
    with world.lab.lock:
        world.cluster.fill(STORAGES[world.storage], gigabytes * 1024**3)


# By hand


def ours(world: World, which: int) -> Container | None:
    """One of the containers that are at rest and carry a mark of ours."""
    found = [
        container
        for _, container in sorted(world.cluster.containers.items())
        if _is_marked(container) and not container.lock and not container.held
    ]
    return one_of(found, which)


def _is_marked(container: Container) -> bool:
    named = marks.parse(marks.carried(str(container.config.get("description", ""))))
    return bool(named) and not named.is_anothers


@act(which=WHICH, to=NODES)
def moved(world: World, which: int, to: str) -> None:
    """A container was migrated."""
    with world.lab.lock:
        container = ours(world, which)
        nodes = world.cluster.nodes
        if container and nodes[container.node].up and nodes[to].up and container.storage.shared:
            container.node = to
            world.cluster.save(container)


@act(which=WHICH, text=("Called on Monday.\n{}", "{}\n\nSee ticket 4711", "{}\n<b>", "{}"))
def noted(world: World, which: int, text: str) -> None:
    """Somebody has written into the notes; the mark stays a line of its own."""
    with world.lab.lock:
        if container := ours(world, which):
            lines = str(container.config["description"]).strip("\n").splitlines()
            line = next(line for line in lines if marks.parse(marks.carried(line)))
            container.config["description"] = text.format(line) + "\n"
            world.cluster.save(container)


@act(which=WHICH, on=ON)
def switched(world: World, which: int, on: bool) -> None:
    """A container was started or stopped by hand."""
    with world.lab.lock:
        container = ours(world, which)
        if container and world.cluster.nodes[container.node].up and container.running != on:
            power, now = world.cluster.power, world.clock.time.timestamp()
            (power.fork_start if on else power.fork_stop)(container, "root@pam", now)
    world.lab.world.settle()


@act(which=WHICH)
def snapped(world: World, which: int) -> None:
    """A snapshot was made by hand."""
    with world.lab.lock:
        container = ours(world, which)
        if container and container.storage.kind != "lvm" and "by-hand" not in container.snapshots:
            now = world.clock.time.timestamp()
            world.cluster.snapshots.create(container, "root@pam", now, "by-hand", "by hand")
    world.lab.world.settle()


@act(which=WHICH, gone=ON)
def record_changed(world: World, which: int, gone: bool) -> None:
    """A site's record was deleted, or led elsewhere, by hand."""
    with quiet(world):
        names = {site.hostname for site in Site.objects.exclude(subdomain=None)}
        rows = sorted(cloudflare().list_records(), key=lambda row: row.name)
        if record := one_of(
            [row for row in rows if row.name in names and "nodepoint:" in row.comment], which
        ):
            cloudflare().delete_record(record.id)
            if not gone:
                cloudflare().create_record("A", record.name, "198.51.100.99", comment=record.comment)


@act(1, which=WHICH, how=("off", "on", "gone"))
def host_changed(world: World, which: int, how: str) -> None:
    """A proxy host of ours was switched or deleted by hand."""
    with quiet(world):
        found = [host for host in npm().proxy_hosts() if marks.parse(hosts.mark_of(host))]
        if host := one_of(sorted(found, key=lambda host: host.id), which):
            change = {"off": "disable_proxy_host", "on": "enable_proxy_host", "gone": "delete_proxy_host"}
            if how == "gone" or host.enabled != (how == "on"):
                getattr(npm(), change[how])(host.id)


class quiet:
    """What is done by hand is done by browsers, which the faults that are ordered do not meet."""

    def __init__(self, world: World) -> None:
        self._faults = world.lab.faults

    def __enter__(self) -> None:
        self._kept, self._faults._open = self._faults._open, []

    def __exit__(self, *error: object) -> None:
        self._faults._open = self._kept


@act(domain=DOMAINS, leads=("here", "elsewhere", "nowhere"))
def domain_led(world: World, domain: str, leads: str) -> None:
    """A customer's domain leads somewhere else from now on."""
    values = {"here": [PROXY], "elsewhere": ["198.51.100.50"], "nowhere": []}
    world.lab.dns.set(domain, "A", values[leads])


@act(zone=ZONES, delegated=ON)
def zone_delegated(world: World, zone: str, delegated: bool) -> None:
    world.lab.dns.set(zone, "NS", ["ns1.nodepoint.eu", "ns2.nodepoint.eu"] if delegated else ["ns.other.net"])


@act(which=WHICH)
def destroyed(world: World, which: int) -> None:
    """A ready container was destroyed by hand: nobody's data is in it."""
    vmids = Spare.objects.exclude(vmid=None).filter(state="ready").order_by("pk")
    vmid = one_of(list(vmids.values_list("vmid", flat=True)), which)
    with world.lab.lock:
        container = world.container(vmid)
        if container and _is_marked(container) and not container.lock and not container.held:
            world.cluster.power.halt(container, world.clock.time.timestamp())
            world.lab.guest.destroy(vmid)
            world.cluster.forget(vmid)


@act(marked=ON)
def stranger_came(world: World, marked: bool) -> None:
    """Somebody makes a container on the lowest free VMID, with the lowest address that none of our rows
    holds: those that the next order would get."""
    held = {
        row.private_ip for model in (Site, Spare, Template) for row in model.objects.exclude(private_ip=None)
    }
    with world.lab.lock:
        used = {one.address.partition("/")[0] for one in world.cluster.containers.values()}
        vmid = next(n for n in range(900, 999) if not world.cluster.taken(n))
    if world.cluster.nodes["node2"].up and world.cluster.quorate() and len(world.strangers) < 5:
        address = next(f"192.168.1.{n}" for n in range(100, 254) if f"192.168.1.{n}" not in held | used)
        world.strangers_do(lambda: _come(world, vmid, address, ANOTHERS if marked else ""))


def _come(world: World, vmid: int, address: str, mark: str) -> None:
    make(world, vmid, address, mark)
    world.strangers.append(vmid)
    world.clock.move(60)


@act(name=("jane", "mail-shop"))
def name_taken(world: World, name: str) -> None:
    """Somebody sets a record for a name that no live site has: such a one keeps its name, and its repair says
    what stands there."""
    full, is_had = f"{name}.nodepoint.eu", Site.objects.filter(subdomain=name, state=Site.State.LIVE).exists()
    with quiet(world):
        if not is_had and not cloudflare().find_records(full):
            world.strangers_do(
                lambda: cloudflare().create_record("A", full, "198.51.100.60", comment="by hand")
            )

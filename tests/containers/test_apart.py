"""Two containers on one bridge: what a site reaches around it, and who reaches it, on both protocols.

The bridge's other side plays Proxmox VE, NPM, this backend and a metadata service; a namespace behind it is
the Internet. Proxmox VE's own firewall is not there: it is the container's that is looked at."""

import socket
import subprocess
import sys

from django.test import override_settings

from tests.containers import base, sites
from tests.containers.base import ContainerTestCase
from tests.containers.node import GATEWAY

NEIGHBOUR = 907
NAME_SERVER, RELAY = "10.77.0.53", "10.77.0.25"
OUTSIDE, OUTSIDE_V6 = "192.0.2.2", "2001:db8:99::2"
BRIDGE = f"""
set -e
for address in {NAME_SERVER} {RELAY} 10.77.0.8 10.77.0.9 10.77.0.10
do ip address replace $address/24 dev vmbr1; done
ip address replace 169.254.169.254/32 dev vmbr1
for address in fe80::1 fd77::1 2001:db8:77::1; do ip address replace $address/64 dev vmbr1 nodad; done
ip netns add internet
ip link add up0 type veth peer name eth0 netns internet
ip address replace 192.0.2.1/24 dev up0; ip address replace 2001:db8:99::1/64 dev up0 nodad
ip link set up0 up
inside="ip netns exec internet"
$inside ip address replace {OUTSIDE}/24 dev eth0; $inside ip address replace {OUTSIDE_V6}/64 dev eth0 nodad
$inside ip link set eth0 up
$inside ip route replace default via 192.0.2.1; $inside ip route replace default via 2001:db8:99::1
echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
"""
PLAYED = [
    ("10.77.0.8", 8006),
    ("10.77.0.9", 81),
    ("10.77.0.10", 8080),
    ("10.77.0.10", 22),
    ("169.254.169.254", 80),
    (NAME_SERVER, 54),
    (RELAY, 26),
    ("fd77::1", 8006),
    ("fe80::1%vmbr1", 8006),
]
OPEN = [(GATEWAY, 8888), (NAME_SERVER, 53), (RELAY, 2525)]
LISTENS = """
import socket, sys
held = [socket.create_server((host, 443), family=family) for host, family in
        ((sys.argv[1], socket.AF_INET), (sys.argv[2], socket.AF_INET6))]
print("ready", flush=True)
sys.stdin.read()
"""
REACH = """
while read -r host port; do
    (if timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null
    then echo "$host $port"; fi) </dev/null &
done
wait
"""
ROUTES = """
ip address replace fd77::{n:x}/64 dev eth0 nodad; ip address replace 2001:db8:77::{n:x}/64 dev eth0 nodad
ip route replace default via fe80::1 dev eth0
"""


def setUpModule() -> None:
    base.required(short=True)


class ApartTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container
        cls.neighbour = base.Container(NEIGHBOUR, base.order(NEIGHBOUR))
        cls.neighbour.create(base.plain_template())
        cls.addClassCleanup(cls.neighbour.destroy)
        cls.prepare_bridge()
        for container in (cls.container, cls.neighbour):
            container.shell(ROUTES.format(n=container.vmid))
        cls.neighbour.shell("systemctl start ssh.service")
        local = "ip -6 -o address show dev eth0 scope link | awk '{print $4}' | cut -d/ -f1"
        cls.neighbours = [
            ("10.77.0.107", 22),
            (f"fd77::{NEIGHBOUR:x}", 22),
            (f"{cls.neighbour.shell(local).split()[0]}%eth0", 22),
        ]
        cls.own = [("10.77.0.103", 80), (f"fd77::{sites.PLAIN:x}", 80)]
        cls.own.append((f"{cls.container.shell(local).split()[0]}%eth0", 80))
        cls.closed = [(host.replace("vmbr1", "eth0"), port) for host, port in PLAYED] + cls.neighbours
        with override_settings(SITE_NAMESERVERS=[NAME_SERVER], SITE_SMTP_URL=f"smtp://{RELAY}:2525"):
            cls.write_firewall()
        cls.addClassCleanup(cls.write_firewall)

    @classmethod
    def prepare_bridge(cls) -> None:
        base.node().run("sh", "-c", BRIDGE)
        cls.addClassCleanup(base.node().run, "sh", "-c", "ip netns del internet")
        for host, port in PLAYED + OPEN:
            # The kernel itself connects whoever comes; nobody need accept.
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            address = base.node().on_network(socket.getaddrinfo, host, port, family)[0][4]
            made = base.node().on_network(socket.create_server, address, family=family)
            cls.addClassCleanup(made.close)
        command = ["ip", "netns", "exec", "internet", sys.executable, "-c", LISTENS, OUTSIDE, OUTSIDE_V6]
        outside = subprocess.Popen(
            base.node().entering(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        cls.addClassCleanup(outside.communicate)
        if outside.stdout.readline() != "ready\n":
            raise AssertionError("nothing listens outside")

    @classmethod
    def write_firewall(cls) -> None:
        """By the script, with the settings of this moment."""
        script = cls.container.script().replace("\nBASE=(", "\nBASE=() OTHERS=(", 1)
        lines = cls.container.install(script.replace("\nSITE=(", "\nSITE=(web) MORE=(", 1))
        if lines[-1] != "done 0":
            raise AssertionError(lines)

    def reached(
        self, targets: list[tuple[str, int]], source: base.Container | None = None
    ) -> list[tuple[str, int]]:
        """Those of the targets that the container (the site's, unless given) can connect to."""
        asked = "".join(f"{host} {port}\n" for host, port in targets)
        output = (source or self.container).run("bash", "-c", REACH, stdin=asked)
        said = {tuple(line.split()) for line in output.stdout.splitlines()}
        return [(host, port) for host, port in targets if (host, str(port)) in said]

    def test_nothing_in_a_closed_network_is_reached(self):
        self.assertEqual(self.reached(self.closed), [])

    def test_all_of_it_would_be_reached_without_the_firewall(self):
        self.container.shell("nft flush chain inet filter output")
        try:
            self.assertEqual(self.reached(self.closed), self.closed)
        finally:
            self.container.shell("systemctl reload-or-restart nftables")

    def test_what_a_site_needs_is_reached(self):
        needed = [*OPEN, (OUTSIDE, 443), (OUTSIDE_V6, 443)]
        self.assertEqual(self.reached(needed), needed)

    def test_names_are_asked_for_by_udp_and_nothing_else_goes_there(self):
        for port in (53, 54):
            with base.node().on_network(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as server:
                server.settimeout(2)
                server.bind((NAME_SERVER, port))
                self.container.run("bash", "-c", f"echo {port} >/dev/udp/{NAME_SERVER}/{port}")
                if port == 53:
                    self.assertEqual(server.recv(10), b"53\n")
                else:
                    self.assertRaises(TimeoutError, server.recv, 10)

    def test_neighbours_are_discovered_anew_on_ipv6(self):
        self.container.shell("ip -6 neigh flush dev eth0")
        base.node().run("ip", "-6", "neigh", "flush", "dev", "vmbr1")
        self.assertEqual(self.reached([(OUTSIDE_V6, 443)]), [(OUTSIDE_V6, 443)])

    def test_nobody_but_the_proxy_comes_in(self):
        self.assertEqual(self.reached(self.own, source=self.neighbour), [])
        pinged = self.neighbour.run("ping", "-c1", "-W1", "10.77.0.103")
        self.assertEqual(pinged.exit_code, 1, pinged)
        self.assertEqual(self.container.visit("/healthz").text, "ok\n")

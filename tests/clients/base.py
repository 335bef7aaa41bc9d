"""What the behaviour suites share: a lab for each class, and clients made of its settings."""

import time
import unittest
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import lab
from nodepoint.clients.errors import ClientError, TimedOut
from sites.clients.cloudflare import Cloudflare
from sites.clients.console import Console
from sites.clients.npm import Npm
from sites.clients.proxmox import Proxmox, Task, task_error


class LabTestCase(unittest.TestCase):
    """A lab at speed 0 for the class; faults do not outlive a test."""

    lab: "lab.Lab"
    settings: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = lab.start(speed=0.0)
        cls.addClassCleanup(cls.lab.stop)
        cls.settings = cls.lab.settings

    def setUp(self) -> None:
        self.addCleanup(self.lab.faults.clear)

    @contextmanager
    def assert_fails(self, kind: type[ClientError], within: float = 10.0) -> Iterator[None]:
        """The block ends in exactly this error, before `within` seconds are over."""
        begun = time.monotonic()
        with self.assertRaises(ClientError) as caught:
            yield
        self.assertIs(type(caught.exception), kind, str(caught.exception))
        self.assertLess(time.monotonic() - begun, within)

    def assert_all_time_out(self, calls: Mapping[str, Callable[[], object]], within: float) -> None:
        """Every call, made at the same time, ends in `TimedOut` before `within` seconds are over."""
        begun = time.monotonic()
        with ThreadPoolExecutor(len(calls)) as pool:
            ends = {name: pool.submit(call) for name, call in calls.items()}
            for name, end in ends.items():
                with self.subTest(method=name):
                    self.assertIs(type(end.exception(within)), TimedOut, end.exception())
                    self.assertLess(time.monotonic() - begun, within)

    def node_is_up(self, node: str, up: bool) -> None:
        """A node goes away or comes back."""
        with self.lab.lock:
            self.lab.proxmox.cluster.set_node_up(node, up)

    @classmethod
    def proxmox(cls, timeout: float = 10.0, **changes: str) -> Proxmox:
        """A client of the lab's cluster; `changes` are settings."""
        s = cls.settings | changes
        return Proxmox(
            s["PROXMOX_HOST"],
            s["PROXMOX_USER"],
            s["PROXMOX_TOKEN_NAME"],
            s["PROXMOX_TOKEN_VALUE"],
            s["PROXMOX_VERIFY_TLS"],
            timeout,
        )

    @classmethod
    def cloudflare(cls, timeout: float = 10.0, **changes: str) -> Cloudflare:
        """A client of the lab's zone."""
        s = cls.settings | changes
        return Cloudflare(
            s["CLOUDFLARE_API_URL"], s["CLOUDFLARE_API_TOKEN"], s["CLOUDFLARE_ZONE_ID"], timeout
        )

    @classmethod
    def npm(cls, timeout: float = 10.0, **changes: str) -> Npm:
        """A client of the lab's NPM."""
        s = cls.settings | changes
        return Npm(s["NPM_URL"], s["NPM_EMAIL"], s["NPM_PASSWORD"], timeout)

    @classmethod
    def console(cls, timeout: float = 10.0, **changes: str) -> Console:
        """A console on the lab's nodes."""
        s = cls.settings | changes
        return Console(hosts(s), s["SSH_USER"], s["SSH_KEY_FILE"], s["SSH_KNOWN_HOSTS"], timeout)

    def made(self, vmid: int, node: str = "node1", storage: str = "global-lvm", running: bool = False) -> int:
        """A container of the usual size with address 192.168.1.<vmid - 800>, ready and perhaps running."""
        client = self.proxmox()
        self.finished(client.create_container(node, vmid, **container(vmid, self.settings, storage)))
        if running:
            self.finished(client.start(node, vmid))
        return vmid

    def finished(self, upid: str | None) -> Task:
        """Waits for a task; its failure is raised as the error that it stands for."""
        assert upid is not None, "nothing was begun"
        for _ in range(500):
            task = self.proxmox_client.task_status(upid)
            if not task.running:
                if not task.ok:
                    raise task_error(task.exitstatus)
                return task
            time.sleep(0.01)
        raise AssertionError(f"{upid} does not end")

    @property
    def proxmox_client(self) -> Proxmox:
        """One client for the class's own waiting."""
        if "_proxmox_client" not in type(self).__dict__:
            type(self)._proxmox_client = self.proxmox()
        return type(self)._proxmox_client


def hosts(settings: dict[str, str]) -> dict[str, tuple[str, int]]:
    """SSH_NODE_HOSTS as `Console` takes it."""
    pairs = (entry.split("=") for entry in settings["SSH_NODE_HOSTS"].split(","))
    return {node: (address.split(":")[0], int(address.split(":")[1])) for node, address in pairs}


def container(vmid: int, settings: dict[str, str], storage: str = "global-lvm") -> dict:
    """The arguments of a usual container."""
    return {
        "ostemplate": settings["PROXMOX_TEMPLATE"],
        "storage": storage,
        "disk_gb": 20,
        "hostname": f"site-{vmid}",
        "memory": 2048,
        "cores": 2,
        "net0": {
            "name": "eth0",
            "bridge": settings["PROXMOX_BRIDGE"],
            "ip": f"192.168.1.{vmid - 800}/24",
            "gw": settings["SITE_GATEWAY"],
            "firewall": True,
        },
        "nameserver": ["192.168.1.1"],
        "description": f"nodepoint:{vmid}",
        "tag": ["nodepoint", f"s{vmid}"],
        "pool": settings["PROXMOX_POOL"],
    }

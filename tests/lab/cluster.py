"""What the tests of the simulated Proxmox share: an own lab, the real proxmoxer, short ways."""

import unittest
from typing import Any

import requests
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException
from proxmoxer.tools import Tasks

import lab

NODE = "node1"
NET0 = "name=eth0,bridge=vmbr1,ip=192.168.1.100/24,gw=192.168.1.1,firewall=1"
SCRIPT = b"#!/bin/bash\n# lab: install status=/root/install.status\nmain() { :; }\nmain </dev/null\n"


class ClusterCase(unittest.TestCase):
    """A lab in memory at speed 0 for each test."""

    speed = 0.0

    def setUp(self) -> None:
        self.lab = lab.start(speed=self.speed)
        self.addCleanup(self.lab.stop)
        self.api = self.connect()

    def connect(self, **more: Any) -> ProxmoxAPI:
        settings = self.lab.settings
        host, port = settings["PROXMOX_HOST"].split(":")
        known = {
            "user": settings["PROXMOX_USER"],
            "token_name": settings["PROXMOX_TOKEN_NAME"],
            "token_value": settings["PROXMOX_TOKEN_VALUE"],
            "verify_ssl": settings["PROXMOX_VERIFY_TLS"],
        }
        return ProxmoxAPI(host, port=int(port), timeout=10, **(known | more))

    def raw(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request past proxmoxer; the token is sent unless ``headers`` say otherwise."""
        settings = self.lab.settings
        user = f"{settings['PROXMOX_USER']}!{settings['PROXMOX_TOKEN_NAME']}"
        more.setdefault("headers", {"Authorization": f"PVEAPIToken={user}={settings['PROXMOX_TOKEN_VALUE']}"})
        url = f"https://{settings['PROXMOX_HOST']}/api2/json{path}"
        return requests.request(method, url, verify=settings["PROXMOX_VERIFY_TLS"], timeout=10, **more)

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.lab.url}/_lab/{path}", json=body, timeout=10)

    def ct(self, vmid: int = 900, node: str = NODE) -> Any:
        return self.api.nodes(node).lxc(vmid)

    def exitstatus(self, upid: str) -> str:
        """Wait for a task; its exitstatus."""
        status = Tasks.blocking_status(self.api, upid, timeout=10, polling_interval=0.01)
        self.assertIsNotNone(status, f"{upid} did not end in time")
        return status["exitstatus"]

    def done(self, upid: str) -> None:
        """Wait for a task that must succeed."""
        self.assertEqual("OK", self.exitstatus(upid))

    def fork_create(self, vmid: int = 900, node: str = NODE, **more: Any) -> str:
        values = {
            "vmid": vmid,
            "ostemplate": self.lab.settings["PROXMOX_TEMPLATE"],
            "rootfs": "global-lvm:20",
            "memory": 2048,
            "net0": NET0,
            "features": "nesting=1",
        }
        return self.api.nodes(node).lxc.post(**(values | more))

    def create(self, vmid: int = 900, *, start: bool = False, **more: Any) -> Any:
        """A finished container, at once whatever the clock says; returns proxmoxer's resource for it."""
        factor, self.lab.clock.factor = self.lab.clock.factor, 0.0
        self.done(self.fork_create(vmid, **more))
        ct = self.ct(vmid, more.get("node", NODE))
        if start:
            self.done(ct.status.start.post())
        self.lab.clock.factor = factor
        return ct

    def install(self, vmid: int = 900, node: str = NODE) -> None:
        code, out, _ = self.lab.guest_exec(node, vmid, ["bash", "-s", "install"], SCRIPT)
        self.assertEqual((0, b"started\n"), (code, out))

    def refused(self, status: int, text: str, call: Any, *args: Any, **values: Any) -> ResourceException:
        """The call must fail before its task is forked, with that status and that text in its reason."""
        with self.assertRaises(ResourceException) as caught:
            call(*args, **values)
        self.assertEqual(status, caught.exception.status_code)
        self.assertIn(text, caught.exception.content)
        return caught.exception

    def resource(self, vmid: int = 900) -> dict[str, Any]:
        """The container's entry in the bulk status."""
        return next(r for r in self.api.cluster.resources.get(type="vm") if r["vmid"] == vmid)

    def service(self, vmid: int = 900) -> dict[str, Any]:
        """The container's entry in the HA status."""
        return next(e for e in self.api.cluster.ha.status.current.get() if e.get("sid") == f"ct:{vmid}")

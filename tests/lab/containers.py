"""Containers for tests of the systems that reach into them."""

import requests

import lab

INSTALL = """#!/bin/bash
# lab: install status=/var/lib/nodepoint/install.status
main() { echo not played here; }
main "$@" </dev/null
"""


def make_container(running: lab.Lab, vmid: int, *, start: bool) -> None:
    """A container on node1 with the address 192.168.1.(VMID - 800)."""
    settings = running.settings
    token = f"{settings['PROXMOX_USER']}!{settings['PROXMOX_TOKEN_NAME']}={settings['PROXMOX_TOKEN_VALUE']}"
    body = {
        "vmid": vmid,
        "ostemplate": settings["PROXMOX_TEMPLATE"],
        "rootfs": "global-lvm:20",
        "unprivileged": 1,
        "hostname": f"site-{vmid}",
        "net0": f"name=eth0,bridge=vmbr1,ip=192.168.1.{vmid - 800}/24,gw=192.168.1.1",
        "start": int(start),
    }
    answer = requests.post(
        f"https://{settings['PROXMOX_HOST']}/api2/json/nodes/node1/lxc",
        data=body,
        headers={"Authorization": f"PVEAPIToken={token}"},
        verify=settings["PROXMOX_VERIFY_TLS"],
        timeout=5,
    )
    assert answer.status_code == 200, answer.text
    running.world.settle()

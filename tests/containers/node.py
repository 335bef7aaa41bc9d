"""A node for real containers, in namespaces of its own, and a real sshd in front of it."""

import ctypes
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sites.clients.console import Console

HERE = Path(__file__).parent
NAME = "node1"
GATEWAY = "10.77.0.1"  # the node's address on the containers' bridge: what they know as their proxy
NAMESPACES = ("--mount", "--net", "--cgroup", "--pid", "--uts", "--ipc")
CLONE_NEWNET = 0x40000000  # from linux/sched.h
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Node:
    """`folder` holds keys, containers and everything else. Ends with `close`, or with this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o711)  # the containers' own root is somebody else
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", *NAMESPACES, "--fork", "--kill-child"]
        self._unshare = subprocess.Popen(
            [*command, "--mount-proc", "bash", str(HERE / "node.sh"), str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        said = []
        for line in self._unshare.stdout:
            said.append(line.strip())
            if said[-1] == "ready":
                break
        else:
            raise RuntimeError("the node could not be made: see above")
        self.has_snapshots = "snapshots" in said
        children = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text()
        self.pid = int(children.split()[0])
        # A thread may enter a network namespace for itself: what this one opens is on the node's network.
        self._inside = ThreadPoolExecutor(1, "node", initializer=_enter_network, initargs=(self.pid,))
        self._sshd = _Sshd(self)
        self.pct_environment = {"NODE": str(folder), "PATH": f"{folder}/bin:{PATH}"}

    def close(self) -> None:
        """Every process, mount and interface of the node goes."""
        self._sshd.close()
        self._inside.shutdown()
        self._unshare.kill()  # takes the namespace's first process along, and with it all of them
        self._unshare.wait()
        self._unshare.stdout.close()

    def console(self, timeout: float = 20.0) -> Console:
        """The product's own, with throw-away keys. `timeout`: seconds for a whole call."""
        hosts = {NAME: ("127.0.0.1", self._sshd.port)}
        return Console(hosts, "root", str(self._sshd.key), str(self._sshd.known_hosts), timeout)

    def run(self, *command: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command on the node itself, without SSH."""
        done = subprocess.run(
            self.entering(command),
            input=stdin,
            capture_output=True,
            text=True,
            env=self.pct_environment,
            timeout=900,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{command}: exit code {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def ssh(self, *command: str) -> list[str]:
        """The OpenSSH client's command line for a command on the node."""
        options = {"UserKnownHostsFile": self._sshd.known_hosts, "IdentitiesOnly": "yes", "BatchMode": "yes"}
        words = [f"-o{name}={value}" for name, value in options.items()]
        return [
            "ssh",
            "-F",
            "none",
            "-i",
            str(self._sshd.key),
            f"-p{self._sshd.port}",
            *words,
            "root@127.0.0.1",
            *command,
        ]

    def entering(self, command: Sequence[str]) -> list[str]:
        """The command that runs `command` in all of the node's namespaces."""
        return ["nsenter", "--target", str(self.pid), "--all", *command]

    def on_network(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls it in a thread whose new sockets are on the containers' network."""
        return self._inside.submit(function, *args, **kwargs).result(timeout=120)


def _enter_network(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{pid}/ns/net") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


class _Sshd:
    """OpenSSH's server on a loopback port. It runs in the node's namespaces, one process a connection."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.key, host_key = node.folder / "key", node.folder / "host-key"
        for path in (self.key, host_key):
            if not path.exists():
                _quiet("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.known_hosts = node.folder / "known-hosts"
        public = host_key.with_suffix(".pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")
        self._config = node.folder / "sshd_config"
        self._config.write_text(_SSHD_CONFIG.format(folder=node.folder, path=PATH))
        self._sessions: list[subprocess.Popen[bytes]] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for session in self._sessions:
            session.kill()
            session.wait()

    def _serve(self) -> None:
        command = self._node.entering(["/usr/sbin/sshd", "-i", "-e", "-f", str(self._config)])
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            with connection:
                self._sessions.append(
                    subprocess.Popen(command, stdin=connection, stdout=connection, stderr=subprocess.DEVNULL)
                )


_SSHD_CONFIG = """\
HostKey {folder}/host-key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
AcceptEnv LANG LC_*
SetEnv NODE={folder} PATH={folder}/bin:{path}
"""


def _quiet(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def impossible() -> str:
    """Why real containers cannot run on this machine, in a line; empty when they can."""
    if sys.platform != "linux":
        return "only Linux has containers"
    if os.geteuid() != 0:
        return "only root may make namespaces, mounts and bridges"
    for program in ("mmdebstrap", "lxc-start", "lxc-usernsexec", "sshd", "nsenter", "ssh-keygen", "zstd"):
        if not any(Path(folder, program).exists() for folder in PATH.split(":")):
            return f"{program} is not installed"
    trial = "mount -t sysfs a /sys && mount -t cgroup2 b /sys/fs/cgroup && ip link add vmbr1 type bridge"
    command = ["unshare", *NAMESPACES, "--fork", "--mount-proc", "sh", "-c", trial]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return f"namespaces: {tried.stderr.strip() or tried.returncode}" if tried.returncode else ""

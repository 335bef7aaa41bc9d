"""The nodes' shells over SSH: `pct` (pve-container, CLI/pct.pm), `pvesm`, and commands for archives."""

import contextlib
import hashlib
import shlex
import socket
import threading
from collections.abc import Callable
from functools import cache

import paramiko

from tests.independent.pve import tls
from tests.independent.pve.cluster import DUMPS, TEMPLATES, Cluster, Guest
from tests.independent.pve.server import ApiServer

FOLDERS = {"vztmpl": TEMPLATES, "backup": DUMPS}
Answer = tuple[int, bytes, bytes]


@cache
def keys() -> tuple[paramiko.PKey, paramiko.PKey]:
    """Of the nodes, and of whoever may log in."""
    return paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()


class Node:
    """A node's sshd and its root shell. `log`: the lines that were run."""

    def __init__(self, name: str, server: ApiServer) -> None:
        self.name, self.log = name, []
        self._server, self._lock = server, server.lock
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):  # not every system shuts a socket that only listens
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # `close` has shut the socket
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(connection)
        transport.add_server_key(keys()[0])
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):  # a client that hangs up
            transport.start_server(server=_Login(self))
            transport.join()

    def run(self, line: str, stdin: bytes) -> Answer:
        """The login shell parses the line; there is nothing to expand in what we are sent."""
        words = shlex.split(line)
        with self._lock:
            cluster = self._server.cluster
            self._server.trap(f"EXEC {line}")
            cluster.tasks.settle()
            self.log.append(line)
            if not cluster.nodes[self.name]:
                return 255, b"", b"Connection closed"
            if words[:2] == ["pct", "exec"]:
                return self._exec(cluster, words[2:], stdin)
            command = COMMANDS.get(words[0])
            return command(self, cluster, words[1:], stdin) if command else (127, b"", b"command not found\n")

    def _exec(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """Perl's die takes errno for its exit code: ENOENT, 2, where the container's file is not here."""
        vmid, argv = int(words[0]), words[words.index("--") + 1 :]
        guest = self._guest(cluster, vmid)
        if guest is None:
            return self._no_config(vmid)
        if not guest.running:
            return 255, b"", f"container '{vmid}' not running!\n".encode()
        code, out, err = guest.inside.run(argv, stdin.decode(), cluster.tasks.now())
        return code, out.encode(), err.encode()

    def _guest(self, cluster: Cluster, vmid: int) -> Guest | None:
        guest = cluster.guests.get(vmid)
        return guest if guest and guest.node == self.name and guest.type == "lxc" else None

    def _no_config(self, vmid: int) -> Answer:
        return 2, b"", f"Configuration file 'nodes/{self.name}/lxc/{vmid}.conf' does not exist\n".encode()

    # The commands

    def pct(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """status, unlock"""
        guest = self._guest(cluster, int(words[1]))
        if guest is None:
            return self._no_config(int(words[1]))
        if words[0] == "unlock":
            guest.config.pop("lock", None)
            return 0, b"", b""
        return 0, f"status: {'running' if guest.running else 'stopped'}\n".encode(), b""

    def pvesm(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """path, free"""
        kind, _, name = words[1].partition(":")[2].partition("/")
        path = f"{FOLDERS[kind]}/{name}"
        if words[0] == "path":
            return 0, f"{path}\n".encode(), b""
        cluster.files[self.name].pop(path, None)
        cluster.notes.pop(f"{self.name}:{path}", None)
        return 0, b"", b""

    def copy(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """cp"""
        source, target = words[-2:]
        files = cluster.files[self.name]
        if source not in files:
            return 1, b"", f"cp: cannot stat '{source}': No such file or directory\n".encode()
        files[target] = files[source]
        return 0, b"", b""

    def move(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """mv"""
        code, out, err = self.copy(cluster, words, stdin)
        if code == 0:
            del cluster.files[self.name][words[-2]]
        return code, out, err

    def remove(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """rm"""
        cluster.files[self.name].pop(words[-1], None)
        return 0, b"", b""

    def read(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """cat"""
        content = cluster.files[self.name].get(words[-1])
        return (1, b"", b"cat: No such file or directory\n") if content is None else (0, content, b"")

    def write(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """dd"""
        target = next(word.removeprefix("of=") for word in words if word.startswith("of="))
        cluster.files[self.name][target] = stdin
        return 0, b"", b""

    def digest(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """sha256sum"""
        content = cluster.files[self.name].get(words[-1], b"")
        return 0, f"{hashlib.sha256(content).hexdigest()}  {words[-1]}\n".encode(), b""

    def nothing(self, cluster: Cluster, words: list[str], stdin: bytes) -> Answer:
        """true"""
        return 0, b"", b""


COMMANDS: dict[str, Callable[[Node, Cluster, list[str], bytes], Answer]] = {
    "pct": Node.pct,
    "pvesm": Node.pvesm,
    "cp": Node.copy,
    "mv": Node.move,
    "rm": Node.remove,
    "cat": Node.read,
    "dd": Node.write,
    "sha256sum": Node.digest,
    "true": Node.nothing,
}


class _Login(paramiko.ServerInterface):
    def __init__(self, node: Node) -> None:
        self._node = node

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        good = username == "root" and key.get_base64() == keys()[1].get_base64()
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, line: str) -> None:
        # A client that hangs up; what was done is done all the same.
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            stdin = b"" if line.startswith("cat ") else channel.makefile("rb").read()
            code, out, err = self._node.run(line, stdin)
            channel.sendall(out)
            channel.sendall_stderr(err)
            channel.send_exit_status(code)
            channel.close()


def files(nodes: list[Node]) -> tuple[str, str]:
    """Paths of the known hosts and of the key to log in with."""
    known, key = tls.folder() / "known_hosts", tls.folder() / "ssh_key"
    host = keys()[0]
    known.write_text(
        "".join(f"[127.0.0.1]:{node.port} {host.get_name()} {host.get_base64()}\n" for node in nodes)
    )
    keys()[1].write_private_key_file(str(key))
    return str(known), str(key)

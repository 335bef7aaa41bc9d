"""The nodes' SSH servers: root may log in with the lab's client key and run one command per channel."""

import contextlib
import logging
import shlex
import socket
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import paramiko
from paramiko.common import MSG_CHANNEL_REQUEST

from lab.node import STDIN, NodeCommands

if TYPE_CHECKING:
    from lab import Lab
    from lab.faults import Fault
    from lab.proxmox.state.model import Node

Output = tuple[int, bytes, bytes]

MAX_SESSIONS = 10
"""Open channels per connection, sshd's own default."""
MAX_STDIN = 4 * 1024 * 1024
FAILED = 255
NOT_HERE = BAD_PARAMETER = 2
"""What `pct` exits with is what errno held when Perl died; a command inside may exit with the same."""
LOGIN_SECONDS = 20

LOG_CHANNEL = "lab.ssh"
# Clients that go away in the middle are daily bread here, and paramiko would report each with a traceback.
logging.getLogger(LOG_CHANNEL).setLevel(logging.CRITICAL)

_OPERATORS = ("&&", "||", ";", "\n", "&")


class NotPlayed(Exception):
    """A command line with shell syntax that the played shell does not know."""


class NodeServer:
    """The sshd of one node."""

    def __init__(self, lab: "Lab", node: "Node") -> None:
        self._lab, self._node = lab, node
        self._commands = NodeCommands(lab, node.name)
        self._host_key = paramiko.Ed25519Key(filename=str(lab.keys.ssh_key_file(node.name)))
        self.client_key = paramiko.Ed25519Key(filename=str(lab.keys.client_key_file))
        self._transports: set[paramiko.Transport] = set()
        name = f"ssh-{node.name}"
        self._socket = socket.create_server((lab.address, lab.port(name)), backlog=256)
        self.port: int = self._socket.getsockname()[1]
        lab.keep_port(name, self.port)
        self._thread = threading.Thread(target=self._accept, name=f"lab-{name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and break every connection."""
        with contextlib.suppress(OSError):  # not every system shuts a socket that only listens
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        for transport in list(self._transports):
            transport.close()

    def up(self) -> bool:
        """Whether the node runs."""
        return self._node.up

    def take(self, line: str) -> "Fault | None":
        """Count a command and take the fault that is meant for it."""
        self._lab.count("ssh")
        return self._lab.faults.take("ssh", f"EXEC {line}")

    def run(self, channel: paramiko.Channel, line: str, fault: "Fault | None") -> None:
        """Do what the command line says and end the channel, in the way that the fault wants."""
        kind = fault.kind if fault else ""
        transport = channel.get_transport()
        with transport.lock:
            # Nobody calls accept(), so paramiko would keep every channel of the connection in this list.
            transport.server_accepts = [other for other in transport.server_accepts if other is not channel]
        if fault and kind in ("slow", "hang"):
            self._lab.sleep(fault.seconds)
        if kind in ("hang", "drop_before"):
            transport.close()
            return
        self._lab.sleep(self._lab.clock.seconds("ssh"))
        output = (FAILED, b"", b"") if kind == "error" else self._output(channel, line)
        if kind == "drop_after" or not self.up():
            transport.close()
            return
        # The client may have gone by now; what was done is done all the same.
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            _send(channel, output)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # `stop` has shut the socket
                return
            if not self.up():
                connection.close()
                continue
            threading.Thread(target=self._shake_hands, args=(connection,), daemon=True).start()

    def _shake_hands(self, connection: socket.socket) -> None:
        # Without it every short answer waits for the client's delayed acknowledgement, 40 ms.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = _Transport(connection)
        transport.set_log_channel(LOG_CHANNEL)
        transport.auth_timeout = LOGIN_SECONDS
        transport.add_server_key(self._host_key)
        self._transports = {known for known in self._transports if known.is_active()} | {transport}
        # A client that hangs up in the greeting; paramiko ends the connection.
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            transport.start_server(server=_Session(self, transport))

    def _output(self, channel: paramiko.Channel, line: str) -> Output:
        try:
            return _shell(line, lambda words: self._command(words, channel))
        except NotPlayed as error:
            return 2, b"", f"bash: -c: {error}\n".encode()

    def _command(self, words: list[str], channel: paramiko.Channel) -> Output:
        if words[0] == "true":
            return 0, b"", b""
        if words[0] == "hostname":
            return 0, f"{self._node.name}\n".encode(), b""
        if words[0].rpartition("/")[2] == "pct":
            return self._pct(words[1:], channel)
        if self._commands.knows(words[0]):
            return self._commands.run(words, _read_all(channel) if words[0] in STDIN else b"")
        return 127, b"", f"bash: line 1: {words[0]}: command not found\n".encode()

    def _pct(self, words: list[str], channel: paramiko.Channel) -> Output:
        call, arguments = (words[0] if words else ""), words[1:]
        if call not in ("exec", "status", "unlock"):
            what = f"unknown command 'pct {call}'" if call else "no command specified"
            return FAILED, b"", f"ERROR: {what}\n".encode()
        if not arguments or not arguments[0].isdigit():
            given = arguments[0] if arguments else ""
            what = (
                f"400 Parameter verification failed.\nvmid: type check ('integer') failed - got '{given}'\n"
            )
            return BAD_PARAMETER, b"", what.encode()
        vmid = int(arguments[0])
        if call == "unlock":
            return self._commands.unlock(vmid)
        return self._status(vmid) if call == "status" else self._exec(vmid, arguments[1:], channel)

    def _status(self, vmid: int) -> Output:
        self._lab.world.settle()
        with self._lab.lock:
            container = self._lab.proxmox.cluster.containers.get(vmid)
            if container is None or container.node != self._node.name:
                path = f"nodes/{self._node.name}/lxc/{vmid}.conf"
                return NOT_HERE, b"", f"Configuration file '{path}' does not exist\n".encode()
            return 0, f"status: {'running' if container.running else 'stopped'}\n".encode(), b""

    def _exec(self, vmid: int, words: list[str], channel: paramiko.Channel) -> Output:
        while words and words[0].startswith("--"):
            option = words.pop(0)
            if option == "--":
                break
            if option != "--keep-env" or words[:1] not in (["0"], ["1"]):
                said = f"Unknown option: {option.lstrip('-')}\n400 unable to parse option\n"
                return BAD_PARAMETER, b"", said.encode()
            words.pop(0)
        stdin = _read_all(channel) if _reads_stdin(words) else b""
        return self._lab.guest_exec(self._node.name, vmid, words, stdin)


def _handle_request(channel: paramiko.Channel, message: paramiko.Message) -> None:
    channel._handle_request(message)
    start = getattr(channel, "lab_start", None)
    if start is not None:
        del channel.lab_start
        start()


class _Transport(paramiko.Transport):
    """Starts a command only after the client has been told that it is accepted.

    Paramiko sends that message when check_channel_exec_request has returned: a thread started in there may
    end the channel before, which the client takes for a refusal. So it is started one step later.
    """

    _channel_handler_table = {
        **paramiko.Transport._channel_handler_table,
        MSG_CHANNEL_REQUEST: _handle_request,
    }


class _Session(paramiko.ServerInterface):
    """What one connection may do."""

    def __init__(self, node: NodeServer, transport: paramiko.Transport) -> None:
        self._node, self._transport = node, transport

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == "root" and key == self._node.client_key
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind != "session":
            return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        full = len(self._transport._channels) >= MAX_SESSIONS
        return paramiko.OPEN_FAILED_CONNECT_FAILED if full else paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if not self._node.up():
            self._transport.close()
            return False
        line = command.decode(errors="replace")
        fault = self._node.take(line)
        if fault and fault.kind == "refuse":
            return False
        run = threading.Thread(target=self._node.run, args=(channel, line, fault), daemon=True)
        channel.lab_start = run.start  # type: ignore[attr-defined]
        return True


class Ssh:
    """The SSH servers of all nodes."""

    def __init__(self, lab: "Lab") -> None:
        nodes = lab.proxmox.cluster.nodes
        self.nodes = {name: NodeServer(lab, node) for name, node in nodes.items()}
        known_hosts = lab.data / "known_hosts"
        lines = [f"[{lab.address}]:{self.nodes[name].port} {lab.keys.ssh_public(name)}\n" for name in nodes]
        known_hosts.write_text("".join(lines))
        hosts = [f"{name}={lab.address}:{server.port}" for name, server in self.nodes.items()]
        self.settings: dict[str, str] = {
            "SSH_USER": "root",
            "SSH_KEY_FILE": str(lab.keys.client_key_file),
            "SSH_KNOWN_HOSTS": str(known_hosts),
            "SSH_NODE_HOSTS": ",".join(hosts),
        }

    def state_view(self) -> None:
        """What SSH reaches is part of the containers."""

    def stop(self) -> None:
        """Stop every node's server."""
        for server in self.nodes.values():
            server.stop()


def _shell(line: str, run: Callable[[list[str]], Output]) -> Output:
    """Run a command line as the node's login shell would: split into words, commands one after the other.

    Raises NotPlayed for syntax beyond quotes and ``; & && ||``.
    """
    code, out, err = 0, b"", b""
    for operator, text in _commands(line):
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise NotPlayed(f"line 1: unexpected EOF ({error})") from error
        if not words or (operator == "&&" and code != 0) or (operator == "||" and code == 0):
            continue
        code, more_out, more_err = run(words)
        out, err = out + more_out, err + more_err
    return code, out, err


def _commands(line: str) -> list[tuple[str, str]]:
    """(operator before it, text) of each simple command; quotes and backslashes are kept."""
    commands, operator, begin, at, quote = [], "", 0, 0, ""
    while at < len(line):
        letter = line[at]
        found = next((known for known in _OPERATORS if not quote and line.startswith(known, at)), "")
        if found:
            commands.append((operator, line[begin:at]))
            operator, at = found, at + len(found)
            begin = at
            continue
        if (quote != "'" and letter in "$`") or (not quote and letter in "|<>()*?"):
            raise NotPlayed(f"line 1: the lab's shell does not play {letter!r}")
        if letter == "\\" and quote != "'":
            at += 1
        elif letter in "'\"" and quote in ("", letter):
            quote = "" if quote else letter
        at += 1
    return [*commands, (operator, line[begin:])]


def _reads_stdin(words: Sequence[str]) -> bool:
    """Only a shell that gets its script this way; all else would wait for an end that may never come."""
    return any(word.rpartition("/")[2] in ("bash", "sh") for word in words) and "-s" in words


def _read_all(channel: paramiko.Channel) -> bytes:
    """Standard input to its end, which a broken connection is too."""
    parts, size = [], 0
    while size < MAX_STDIN and (part := channel.recv(65536)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _send(channel: paramiko.Channel, output: Output) -> None:
    code, out, err = output
    channel.sendall(out)
    channel.sendall_stderr(err)
    channel.send_exit_status(code)
    channel.close()


def start(lab: "Lab") -> Ssh:
    """Start one SSH server per node."""
    return Ssh(lab)

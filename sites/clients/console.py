"""Commands inside containers: `pct exec` on the node that holds them, over SSH.

The API of Proxmox VE has no such call. ssh joins its arguments and the node's shell, as root, parses them
again: so the line is quoted once more here, and whatever is not a plain word belongs on stdin.
"""

import contextlib
import logging
import os
import re
import select
import shlex
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nodepoint.clients.breaker import guarded
from nodepoint.clients.counting import observed
from nodepoint.clients.deadline import end_of, left_until
from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    ClientError,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)

if TYPE_CHECKING:
    import paramiko

SYSTEM = "ssh"
MOST_BYTES = 64 * 1024  # of each stream that are kept
CHUNK = 256 * 1024  # bytes of a file that are passed on at once
SESSIONS = 8  # channels at once on a connection; sshd allows 10 by default (MaxSessions)
OPEN_SECONDS = 5.0  # for opening a channel on a connection that may have died unnoticed
LOG = "paramiko.nodepoint"
KEEPALIVE = 30  # seconds
POLL_MS = 250  # a channel that the watchdog closes wakes nobody: its descriptor is just gone

# What `pct` writes to stderr of its own failures. Its exit codes mean nothing: perl's `die` takes what errno
# happens to be, 2 for a container that is elsewhere, 255 for one that does not run (pve-container 6.1.10,
# run), and the command inside may end with any of them.
PCT_OWN = re.compile(
    r"\A(?:[Cc]onfiguration file 'nodes/.*/lxc/\d+\.conf' does not exist|container '\d+' not running!"
    r"|can't lock file '/run/lock/lxc/|CT is locked)"
)
PCT_TEXTS: tuple[tuple[re.Pattern[str], type[ClientError]], ...] = (
    (re.compile(r"[Cc]onfiguration file '.*' does not exist"), NotFound),
    (re.compile(r"not running|is locked|got timeout"), Busy),
    (re.compile(r"ipcc_send_rec|[Cc]onnection refused|no quorum"), Unreachable),
)


@dataclass(frozen=True)
class Output:
    """What a command left: its own exit code (128 + n for signal n) and at most 64 KiB of each stream."""

    exit_code: int
    stdout: str
    stderr: str
    truncated: bool


class Console:
    """`hosts` maps a node's name to (host, port); keys of the hosts must stand in `known_hosts_file`.

    `timeout`: seconds for a whole call. One connection per node and process, shared by all threads.
    """

    def __init__(
        self,
        hosts: Mapping[str, tuple[str, int]],
        user: str,
        key_file: str,
        known_hosts_file: str,
        timeout: float = 20.0,
    ) -> None:
        self.timeout = timeout
        self._nodes = {
            node: _Node(host, port, user, key_file, known_hosts_file) for node, (host, port) in hosts.items()
        }

    def run(self, node: str, vmid: int, argv: Sequence[str], stdin: str = "") -> Output:
        """Runs `argv` inside the container, with `stdin` as its input, and waits for its end.

        An exit code is the command's own unless `pct` says by its text that it is not. `NotFound`: the
        container is not on this node. `Busy`: it does not run, or all sessions of the node are taken.
        `TimedOut`: **the command goes on** all the same. A script on stdin should take its lock itself and
        print an end marker, since a broken connection cuts it short.
        """
        line = shlex.join(["pct", "exec", str(int(vmid)), "--keep-env", "0", "--", *argv])
        end = end_of(self.timeout)
        with observed(SYSTEM, "pct exec"), guarded(SYSTEM, node):
            output = self._node(node).run(line, stdin.encode(), end)
            if output.exit_code == 255 or (output.exit_code and PCT_OWN.search(output.stderr)):
                raise pct_error(output.stderr, output.exit_code)
        return output

    def on_node(self, node: str, argv: Sequence[str]) -> Output:
        """Runs a command on the node itself, as the user that we log in as, and waits for its end. Errors as
        for `run`; every exit code is the command's own."""
        with observed(SYSTEM, "on the node"), guarded(SYSTEM, node):
            return self._node(node).run(shlex.join(argv), b"", end_of(self.timeout))

    def copy(self, node: str, path: str, to_node: str, to_path: str, timeout: float = 180.0) -> None:
        """Copies a file from one node to another, through this process: nodes need not trust one another.

        `timeout` in seconds for all of it. What it leaves after an error is part of the file. `NotFound`: the
        file cannot be read; `BadAnswer`: it cannot be written.
        """
        end = end_of(timeout)
        read = shlex.join(["cat", "--", path])
        write = shlex.join(["dd", f"of={to_path}", "bs=1M", "iflag=fullblock", "status=none"])
        with (
            observed(SYSTEM, "copy"),
            guarded(SYSTEM, node),
            self._node(node).running(read, end) as source,
            self._node(to_node).running(write, end) as target,
        ):
            _pass_on(source, target)

    def connect(self, node: str) -> None:
        """Connects and authenticates unless that is so already: whether `run` could work at all."""
        with observed(SYSTEM, "connect"), guarded(SYSTEM, node):
            self._node(node).client(end_of(self.timeout))

    def close(self) -> None:
        """Ends all connections; later calls make new ones."""
        for node in self._nodes.values():
            node.close()

    def _node(self, name: str) -> "_Node":
        if name not in self._nodes:
            raise Refused(SYSTEM, f"no SSH address is configured for node {name!r}")
        return self._nodes[name]


class _Node:
    """The connection to one node."""

    def __init__(self, host: str, port: int, user: str, key_file: str, known_hosts_file: str) -> None:
        self._address = (host, port)
        self._user = user
        self._key_file = key_file
        self._known_hosts_file = known_hosts_file
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._sessions = threading.BoundedSemaphore(SESSIONS)
        self._client: paramiko.SSHClient | None = None

    def run(self, line: str, stdin: bytes, end: float) -> Output:
        if self._pid != os.getpid():
            self._reset()  # a forked child shares its parent's connection, but not the thread that serves it
        sessions = self._sessions
        if not sessions.acquire(timeout=left_until(end)):
            raise Busy(SYSTEM, "all sessions of the node are taken")
        try:
            channel = self._open(end)
            with _closing(channel), _watchdog(end, channel.close) as late:
                return _execute(channel, line, stdin, late)
        finally:
            sessions.release()

    @contextlib.contextmanager
    def running(self, line: str, end: float) -> Iterator["paramiko.Channel"]:
        """A channel with a command that runs; both are over with the block, or at the end of the time."""
        import paramiko

        channel = self._open(end)
        with _closing(channel), _watchdog(end, channel.close) as late:
            try:
                channel.exec_command(line)
                yield channel
            except (paramiko.SSHException, OSError, EOFError) as error:
                raise TimedOut(SYSTEM, _words(error)) from error
            if late.is_set():
                raise TimedOut(SYSTEM, "no end of the command was seen")

    def client(self, end: float) -> "paramiko.SSHClient":
        """The open connection, made by the first thread that needs it while the others wait."""
        if not self._lock.acquire(timeout=left_until(end)):
            raise Unreachable(SYSTEM, "another thread's connection took too long")
        try:
            if self._client is None or not _is_alive(self._client):
                self._client = self._connect(end)
            return self._client
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            if self._client:
                self._client.close()
            self._client = None

    def _open(self, end: float) -> "paramiko.Channel":
        """A channel; on a new connection once more where the old one turns out dead. Nothing has run by
        then."""
        import paramiko

        for last in (False, True):
            client = self.client(end)
            seconds = min(OPEN_SECONDS, left_until(end))
            try:
                return client.get_transport().open_session(timeout=seconds)
            except paramiko.ChannelException as error:
                raise Busy(SYSTEM, f"no further session: {error}") from error
            except (paramiko.SSHException, OSError, EOFError, AttributeError) as error:
                # A caller in a hurry must not cut off the others. AttributeError: closed meanwhile.
                if last or (seconds < OPEN_SECONDS and _is_alive(client)):
                    raise Unreachable(SYSTEM, _words(error)) from error
            client.close()
        raise AssertionError("the last round returns or raises")

    def _connect(self, end: float) -> "paramiko.SSHClient":
        import paramiko

        client, key = self._prepared()
        with contextlib.ExitStack() as undo:
            undo.callback(client.close)
            try:
                sock = socket.create_connection(self._address, timeout=left_until(end))
                undo.callback(sock.close)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # 40 ms less for each command
                with _watchdog(end, partial(_shut, sock)):
                    limits = dict.fromkeys(
                        ("banner_timeout", "auth_timeout", "channel_timeout"), left_until(end)
                    )
                    client.connect(
                        *self._address,
                        self._user,
                        pkey=key,
                        sock=sock,
                        look_for_keys=False,
                        allow_agent=False,
                        **limits,
                    )
                client.get_transport().set_keepalive(KEEPALIVE)
            except (paramiko.BadHostKeyException, paramiko.AuthenticationException) as error:
                raise Refused(SYSTEM, _words(error)) from error
            except (paramiko.SSHException, OSError, EOFError, AttributeError) as error:
                # AttributeError: the other side has closed it already, so that there is no transport.
                kind = Refused if "not found in known_hosts" in str(error) else Unreachable
                raise kind(SYSTEM, _words(error)) from error
            undo.pop_all()
        return client

    def _prepared(self) -> "tuple[paramiko.SSHClient, paramiko.PKey]":
        """A client that trusts the pinned host keys only, and the key to log in with."""
        import paramiko

        logging.getLogger(LOG).setLevel(logging.CRITICAL)
        client = paramiko.SSHClient()
        client.set_log_channel(LOG)  # it logs whole tracebacks of what comes back as our errors
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            client.load_system_host_keys(self._known_hosts_file)
            return client, paramiko.PKey.from_path(self._key_file)
        except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
            raise Refused(SYSTEM, f"key or known hosts cannot be read: {_words(error)}") from error


def _shut(sock: socket.socket) -> None:
    """Ends a connection that another thread reads from; closing could hand its descriptor to a stranger."""
    with contextlib.suppress(OSError):  # the other side has ended it already
        sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _closing(channel: "paramiko.Channel") -> Iterator[None]:
    """Closes it afterwards. A connection that has just broken refuses even that, with an EOFError, which must
    not take the place of the error that says so."""
    import paramiko

    try:
        yield
    finally:
        with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
            channel.close()


@contextlib.contextmanager
def _watchdog(end: float, close: Callable[[], None]) -> Iterator[threading.Event]:
    """Calls `close` at the end of the time. paramiko waits for some answers without any limit of its own."""
    late = threading.Event()

    def bark() -> None:
        late.set()
        close()

    timer = threading.Timer(left_until(end), bark)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _is_alive(client: "paramiko.SSHClient") -> bool:
    transport = client.get_transport()
    return transport is not None and transport.is_active()


def _execute(channel: "paramiko.Channel", line: str, stdin: bytes, late: threading.Event) -> Output:
    import paramiko

    broken = (paramiko.SSHException, OSError, EOFError)
    try:
        channel.exec_command(line)
    except broken as error:
        refused = channel.get_transport().is_active() and not late.is_set()
        raise (Refused if refused else TimedOut)(SYSTEM, _words(error)) from error
    try:
        _feed(channel, stdin, late)
        (stdout, cut), (stderr, also_cut) = _read(channel)
        exit_code = channel.recv_exit_status()
    except broken as error:
        raise TimedOut(SYSTEM, _words(error)) from error
    if late.is_set() or exit_code < 0:
        raise TimedOut(SYSTEM, "no end of the command was seen")
    return Output(exit_code, stdout, stderr, truncated=cut or also_cut)


def _feed(channel: "paramiko.Channel", stdin: bytes, late: threading.Event) -> None:
    """Its input. A command that ends without reading all of it has its channel closed meanwhile: then its
    exit code tells what came of it, as long as the connection stands."""
    try:
        channel.sendall(stdin)
        channel.shutdown_write()
    except OSError:
        if late.is_set() or not channel.get_transport().is_active():
            raise


def _pass_on(source: "paramiko.Channel", target: "paramiko.Channel") -> None:
    """What one command writes, as the other's input. Their errors are few words, so that reading them last
    holds nobody up."""
    while data := source.recv(CHUNK):
        _give(target, data)
    if (code := source.recv_exit_status()) != 0:
        raise _copy_error(NotFound, source, code)
    target.shutdown_write()
    if (code := target.recv_exit_status()) != 0:
        raise _copy_error(BadAnswer, target, code)


def _give(target: "paramiko.Channel", data: bytes) -> None:
    """Input for a command; where it has ended before that, such as on a full disk, its own words say why."""
    try:
        target.sendall(data)
    except OSError:
        raise _copy_error(BadAnswer, target, target.recv_exit_status()) from None


def _copy_error(kind: type[ClientError], channel: "paramiko.Channel", code: int) -> ClientError:
    """The command's own words; without an exit code the connection has ended before it."""
    if code < 0:
        return TimedOut(SYSTEM, "no end of the copying was seen")
    return kind(SYSTEM, f"exit code {code}: {channel.recv_stderr(MOST_BYTES).decode('utf-8', 'replace')}")


def _read(channel: "paramiko.Channel") -> list[tuple[str, bool]]:
    """Both streams to their end, each as text and whether it was cut. Both are read in turn: one that is
    left full would stop the other, since they share a window."""
    sources = (
        (channel.recv_ready, channel.recv, bytearray()),
        (channel.recv_stderr_ready, channel.recv_stderr, bytearray()),
    )
    poll = select.poll()
    poll.register(channel.fileno(), select.POLLIN)
    cut = [False, False]
    while not channel.closed and not channel.eof_received:
        poll.poll(POLL_MS)
        for number, (ready, receive, kept) in enumerate(sources):
            while ready():
                cut[number] |= _keep(kept, receive(MOST_BYTES))
    for number, (_, receive, kept) in enumerate(sources):
        while data := receive(MOST_BYTES):
            cut[number] |= _keep(kept, data)
    return [(kept.decode("utf-8", "replace"), cut[n]) for n, (_, _, kept) in enumerate(sources)]


def _keep(kept: bytearray, data: bytes) -> bool:
    room = MOST_BYTES - len(kept)
    kept += data[:room]
    return len(data) > room


def pct_error(stderr: str, exit_code: int = 255) -> ClientError:
    """The error for what `pct` itself, or the command with code 255, has failed with: by the text alone;
    without a known one: unknown."""
    kind = next((kind for pattern, kind in PCT_TEXTS if pattern.search(stderr)), BadAnswer)
    return kind(SYSTEM, f"exit code {exit_code}: {stderr}")


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"

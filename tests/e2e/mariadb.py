"""A MariaDB that a test may kill and start again, and a network to it that a test may cut."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path

PATH = f"{os.environ['PATH']}:/usr/sbin"
SERVER = shutil.which("mariadbd", path=PATH)
INSTALL = shutil.which("mariadb-install-db", path=PATH)
CLIENT = shutil.which("mariadb", path=PATH)
MISSING = "" if SERVER and INSTALL and CLIENT and find_spec("MySQLdb") else "MariaDB or its driver is missing"


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class MariaDb:
    """A server with data in a folder of its own, on a port of this machine."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nodepoint-mariadb-"))
        # A server that starts deletes temporary tables of others that share its folder for them.
        self.environment = os.environ | {"TMPDIR": str(self.folder)}
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.user = "mysql" if _exists("mysql") else "nobody"
        if not os.geteuid():  # the server refuses to run as root
            shutil.chown(self.folder, self.user)
        else:
            self.user = pwd.getpwuid(os.geteuid()).pw_name
        command = [INSTALL, *self._options(), "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(command, check=True, capture_output=True, env=self.environment)

    def _options(self) -> list[str]:
        return ["--no-defaults", f"--user={self.user}", f"--datadir={self.folder}/data"]

    def url(self, port: int | None = None) -> str:
        """Its DATABASE_URL, through `port` where something stands in between."""
        return f"mysql://root@127.0.0.1:{port or self.port}/nodepoint"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.folder}/socket"]
        # Written with each commit, flushed later: with 0 a killed server loses its last second, as that a
        # migration was applied whose tables stay.
        quick = ["--innodb-flush-log-at-trx-commit=2", "--max-connections=300", "--skip-name-resolve"]
        with (self.folder / "server.log").open("ab") as log:
            command = [SERVER, *self._options(), *options, *quick]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        for _ in range(300):
            if self.ask("CREATE DATABASE IF NOT EXISTS nodepoint CHARACTER SET utf8mb4"):
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "server.log").read_text()[-2000:])

    def ask(self, statement: str) -> bool:
        """Whether it has carried out a statement."""
        command = [CLIENT, "--no-defaults", "--user=root", f"--socket={self.folder}/socket", "-e", statement]
        return subprocess.run(command, capture_output=True).returncode == 0

    def remove(self) -> None:
        """End it, with all that it has."""
        self.kill()
        shutil.rmtree(self.folder)

    def kill(self) -> None:
        """SIGKILL, as of a machine that loses its power."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def _exists(user: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(user))
    return False


class Relay:
    """A network between a port of its own and `target`: once cut, nothing passes and nobody is told."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.open = threading.Event()
        self.open.set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self.listener.getsockname()[1]
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self.listener.accept()
                self.open.wait()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                self.sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # one of the two has ended
            while data := source.recv(65536):
                self.open.wait()
                sink.sendall(data)
        with contextlib.suppress(OSError):  # it has ended before
            sink.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Let nothing pass any more."""
        self.open.clear()

    def mend(self) -> None:
        """Let what waits and what comes pass."""
        self.open.set()

    def close(self) -> None:
        """End all connections."""
        self.open.set()
        for one in (self.listener, *self.sockets):
            one.close()

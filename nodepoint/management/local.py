"""What a process has on this machine: its environment, files, a data folder, a port."""

import errno
import fcntl
import json
import os
import socket
from pathlib import Path
from typing import Any

BACKLOG = 1024  # connections that the kernel keeps until a web process takes them


class NotToBeHad(Exception):
    """The folder or the port belongs to someone else; the text is one sentence that says which."""


def given_environment() -> dict[str, str]:
    """The environment that this process was started with.

    `os.environ` holds more by now: reading the settings adds what stands in `.env` or an older demo's file.
    """
    block = os.fsdecode(Path("/proc/self/environ").read_bytes())
    return dict(item.split("=", 1) for item in block.split("\0") if "=" in item)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file; empty when there is none."""
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def last_line(file: Path) -> str:
    """The last line of a text file; empty when there is none."""
    try:
        return file.read_text(errors="replace").rstrip().rpartition("\n")[2]
    except FileNotFoundError:
        return ""


def write_private(file: Path, content: str) -> None:
    """Write a file for the owner's eyes only, whole or not at all."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(content)
    draft.replace(file)


def claim(data: Path) -> int:
    """Hold the data folder: the kernel lets go of it when this process ends, however it ends."""
    data.mkdir(parents=True, exist_ok=True)
    lock = os.open(data / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotToBeHad(
            f"A demo is running on {data} already; NODEPOINT_DATA names another folder."
        ) from None
    return lock


def listen(address: str, port: int) -> socket.socket:
    """A listening socket for web processes to share; `NotToBeHad` when the port cannot be had.

    Whoever starts the processes opens it: while one of them is replaced, the others, or the kernel, keep its
    callers.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise NotToBeHad(f"Port {port} {why}; NODEPOINT_PORT names another one.") from None
    return listener

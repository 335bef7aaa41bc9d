"""The few commands of a node, beside `pct exec`, that work with files: played on what the storage holds."""

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.proxmox.errors import ApiError
from lab.proxmox.state.files import Files, bytes_of, file_of, path_of

if TYPE_CHECKING:
    from lab import Lab

Output = tuple[int, bytes, bytes]

FAILED, NOT_HERE = 255, 2
STDIN = ("dd",)
"""Commands that read their standard input."""


class NodeCommands:
    """The shell commands of one node. Call ``run`` without the lab's lock."""

    def __init__(self, lab: "Lab", node: str) -> None:
        self._lab, self._node = lab, node
        self._commands: dict[str, Callable[[list[str], bytes], Output]] = {
            "pvesm": self._pvesm,
            "cp": self._copy,
            "mv": self._move,
            "rm": self._remove,
            "cat": self._cat,
            "dd": self._write,
            "sha256sum": self._digest,
        }

    def knows(self, command: str) -> bool:
        """Whether it is played at all."""
        return command in self._commands

    def run(self, words: list[str], stdin: bytes) -> Output:
        """Exit code, stdout and stderr; options are passed over."""
        self._lab.world.settle()
        with self._lab.lock:
            plain = [word for word in words[1:] if not word.startswith("-")]
            return self._commands[words[0]](plain, stdin)

    def unlock(self, vmid: int) -> Output:
        """``pct unlock``."""
        with self._lab.lock:
            try:
                self._lab.proxmox.cluster.unlock(self._node, vmid)
            except ApiError as error:
                return NOT_HERE, b"", f"{error.message}\n".encode()
        return 0, b"", b""

    @property
    def _files(self) -> Files:
        return self._lab.proxmox.cluster.files

    def _pvesm(self, words: list[str], stdin: bytes) -> Output:
        call, volid = [*words, "", ""][:2]
        path = path_of(volid)
        if call not in ("path", "free"):
            return FAILED, b"", f"ERROR: unknown command 'pvesm {call}'\n".encode()
        if not path:
            return FAILED, b"", f"unable to parse volume ID '{volid}'\n".encode()
        if call == "path":
            return 0, f"{path}\n".encode(), b""
        if not self._files.delete(self._node, path):
            return FAILED, b"", f"disk image '{path}' does not exist\n".encode()
        return 0, f"Removed volume '{volid}'\n".encode(), b""

    def _copy(self, words: list[str], stdin: bytes) -> Output:
        file = self._files.read(self._node, words[0])
        if file is None:
            return _missing("cp: cannot stat", words[0])
        self._files.write(self._node, words[1], file)
        return 0, b"", b""

    def _move(self, words: list[str], stdin: bytes) -> Output:
        file = self._files.read(self._node, words[0])
        if file is None:
            return _missing("mv: cannot stat", words[0])
        self._files.write(self._node, words[1], file)
        self._files.delete(self._node, words[0])
        return 0, b"", b""

    def _remove(self, words: list[str], stdin: bytes) -> Output:
        for path in words:
            self._files.delete(self._node, path)
        return 0, b"", b""

    def _cat(self, words: list[str], stdin: bytes) -> Output:
        file = self._files.read(self._node, words[0])
        return (0, bytes_of(file), b"") if file else _missing("cat:", words[0])

    def _write(self, words: list[str], stdin: bytes) -> Output:
        options = dict(word.partition("=")[::2] for word in words)
        self._files.write(self._node, options["of"], file_of(stdin, time.time()))
        return 0, b"", b""

    def _digest(self, words: list[str], stdin: bytes) -> Output:
        file = self._files.read(self._node, words[0])
        if file is None:
            return _missing("sha256sum:", words[0])
        # When it was written is no part of what is in it.
        content = bytes_of({name: value for name, value in file.items() if name != "ctime"})
        return 0, f"{hashlib.sha256(content).hexdigest()}  {words[0]}\n".encode(), b""


def _missing(said: str, path: str) -> Output:
    return 1, b"", f"{said} '{path}': No such file or directory\n".encode()

"""What the demo shows: lines, and one bar that is redrawn on a terminal and repeated on change elsewhere."""

import contextlib
import os
import shutil
from typing import Any, TextIO

WIDTH = 30  # characters of the bar


class Screen:
    """Writes to `stream`; when the reader goes away the demo goes on without words."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._bar = ""

    def say(self, text: str = "") -> None:
        """A line of its own; a bar that stands there is kept above it."""
        if self._terminal and self._bar:
            text = f"\n{text}"
            self._bar = ""
        self._write(f"{text}\n")

    def bar(self, job: dict[str, Any]) -> None:
        """The state of a job as the API tells it: percent, step, seconds left."""
        percent = job["percent"]
        done = WIDTH * percent // 100
        text = f"[{'#' * done}{'.' * (WIDTH - done)}] {percent:3d} %  {job['step'] or job['state']}"
        if self._terminal:
            if job["eta_seconds"]:
                text += f" (about {job['eta_seconds']} s left)"
            self._write(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K")
        elif text != self._bar:
            self._write(f"{text}\n")
        self._bar = text

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            self._stream = open(os.devnull, "w")  # noqa: SIM115 - it takes the stream's place until the end
            with contextlib.suppress(OSError):  # so that Python's last flush does not complain either
                os.dup2(self._stream.fileno(), 1)

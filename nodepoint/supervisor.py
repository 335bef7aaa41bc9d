"""Keeps processes alive, and ends all of them with itself.

    with Supervisor([Child("web", argv, env)]) as supervisor:
        supervisor.run()  # until SIGTERM or SIGINT

Every child leads a process group of its own. A child that dies is started again, after a pause that grows
while it keeps dying; what is left of its group is killed first, since the workers of a killed django-q2
master live on. One thread does everything: `tick` looks after the children, and whoever has other work to do
calls it in between.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any, Self

from nodepoint import guard
from nodepoint.env import WRONG_SETTINGS

FIRST_PAUSE = 0.2  # seconds before a child that died is started again; doubled each time …
LONGEST_PAUSE = 5.0  # … up to this
WRONG_PAUSE = 60.0  # seconds where the child says that its settings are wrong: trying at once is in vain
SETTLED = 30.0  # seconds alive after which a child's death counts as its first one again
TURN = 0.1  # seconds between two looks at the children


class Stopped(Exception):
    """SIGTERM, SIGINT or SIGHUP asked the supervisor to end."""


class CallFailed(Exception):
    """A one-time command ended with another `code` than 0; the text is the last line of what it said, empty
    where that could be read already."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.code = code


@dataclass(frozen=True)
class Child:
    """A process to keep alive. `log`: file its output is added to (None: the supervisor's own output).
    `files`: descriptors that it gets under the same numbers, such as a listening socket."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    log: Path | None = None
    files: Sequence[int] = ()
    ends_last: bool = False  # what others need while they end, like the lab: it goes when they are gone


@dataclass
class _Kept:
    """A child, its present process (None while it waits for its next start) and its past."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    start_at: float = 0.0
    deaths: int = 0
    code: int | None = None  # that the last process ended with


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it is over, without reaping it: its number is not given to another group before that."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


class Supervisor:
    """Starts, watches and ends children; a context manager, for the main thread of a process without others.

    `report` gets one line per event. `grace`: seconds from SIGTERM to SIGKILL at the end. `cwd`: the
    children's.
    """

    def __init__(
        self,
        children: Iterable[Child] = (),
        *,
        report: Callable[[str], None] = print,
        grace: float = 20.0,
        cwd: Path | None = None,
    ) -> None:
        self._first = list(children)
        self._report = report
        self._grace = grace
        self._cwd = cwd
        self._kept: dict[str, _Kept] = {}
        self._groups: set[int] = set()
        self._signals = 0
        self._handlers: dict[int, Any] = {}
        self._guard: subprocess.Popen[bytes] | None = None
        self._guard_input = -1

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started under nohup: the end of the terminal is not ours
            self._handlers[number] = signal.signal(number, self._on_signal)
        for child in self._first:
            self.start(child)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, child: Child) -> None:
        """Start a child and keep it alive from now on."""
        kept = self._kept[child.name] = _Kept(child)
        self._launch(kept)

    def pid(self, name: str) -> int | None:
        """Process id of a child's present process; None while it waits for its next start."""
        process = self._kept[name].process
        return process.pid if process else None

    def deaths(self, name: str) -> int:
        """How often a child has died."""
        return self._kept[name].deaths

    def misconfigured(self, name: str) -> bool:
        """Whether a child has ended because of its settings."""
        return self._kept[name].code == WRONG_SETTINGS

    def tick(self, seconds: float = TURN) -> None:
        """Start again what has died, then sleep for `seconds`. Raises `Stopped` when a signal asks to end."""
        self._keep_guard()
        now = time.monotonic()
        for kept in self._kept.values():
            if kept.process is None:
                if now >= kept.start_at:
                    self._launch(kept)
            elif _has_ended(kept.process):
                self._bury(kept, kept.process, now)
        if not self._signals:
            time.sleep(seconds)
        if self._signals:
            raise Stopped

    def run(self) -> None:
        """Look after the children until a signal asks to end."""
        with contextlib.suppress(Stopped):  # that is how it ends; the caller then ends the children
            while True:
                self.tick()

    def call(self, argv: Sequence[str], env: Mapping[str, str] | None = None, *, aloud: bool = False) -> str:
        """Run a one-time command beside the children and return what it wrote on standard output. `aloud`:
        what it says on standard error is read at once, as of one that may wait for hours.

        Raises `CallFailed` when it ends with another code than 0, `Stopped` when a signal comes meanwhile.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            process = self._spawn(argv, env, out, None if aloud else errors)
            try:
                while not _has_ended(process):
                    self.tick()
            finally:
                self._kill_group(process)
            output, said = (_content(out), _content(errors))
        if process.returncode != 0:
            lines = (output + said).strip().splitlines() or [f"ended with code {process.returncode}"]
            raise CallFailed("" if aloud else lines[-1], process.returncode)
        return output

    def stop(self) -> None:
        """End every child: SIGTERM; after `grace` seconds, or at one more signal, SIGKILL to whole groups."""
        for last in (False, True):
            kept = [kept for kept in self._kept.values() if kept.child.ends_last == last]
            self._end([one.process for one in kept if one.process])
        self._kept.clear()
        self._dismiss_guard()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def _end(self, processes: list[subprocess.Popen[bytes]]) -> None:
        # SIGTERM goes to the leaders only, which end their workers in order: django-q2's master hangs for
        # ever when its workers get it as well.
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + self._grace
        signals = self._signals
        while (
            not all(map(_has_ended, processes)) and time.monotonic() < deadline and self._signals == signals
        ):
            time.sleep(TURN / 4)
        for process in processes:
            self._kill_group(process)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _launch(self, kept: _Kept) -> None:
        with contextlib.ExitStack() as stack:
            out: IO[bytes] | None = None
            if kept.child.log:
                kept.child.log.parent.mkdir(parents=True, exist_ok=True)
                out = stack.enter_context(kept.child.log.open("ab"))
            kept.process = self._spawn(kept.child.argv, kept.child.env, out, out, kept.child.files)
        kept.started = time.monotonic()

    def _bury(self, kept: _Kept, process: subprocess.Popen[bytes], now: float) -> None:
        """A child has died: end the rest of its group and set the time of its next start."""
        self._kill_group(process)
        kept.process = None
        kept.deaths += 1
        kept.code = code = process.returncode
        first = kept.pause == 0.0 or now - kept.started >= SETTLED
        kept.pause = FIRST_PAUSE if first else min(kept.pause * 2, LONGEST_PAUSE)
        pause = WRONG_PAUSE if code == WRONG_SETTINGS else kept.pause
        kept.start_at = now + pause
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        self._report(f"{kept.child.name} ended ({how}), starting it again in {pause:g} s")

    def _spawn(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        out: IO[bytes] | None,
        errors: IO[bytes] | None,
        files: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        self._keep_guard()
        guard_input = self._guard_input

        def announce() -> None:
            # In the new process, before it becomes the child: the guard misses none, whenever we are killed.
            os.write(guard_input, b"+%d\n" % os.getpid())

        process = subprocess.Popen(  # noqa: S603 - no shell, and the command line is the program's own
            list(argv),
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            cwd=self._cwd,
            start_new_session=True,
            pass_fds=files,
            preexec_fn=announce,  # safe, since this process has but one thread
        )
        self._groups.add(process.pid)
        return process

    def _kill_group(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to all that is left of the process's group; reaps the process."""
        with contextlib.suppress(ProcessLookupError):  # nothing is left of it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._groups.discard(process.pid)
        with contextlib.suppress(BrokenPipeError):  # a guard that died hears the whole list at its next start
            os.write(self._guard_input, b"-%d\n" % process.pid)

    def _keep_guard(self) -> None:
        """Start the guard when there is none, or none any more."""
        if self._guard and not _has_ended(self._guard):
            return
        self._dismiss_guard()
        its_end, self._guard_input = os.pipe()
        command = [sys.executable, "-I", "-S", guard.__file__]
        with os.fdopen(its_end) as stdin:
            self._guard = subprocess.Popen(command, stdin=stdin, start_new_session=True)  # noqa: S603 - our own file
        for group in self._groups:
            os.write(self._guard_input, b"+%d\n" % group)

    def _dismiss_guard(self) -> None:
        if self._guard:
            os.close(self._guard_input)
            self._guard.wait()
            self._guard = None


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")

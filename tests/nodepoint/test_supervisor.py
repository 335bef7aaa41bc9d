"""The supervisor, with small real processes."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path

from nodepoint.env import WRONG_SETTINGS
from nodepoint.supervisor import FIRST_PAUSE, CallFailed, Child, Stopped, Supervisor
from tests.base import on_one_database

ROOT = Path(__file__).resolve().parents[2]

SLEEPER = "import time; time.sleep(60)"
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1], "stubborn.ready").touch()
time.sleep(60)
"""
# A master with a worker, as django-q2 has them; it writes down the worker's pid.
MASTER = """
import pathlib, signal, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
signal.signal(signal.SIGTERM, lambda *_: (worker.terminate(), worker.wait(), sys.exit(0)))
draft = pathlib.Path(sys.argv[1], "draft")
draft.write_text(str(worker.pid))
draft.rename(pathlib.Path(sys.argv[1], "worker.pid"))
time.sleep(60)
"""


def alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and only not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Wait for the condition; whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class SupervisorTestCase(unittest.TestCase):
    """Small children in a folder of their own."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.events: list[str] = []

    def child(self, code: str, name: str = "child") -> Child:
        return Child(name, [sys.executable, "-c", code, str(self.folder)], log=self.folder / f"{name}.log")

    def supervise(self, *children: Child, grace: float = 5.0) -> Supervisor:
        return self.enterContext(Supervisor(children, report=self.events.append, grace=grace))

    def tick_until(self, supervisor: Supervisor, condition: Callable[[], object]) -> bool:
        return until(lambda: supervisor.tick(0.01) or condition())

    def worker(self) -> int:
        """Pid of the master's worker."""
        file = self.folder / "worker.pid"
        self.assertTrue(until(file.exists), "the master did not start")
        return int(file.read_text())


@on_one_database
class RestartTests(SupervisorTestCase):
    def test_a_killed_child_is_started_again(self) -> None:
        supervisor = self.supervise(self.child(SLEEPER))
        first = supervisor.pid("child")
        os.kill(first, signal.SIGKILL)
        self.assertTrue(self.tick_until(supervisor, lambda: supervisor.pid("child") not in (None, first)))
        self.assertEqual(len(self.events), 1)
        self.assertIn("child ended (signal 9)", self.events[0])

    def test_a_child_that_ends_with_code_0_is_started_again(self) -> None:
        """Masters of django-q2 do so when their sentinel was killed."""
        supervisor = self.supervise(self.child("pass"))
        self.assertTrue(self.tick_until(supervisor, lambda: len(self.events) >= 2))
        self.assertIn("exit code 0", self.events[0])

    def test_the_pause_grows_while_a_child_keeps_dying(self) -> None:
        supervisor = self.supervise(self.child("raise SystemExit(3)"))
        self.assertTrue(self.tick_until(supervisor, lambda: len(self.events) >= 3))
        pauses = [float(event.split()[-2]) for event in self.events[:3]]
        self.assertEqual(pauses, [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4])

    def test_a_child_that_names_a_wrong_setting_is_not_started_in_a_loop(self) -> None:
        supervisor = self.supervise(self.child(f"raise SystemExit({WRONG_SETTINGS})"))
        self.assertTrue(self.tick_until(supervisor, lambda: self.events))
        self.assertIn(f"exit code {WRONG_SETTINGS}", self.events[0])
        self.assertIn("in 60 s", self.events[0])
        self.assertTrue(supervisor.misconfigured("child"))

    def test_the_workers_of_a_killed_master_are_ended_before_the_next_start(self) -> None:
        supervisor = self.supervise(self.child(MASTER))
        orphan = self.worker()
        os.kill(supervisor.pid("child"), signal.SIGKILL)
        self.assertTrue(self.tick_until(supervisor, lambda: self.events))
        self.assertTrue(until(lambda: not alive(orphan)))

    def test_the_others_go_on_when_one_dies(self) -> None:
        supervisor = self.supervise(self.child(SLEEPER, "a"), self.child(SLEEPER, "b"))
        other = supervisor.pid("b")
        os.kill(supervisor.pid("a"), signal.SIGKILL)
        self.assertTrue(self.tick_until(supervisor, lambda: self.events))
        self.assertEqual(supervisor.pid("b"), other)
        self.assertTrue(alive(other))


@on_one_database
class StopTests(SupervisorTestCase):
    def test_children_and_their_workers_end_with_it(self) -> None:
        supervisor = self.supervise(self.child(MASTER))
        master, worker = supervisor.pid("child"), self.worker()
        supervisor.stop()
        self.assertFalse(alive(master))
        self.assertFalse(alive(worker))

    def test_a_child_that_ignores_sigterm_is_killed_after_the_grace_time(self) -> None:
        supervisor = self.supervise(self.child(STUBBORN), grace=0.3)
        self.assertTrue(until((self.folder / "stubborn.ready").exists))
        pid = supervisor.pid("child")
        began = time.monotonic()
        supervisor.stop()
        self.assertGreaterEqual(time.monotonic() - began, 0.3)
        self.assertFalse(alive(pid))

    def test_what_others_need_ends_after_them(self) -> None:
        note = "import pathlib,signal,sys,time\nf = pathlib.Path(sys.argv[1], 'order')\n"
        note += "signal.signal(signal.SIGTERM, lambda *_: (f.open('a').write('{0} '), sys.exit()))\n"
        note += "pathlib.Path(sys.argv[1], '{0}').touch()\ntime.sleep(60)"
        names = ("lab", "web")
        children = [self.child(note.format(name), name) for name in names]
        lab = Child("lab", children[0].argv, ends_last=True)
        supervisor = self.supervise(lab, children[1])
        self.assertTrue(until(lambda: all((self.folder / name).exists() for name in names)))
        supervisor.stop()
        self.assertEqual((self.folder / "order").read_text().split(), ["web", "lab"])

    def test_a_signal_ends_the_run_without_an_error(self) -> None:
        supervisor = self.supervise(self.child(SLEEPER))
        os.kill(os.getpid(), signal.SIGINT)
        supervisor.run()
        with self.assertRaises(Stopped):
            supervisor.tick()

    def test_handlers_are_given_back(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        self.supervise(self.child(SLEEPER)).stop()
        self.assertEqual(signal.getsignal(signal.SIGTERM), before)


@on_one_database
class CallTests(SupervisorTestCase):
    def test_a_call_returns_the_output(self) -> None:
        supervisor = self.supervise()
        output = supervisor.call(
            [sys.executable, "-c", "import sys; print('token'); print('noise', file=sys.stderr)"]
        )
        self.assertEqual(output, "token\n")

    def test_a_failed_call_says_the_last_line(self) -> None:
        supervisor = self.supervise()
        with self.assertRaisesRegex(CallFailed, "^nodepoint: no database$"):
            supervisor.call(
                [sys.executable, "-c", "import sys; print('x'); sys.exit('nodepoint: no database')"]
            )

    def test_a_call_that_is_read_at_once_repeats_nothing_and_gives_its_code(self) -> None:
        supervisor = self.supervise()
        with self.assertRaises(CallFailed) as failed:
            supervisor.call([sys.executable, "-c", "raise SystemExit(78)"], aloud=True)
        self.assertEqual((str(failed.exception), failed.exception.code), ("", 78))

    def test_children_are_looked_after_during_a_call(self) -> None:
        supervisor = self.supervise(self.child("pass"))
        supervisor.call([sys.executable, "-c", "import time; time.sleep(0.5)"])
        self.assertTrue(self.events)

    def test_a_signal_ends_a_call_and_its_process(self) -> None:
        supervisor = self.supervise()
        code = f"import os, signal, time; os.kill({os.getpid()}, signal.SIGTERM); time.sleep(60)"
        began = time.monotonic()
        with self.assertRaises(Stopped):
            supervisor.call([sys.executable, "-c", code])
        self.assertLess(time.monotonic() - began, 10)


@on_one_database
class ProcessTests(SupervisorTestCase):
    """The supervisor as a process of its own."""

    @contextlib.contextmanager
    def process(self, code: str) -> Iterator[subprocess.Popen[str]]:
        program = f"""
        import sys
        from nodepoint.supervisor import Child, Supervisor
        child = Child("child", [sys.executable, "-c", {code!r}, {str(self.folder)!r}])
        with Supervisor([child], grace=20) as supervisor:
            print(supervisor.pid("child"), flush=True)
            supervisor.run()
        """
        command = [sys.executable, "-c", textwrap.dedent(program)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def test_sigterm_and_sigint_end_everything_at_once_and_without_a_word(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name), self.process(MASTER) as process:
                master, worker = int(process.stdout.readline()), self.worker()
                began = time.monotonic()
                process.send_signal(number)
                rest, _ = process.communicate(timeout=10)
                self.assertLess(time.monotonic() - began, 3)
                self.assertEqual((process.returncode, rest), (0, ""))
                self.assertFalse(alive(master) or alive(worker))
            (self.folder / "worker.pid").unlink()

    def test_a_second_signal_ends_the_patience(self) -> None:
        with self.process(STUBBORN) as process:
            child = int(process.stdout.readline())
            self.assertTrue(until((self.folder / "stubborn.ready").exists))
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)
            self.assertFalse(alive(child))

    def test_nothing_outlives_a_killed_supervisor(self) -> None:
        with self.process(MASTER) as process:
            master, worker = int(process.stdout.readline()), self.worker()
            process.kill()
            self.assertTrue(until(lambda: not alive(master)))
            self.assertTrue(until(lambda: not alive(worker)))

    def test_a_killed_guard_is_replaced_and_knows_the_children(self) -> None:
        with self.process(MASTER) as process:
            master, worker = int(process.stdout.readline()), self.worker()
            os.kill(self.guard(process.pid), signal.SIGKILL)
            self.assertTrue(until(lambda: self.guard(process.pid)))
            time.sleep(0.1)  # the list is written right after the start
            process.kill()
            self.assertTrue(until(lambda: not alive(master) and not alive(worker)))

    @staticmethod
    def guard(supervisor: int) -> int | None:
        """Pid of the supervisor's guard, when it lives."""
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == supervisor and b"guard.py" in (entry / "cmdline").read_bytes():
                    return int(entry.name) if alive(int(entry.name)) else None
        return None


if __name__ == "__main__":
    unittest.main()

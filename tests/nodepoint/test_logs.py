"""Every line of a service's log is a JSON object, whoever wrote it."""

import io
import json
import subprocess
import sys
import unittest
import warnings
from pathlib import Path

from nodepoint.logs import JsonLines

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import multiprocessing, sys, threading, warnings
from nodepoint import logs
logs.every_line_as_json()
def fail(): raise RuntimeError("password=hunter2 was wrong")
threading.Thread(target=fail).start()
child = multiprocessing.get_context("fork").Process(target=fail)
child.start(); child.join()
warnings.warn("old")
print('{"event": "ours"}', file=sys.stderr)
fail()
"""


class JsonLinesTests(unittest.TestCase):
    def lines(self, *texts: str) -> list[dict[str, str]]:
        stream = io.StringIO()
        lines = JsonLines(stream)
        for text in texts:
            lines.write(text)
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    def test_plain_lines_become_objects_and_objects_stay_as_they_are(self) -> None:
        found = self.lines("a wor", "d\n\n", '{"event": "ours"}\n', "not yet whole")
        self.assertEqual([line["event"] for line in found], ["a word", "ours"])
        self.assertEqual((found[0]["level"], found[1]), ("warning", {"event": "ours"}))

    def test_a_traceback_is_one_object(self) -> None:
        try:
            raise KeyError("x")
        except KeyError:
            import traceback

            (found,) = self.lines(*traceback.format_exc().splitlines(keepends=True))
        self.assertEqual((found["event"], found["level"]), ("KeyError: 'x'", "error"))
        self.assertIn("Traceback (most recent call last)", found["exception"])

    def test_a_process_writes_nothing_else_whatever_dies_in_it(self) -> None:
        warnings.simplefilter("ignore")
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        failures = [line for line in lines if line["event"].startswith("RuntimeError")]
        self.assertEqual(len(failures), 3, done.stderr)
        self.assertNotIn("hunter2", done.stderr)
        self.assertEqual(done.returncode, 1)

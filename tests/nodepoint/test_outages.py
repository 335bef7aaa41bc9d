"""A database that is away writes one line a minute and cause, and nothing else gets lost by that."""

import io
import json
import logging
from unittest import mock

import structlog
from django.db import IntegrityError, OperationalError
from django.test import SimpleTestCase

from nodepoint import logs, outages


class OutageTests(SimpleTestCase):
    def setUp(self) -> None:
        self.time = 1000.0
        self.enterContext(mock.patch.object(outages.time, "monotonic", lambda: self.time))
        self.stream = io.StringIO()
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(logging.Formatter("%(message)s"))
        handler.addFilter(outages.OutageFilter())
        self.log = logging.Logger("nodepoint.api")
        self.log.addHandler(handler)

    def fail(self, error: Exception, times: int = 1, log: str = "error") -> None:
        for _ in range(times):
            try:
                raise error
            except type(error):
                getattr(self.log, log)("unavailable failed", exc_info=True)

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    def test_a_thousand_failures_are_one_line_without_a_traceback(self) -> None:
        self.fail(OperationalError(2006, "Server has gone away"), 1000)
        (line,) = self.lines()
        self.assertIn("Server has gone away", line)

    def test_the_next_minute_says_how_many_were_left_out(self) -> None:
        gone = OperationalError("gone")
        self.fail(gone, 1000)
        self.time += 59
        self.fail(gone)
        self.time += 1
        self.fail(gone)
        self.assertEqual(len(self.lines()), 2)
        self.assertIn("1000 more", self.lines()[1])

    def test_each_cause_has_its_line(self) -> None:
        for cause in ("gone", "too many connections", "gone"):
            self.fail(OperationalError(cause))
        self.assertEqual(len(self.lines()), 2)

    def test_other_errors_keep_their_traceback_each_time(self) -> None:
        self.fail(KeyError("a defect of ours"), 3)
        self.assertEqual(self.stream.getvalue().count("Traceback"), 3)

    def test_a_warning_beside_it_is_written(self) -> None:
        self.fail(IntegrityError("twice"), 2, "warning")
        self.assertEqual(self.stream.getvalue().count("Traceback"), 2)

    def test_causes_are_forgotten_before_they_fill_the_memory(self) -> None:
        for number in range(3 * outages.CAUSES):
            self.fail(OperationalError(f"host {number}"))
        self.assertEqual(len(self.lines()), 3 * outages.CAUSES)

    def test_the_engines_lines_are_told_once_too(self) -> None:
        filtered = outages.OutageFilter()
        record = logging.makeLogRecord(
            {"levelno": logging.ERROR, "msg": {"event": "x", "exception": "Traceback …"}}
        )
        kept = []
        for _ in range(3):
            try:
                raise OperationalError("gone")
            except OperationalError:
                kept.append(filtered.filter(record))
        self.assertEqual(kept, [True, False, False])
        self.assertEqual(
            record.msg, {"event": "x", "error": "OperationalError: gone", "more_since_the_last_line": 0}
        )

    def test_an_answer_of_503_has_its_line_among_the_requests_alone(self) -> None:
        answered = outages.AnsweredFilter()
        self.assertFalse(answered.filter(logging.makeLogRecord({"msg": "Service Unavailable: /status"})))
        self.assertTrue(
            answered.filter(logging.makeLogRecord({"msg": "x", "exc_info": (KeyError, KeyError(), None)}))
        )


class ConfigTests(SimpleTestCase):
    def test_what_is_written_is_still_one_object_a_line(self) -> None:
        config = logs.config("INFO")
        self.assertEqual(config["handlers"]["stderr"]["filters"], ["outages"])
        formatter = structlog.stdlib.ProcessorFormatter(
            **{name: value for name, value in config["formatters"]["json"].items() if name != "()"}
        )
        record = logging.makeLogRecord({"name": "x", "levelno": 40, "levelname": "ERROR", "msg": "gone"})
        self.assertEqual(json.loads(formatter.format(record))["event"], "gone")

"""One JSON object a line on standard error, with the request and job it belongs to, and without secrets."""

import io
import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from typing import IO

import structlog

SECRET = re.compile(
    r"(?i)(bearer |pveapitoken=\S+=|password[\"'=: ]+|secret[\"'=: ]+|token[\"'=: ]+)[^\s\"',}&]+"
)


def request_id() -> str:
    """The id of the request that is being served in this thread, else empty."""
    return structlog.contextvars.get_contextvars().get("request_id", "")


def mask(_logger, _method, event: dict) -> dict:
    """Replace what looks like a credential in any text of a log line."""
    return {
        key: SECRET.sub(r"\1***", value) if isinstance(value, str) else value for key, value in event.items()
    }


def config(level: str) -> dict:
    """Django's LOGGING for the given level; configures structlog beside it."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(default=str),
                ],
            }
        },
        "filters": {
            "outages": {"()": "nodepoint.outages.OutageFilter"},
            "answered": {"()": "nodepoint.outages.AnsweredFilter"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": sys.stderr,
                "formatter": "json",
                "filters": ["outages"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": "WARNING"},
            "django.request": {"level": "ERROR", "filters": ["answered"]},
            "waitress.queue": {"level": "ERROR"},  # that callers wait is seen at the board
            "django_q": {"level": "WARNING"},
            "django-q": {"level": "WARNING"},
            "paramiko": {"level": "WARNING"},
            "urllib3": {"level": "ERROR"},
        },
    }


TRACEBACK = "Traceback (most recent call last):"


class JsonLines(io.TextIOBase):
    """A standard error for services: what others write there as plain text, such as the interpreter's own
    tracebacks, comes out as one JSON object a line, a traceback as one object."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._local = threading.local()  # threads that write at once do not mix their lines

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """Of the stream behind it: child processes write there themselves."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Keep what is not a whole line yet, and a traceback until its last one."""
        *whole, self._local.rest = (getattr(self._local, "rest", "") + text).split("\n")
        for line in whole:
            self._take(line)
        return len(text)

    def _take(self, line: str) -> None:
        kept = self._local.__dict__.setdefault("traceback", [])
        if line.startswith(TRACEBACK) or kept:
            kept.append(line)
            if line.startswith((" ", TRACEBACK)):
                return
            self._say(line, exception="\n".join(kept))
            kept.clear()
        elif line.startswith("{"):
            self._stream.write(line + "\n")
        elif line.strip():
            self._say(line)
        self._stream.flush()

    def _say(self, event: str, **more: str) -> None:
        at = datetime.now(UTC).isoformat()
        level = "error" if more else "warning"
        said = mask(None, "", {"event": event, **more, "logger": "stderr", "level": level, "timestamp": at})
        self._stream.write(json.dumps(said) + "\n")


def every_line_as_json() -> None:
    """For processes whose standard error is a log: no line of it is anything but a JSON object from now
    on."""
    if not isinstance(sys.stderr, JsonLines):
        sys.stderr = JsonLines(sys.stderr)


def quiet() -> None:
    """Errors only: for commands whose output is for people."""
    logging.getLogger().setLevel(logging.ERROR)

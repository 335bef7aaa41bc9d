"""One JSON object a line on standard error, with the request and job it belongs to, and without secrets."""

import logging
import re
import sys

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


def quiet() -> None:
    """Errors only: for commands whose output is for people."""
    logging.getLogger().setLevel(logging.ERROR)

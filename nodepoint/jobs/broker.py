"""The broker that carries wake-up calls: the database, or Redis. What it loses is made up for by the
worker's watch; while it is away, what is due waits."""

import structlog
from django_q.brokers import get_broker

log = structlog.get_logger("nodepoint.jobs")


def fault() -> str:
    """Why the broker does not answer; empty when it does. Redis gets the seconds of `env.broker`."""
    try:
        get_broker().ping()
    except Exception as error:  # noqa: BLE001 - each client has errors of its own, none is a reason to stop
        log.warning("broker_away", error=str(error))
        return f"{type(error).__name__}: {error}"
    return ""

"""The broker that carries wake-up calls: the database, or Redis. What it loses is made up for by the
worker's watch; while it is away, what is due waits."""

from django_q.brokers import get_broker


def fault() -> str:
    """Why the broker does not answer; empty when it does. Redis gets the seconds of `servers.broker`."""
    try:
        get_broker().ping()
    except Exception as error:  # noqa: BLE001 - each client has errors of its own, none is a reason to stop
        return f"{type(error).__name__}: {error}"
    return ""

"""The calls of the API that are played: (method, path) → function(cluster, parameters, user) → data."""

from collections.abc import Callable
from typing import Any

from tests.independent.pve.cluster import Cluster

Values = dict[str, str]
Handler = Callable[[Cluster, Values, str], Any]
HANDLERS: dict[tuple[str, str], Handler] = {}


def handles(method: str, path: str) -> Callable[[Handler], Handler]:
    """Registers a function for a call."""

    def register(handler: Handler) -> Handler:
        HANDLERS[method, path] = handler
        return handler

    return register

"""What the clients that speak JSON over HTTP share: paths made of segments, one connection a thread."""

import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from nodepoint.clients.errors import BadAnswer
from nodepoint.clients.line import Line

__all__ = ["Answer", "JsonApi", "PerThread"]

TEXT_BYTES = 2000  # of an answer that are kept as text, for error messages

T = TypeVar("T")


class PerThread(Generic[T]):
    """One `make()` for each thread and process: a session is not thread-safe and does not survive a fork."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._local = threading.local()

    def get(self) -> T:
        """The calling thread's own one, made at the first call."""
        held = getattr(self._local, "held", None)
        if held is None or held[0] != os.getpid():
            held = self._local.held = (os.getpid(), self._make())
        return held[1]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that came in whole. `body`: the parsed JSON, else None. `text`: its beginning."""

    system: str
    status: int
    body: Any
    text: str
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """A status of 200 to 299."""
        return 200 <= self.status < 300

    def bad(self, why: str = "") -> BadAnswer:
        """The error for an answer that makes no sense."""
        return BadAnswer(self.system, f"{self.status} {why or self.text[:400]}")


class JsonApi:
    """Calls of an API that speaks JSON over HTTP; which statuses are errors is left to the client.

    `url` is the base, `timeout` the total seconds of a call, `verify` True, False or the path of a CA file.
    """

    def __init__(self, system: str, url: str, timeout: float, verify: bool | str = True) -> None:
        self.system = system
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._lines = PerThread(lambda: Line(system, timeout, verify, {"Accept": "application/json"}))

    def call(
        self,
        method: str,
        *segments: str | int,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """One request to the path made of `segments` (each one escaped). Raises `Unreachable`, `TimedOut`,
        `Refused` (their certificate is not trusted) or `BadAnswer` (a redirect, an endless answer)."""
        response = self._lines.get().request(
            method,
            "/".join((self.url, *(quote(str(s), safe="") for s in segments))),
            params=params,
            json=body,
            headers=headers,
            timeout=timeout,
        )
        content = response.content
        beginning = content[:TEXT_BYTES].decode("utf-8", "replace")
        return Answer(self.system, response.status_code, _json(content), beginning, response.headers)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None

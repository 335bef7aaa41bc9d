"""Our own API as a billing portal calls it; for the demo."""

from typing import Any

import requests

TIMEOUT = 25  # seconds; no request takes longer than 22


class PortalError(Exception):
    """NodePoint refused; the text is its sentence."""


class NoAnswer(Exception):
    """NodePoint could not be reached, or cannot work at the moment; whether it acted is unknown."""


class Portal:
    """Calls with a token. Every method raises `PortalError` or `NoAnswer`."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # the server is on this machine: no proxy stands between
        # The web server would wait for a kept connection when it is told to end.
        self._session.headers.update({"Authorization": f"Bearer {token}", "Connection": "close"})

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The answer to a GET."""
        return self._call("GET", path, params=query, timeout=5)

    def post(self, path: str, key: str, **fields: str) -> dict[str, Any]:
        """The answer to a POST; `key` makes repeating it safe (`Idempotency-Key`)."""
        return self._call("POST", path, json=fields, timeout=TIMEOUT, headers={"Idempotency-Key": key})

    def metric(self, series: str) -> float | None:
        """The number that `GET /metrics` has for a series as it is written there; None when it has none."""
        lines = self._answer("GET", "/metrics", timeout=5).text.splitlines()
        found = next((line for line in lines if line.startswith(f"{series} ")), "")
        return float(found.rpartition(" ")[2]) if found else None

    def is_up(self) -> bool:
        """Whether the server is there and well."""
        try:
            return self.get("/health")["status"] == "ok"
        except (NoAnswer, PortalError):
            return False

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._answer(method, path, **options)
        try:
            content = answer.json()
        except ValueError as error:
            raise NoAnswer(f"{method} {path}: {error}") from error
        if not answer.ok:
            raise PortalError(content.get("error", f"{method} {path}: status {answer.status_code}"))
        return content

    def _answer(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            answer = self._session.request(method, self._url + path, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise NoAnswer(f"{method} {path}: {error}") from error
        if answer.status_code == requests.codes.unavailable:
            raise NoAnswer(f"{method} {path}: status 503")
        return answer

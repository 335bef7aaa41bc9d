"""How Proxmox VE is called: real proxmoxer, on our transport, with the traps of both taken out."""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from proxmoxer import ProxmoxAPI, ResourceException
from proxmoxer.backends.https import JsonSerializer

from nodepoint.clients.breaker import guarded
from nodepoint.clients.counting import observed, operation
from nodepoint.clients.errors import BadAnswer, Refused, keep_secret
from nodepoint.clients.http import PerThread
from nodepoint.clients.line import Line, Response
from sites.clients.proxmox.errors import SYSTEM, http_error
from sites.clients.proxmox.values import required, wire

SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@!+-]*")


class _Envelope(JsonSerializer):
    """Reads `{"data": …}`. proxmoxer's own hands on what is no JSON as if it were data, and loses the
    status of a failure whose body is not an object."""

    def loads(self, response: Response) -> Any:
        body = _body(response)
        if "data" not in body:
            raise BadAnswer(SYSTEM, f"not an answer of Proxmox VE: {response.content[:200]!r}")
        return body["data"]

    def loads_errors(self, response: Response) -> dict[str, str]:
        errors = _body(response).get("errors")
        return {str(k): str(v).strip() for k, v in errors.items()} if isinstance(errors, dict) else {}


def _body(response: Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return {}
    return body if isinstance(body, dict) else {}


class Calls:
    """One cluster, by one of its nodes and an API token.

    `host` is host[:port], `verify_tls` True, False or the path of a CA file, `timeout` the seconds of a
    call. Above 30 by default, so that the cluster's own limit between its nodes (status 596) speaks first.
    """

    def __init__(
        self,
        host: str,
        user: str,
        token_name: str,
        token_value: str,
        verify_tls: bool | str = True,
        timeout: float = 40.0,
    ) -> None:
        keep_secret(token_value)
        self._options = {"host": host, "user": user, "token_name": token_name, "token_value": token_value}
        token = {"Authorization": f"PVEAPIToken={user}!{token_name}={token_value}"}
        self._line = partial(Line, SYSTEM, timeout, verify_tls, token)
        self._apis = PerThread(self._connect)

    def _connect(self) -> ProxmoxAPI:
        api = ProxmoxAPI(backend="https", **self._options)
        # proxmoxer offers no public way to what sends its calls and to how it reads an answer.
        api._store["session"] = self._line()
        api._store["serializer"] = _Envelope()
        return api

    def _get(self, *segments: str | int, **params: Any) -> Any:
        return self._call("get", segments, params)

    def _post(self, *segments: str | int, **params: Any) -> Any:
        return self._call("post", segments, params)

    def _put(self, *segments: str | int, **params: Any) -> Any:
        return self._call("put", segments, params)

    def _delete(self, *segments: str | int, **params: Any) -> Any:
        return self._call("delete", segments, params)

    def _call(self, method: str, segments: tuple[str | int, ...], params: Mapping[str, Any]) -> Any:
        send = getattr(self._apis.get()(list(map(segment, segments))), method)
        # Calls about a node are passed on to it by the one that we ask.
        node = str(segments[1]) if segments[0] == "nodes" and len(segments) > 1 else ""
        with observed(SYSTEM, operation(method, *segments)), guarded(SYSTEM, node, through=True):
            try:
                return send(**wire(params))
            except ResourceException as error:
                raise http_error(error) from error

    def _get_rows(self, key: str, *segments: str | int, **params: Any) -> list[dict[str, Any]]:
        """A list of objects that all have `key`, without which a row means nothing. A row that comes twice is
        one; two that differ under one key contradict each other."""
        data = self._get(*segments, **params)
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise BadAnswer(SYSTEM, f"not a list of things with {key}: {str(data)[:200]}")
        found: dict[str, dict[str, Any]] = {}
        for row in data:
            name = required(row, key)
            found[name] = self._one_of(found.get(name, row), row)
        return list(found.values())

    def _one_of(self, row: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """The one that counts of two rows with the same key."""
        if row != other:
            raise BadAnswer(SYSTEM, f"twice, and not alike: {str(row)[:100]} {str(other)[:100]}")
        return row

    def _get_dict(self, *segments: str | int, **params: Any) -> dict[str, Any]:
        data = self._get(*segments, **params)
        if not isinstance(data, dict):
            raise BadAnswer(SYSTEM, f"not an object: {str(data)[:200]}")
        return data


def segment(value: str | int) -> str:
    """A part of a path. proxmoxer would split it at slashes and requests resolve dots: another call,
    unchecked."""
    text = str(value)
    if not SEGMENT.fullmatch(text):
        raise Refused(SYSTEM, f"not a name that Proxmox VE knows: {text[:60]!r}")
    return text

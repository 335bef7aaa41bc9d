"""NPM's API on the wire: routes, tokens, and errors in its own uneven form."""

import re
from collections.abc import Callable
from typing import Any

from lab.npm.accounts import PERMISSIONS, NotSignedIn
from lab.npm.rows import Row
from lab.npm.schema import CREATE_CERTIFICATE, Refusal, internal_error, validated
from lab.npm.state import EXPANSIONS, Npm
from lab.server import Request, Response, Wire

VERSION = {"major": 2, "minor": 15, "revision": 1}
HOSTS = "/nginx/proxy-hosts"
CERTIFICATES = "/nginx/certificates"

_REDIRECT = (
    b"<html>\r\n<head><title>302 Found</title></head>\r\n<body>\r\n<center><h1>302 Found</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


class NpmWire(Wire):
    """Answers of ``/api/…``."""

    def __init__(self, npm: Npm) -> None:
        self._npm = npm

    def answer(self, request: Request) -> Response:
        if request.path == "/api":
            return Response(302, _REDIRECT, headers={"Location": "/api/"}, content_type="text/html")
        if not request.path.startswith("/api/"):
            return Response(404, b"Not Found\n", content_type="text/html")
        try:
            return self._route(request)
        except Refusal as refusal:
            return _refusal(request, refusal)

    def error(self, request: Request) -> Response:
        return _refusal(request, internal_error())

    def refuse(self, request: Request) -> Response:
        # Releases 2.13 to 2.15 answer a missing permission with 404, and the making of a host with 500.
        if request.method == "POST" and _path(request) == HOSTS:
            return self.error(request)
        return _refusal(request, _no_such(request))

    def duration(self, request: Request) -> str:
        # A host's write spends its time between the steps in which it reaches nginx: see state.py.
        writes = request.method != "GET" and _path(request).startswith("/nginx/")
        return "none" if writes else super().duration(request)

    def _route(self, request: Request) -> Response:
        path = _path(request)
        if path == "/" and request.method == "GET":
            return Response(body={"status": "OK", "setup": True, "version": VERSION})
        if path == "/tokens":
            return self._tokens(request)
        for method, pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == request.method:
                self._sign_in(request)
                return answer(self, request, *match.groups())
        raise _no_such(request)

    def _sign_in(self, request: Request) -> None:
        try:
            self._npm.accounts.check(request.headers.get("Authorization"))
        except NotSignedIn:
            raise _no_such(request) from None

    def _tokens(self, request: Request) -> Response:
        accounts = self._npm.accounts
        if request.method == "POST":
            return Response(body=accounts.login(_payload(request)))
        if request.method == "GET":
            expiry = _query(request, "expiry") or "1d"
            return Response(body=accounts.refresh(request.headers.get("Authorization"), expiry))
        raise _no_such(request)

    def _me(self, request: Request) -> Response:
        expand = _expand(request, ("permissions",))
        extra = {"permissions": PERMISSIONS} if expand else {}
        return Response(body=self._npm.accounts.user | extra)

    def _report(self, request: Request) -> Response:
        return Response(body={"proxy": len(self._npm.find()), "redirection": 0, "stream": 0, "dead": 0})

    def _list_hosts(self, request: Request) -> Response:
        expand = _expand(request, EXPANSIONS)
        return Response(body=self._npm.find(_query(request, "query"), expand))

    def _create_host(self, request: Request) -> Response:
        return Response(201, self._npm.create(_payload(request)))

    def _get_host(self, request: Request, id: str) -> Response:
        return Response(body=self._npm.get(_number(id), _expand(request, EXPANSIONS)))

    def _update_host(self, request: Request, id: str) -> Response:
        return Response(body=self._npm.update(_number(id), _payload(request)))

    def _delete_host(self, request: Request, id: str) -> Response:
        self._npm.delete(_number(id))
        return Response(body=True)

    def _switch_host(self, request: Request, id: str, way: str) -> Response:
        if not id.isdigit():
            raise Refusal(404, "Not Found")
        switch = self._npm.enable if way == "enable" else self._npm.disable
        switch(int(id))
        return Response(body=True)

    def _list_certificates(self, request: Request) -> Response:
        expand = _expand(request, ("owner", "proxy_hosts"))
        return Response(body=self._npm.list_certificates(_query(request, "query"), expand))

    def _create_certificate(self, request: Request) -> Response:
        return Response(201, self._npm.create_certificate(validated(_payload(request), CREATE_CERTIFICATE)))

    def _get_certificate(self, request: Request, id: str) -> Response:
        return Response(body=self._npm.get_certificate(_number(id)))

    def _delete_certificate(self, request: Request, id: str) -> Response:
        self._npm.delete_certificate(_number(id))
        return Response(body=True)

    def _renew_certificate(self, request: Request, id: str) -> Response:
        return Response(body=self._npm.renew_certificate(_number(id)))


_ID = r"/([^/]+)"
_ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/users/me", NpmWire._me),
    ("GET", "/reports/hosts", NpmWire._report),
    ("GET", HOSTS, NpmWire._list_hosts),
    ("POST", HOSTS, NpmWire._create_host),
    ("GET", HOSTS + _ID, NpmWire._get_host),
    ("PUT", HOSTS + _ID, NpmWire._update_host),
    ("DELETE", HOSTS + _ID, NpmWire._delete_host),
    ("POST", HOSTS + _ID + "/(enable|disable)", NpmWire._switch_host),
    ("GET", CERTIFICATES, NpmWire._list_certificates),
    ("POST", CERTIFICATES, NpmWire._create_certificate),
    ("GET", CERTIFICATES + _ID, NpmWire._get_certificate),
    ("DELETE", CERTIFICATES + _ID, NpmWire._delete_certificate),
    ("POST", CERTIFICATES + _ID + "/renew", NpmWire._renew_certificate),
]


def _path(request: Request) -> str:
    path = request.path.removeprefix("/api")
    return path.rstrip("/") or "/"


def _query(request: Request, name: str) -> str:
    return request.query.get(name, [""])[0]


def _expand(request: Request, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name for name in _query(request, "expand").split(",") if name)
    if not set(names) <= set(known):
        raise internal_error()
    return names


def _number(id: str) -> int:
    # Text and 0 fail NPM's own check of the parameter, in words that it does not show.
    if not re.fullmatch(r"[1-9][0-9]*", id):
        raise Refusal(400, "Internal Error")
    return int(id)


def _payload(request: Request) -> Any:
    if not request.body:
        raise Refusal(400, "Payload is undefined")
    try:
        return request.json()
    except ValueError:
        raise Refusal(400, "Internal Error") from None


def _no_such(request: Request) -> Refusal:
    return Refusal(404, f"Not Found - {_path(request)}")


def _refusal(request: Request, refusal: Refusal) -> Response:
    error: Row = {"code": refusal.code, "message": refusal.message}
    if refusal.i18n is not None:
        error["message_i18n"] = refusal.i18n
    body: Row = {"error": error}
    if _path(request).startswith(CERTIFICATES):
        body["debug"] = {"stack": refusal.stack}
        if refusal.previous:
            body["debug"]["previous"] = refusal.previous
    return Response(refusal.code, body)

"""The remote JSON API on the wire: one URL, the function as first key of the query, always HTTP 200."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.ispconfig.forms import TYPES
from lab.ispconfig.sessions import Sessions
from lab.ispconfig.state import NoSuchZone, Panel
from lab.ispconfig.tables import Fault
from lab.server import Request, Response, Wire

if TYPE_CHECKING:
    from lab import Lab

PATH = "/remote/json.php"
SERVER = {"server_id": "1", "server_name": "ns1.nodepoint.eu"}
NO_PERMISSION = "You do not have the permissions to access this function."
NO_ID_PAGE = b"""<div class='alert alert-danger clear'>
  <div class='alert-label'><strong><tmpl_var name="error_txt"></strong></div>
  <div class='alert-content'>
    <ul style="list-style-type:none">
      <li>Primary ID fehlt!</li>
    </ul>
  </div>
</div>
"""

Call = Callable[[Panel, dict[str, Any]], Any]


def _named(function: str, *arguments: str) -> Call:
    """A function of the panel; arguments are matched by name, and missing ones are null."""
    return lambda panel, body: getattr(panel, function)(*(body.get(name) for name in arguments))


def _typed(function: str, type: str, *arguments: str) -> Call:
    return lambda panel, body: getattr(panel, function)(type, *(body.get(name) for name in arguments))


CALLS: dict[str, Call] = {
    "client_get": _named("client_get", "client_id"),
    "client_get_by_customer_no": _named("client_get_by_customer_no", "customer_no"),
    "client_get_groupid": _named("client_get_groupid", "client_id"),
    "client_get_all": _named("client_get_all"),
    "client_add": _named("client_add", "reseller_id", "params"),
    "client_delete": _named("client_delete", "client_id"),
    "dns_zone_get": _named("dns_zone_get", "primary_id"),
    "dns_zone_get_by_user": _named("dns_zone_get_by_user", "client_id", "server_id"),
    "dns_zone_add": _named("dns_zone_add", "client_id", "params"),
    "dns_zone_update": _named("dns_zone_update", "client_id", "primary_id", "params"),
    "dns_zone_set_status": _named("dns_zone_set_status", "primary_id", "status"),
    "dns_zone_delete": _named("dns_zone_delete", "primary_id"),
    "dns_rr_get_all_by_zone": _named("dns_rr_get_all_by_zone", "zone_id"),
    "server_get_all": lambda panel, body: [SERVER],
    "monitor_jobqueue_count": _named("monitor_jobqueue_count", "server_id"),
    "sys_datalog_get_by_tstamp": _named("sys_datalog_get_by_tstamp", "tstamp"),
    "sys_datalog_get": _named("sys_datalog_get", "datalog_id", "newer"),
}
for _type in TYPES:
    _name = f"dns_{_type.lower()}"
    CALLS[f"{_name}_get"] = _typed("record_get", _type, "primary_id")
    CALLS[f"{_name}_add"] = _typed("record_add", _type, "client_id", "params", "update_serial")
    CALLS[f"{_name}_update"] = _typed(
        "record_update", _type, "client_id", "primary_id", "params", "update_serial"
    )
    CALLS[f"{_name}_delete"] = _typed("record_delete", _type, "primary_id", "update_serial")


class IspconfigWire(Wire):
    """Answers of `POST /remote/json.php?<function>`."""

    def __init__(self, lab: "Lab", panel: Panel, sessions: Sessions) -> None:
        self._lab, self._panel, self._sessions = lab, panel, sessions
        self.enabled = True
        """False: the remote API is switched off in the panel's security settings."""

    def answer(self, request: Request) -> Response:
        if request.path != PATH:
            return _page(b"<html><body>404 Not Found</body></html>", 404)
        if not self.enabled:
            return _page(b"Remote API is disabled in security settings.")
        try:
            return _ok(self._call(_function(request), request))
        except Fault as fault:
            return _envelope("remote_fault", str(fault), False)
        except NoSuchZone:
            return _page(NO_ID_PAGE)
        except LookupError as error:
            return _envelope("invalid_method", str(error.args[0]), False)
        except ValueError:
            return _envelope("invalid_data", "The JSON data sent to the api is invalid", False)

    def error(self, request: Request) -> Response:
        """The database is away: an empty page."""
        return _page(b"", 500)

    def refuse(self, request: Request) -> Response:
        """The remote user lacks what it takes."""
        login = _function(request) == "login"
        return _envelope(
            "remote_fault", "The login is not allowed from 127.0.0.1" if login else NO_PERMISSION, False
        )

    def duration(self, request: Request) -> str:
        """Reads are quick."""
        function = _function(request)
        return "read" if "_get" in function or function in ("login", "logout") else "write"

    def label(self, request: Request) -> str:
        """With the function, which is what tells calls apart here."""
        return f"{request.method} {request.path}?{_function(request)}"

    def _call(self, function: str, request: Request) -> Any:
        if not function:
            raise LookupError("Method not provided in json call")
        if function not in CALLS and function not in ("login", "logout"):
            raise LookupError(f"Method {function} does not exist")
        body = request.json()
        if not isinstance(body, dict | list):
            raise ValueError
        body = body if isinstance(body, dict) else {}
        if function == "client_add":  # it holds the lock itself, not all the time
            with self._lab.lock:
                self._sessions.check(body.get("session_id"), function)
            return CALLS[function](self._panel, body)
        with self._lab.lock:
            if function == "login":
                return self._sessions.login(body.get("username"), body.get("password"))
            if function == "logout":
                return self._sessions.logout(body.get("session_id"))
            self._sessions.check(body.get("session_id"), function)
            return _copy(CALLS[function](self._panel, body))


def _function(request: Request) -> str:
    return next(iter(request.query), "")


def _copy(value: Any) -> Any:
    """Rows as they are now: they may change before they are written out."""
    if isinstance(value, dict):
        return dict(value)
    return (
        [dict(row) if isinstance(row, dict) else row for row in value] if isinstance(value, list) else value
    )


def _ok(value: Any) -> Response:
    return _envelope("ok", "", value)


def _envelope(code: str, message: str, response: Any) -> Response:
    body = {"code": code, "message": message, "response": response}
    return Response(200, body, content_type='application/json; charset="utf-8"')


def _page(content: bytes, status: int = 200) -> Response:
    return Response(status, content, content_type="text/html; charset=utf-8")

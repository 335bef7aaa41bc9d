"""What the web server in a container answers: WordPress as the script has installed it, the ways in which it
can be broken, and the links that let an administrator in."""

import hashlib
import html
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote

from lab.server import Response

Guest = dict[str, Any]
Output = tuple[int, bytes, bytes]

LOGIN_SECONDS = 300
PRIMARY_DOMAIN = "/etc/wordpress-primary-domain"
PLATFORM_DOMAIN = "/etc/wordpress-platform-domain"
ADMINISTRATION = ("/wp-admin/", "/wp-login.php")
LOGIN_PATH = "/wp-admin/admin-post.php"
TROUBLES = ("config", "installer", "database", "php", "nginx", "moved", "plugin")
"""What can be wrong: no wp-config.php, not installed, MariaDB down, PHP-FPM down, nginx without the site, a
front page that leads elsewhere, a plugin that ends every page but in safe mode."""
SAFE_MODE = "/etc/nodepoint/safemode"
BROKEN_PLUGIN = "bad"


@dataclass
class Visit:
    """A request as it reaches the container. ``path`` is without the query; header names are lower case."""

    host: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    query: str = ""
    body: bytes = b""

    @property
    def base(self) -> str:
        """Scheme and host as WordPress sees them."""
        scheme = "https" if self.headers.get("x-forwarded-proto") == "https" else "http"
        return f"{scheme}://{self.host}"


def answer(guest: Guest, title: str, visit: Visit) -> Response:
    """The answer of a guest whose web server is up. May change the guest: a login link is used up."""
    if visit.path == "/healthz":
        return Response(200, b"ok\n", content_type="text/plain")
    if visit.path == "/xmlrpc.php" and guest.get("xmlrpc") != "yes":
        return _page(403, "403 Forbidden", "<h1>403 Forbidden</h1>")
    if trouble := _trouble(guest):
        return _broken(trouble, visit)
    primary = guest["files"].get(PRIMARY_DOMAIN, "").strip()
    host = visit.host.partition(":")[0].lower()
    if host == guest["files"].get(PLATFORM_DOMAIN, "").strip() and _administers(visit):
        primary = host
    if primary and host != primary:
        query = f"?{visit.query}" if visit.query else ""
        return _leading(f"https://{primary}{visit.path}{query}", {"Cache-Control": "no-cache"}, 301)
    if visit.path == LOGIN_PATH and visit.query == "action=nodepoint_login":
        return _login(guest, visit)
    return _page_of(guest, title, visit)


def _administers(visit: Visit) -> bool:
    """Whether our wp-config.php answers by the platform's name, whatever the primary one is."""
    return visit.path.startswith(ADMINISTRATION) or "wordpress_logged_in_" in visit.headers.get("cookie", "")


def _trouble(guest: Guest) -> str:
    trouble = guest.get("trouble", "")
    return "" if trouble == "plugin" and SAFE_MODE in guest["files"] else trouble


def access(guest: Guest, act: str, argument: str = "") -> Output:
    """What the script that lets administrators in prints (`sites/install/access.sh`)."""
    if act == "safemode" and argument in ("on", "off"):
        return _safe_mode(guest, argument)
    if act not in ("login", "password"):
        return 64, b"", b""
    return _link(guest, act, argument) if _answers(guest) else _refusal(guest)


def _answers(guest: Guest) -> bool:
    return bool(guest["site"]) and not _trouble(guest)


def _refusal(guest: Guest) -> Output:
    said = {"plugin": f"failed plugin {BROKEN_PLUGIN}\n", "database": "failed database -\n"}
    return 70, said.get(guest.get("trouble", ""), "").encode(), b"the login page does not answer\n"


def _safe_mode(guest: Guest, wanted: str) -> Output:
    """One that does not make the login page answer is not turned on."""
    before = guest["files"].pop(SAFE_MODE, None)
    if wanted == "on":
        guest["files"][SAFE_MODE] = ""
        if not _answers(guest):
            if before is None:
                del guest["files"][SAFE_MODE]
            return _refusal(guest)
    return 0, f"safemode {wanted}\n".encode(), b""


def _link(guest: Guest, act: str, name: str) -> Output:
    """A login link is known by its digest alone. A name that leads to the primary one takes no token."""
    primary = guest["files"].get(PRIMARY_DOMAIN, "").strip()
    domain = name or primary
    if domain not in (primary, guest["files"].get(PLATFORM_DOMAIN, "").strip()):
        return 70, b"", b"the login page does not answer as it should\n"
    if act == "login":
        token = secrets.token_hex(32)
        guest.setdefault("logins", {})[_digest(token)] = time.time()
        url = f"https://{domain}{LOGIN_PATH}?action=nodepoint_login#{token}"
    else:
        key = secrets.token_hex(10)
        guest["reset_key"] = _digest(key)
        url = f"https://{domain}/wp-login.php?action=rp&key={key}&login={quote(guest.get('admin', ''))}"
    return 0, f"link {url}\n".encode(), b""


def forget_runtime(guest: Guest) -> None:
    """What stands on a tmpfs goes with the container's power, and is in no snapshot."""
    guest.pop("logins", None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _login(guest: Guest, visit: Visit) -> Response:
    if visit.method != "POST":
        form = '<form method="post"><input type="hidden" name="nodepoint_token" value=""></form>'
        return _page(200, "Log in", form, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    (token,) = parse_qs(visit.body.decode(errors="replace")).get("nodepoint_token", [""])[:1]
    made = guest.get("logins", {}).pop(_digest(token), 0.0)
    if time.time() - made > LOGIN_SECONDS:
        return _page(403, "Log in", "This login link was used before or is older than five minutes.")
    session = secrets.token_hex(16)
    guest.setdefault("sessions", []).append(session)
    cookie = f"wordpress_logged_in_lab={session}; path=/; secure; HttpOnly"
    return _leading(f"{visit.base}/wp-admin/", {"Set-Cookie": cookie})


def _broken(trouble: str, visit: Visit) -> Response:
    """The answers seen of real containers in these states."""
    match trouble:
        case "config":
            return _leading(f"{visit.base}/wp-admin/setup-config.php")
        case "installer":
            if visit.path == "/wp-admin/install.php":
                return _page(200, "WordPress &rsaquo; Installation", "<h1>Welcome</h1>")
            return _leading(f"{visit.base}/wp-admin/install.php")
        case "database":
            return _page(500, "Database Error", "<h1>Error establishing a database connection</h1>")
        case "plugin":
            return _page(500, "WordPress &rsaquo; Error", "<p>There has been a critical error.</p>")
        case "php":
            return _page(502, "502 Bad Gateway", "<center><h1>502 Bad Gateway</h1></center>")
        case "moved":
            return _leading("https://elsewhere.example/")
    if visit.path != "/":
        return _page(404, "404 Not Found", "<center><h1>404 Not Found</h1></center>")
    return _page(200, "Welcome to nginx!", "<h1>Welcome to nginx!</h1>")


def _page_of(guest: Guest, title: str, visit: Visit) -> Response:
    """WordPress by itself answers every Host alike; our wp-config.php leads foreign names to the primary one
    (see `answer`)."""
    title, base = html.escape(title), visit.base
    match visit.path:
        case "/" | "/index.php":
            styles = f'<link rel="stylesheet" href="{base}/wp-includes/blocks/style.min.css">'
            api = {"Link": f'<{base}/wp-json/>; rel="https://api.w.org/"'}
            return _page(200, title, f"{styles}<h1>{title}</h1>", api)
        case "/wp-login.php" if "action=rp" in visit.query:
            (key,) = parse_qs(visit.query).get("key", [""])[:1]
            known = guest.get("reset_key") == _digest(key)
            said = "Enter your new password" if known else "Your password reset link appears to be invalid"
            return _page(200, f"Reset Password &lsaquo; {title}", said)
        case "/wp-login.php":
            return _page(200, f"Log In &lsaquo; {title}", '<form id="loginform"></form>')
        case "/xmlrpc.php" if visit.method != "POST":
            return Response(405, b"XML-RPC server accepts POST requests only.", content_type="text/plain")
        case "/xmlrpc.php":
            return Response(200, b"<?xml version='1.0'?><methodResponse/>", content_type="text/xml")
        case "/wp-admin/install.php":
            return _page(200, "WordPress &rsaquo; Installation", "<h1>Already Installed</h1>")
        case "/wp-admin" | "/wp-admin/":
            cookies = visit.headers.get("cookie", "")
            if any(f"wordpress_logged_in_lab={session}" in cookies for session in guest.get("sessions", [])):
                return _page(200, f"Dashboard &lsaquo; {title}", "<h1>Dashboard</h1>")
            back = quote(f"{base}/wp-admin/", safe="")
            return _leading(f"{base}/wp-login.php?redirect_to={back}&reauth=1")
    return _page(404, f"Page not found &#8211; {title}", "<h1>Page not found</h1>")


def _leading(location: str, headers: Mapping[str, str] | None = None, status: int = 302) -> Response:
    headers = {"Location": location, **(headers or {})}
    return Response(status, b"", headers=headers, content_type="text/html; charset=UTF-8")


def _page(status: int, title: str, body: str, headers: Mapping[str, str] | None = None) -> Response:
    head = f"<head><title>{title}</title></head>"
    text = f"<!DOCTYPE html>\n<html>{head}<body>{body}</body></html>\n"
    return Response(
        status, text.encode(), headers=dict(headers or {}), content_type="text/html; charset=UTF-8"
    )

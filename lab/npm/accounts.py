"""NPM's API users and their tokens (one administrator; JWTs of one day)."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from lab.npm.rows import Row, stamp
from lab.npm.schema import LOGIN, Refusal, internal_error, validated
from lab.store import Store

PERMISSIONS = {
    "visibility": "all",
    "proxy_hosts": "manage",
    "redirection_hosts": "manage",
    "dead_hosts": "manage",
    "streams": "manage",
    "access_lists": "manage",
    "certificates": "manage",
}

_UNITS = {
    "y": 31557600,
    "Q": 7889400,
    "M": 2629800,
    "w": 604800,
    "d": 86400,
    "h": 3600,
    "m": 60,
    "s": 1,
    "ms": 0.001,
}


class NotSignedIn(Exception):
    """No bearer token at all; NPM answers as if the path did not exist."""


class Accounts:
    """The user, the password and the signing key, which all outlive a restart."""

    def __init__(self, store: Store, email: str) -> None:
        kept = store.load("npm_account").get("admin")
        if kept is None:
            kept = {
                "password": secrets.token_urlsafe(12),
                "key": secrets.token_hex(32),
                "user": _user(email),
            }
            store.save("npm_account", "admin", kept)
        self.user: Row = kept["user"]
        self.password: str = kept["password"]
        self._key = bytes.fromhex(kept["key"])

    def login(self, data: Any) -> Row:
        """``{token, expires}`` for ``{identity, secret, scope?}``. Raises Refusal 400."""
        given = validated(data, LOGIN)
        if given["identity"].strip().lower() != self.user["email"]:
            raise Refusal(400, "Invalid email or password")
        if not hmac.compare_digest(given["secret"].encode(), self.password.encode()):
            raise Refusal(400, "Invalid email or password", i18n="error.invalid-auth")
        return self._token(86400)

    def refresh(self, authorization: str | None, expiry: str = "1d") -> Row:
        """A new token for a valid one; ``expiry`` is a number and a unit, such as 30d."""
        try:
            self.check(authorization)
        except NotSignedIn:
            raise internal_error() from None
        match = re.fullmatch(r"(\d+)(ms|[yQMwdhms])", expiry)
        if match is None:
            raise Refusal(400, f"Invalid expiry time: {expiry}")
        return self._token(int(match[1]) * _UNITS[match[2]])

    def check(self, authorization: str | None) -> None:
        """Whose bearer header it is. Raises NotSignedIn, Refusal 500 (damaged token) or 400 (expired)."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer" or not token:
            raise NotSignedIn
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode("utf-8", "replace")):
            raise internal_error()
        expires = json.loads(_unpadded(signed.partition(".")[2]))["exp"]
        if expires <= time.time():
            expired_at = _iso(int(expires))
            i18n = {"name": "TokenExpiredError", "message": "jwt expired", "expiredAt": expired_at}
            raise Refusal(400, "Token has expired", i18n=i18n)

    def _token(self, seconds: float) -> Row:
        now = time.time()
        claims = {
            "iss": "api",
            "attrs": {"id": self.user["id"]},
            "scope": ["user"],
            "iat": int(now),
            "exp": int(now + seconds),
            "jti": secrets.token_hex(6),
        }
        signed = ".".join(_encoded(part) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return {"token": f"{signed}.{self._signature(signed)}", "expires": _iso(now + seconds)}

    def _signature(self, signed: str) -> str:
        digest = hmac.new(self._key, signed.encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _user(email: str) -> Row:
    now = stamp()
    digest = hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()
    return {
        "id": 1,
        "created_on": now,
        "modified_on": now,
        "is_disabled": False,
        "email": email,
        "name": "NodePoint",
        "nickname": "nodepoint",
        "avatar": f"//www.gravatar.com/avatar/{digest}?default=mm",
        "roles": ["admin"],
    }


def _encoded(part: Row) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

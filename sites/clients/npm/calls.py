"""How Nginx Proxy Manager is called: its token, and what its misleading statuses mean."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from nodepoint.clients.breaker import guarded
from nodepoint.clients.counting import observed, operation
from nodepoint.clients.deadline import deadline, end_of, left_until
from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    ClientError,
    Conflict,
    NotFound,
    Refused,
    Unreachable,
    keep_secret,
)
from nodepoint.clients.http import Answer, JsonApi
from sites.clients.npm.causes import Cause, NoCertificate, cause_of, retry_after

SYSTEM = "npm"
RENEW_BEFORE = timedelta(hours=1)
CERTBOT_PAUSE = 45.0  # seconds; how long another order usually lasts
RATE_LIMIT_PAUSE = 3600.0  # seconds; the authority's limits are counted in hours


# What builds from source say: 2.15.1's package.json holds 2.0.0, 2.12.6's 0.0.0 (backend/package.json).
UNSTAMPED = ((0, 0, 0), (2, 0, 0))


class _Login:
    """A token for one account of one NPM, shared by all threads and clients of the process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.token = ""
        self.expires = datetime.min.replace(tzinfo=UTC)

    def fresh(self) -> bool:
        return self.expires - datetime.now(UTC) > RENEW_BEFORE


_logins: dict[tuple[str, str, str], _Login] = {}


class Calls:
    """See `Npm`."""

    def __init__(
        self,
        url: str,
        email: str,
        password: str,
        timeout: float = 60.0,
        certificate_timeout: float = 180.0,
        verify_tls: bool | str = True,
    ) -> None:
        keep_secret(password)
        self._api = JsonApi(SYSTEM, url.rstrip("/").removesuffix("/api") + "/api", timeout, verify_tls)
        self._account = {"identity": email, "secret": password}
        self._login = _logins.setdefault((self._api.url, email, password), _Login())
        self._version: tuple[int, ...] | None = None
        self._named_address: bool | None = None
        self.certificate_timeout = certificate_timeout

    def version(self) -> tuple[int, ...]:
        """The release, as (2, 15, 1); asked once. Needs no token. One of `UNSTAMPED` tells nothing."""
        if self._version is None:
            answer = self._api.call("GET", "")
            found = answer.body.get("version") if answer.ok and isinstance(answer.body, dict) else None
            if not isinstance(found, dict):
                raise answer.bad()
            try:
                self._version = tuple(int(found.get(part) or 0) for part in ("major", "minor", "revision"))
            except (TypeError, ValueError) as error:
                raise answer.bad(f"no version: {error}") from error
        return self._version

    def _forget_release(self) -> None:
        self._version = self._named_address = None

    def _orders_name_an_address(self) -> bool:
        """Whether the order of a certificate carries the address for the authority, as up to 2.12; later
        releases refuse it. A build that does not say its release is asked for its schema (without token)."""
        version = self.version()
        if version not in UNSTAMPED:
            return version < (2, 13)
        if self._named_address is None:
            answer = self._api.call("GET", "schema")
            body: Any = answer.body
            try:
                request = body["paths"]["/nginx/certificates"]["post"]["requestBody"]
                payload = request["content"]["application/json"]["schema"]
                self._named_address = "letsencrypt_email" in payload["properties"]["meta"]["properties"]
            except (KeyError, TypeError) as error:
                raise answer.bad(f"its schema does not tell what an order holds: {error!r}") from error
        return self._named_address

    def _call(
        self,
        method: str,
        *path: str | int,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        timeout: float | None = None,
    ) -> Answer:
        """One call; with a new token once more where it was the token that was refused, before anything
        was done."""

        def send(token: str) -> Answer:
            headers = {"Authorization": f"Bearer {token}"}
            return self._api.call(method, *path, params=params, body=body, headers=headers, timeout=timeout)

        counted = observed(SYSTEM, operation(method, *path))
        with counted, guarded(SYSTEM), deadline(timeout or self._api.timeout):
            token = self._token()
            answer = send(token)
            if not answer.ok and self._token_is_refused(answer, token):
                answer = send(self._token(instead_of=token))
            if answer.ok:
                return answer
            raise error_of(answer)

    def _token(self, instead_of: str = "") -> str:
        """The token of this process; a new one when it ends within the hour, or when it is `instead_of`."""
        login = self._login
        end = end_of(self._api.timeout)
        if not login.lock.acquire(timeout=left_until(end)):
            raise Unreachable(SYSTEM, "another thread's login took too long")
        try:
            if login.token == instead_of or not login.fresh():
                login.token, login.expires = self._log_in()
            return login.token
        finally:
            login.lock.release()

    def _log_in(self) -> tuple[str, datetime]:
        answer = self._api.call("POST", "tokens", body=self._account)
        found = answer.body if isinstance(answer.body, dict) else {}
        if answer.ok and found.get("requires_2fa"):
            raise Refused(SYSTEM, "the account has two-factor authentication switched on")
        if not answer.ok:
            raise (
                Refused(SYSTEM, f"login: {_message(answer)}")
                if answer.status in (400, 401, 403)
                else error_of(answer)
            )
        try:
            token, expires = str(found["token"]), datetime.fromisoformat(found["expires"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(SYSTEM, f"login without a token: {error!r}") from error
        keep_secret(token)
        return token, expires

    def _token_is_refused(self, answer: Answer, token: str) -> bool:
        """Whether the token was the trouble. Where the answer itself does not say so, `users/me` does."""
        message = _message(answer)
        if answer.status in (401, 403) or (answer.status == 400 and message == "Token has expired"):
            return True
        if answer.status == 500 or (answer.status == 404 and not _names_an_id(message)):
            return not self._works(token, when_unsure=answer.status == 500)
        return False

    def _works(self, token: str, when_unsure: bool) -> bool:
        try:
            return self._api.call("GET", "users", "me", headers={"Authorization": f"Bearer {token}"}).ok
        except ClientError:
            if when_unsure:
                return True  # the 500 itself has to be told, its outcome is unknown
            raise


def error_of(answer: Answer) -> ClientError:
    """The error for a status of 400 and above, given with a token that works."""
    message = _message(answer)
    vendor = f"{answer.status} {message or answer.text}"
    lines = _stack(answer)
    stack = " ".join(lines).strip()
    if "Another instance of Certbot" in stack:
        return Busy(SYSTEM, stack, retry_after=CERTBOT_PAUSE)
    if (cause := cause_of(lines)) != Cause.UNKNOWN or _is_certbot(stack):
        wait = (retry_after(stack) or RATE_LIMIT_PAUSE) if cause == Cause.LIMIT else None
        return NoCertificate(SYSTEM, stack, cause, wait)
    if answer.status == 429:
        return Busy(SYSTEM, vendor)
    if answer.status == 404:
        return NotFound(SYSTEM, vendor) if _names_an_id(message) else Refused(SYSTEM, vendor)
    if answer.status == 400 and ("already in use" in message or "is already" in message):
        return Conflict(SYSTEM, vendor)
    if answer.status in (400, 401, 403):
        return Refused(SYSTEM, vendor)
    return BadAnswer(SYSTEM, f"{vendor} {stack}")


def _message(answer: Answer) -> str:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else ""


def _stack(answer: Answer) -> list[str]:
    debug = answer.body.get("debug") if isinstance(answer.body, dict) else None
    stack = debug.get("stack") if isinstance(debug, dict) else None
    return list(map(str, stack)) if isinstance(stack, list) else []


def _is_certbot(stack: str) -> bool:
    """Certbot's own failure, after which NPM has removed the row; not nginx's, nor a fault of NPM."""
    return any(word in stack for word in ("letsencrypt.log", "challenge", "Certificate is not valid"))


def _names_an_id(message: str) -> bool:
    """ "Not Found - 17" means that 17 is gone; with a path or a word it means a missing permission or
    route."""
    return message.rpartition(" - ")[2].isdigit()

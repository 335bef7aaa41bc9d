"""Remote users' sessions: 1800 s from login, bound to functions, and the throttle that counts failures."""

import secrets
import time
from typing import TYPE_CHECKING, Any

from lab.ispconfig.tables import Fault

if TYPE_CHECKING:
    from lab import Lab

USERNAME = "nodepoint"
LIFETIME = 1800  # seconds from login; use does not extend it
MOST_FAILURES = 10
BLOCKED = 300  # seconds since the last failure
CHECKED_AS = {
    "client_get_groupid": "client_get_id",
    "dns_rr_get_all_by_zone": "dns_zone_get",
    "dns_zone_get_by_user": "dns_zone_get",
    "sys_datalog_get": "server_get",
    "sys_datalog_get_by_tstamp": "server_get",
}
"""Functions whose right is another's: the first three recorded with 3.2.12, the others from
interface/lib/classes/remote.d/admin.inc.php:276, 294."""


class Sessions:
    """Who is logged in. All callers come from one address here. Use it inside the lab's lock."""

    def __init__(self, lab: "Lab") -> None:
        self._store = lab.store
        account = self._store.load("ispconfig_account").get("account")
        if account is None:
            account = {"password": secrets.token_urlsafe(18)}
            self._store.save("ispconfig_account", "account", account)
        self.password: str = account["password"]
        self._logins: dict[str, float] = self._store.load("ispconfig_session")
        self.denied: set[str] = set()
        """Functions that the remote user may not call."""
        self.maintenance = False
        self.failures, self.failed_at = 0, 0.0

    def login(self, username: Any, password: Any) -> str:
        """A new session; older ones go on."""
        for name, value in (("username", username), ("password", password)):
            if not value:
                raise Fault(f"The login {name} is empty.")
        if self.maintenance:
            raise Fault(
                "This ISPConfig installation is currently under maintenance. We should be back shortly. "
                "Thank you for your patience."
            )
        if self._blocked():
            raise Fault("The login failure limit has been reached.")
        if username != USERNAME or password != self.password:
            self._fail()
            raise Fault("The login failed. Username or password wrong.")
        self.failures = 0
        session = "r" + secrets.token_hex(20)
        self._logins[session] = time.time()
        self._store.save("ispconfig_session", session, self._logins[session])
        return session

    def logout(self, session: Any) -> bool:
        """True, also when it was gone."""
        if not session:
            raise Fault("The SessionID is empty.")
        if self._logins.pop(session, None) is not None:
            self._store.delete("ispconfig_session", session)
        return True

    def check(self, session: Any, function: str) -> None:
        """Fault unless the session is valid and its user may call the function."""
        if session in (None, ""):
            raise Fault("The SessionID is empty.")
        if not isinstance(session, str):
            raise Fault("Wrong SessionID datatype.")
        if self._blocked():
            raise Fault("The Session failure limit has been reached.")
        if time.time() - self._logins.get(session, 0.0) > LIFETIME:
            self._fail()
            raise Fault("The Session is expired or does not exist.")
        if function in self.denied or CHECKED_AS.get(function) in self.denied:
            raise Fault("You do not have the permissions to access this function.")

    def untick(self, group: str) -> None:
        """Take a group of functions from the remote user, such as `dns_srv`: the panel ticks them as one
        (interface/web/dns/lib/remote.conf.php)."""
        self.denied |= {f"{group}_{act}" for act in ("get", "add", "update", "delete")}

    def expire(self) -> None:
        """End every session, as the lapse of half an hour does."""
        for session in list(self._logins):
            self.logout(session)

    def _fail(self) -> None:
        self.failures += 1
        self.failed_at = time.time()

    def _blocked(self) -> bool:
        return self.failures >= MOST_FAILURES and time.time() - self.failed_at < BLOCKED

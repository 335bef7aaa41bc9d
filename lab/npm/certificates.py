"""NPM's certificates: rows, certbot (one run at a time, seconds long), what a failed order leaves behind."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.npm.certbot import Authority, command
from lab.npm.rows import Counter, Row, like, stamp
from lab.npm.schema import Refusal, internal_error

if TYPE_CHECKING:
    from lab import Lab
    from lab.npm.nginx import Nginx

DAY = 86400
VALID_DAYS = 90
_PRIVATE = ("_files", "_credentials")


class Certificates:
    """Rows by id. ``create`` and ``renew`` wait for certbot without the lab's lock; the rest needs it."""

    def __init__(
        self,
        lab: "Lab",
        nginx: "Nginx",
        hosts_with: Callable[[list[str]], list[Row]],
        write_host: Callable[[Row], None],
        authority: Authority,
    ) -> None:
        self._lab, self._nginx, self._authority = lab, nginx, authority
        self._hosts_with, self._write_host = hosts_with, write_host
        self._ids = Counter(lab.store, "certificate")
        self._rows: dict[int, Row] = {int(id): row for id, row in lab.store.load("npm_certificate").items()}
        # The one certbot run in progress (or none), by the id of its certificate.
        self._runs: dict[int, Row] = {int(id): run for id, run in lab.store.load("npm_certbot").items()}
        self._ended: dict[int, Refusal | None] = {}
        lab.world.on("npm.certbot", self._end_run)

    def install(self, names: list[str], days: int) -> int:
        """Put in a finished DNS-01 certificate, as if ordered earlier by an operator; returns its id."""
        row = self._insert({"provider": "letsencrypt", "domain_names": names})
        row["meta"] = {"dns_challenge": True, "dns_provider": "cloudflare", "propagation_seconds": 30}
        row["expires_on"] = stamp(time.time() + days * DAY)
        row["_files"] = True
        self._save(row)
        return row["id"]

    def has_files(self, id: int) -> bool:
        """Whether nginx finds the PEM files of this certificate."""
        return bool(self._rows.get(id, {}).get("_files"))

    def exists(self, id: int) -> bool:
        """Whether there is such a row; its certificate may still be on order."""
        return id in self._rows

    def get(self, id: int) -> Row:
        """The row as the API gives it. Raises Refusal 404."""
        return self._view(self._found(id))

    def find(self, query: str = "") -> list[Row]:
        """Rows by nice_name; ``query`` is an SQL LIKE pattern inside nice_name."""
        matches = like(query)
        rows = [self._view(row) for row in self._rows.values() if matches(row["nice_name"])]
        return sorted(rows, key=lambda row: row["nice_name"])

    def expansion(self, id: int) -> Row | None:
        """The row as it stands inside a host: without meta, null when deleted."""
        row = self._rows.get(id)
        return {**self._view(row), "is_deleted": False, "meta": {}} if row else None

    def create(self, data: Row, email: str) -> Row:
        """Order a certificate (provider letsencrypt) or make an empty row for an upload (other).

        Takes ``clock.seconds("certificate")``. Raises Refusal with certbot's stderr; the row is gone then.
        """
        with self._lab.lock:
            letsencrypt = data["provider"] == "letsencrypt"
            if letsencrypt:
                self._check_order(data)
            row = self._insert(data)
            if not letsencrypt:
                return self._view(row)
            run = self._start_run(row, "create", email)
        self._wait(run)
        with self._lab.lock:
            now = int(time.time())
            name = row["domain_names"][0]
            details = {
                "cn": name,
                "issuer": f"CN = {name}",
                "dates": {"from": now, "to": now + VALID_DAYS * DAY},
            }
            answer = self._view(row)
            return {**answer, "meta": {**answer["meta"], "letsencrypt_certificate": details}}

    def renew(self, id: int, email: str) -> Row:
        """Force a renewal. Raises Refusal; a failure changes nothing."""
        with self._lab.lock:
            row = self._found(id)
            if row["provider"] != "letsencrypt":
                raise Refusal(400, "Only Let'sEncrypt certificates can be renewed")
            run = self._start_run(row, "renew", email)
        self._wait(run)
        with self._lab.lock:
            return {**self._view(row), "is_deleted": False}

    def delete(self, id: int) -> None:
        """Revoke and delete, also while hosts use it: nginx is broken from then on. Raises Refusal 404."""
        self._found(id)
        del self._rows[id]
        self._lab.store.delete("npm_certificate", id)

    def _found(self, id: int) -> Row:
        if id not in self._rows:
            raise Refusal(404, f"Not Found - {id}")
        return self._rows[id]

    def _view(self, row: Row) -> Row:
        return {name: value for name, value in row.items() if name not in _PRIVATE}

    def _save(self, row: Row) -> None:
        self._rows[row["id"]] = row
        self._lab.store.save("npm_certificate", row["id"], row)

    def _insert(self, data: Row) -> Row:
        now = stamp()
        names = data.get("domain_names", [])
        meta = dict(data.get("meta", {}))
        row = {
            "id": self._ids.next(),
            "created_on": now,
            "modified_on": now,
            "owner_user_id": 1,
            "provider": data["provider"],
            "nice_name": data.get("nice_name") or ", ".join(names),
            "domain_names": names,
            "expires_on": now,
            "meta": meta,
            "_files": False,
            "_credentials": meta.pop("dns_provider_credentials", ""),
        }
        self._save(row)
        return row

    def _check_order(self, data: Row) -> None:
        """What NPM stumbles over before it starts certbot."""
        meta = data.get("meta", {})
        if "domain_names" not in data:
            stack = ["TypeError: Cannot read properties of undefined (reading 'join')"]
            raise Refusal(500, "Internal Error", stack)
        if not meta.get("dns_challenge"):
            return
        provider = meta.get("dns_provider", "undefined")
        if provider != "cloudflare":
            raise Refusal(404, f"Not Found - {provider}")
        if "dns_provider_credentials" not in meta:
            what = (
                'The "data" argument must be of type string or an instance of Buffer, TypedArray, or '
                "DataView. Received undefined"
            )
            raise Refusal(500, "Internal Error", [f"TypeError [ERR_INVALID_ARG_TYPE]: {what}"])

    def _start_run(self, row: Row, kind: str, email: str) -> Row:
        ends = time.time() + self._lab.clock.seconds("certificate")
        run = {
            "id": row["id"],
            "kind": kind,
            "names": row["domain_names"],
            "clears_the_way": kind == "create" and not row["meta"].get("dns_challenge"),
            "command": command(row, kind, email),
            "ends": ends,
        }
        failure = None
        if self._runs:
            failure = _failed(["Another instance of Certbot is already running.", ""], run["command"])
            if run["clears_the_way"]:
                # The way was cleared before certbot was asked, and is given back as after any failure.
                run["hosts"] = self._hosts_with(run["names"])
                self._give_the_way_back(run, failed=True)
        elif run["clears_the_way"]:
            failure = self._clear_the_way(run)
        if failure:
            if kind == "create":
                self.delete(row["id"])
            raise failure
        self._ended.pop(row["id"], None)
        self._runs[row["id"]] = run
        self._lab.store.save("npm_certbot", row["id"], run)
        self._lab.world.at(ends, "npm.certbot", id=row["id"])
        return run

    def _clear_the_way(self, run: Row) -> Refusal | None:
        """HTTP-01: hosts with these names leave nginx, a temporary server answers 404 for them meanwhile."""
        run["hosts"] = self._hosts_with(run["names"])
        for host in run["hosts"]:
            self._nginx.remove(f"proxy_host/{host['id']}.conf")
        temporary = _temporary_file(run["id"])
        self._nginx.write(temporary, {"server_names": run["names"], "challenge": True})
        trouble = self._nginx.test()
        if trouble is None:
            self._nginx.reload()
            return None
        self._nginx.remove(_temporary_file(run["id"]))
        self._put_hosts_back(run)
        return _failed(trouble.split("\n"), "/usr/sbin/nginx -t -g error_log off;")

    def _put_hosts_back(self, run: Row) -> None:
        for host in run["hosts"]:
            self._write_host(host)

    def _wait(self, run: Row) -> None:
        """Sleep until certbot has ended; raises the Refusal that it ended with."""
        self._lab.sleep(run["ends"] - time.time())
        with self._lab.lock:
            self._lab.world.settle(run["ends"])
            ended = self._ended.pop(run["id"], None)
        if ended is not None:
            raise ended

    def _end_run(self, now: float, id: int) -> None:
        run = self._runs.pop(id)
        self._lab.store.delete("npm_certbot", id)
        failure = self._outcome(run)
        if run["clears_the_way"]:
            try:
                self._give_the_way_back(run, failed=failure is not None)
            except Refusal as refusal:
                failure = failure or refusal
        self._ended[id] = failure
        if failure is None:
            self._issue(self._rows[id], now)
        elif run["kind"] == "create" and id in self._rows:
            self.delete(id)

    def _give_the_way_back(self, run: Row, failed: bool) -> None:
        """In NPM's order (certificate.js: create): after a success nginx is reloaded *before* the hosts'
        files are back, so that it serves none of them until the next write of anything."""
        self._nginx.remove(_temporary_file(run["id"]))
        if failed:
            self._put_hosts_back(run)
        self._nginx.reload()
        if not failed:
            self._put_hosts_back(run)

    def _outcome(self, run: Row) -> Refusal | None:
        row = self._rows.get(run["id"])
        if row is None:
            # Somebody deleted it while certbot ran.
            return internal_error()
        trouble = self._authority.trouble(run["names"], row["meta"], row["_credentials"])
        return _failed(trouble, run["command"]) if trouble else None

    def _issue(self, row: Row, now: float) -> None:
        row |= {"expires_on": stamp(now + VALID_DAYS * DAY), "modified_on": stamp(now), "_files": True}
        self._save(row)
        self._authority.note(row["domain_names"], now)


def _temporary_file(id: int) -> str:
    return f"temp/letsencrypt_{id}.conf"


def _failed(lines: list[str], command: str) -> Refusal:
    previous = {"code": 1, "killed": False, "signal": None, "cmd": command}
    return Refusal(500, "Internal Error", [f"Error: {lines[0]}", *lines[1:]], previous)

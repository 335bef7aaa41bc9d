"""Clients that order sites, use them and take them back, and keep account of what they were told."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

PATIENCE = 25.0  # seconds: no request takes longer than 22
PAUSE = 0.5  # between two tries of what was not answered, and two looks
ACTS = ("/action/stop", "/action/start", "/action/restart", "/action/toggle", "/suspend", "/unsuspend")


@dataclass
class Account:
    """What all clients were told: how calls ended, and what stands or is gone by that."""

    ended: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    ordered: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, seconds: float) -> None:
        with self.lock:
            self.ended[kind] += 1
            self.seconds.append(seconds)

    def quantile(self, share: float) -> float:
        ranked = sorted(self.seconds)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


class Client:
    """One customer's billing: an order after the other, each used for a while and deleted, until `over`."""

    def __init__(self, number: int, url: str, headers: dict[str, str], account: Account) -> None:
        self.number, self.url, self.headers, self.account = number, url, headers, account
        self.chance = random.Random(number)

    def run(self, over: Callable[[], bool]) -> None:
        orders = 0
        while not over():
            orders += 1
            service = f"c{self.number}-{orders}"
            self.insist("/create-site", self._order(service), ok=(200, 409), over=lambda: False)
            self.account.ordered.add(service)
            while not over() and self.status(service) == "provisioning":
                time.sleep(PAUSE)
            for _ in range(self.chance.randrange(2, 6)):
                if over():
                    return
                self.call("POST", self.chance.choice(ACTS), {"service_id": service})
                self.status(service)
            if not over():
                self.insist("/delete-site", {"service_id": service}, ok=(200,), over=lambda: False)
                self.account.deleted.add(service)

    def _order(self, service: str) -> dict[str, str]:
        return {
            "service_id": service,
            "email": f"{service}@example.com",
            "plan": "basic",
            "public_ip": "203.0.113.10",
        }

    def insist(self, path: str, body: dict[str, str], ok: tuple[int, ...], over: Callable[[], bool]) -> None:
        """Ask until there is a definite answer, as a billing system's queue does."""
        while not over():
            status, said = self.call("POST", path, body)
            if status in ok:
                return
            if 400 <= status < 500 and status != 429 and not self._comes_later(said):
                self.account.wrong.append(f"{path} {body['service_id']}: {status} {said}")
                return
            time.sleep(PAUSE)

    def _comes_later(self, said: str) -> bool:
        return any(words in said for words in ("busy", "in_progress", "no_capacity"))

    def status(self, service: str) -> str:
        """What `GET /status` says."""
        _, said = self.call("GET", "/status", {"service_id": service})
        return said if said in STATES else ""

    def call(self, method: str, path: str, body: dict[str, str]) -> tuple[int, str]:
        """Status and code or state of the answer; (0, "") without one."""
        began = time.monotonic()
        given = {"params": body} if method == "GET" else {"json": body}
        try:
            answer = requests.request(
                method, self.url + path, headers=self.headers, timeout=PATIENCE, **given
            )
            found = answer.json()
        except requests.RequestException as error:
            self.account.note(f"{method} {path}: {type(error).__name__}", time.monotonic() - began)
            return 0, ""
        code = found.get("code", "")
        words = f"{answer.status_code} {code}".strip()
        self.account.note(f"{method} {path}: {words}", time.monotonic() - began)
        return answer.status_code, code or found.get("status", "")


STATES = ("provisioning", "running", "stopped", "suspended", "deleting", "failed", "unknown")

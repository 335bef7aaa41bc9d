"""Failures to order: the next calls that match fail in a given way."""

import threading
from dataclasses import asdict, dataclass
from typing import Any

SYSTEMS = ("proxmox", "ssh", "cloudflare", "npm", "ispconfig", "dns")
KINDS = ("error", "refuse", "hang", "slow", "drop_before", "drop_after")


class BadFault(ValueError):
    """The order makes no sense; the text says why."""


@dataclass
class Fault:
    """One order. ``error`` and ``refuse`` answer in the system's own form and have no effect; ``hang`` gives
    no answer for ``seconds``, then drops the connection, no effect; ``slow`` is normal, ``seconds`` later;
    ``drop_before`` closes without effect; ``drop_after`` has its effect and closes without an answer."""

    system: str
    kind: str
    count: int = 1
    match: str = ""
    seconds: float = 5


class Faults:
    """The open orders, oldest first. Thread-safe; kept in memory only (a new process starts healthy)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Fault] = []

    def add(self, system: str, kind: str, count: int = 1, match: str = "", seconds: float = 5) -> Fault:
        """Order a failure. Raises BadFault for an unknown system or kind, or a value of the wrong type."""
        if system not in SYSTEMS:
            raise BadFault(f"unknown system {system!r}: one of {', '.join(SYSTEMS)}")
        if kind not in KINDS:
            raise BadFault(f"unknown kind {kind!r}: one of {', '.join(KINDS)}")
        if not _is_number(count, int) or count < 1:
            raise BadFault("count must be an integer of 1 or more")
        if not isinstance(match, str):
            raise BadFault("match must be a text")
        if not _is_number(seconds, (int, float)) or not 0 <= seconds <= 3600:
            raise BadFault("seconds must be a number from 0 to 3600")
        fault = Fault(system, kind, count, match, seconds)
        with self._lock:
            self._open.append(fault)
        return fault

    def take(self, system: str, call: str, only: str = "") -> Fault | None:
        """The first open fault of ``system`` whose match is part of ``call``; uses up one of its count.
        With ``only``, faults whose match does not begin with it are passed over.

        ``call`` is "METHOD path", for ssh "EXEC command line", for dns "QUERY name type".
        """
        with self._lock:
            for fault in self._open:
                if fault.system == system and fault.match in call and fault.match.startswith(only):
                    fault.count -= 1
                    if fault.count == 0:
                        self._open.remove(fault)
                    return fault
        return None

    def await_one(self, system: str, only: str) -> bool:
        """Whether a fault of ``system`` is open whose match begins with ``only``."""
        with self._lock:
            return any(fault.system == system and fault.match.startswith(only) for fault in self._open)

    def clear(self) -> None:
        """Forget every open order."""
        with self._lock:
            self._open.clear()

    def view(self) -> list[dict[str, Any]]:
        """The open orders as plain objects, oldest first."""
        with self._lock:
            return [asdict(fault) for fault in self._open]


def _is_number(value: object, types: type | tuple[type, ...]) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)

"""What ties the systems together: the order of coming events, and the way from the proxy into a container."""

import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lab.server import Response
from lab.wordpress import Visit

if TYPE_CHECKING:
    from lab import Lab

Action = Callable[..., None]

PROXY_LAN_IP = "192.168.1.5"


class World:
    """Events to come, kept in the store, and the questions that cross systems."""

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab
        self._actions: dict[str, Action] = {}
        self._awake = False
        self._events: dict[str, dict[str, Any]] = lab.store.load("event")
        self._queue = [(event["at"], int(id), id) for id, event in self._events.items()]
        heapq.heapify(self._queue)
        self._order = itertools.count(max((int(id) for id in self._events), default=0) + 1)

    def on(self, action: str, run: Action) -> None:
        """Name what ``at`` may order. ``run(now, **arguments)`` is called with the lab's lock held, ``now``
        being the event's own time in epoch seconds, however late it is noticed."""
        self._actions[action] = run

    def wake(self) -> None:
        """From now on events happen, those of an earlier process on this data folder too; call after every
        ``on``.

        Systems answer before that, while the others are still starting: then nothing happens yet.
        """
        self._awake = True

    def at(self, when: float, action: str, **arguments: Any) -> str:
        """Order ``action`` for ``when`` (epoch seconds); arguments are JSON values. Returns the event's
        id."""
        number = next(self._order)
        id = str(number)
        self._events[id] = event = {"at": when, "action": action, "arguments": arguments}
        self._lab.store.save("event", id, event)
        heapq.heappush(self._queue, (when, number, id))
        return id

    def cancel(self, id: str) -> None:
        """Call an event off; one that has happened is fine."""
        if self._events.pop(id, None) is not None:
            self._lab.store.delete("event", id)

    def due(self, id: str) -> float:
        """When an event will happen (epoch seconds); 0 when it has happened or was called off."""
        return float(self._events[id]["at"]) if id in self._events else 0.0

    def settle(self, now: float | None = None) -> None:
        """Let everything happen that was due by ``now`` (epoch seconds, default: this moment), in order of
        time."""
        now = time.time() if now is None else now
        # A look without the lock is enough to see that nothing is due, which is nearly always so.
        queue = self._queue
        if not self._awake or not queue or queue[0][0] > now:
            return
        with self._lab.lock:
            while self._queue and self._queue[0][0] <= now:
                when, _, id = heapq.heappop(self._queue)
                event = self._events.pop(id, None)
                if event is not None:
                    self._lab.store.delete("event", id)
                    self._actions[event["action"]](when, **event["arguments"])

    def reaches_site(self, private_ip: str, source: str = PROXY_LAN_IP) -> tuple[bool, str]:
        """Would a TCP connection from ``source`` to port 80 of ``private_ip`` be accepted, and if not,
        why."""
        with self._lab.lock:
            container = self._lab.proxmox.cluster.container_at(private_ip)
            if container is None:
                return False, f"no running container holds {private_ip}"
            if not container.firewall_admits(source, 80):
                return False, f"the firewall of container {container.vmid} drops it"
            if not self._lab.guest.listens(container.vmid, time.time()):
                return False, f"nothing listens on port 80 of container {container.vmid}"
            return True, f"container {container.vmid}"

    def site_answer(
        self,
        private_ip: str,
        host: str,
        path: str,
        headers: Mapping[str, str],
        source: str = PROXY_LAN_IP,
        **more: Any,
    ) -> Response | None:
        """What the web server of the container with that address answers to ``GET path``; None: no
        connection.

        ``headers`` are those that the proxy sends on, their names in lower case; ``source`` is the proxy's
        address as the container sees it; ``more`` is what else a Visit has.
        """
        self.settle()
        with self._lab.lock:
            if not self.reaches_site(private_ip, source)[0]:
                return None
            container = self._lab.proxmox.cluster.container_at(private_ip)
            visit = Visit(host, path, headers, **more)
            return self._lab.guest.http(container.vmid, visit, time.time())

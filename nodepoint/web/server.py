"""A web process: takes connections from a socket that all web processes share."""

import gc
import resource
import signal
import socket
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from nodepoint.api.serving import begun
from nodepoint.web.channel import Channel

FILES = 8192  # open files that a process asks the system for …
OWN_FILES = 192  # … of which so many are not for connections: databases, logs, static files
LONGEST_HEAD = 16 * 1024  # bytes
LOOK_SECONDS = 1.0  # between two looks at the deadlines of connections


class Server(TcpWSGIServer):
    """waitress's server; it looks at deadlines each second, and ends in order at SIGTERM."""

    channel_class = Channel

    def maintenance(self, now: float) -> None:
        """Called by waitress every `cleanup_interval` seconds."""
        moment = time.monotonic()
        for channel in list(self.active_channels.values()):
            channel.look(moment)

    def serve(self, grace: float) -> None:
        """Serve until SIGTERM or SIGINT; then take nothing new, and answer what has begun, for at most
        `grace` seconds."""
        self._stop_at = 0.0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop(grace))
        while not self._stop_at:
            self.asyncore.poll2(timeout=LOOK_SECONDS, map=self._map)
        self._take_nobody_new()
        while not self._all_ended() and time.monotonic() < self._stop_at:
            self.asyncore.poll2(timeout=0.05, map=self._map)
        self.task_dispatcher.shutdown(timeout=0)

    def _stop(self, grace: float, frame: FrameType | None = None) -> None:
        """In a signal handler: only notes what the loop does next."""
        self._stop_at = self._stop_at or time.monotonic() + grace
        self.pull_trigger()

    def _take_nobody_new(self) -> None:
        """Whom the kernel has let in is answered; who comes later is refused, so that a load balancer asks
        the next host at once."""
        for _ in range(self.adj.backlog):
            known = len(self._map)
            self.handle_accept()
            if len(self._map) == known:  # nobody waits any more
                break
        self.asyncore.dispatcher.close(self)  # the socket alone: threads still need the trigger

    def _all_ended(self) -> bool:
        """Whether nothing is being answered any more."""
        now = time.monotonic()
        free = [channel.end_if_free(now) for channel in list(self.active_channels.values())]
        return all(free)


def run(listener: socket.socket, grace: float) -> None:
    """Serve on `listener` until a signal; `grace` in seconds."""
    application = get_wsgi_application()
    _ = get_resolver().url_patterns  # all views are loaded before anybody waits for them
    # What was made at the start lives as long as the process: looking through it again and again costs pages
    # 0.1 s now and then.
    gc.freeze()
    begun.send(Server)
    server = make(application, listener)
    server.serve(grace)


def make(application: Any, listener: socket.socket) -> Server:
    """A server of the settings' threads."""
    adjustments = Adjustments(
        sockets=[listener],
        ident=None,
        connection_limit=_files() - OWN_FILES,
        cleanup_interval=LOOK_SECONDS,
        max_request_header_size=LONGEST_HEAD,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=False,  # nodepoint.api.forwarded knows whom to trust
    )
    listener.setblocking(False)
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(settings.WEB_THREADS)
    where = (listener.family, listener.type, listener.proto, listener.getsockname())
    return Server(
        application,
        map={},
        _sock=listener,
        dispatcher=dispatcher,
        adj=adjustments,
        sockinfo=where,
        bind_socket=False,
    )


def _files() -> int:
    """How many files this process may open; as many as the system grants, up to FILES."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)

"""The web server's worker. What gunicorn refuses before any code of ours runs is answered in our form, too.

Start it with `--worker-class nodepoint.api.server.Worker`.
"""

import gc
import json
import secrets
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):
    """gunicorn's threaded worker, with the error envelope instead of its pages in HTML."""

    def load_wsgi(self) -> None:
        """Also let those begin who work beside the requests: threads do not survive a fork. What was made at
        the start lives as long as the process: looking through it again and again costs pages 0.1 s now and
        then."""
        super().load_wsgi()
        gc.freeze()
        from nodepoint.api.serving import begun  # gunicorn loads this module before Django is set up

        begun.send(type(self))

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Called for requests that cannot be parsed: a line or header that is too long, a broken length."""
        super().handle_error(req, _Translating(client), addr, exc)


class _Translating:
    """A socket that sends our form of whichever error page is written to it; gunicorn has no hook for the
    page itself."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, page: bytes) -> None:
        self._sock.sendall(answer(int(page.split(b" ", 2)[1])))


def answer(status: int) -> bytes:
    """A whole HTTP answer with the envelope of a status."""
    from nodepoint.api.errors import of_status  # gunicorn loads this module before Django is set up

    request_id = secrets.token_hex(16)
    body = json.dumps({**of_status(status).body, "request_id": request_id}).encode()
    head = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body

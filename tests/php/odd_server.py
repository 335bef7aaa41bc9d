"""An HTTP server that answers as servers do when something is wrong with them.

The first part of a path says how: http://127.0.0.1:<port>/hang/whoami never answers. It prints its port,
alone on a line, and ends with its standard input, so that it never outlives the tests.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

HTML, JSON = "text/html", "application/json"
WRONG = {  # every field that is read, with a value of another kind
    "success": True,
    "status": ["x"],
    "url": "javascript:alert(1)",
    "plan": 5,
    "resources": "none",
    "job": "?",
    "quota": None,
    "details": {"a": 1, "b": {"domain": 7, "status": {}}},
    "backups": [1, {"name": None, "created_at": "yesterday"}],
    "plans": [5, {"memory_mb": "many"}, {"name": "odd", "memory_mb": {}}],
    "used": "x",
    "proxy_enabled": "no",
    "scopes": "sites",
}
TEXTS = {
    "html": (502, HTML, "<html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>"),
    "away": (503, HTML, "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"),
    "empty504": (504, "text/plain", ""),
    "other502": (502, JSON, '{"message": "no healthy upstream"}'),
    "paragraph": (500, HTML, "<h1>Oops</h1><p>The <b>database</b> is away &amp; back soon.</p><p>2</p>"),
    "list": (200, JSON, "[1, 2]"),
    "string": (200, JSON, '"success"'),
    "number": (200, JSON, "7"),
    "null": (200, JSON, "null"),
    "garbage": (200, JSON, '{"success": tru'),
    "page": (200, HTML, "<p>Welcome to nginx!</p>"),
    "nothing": (200, JSON, ""),
    "bare": (200, JSON, '{"status": "ok"}'),
    "refusal": (200, JSON, '{"success": false, "error": "Not today.", "code": "busy"}'),
    "empty500": (500, "text/plain", ""),
    "teapot": (418, JSON, '{"success": false, "error": ["a list"], "code": 7, "fields": "x"}'),
    "intheway": (
        409,
        JSON,
        '{"success": false, "error": "BAK2 stands in the way.", "code": "backups_in_the_way"}',
    ),
    "unknown": (404, JSON, '{"success": false, "error": "There is no such path.", "code": "not_found"}'),
    "hollow": (200, JSON, '{"success": true}'),
    "wrong": (200, JSON, json.dumps(WRONG)),
}
NOT_UTF8 = b'{"success": false, "error": "bad \xff byte", "code": "validation"}'
AWAY = '{"success": false, "error": "The database is away.", "code": "unavailable"}'


class Handler(BaseHTTPRequestHandler):
    """Answers GET and POST alike."""

    protocol_version = "HTTP/1.1"
    failures: ClassVar[Counter[str]] = Counter()  # of "soon" and "restart", by path
    lock = threading.Lock()

    def log_message(self, *arguments: object) -> None:
        """The tests' output is no place for it."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        way = self.path.split("/")[1]
        if way in TEXTS:
            status, kind, text = TEXTS[way]
            self.answer(status, kind, text.encode())
        elif way == "utf8":
            self.answer(400, JSON, NOT_UTF8)
        elif way == "echo":
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = {"success": True, "method": self.command, "path": self.path, "headers": headers}
            self.answer(200, JSON, json.dumps(told | {"body": body.decode()}).encode())
        elif way == "redirect":
            self.send_response(301)
            self.send_header("Location", "/echo/after-the-redirect")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif way in ("soon", "restart"):
            self.answer_at_last(way, 1 if self.command == "GET" else 2)
        elif way == "failing":
            state = "running" if self.command == "POST" else "failed"
            job = {"id": "j", "kind": "k", "state": state, "error": "The storage is full."}
            self.answer(200, JSON, json.dumps({"success": True, "job": job}).encode())
        elif way == "hang":
            time.sleep(60)
        elif way == "drip":
            self.drip()
        else:
            self.close_connection = True
            self.connection.close()  # "drop": no answer at all

    do_POST = do_GET

    def answer_at_last(self, way: str, failures: int) -> None:
        """A success after so many failures: our own, or those of a proxy that finds nobody behind it."""
        with Handler.lock:
            Handler.failures[self.path] += 1
            is_early = Handler.failures[self.path] <= failures
        if not is_early:
            self.answer(200, JSON, b'{"success": true}')
        elif way == "soon":
            self.answer(503, JSON, AWAY.encode())
        else:
            self.answer(*TEXTS["html"][:2], TEXTS["html"][2].encode())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        """An answer that goes on and on, and so keeps every time-out between two bytes from firing."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        for _ in range(600):
            try:
                self.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.1)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()

"""script/audit, against a database of vulnerabilities that stands in on 127.0.0.1."""

import http.server
import json
import os
import socket
import subprocess
import threading
import unittest
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
VULNERABILITY = {
    "id": "PYSEC-0000-1",
    "summary": "Made up for a test.",
    "affected": [{"package": {"name": "django", "ecosystem": "PyPI"}, "ranges": []}],
}


class Database(http.server.ThreadingHTTPServer):
    """Answers as OSV does (POST /v1/query): with one vulnerability of `ill`, or with `instead`."""

    daemon_threads = True

    def __init__(self, ill: str = "", instead: bytes = b"") -> None:
        super().__init__(("127.0.0.1", 0), _Query)
        self.ill, self.instead = ill, instead
        self.asked: set[str] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()


class _Query(http.server.BaseHTTPRequestHandler):
    server: Database

    def do_POST(self) -> None:
        """Answer one query."""
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        self.server.asked.add(name)
        answer = json.dumps({"vulns": [VULNERABILITY]} if name == self.server.ill else {}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.instead or answer)

    def log_message(self, *args: object) -> None:
        """The tests' output is no place for it."""


def begin(port: int) -> subprocess.Popen:
    """The audit, which asks on this port."""
    environment = os.environ | {"AUDIT_URL": f"http://127.0.0.1:{port}/v1/query"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([ROOT / "script/audit"], env=environment, **pipes)


class AuditTests(unittest.TestCase):
    def test_what_is_found_fails_and_what_cannot_be_asked_is_said(self) -> None:
        closed = self.enterContext(socket.socket())
        closed.bind(("127.0.0.1", 0))
        databases = [
            self.enterContext(made) for made in (Database("django"), Database(), Database("", b"<html>"))
        ]
        ports = [*(one.server_port for one in databases), closed.getsockname()[1]]
        audits = [begin(port) for port in ports]  # side by side: each asks for all that is pinned
        (found, clean, broken, away) = [(*one.communicate(timeout=120), one.returncode) for one in audits]
        self.assertEqual(found[2], 1, found)
        self.assertRegex(found[0], r"django [\d.]+: PYSEC-0000-1\n.*1 have known vulnerabilities")
        self.assertEqual(clean[2], 0, clean)
        count = len(databases[1].asked)
        self.assertIn(f"{count} of {count} dependencies were audited; 0 have known", clean[0])
        self.assertGreater(count, 20)
        self.assertEqual(broken[2], 2, broken)
        self.assertIn("The audit is broken", broken[1])
        self.assertEqual((away[2], away[0].count("cannot be asked from here")), (0, 1), away)

"""A double of Nginx Proxy Manager: its logins, and whatever a test has it answer."""

import unittest
from datetime import UTC, datetime, timedelta
from unittest import mock

from nodepoint.clients.errors import (
    ClientError,
)
from sites.clients.npm import Npm, calls
from tests.clients.double import Request, double

HOST = {"id": 7, "domain_names": ["a.nodepoint.eu"], "forward_host": "192.168.1.100", "forward_port": 80}


def error(code: int, message: str, *stack: str) -> tuple[int, dict]:
    """A failure in NPM's own form."""
    return code, {"error": {"code": code, "message": message}, "debug": {"stack": list(stack)}}


class FakeNpm:
    """Logs in, answers users/me as long as the token is one of `good`, and all else as `answer` says."""

    def __init__(self, answer=lambda request: (200, HOST)) -> None:
        self.answer = answer
        self.logins = 0
        self.good = {"one", "two", "three"}
        self.lives = timedelta(days=1)
        self.password = "correct-horse"
        self.version = {"major": 2, "minor": 15, "revision": 1}

    def __call__(self, request: Request) -> None:
        if request.path == "/api/tokens":
            request.reply(*self.login(request))
        elif request.path == "/api/":
            request.reply(200, {"status": "OK", "version": self.version})
        elif request.path.startswith("/api/users/me"):
            request.reply(
                *((200, {"id": 1}) if self.token(request) in self.good else error(500, "Internal Error"))
            )
        else:
            request.reply(*self.answer(request))

    def login(self, request: Request) -> tuple[int, dict]:
        if f'"{self.password}"' not in request.body:
            return error(400, "Invalid email or password")
        self.logins += 1
        token = ("one", "two", "three")[self.logins - 1]
        expires = (datetime.now(UTC) + self.lives).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return 200, {"token": f"eyJ.{token}", "expires": expires}

    @staticmethod
    def token(request: Request) -> str:
        return (request.headers["Authorization"] or "").removeprefix("Bearer eyJ.")


class NpmCase(unittest.TestCase):
    """A client of a double, and the errors that its answers become."""

    def setUp(self) -> None:
        # Doubles of different tests may get the same port, but must not share a token.
        self.enterContext(mock.patch.dict(calls._logins, clear=True))

    def client(self, answer, **options) -> Npm:
        """A client of a double that answers with `answer`; the double is `self.server`."""
        self.server = self.enterContext(double(answer))
        return Npm(self.server.url, "a@nodepoint.eu", "correct-horse", **{"timeout": 5.0, **options})

    def failure(self, call, answer) -> ClientError:
        """The error that `call` ends with when this is the answer (status, body)."""
        with self.assertRaises(ClientError) as caught:
            call(self.client(FakeNpm(lambda request: answer)))
        return caught.exception


def certbot(*lines: str) -> tuple[int, dict]:
    """A failed order as 2.15.1 tells it (recordings cert-create-certbot-fails, cert-create-rate-limited)."""
    start, end = (
        "Error: Saving debug log to /data/logs/letsencrypt.log",
        "Ask for help or search for solutions",
    )
    return error(500, "Internal Error", start, *lines, end, "")


def get(npm: Npm) -> object:
    return npm.proxy_host(7)


def certificate_3(npm: Npm) -> object:
    return npm.certificate(3)


def create(npm: Npm) -> object:
    return npm.create_proxy_host(["a.nodepoint.eu"], "192.168.1.100")


def order(npm: Npm) -> object:
    return npm.create_certificate(["a.example"])

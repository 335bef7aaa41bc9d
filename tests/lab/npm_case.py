"""What the tests of the lab's NPM share: a lab of their own and a signed-in session."""

import unittest
from typing import Any

import requests

import lab

LAN_HOST = {"forward_scheme": "http", "forward_host": "192.168.1.100", "forward_port": 80}


class NpmCase(unittest.TestCase):
    """One lab per class; tests keep out of one another's way by using names of their own."""

    lab: lab.Lab

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = lab.start()
        cls.addClassCleanup(cls.lab.stop)
        cls.api = cls.lab.settings["NPM_URL"] + "/api"
        cls.session = requests.Session()
        cls.addClassCleanup(cls.session.close)
        login = {"identity": cls.lab.settings["NPM_EMAIL"], "secret": cls.lab.settings["NPM_PASSWORD"]}
        cls.token = cls.session.post(f"{cls.api}/tokens", json=login, timeout=5).json()["token"]
        cls.session.headers["Authorization"] = f"Bearer {cls.token}"

    def call(self, method: str, path: str, body: Any = None, timeout: float = 10) -> requests.Response:
        """One call with the session's token; ``path`` follows /api."""
        return self.session.request(method, self.api + path, json=body, timeout=timeout)

    def create(self, *names: str, **fields: Any) -> requests.Response:
        """Make a proxy host for ``names``."""
        body = {"domain_names": list(names), **LAN_HOST, **fields}
        return self.call("POST", "/nginx/proxy-hosts", body)

    def host(self, *names: str, **fields: Any) -> int:
        """The id of a new proxy host."""
        answer = self.create(*names, **fields)
        self.assertEqual(answer.status_code, 201, answer.text)
        return int(answer.json()["id"])

    def get(self, id: int, query: str = "") -> dict[str, Any]:
        """A proxy host by id."""
        return dict(self.call("GET", f"/nginx/proxy-hosts/{id}{query}").json())

    def order(self, *names: str, **meta: Any) -> requests.Response:
        """Order a Let's Encrypt certificate."""
        body = {"provider": "letsencrypt", "domain_names": list(names), "meta": meta}
        return self.call("POST", "/nginx/certificates", body)

    def point_here(self, name: str) -> None:
        """Let public DNS lead ``name`` to the proxy."""
        self.lab.dns.set(name, "A", [self.lab.settings["PROXY_IP"]])

    def assert_error(self, answer: requests.Response, status: int, message: str) -> None:
        """The answer is NPM's error body with this status and message."""
        error = answer.json()["error"]
        self.assertEqual((answer.status_code, error["message"]), (status, message))
        self.assertEqual(error["code"], status)

"""What the tests of the simulated ISPConfig share: one lab for a class, and calls of its functions."""

import unittest
from typing import Any

import requests

import lab

CLIENT = {
    "contact_name": "Ada",
    "customer_no": "P1",
    "email": "Ada@Example.com",
    "username": "np_p1",
    "language": "en",
    "password": "Abcdef1!",
    "web_php_options": "no",
    "ssh_chroot": "no",
    "limit_cron_type": "url",
}
ZONE = {
    "server_id": 1,
    "origin": "example.com.",
    "ns": "ns1.nodepoint.eu.",
    "mbox": "hostmaster.nodepoint.eu.",
    "serial": 2026010101,
    "refresh": 7200,
    "retry": 540,
    "expire": 604800,
    "minimum": 3600,
    "ttl": 3600,
    "active": "Y",
}
RECORD = {
    "server_id": 1,
    "name": "www",
    "type": "A",
    "data": "192.0.2.1",
    "aux": 0,
    "ttl": 3600,
    "active": "Y",
    "stamp": "2026-01-01 00:00:00",
}


class IspconfigCase(unittest.TestCase):
    """One lab for the class, one session."""

    lab: lab.Lab

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = lab.start()
        cls.addClassCleanup(cls.lab.stop)
        cls.http = requests.Session()
        cls.addClassCleanup(cls.http.close)
        cls.http.trust_env = False
        cls.http.verify = cls.lab.settings["ISPCONFIG_VERIFY_TLS"]
        cls.url = f"{cls.lab.settings['ISPCONFIG_URL']}/remote/json.php"
        cls.session = cls.login()["response"]

    @classmethod
    def login(cls, password: str = "") -> dict[str, Any]:
        body = {"username": "nodepoint", "password": password or cls.lab.settings["ISPCONFIG_PASSWORD"]}
        return cls.http.post(f"{cls.url}?login", json=body, timeout=5).json()

    def raw(self, function: str, body: Any) -> requests.Response:
        return self.http.post(f"{self.url}?{function}", json=body, timeout=5)

    def call(self, function: str, /, **arguments: Any) -> Any:
        """The value of a function that succeeds."""
        answer = self.raw(function, {"session_id": self.session, **arguments}).json()
        self.assertEqual(answer["code"], "ok", answer)
        return answer["response"]

    def fault(self, function: str, /, **arguments: Any) -> str:
        answer = self.raw(function, {"session_id": self.session, **arguments}).json()
        self.assertEqual((answer["code"], answer["response"]), ("remote_fault", False), answer)
        return answer["message"]

    def client(self, number: str) -> int:
        fields = {**CLIENT, "customer_no": number, "username": f"np_{number}"}
        return int(self.call("client_add", reseller_id=0, params=fields))

    def zone(self, client_id: int, origin: str, **fields: Any) -> int:
        return int(
            self.call("dns_zone_add", client_id=client_id, params={**ZONE, "origin": origin, **fields})
        )

    def record(self, client_id: int, zone: int, serial: bool = True, **fields: Any) -> int:
        type = fields.get("type", "A").lower()
        params = {**RECORD, "zone": zone, **fields}
        return int(self.call(f"dns_{type}_add", client_id=client_id, params=params, update_serial=serial))

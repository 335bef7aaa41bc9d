"""Answers of Nginx Proxy Manager that contradict its schema are named errors, never guesses."""

from datetime import UTC, datetime

from nodepoint.clients.errors import (
    BadAnswer,
)
from sites.clients.npm import Npm
from tests.clients.double import Request
from tests.clients.npm_case import HOST, FakeNpm, NpmCase, certificate_3, create, get, order


class ContradictionTests(NpmCase):
    """Answers that contradict NPM's own schema, or what was asked: named, never taken for something else."""

    def test_rows_that_are_none(self) -> None:
        certificate = {
            "id": 3,
            "domain_names": ["a.example"],
            "created_on": "2026-11-23 09:45:21",
            "expires_on": "2027-02-21 09:45:21",
        }
        for call, good, path, bad in (
            (get, HOST, "id", "7"),
            (get, HOST, "id", 8),
            (get, HOST, "id", True),
            (get, HOST, "id", -7),
            (get, HOST, "domain_names", "a.nodepoint.eu"),
            (get, HOST, "domain_names", None),
            (get, HOST, "domain_names", [7]),
            (get, HOST, "forward_host", None),
            (get, HOST, "forward_port", "eighty"),
            (get, HOST, "certificate_id", "new"),
            (get, HOST, "enabled", "false"),
            (get, HOST, "ssl_forced", 2),
            (get, HOST, "meta", "nodepoint:1"),
            (get, HOST, "meta", {"nginx_online": "yes"}),
            (get, HOST, "meta", {"nginx_err": ["emerg"]}),
            (get, HOST, "locations", "/"),
            (get, HOST, "locations", [None]),
            (get, HOST, "advanced_config", 5),
            (certificate_3, certificate, "id", 4),
            (certificate_3, certificate, "expires_on", None),
            (certificate_3, certificate, "expires_on", "soon"),
            (certificate_3, certificate, "created_on", 1764500000),
            (certificate_3, certificate, "domain_names", {"a.example": 1}),
        ):
            with self.subTest(path=path, bad=bad):
                self.assertIs(type(self.failure(call, (200, {**good, path: bad}))), BadAnswer)

    def test_bodies_that_are_something_else(self) -> None:
        for call, body in (
            (get, [HOST]),
            (get, None),
            (get, True),
            (Npm.proxy_hosts, HOST),
            (Npm.proxy_hosts, [None]),
            (Npm.proxy_hosts, [[HOST]]),
            (Npm.certificates, {"error": "none"}),
            (Npm.certificates, ["a.example"]),
            (order, True),
            (create, {**HOST, "domain_names": ["b.nodepoint.eu"]}),
            (create, {**HOST, "domain_names": ["a.nodepoint.eu", "b.nodepoint.eu"]}),
        ):
            with self.subTest(body=body):
                self.assertIs(type(self.failure(call, (201, body))), BadAnswer)

    def test_what_is_listed_twice_is_one_unless_it_differs(self) -> None:
        rows = [HOST, dict(HOST), {**HOST, "id": 6}]
        client = self.client(FakeNpm(lambda request: (200, rows)))
        self.assertEqual([host.id for host in client.find_proxy_hosts("a.nodepoint.eu")], [6, 7])
        rows.append({**HOST, "forward_host": "192.168.1.9"})
        with self.assertRaises(BadAnswer):
            client.proxy_hosts()

    def test_an_older_releases_flags_are_read(self) -> None:
        row = {**HOST, "enabled": 1, "ssl_forced": 0, "locations": None, "meta": {"nginx_online": True}}
        host = self.client(FakeNpm(lambda request: (200, row))).proxy_host(7)
        self.assertEqual(
            (host.enabled, host.ssl_forced, host.locations, host.online), (True, False, (), True)
        )

    def test_permissions_that_are_none(self) -> None:
        fake = FakeNpm()
        fake.answer = lambda request: (200, HOST)
        client = self.client(lambda request: self.me(fake, request))
        with self.assertRaises(BadAnswer):
            client.whoami()

    def me(self, fake: FakeNpm, request: Request) -> None:
        if request.path.startswith("/api/users/me"):
            request.reply(200, {"id": 1, "permissions": ["all"]})
        else:
            fake(request)

    def test_an_unfinished_certificate_is_not_usable(self) -> None:
        now = datetime(2026, 12, 1, tzinfo=UTC)
        for created, expires, usable in (
            ("2026-11-23 09:45:21", "2027-02-21 09:45:21", True),
            ("2026-11-23T09:45:21.000Z", "2027-02-21T09:45:21.000Z", True),
            ("2026-11-23 09:45:21", "2026-11-23 09:45:21", False),
            ("2026-12-23 09:45:21", "2026-12-23 09:45:21", False),
            ("2026-08-01 09:45:21", "2026-10-30 09:45:21", False),
        ):
            row = {"id": 3, "domain_names": ["a.example"], "created_on": created, "expires_on": expires}
            certificate = self.client(FakeNpm(lambda r, row=row: (200, row))).certificate(3)
            with self.subTest(created=created, expires=expires):
                self.assertIs(certificate.usable(now), usable)

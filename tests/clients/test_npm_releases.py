"""What differs between the releases of Nginx Proxy Manager, and how the one that is asked is found out."""

from nodepoint.clients.errors import (
    BadAnswer,
    Refused,
)
from tests.clients.double import Request
from tests.clients.npm_case import FakeNpm, NpmCase, error, order


class VersionTests(NpmCase):
    def test_the_order_of_a_certificate_fits_the_release(self) -> None:
        row = {"id": 3, "created_on": "2026-11-23 09:45:21", "expires_on": "2027-02-21 09:45:21"}
        for minor, old in ((12, True), (13, False), (15, False)):
            sent = []
            fake = FakeNpm(lambda r, s=sent: (s.append(r.body), (201, row))[1])
            fake.version = {"major": 2, "minor": minor, "revision": 0}
            self.client(fake).create_certificate(["a.example"], email="a@b.example")
            self.assertEqual("letsencrypt_agree" in sent[0], old, minor)

    def test_a_build_that_does_not_say_its_release_is_asked_for_its_schema(self) -> None:
        row = {"id": 3, "created_on": "2026-11-23 09:45:21", "expires_on": "2027-02-21 09:45:21"}
        for major, fields, old in (
            (2, ("dns_challenge", "key_type"), False),
            (0, ("dns_challenge", "letsencrypt_email", "letsencrypt_agree"), True),
        ):
            sent = []

            def answer(request, sent=sent, fields=fields):
                if request.path != "/api/schema":
                    sent.append(request.body)
                    return 201, row
                self.assertIsNone(request.headers["Authorization"])
                meta = {"properties": {"meta": {"properties": {key: {} for key in fields}}}}
                body = {"requestBody": {"content": {"application/json": {"schema": meta}}}}
                return 200, {"paths": {"/nginx/certificates": {"post": body}}}

            fake = FakeNpm(answer)
            fake.version = {"major": major, "minor": 0, "revision": 0}
            client = self.client(fake)
            for _ in range(2):
                client.create_certificate(["a.example"], email="a@b.example")
            with self.subTest(major):
                self.assertEqual(["letsencrypt_email" in body for body in sent], [old, old])
                self.assertEqual(self.server.seen.count("GET /api/schema"), 1)

    def test_an_npm_that_was_upgraded_meanwhile_is_asked_again(self) -> None:
        row = {"id": 3, "created_on": "2026-11-23 09:45:21", "expires_on": "2027-02-21 09:45:21"}
        sent: list[str] = []

        def answer(request: Request) -> tuple[int, dict]:
            sent.append(request.body)
            if fake.version["minor"] > 12 and "letsencrypt_email" in request.body:
                return error(400, "data/meta must NOT have additional properties")
            return 201, row

        fake = FakeNpm(answer)
        fake.version = {"major": 2, "minor": 12, "revision": 6}
        client = self.client(fake)
        client.create_certificate(["a.example"], email="a@b.example")
        fake.version = {"major": 2, "minor": 15, "revision": 1}
        client.create_certificate(["a.example"], email="a@b.example")
        self.assertEqual(["letsencrypt_email" in body for body in sent], [True, True, False])
        fake.answer = lambda request: error(400, "data must NOT have additional properties")
        with self.assertRaises(Refused):
            client.create_certificate(["a.example"])
        self.assertEqual(self.server.seen.count("POST /api/nginx/certificates"), 4)

    def test_a_schema_that_tells_nothing_and_a_version_that_is_none_are_named(self) -> None:
        for version, schema in (
            ({"major": 2, "minor": 0, "revision": 0}, {"paths": {}}),
            ({"major": 2, "minor": 0, "revision": 0}, []),
            ({"major": "two", "minor": [], "revision": 0}, {}),
            ("2.15.1", {}),
        ):
            fake = FakeNpm(lambda request, schema=schema: (200, schema))
            fake.version = version
            with self.subTest(version=version), self.assertRaises(BadAnswer):
                order(self.client(fake))
            self.assertNotIn("POST /api/nginx/certificates", self.server.seen)

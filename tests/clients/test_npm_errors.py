"""What Nginx Proxy Manager says, by a double: its statuses mislead, so each is asked for its meaning."""

import threading
import unittest
from datetime import UTC, datetime, timedelta
from unittest import mock

from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    ClientError,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)
from sites.clients.npm import Cause, NoCertificate, Npm, calls
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


class Base(unittest.TestCase):
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


class MappingTests(Base):
    def test_every_known_answer_has_its_error(self) -> None:
        for call, answer, kind in (
            (get, error(404, "Not Found - 7"), NotFound),
            (get, error(404, "Item Not Found - 7"), NotFound),
            (get, error(404, "Not Found - /nginx/proxy-hosts/7"), Refused),
            (create, error(404, "Not Found - /nginx/proxy-hosts"), Refused),
            (create, error(403, "Permission Denied"), Refused),
            (create, error(400, "a.nodepoint.eu is already in use"), Conflict),
            (create, error(400, "data/forward_port must be <= 65535"), Refused),
            (create, error(400, "data must NOT have additional properties"), Refused),
            (create, error(500, "Internal Error"), BadAnswer),
            (create, (502, b"<html>Bad Gateway</html>"), BadAnswer),
            (create, (504, b"<html>Gateway Time-out</html>"), BadAnswer),
            (create, (201, b"<html>"), BadAnswer),
            (create, (201, {"id": 7}), BadAnswer),
            (order, certbot("Some challenges have failed."), NoCertificate),
            (order, certbot("too many certificates (5) already issued"), NoCertificate),
            (
                order,
                error(400, "Certificate is not valid (no file)", "Certificate is not valid"),
                NoCertificate,
            ),
            (
                order,
                error(500, "Internal Error", "Error: Another instance of Certbot is already running."),
                Busy,
            ),
            (order, error(500, "Internal Error", "TypeError: Cannot read properties"), BadAnswer),
            (order, error(500, "Internal Error", "Error: [emerg] invalid number of arguments"), BadAnswer),
            (order, error(404, "Not Found - nosuch", "Error: Not Found - nosuch"), Refused),
        ):
            with self.subTest(answer=str(answer)[:300]):
                self.assertIs(type(self.failure(call, answer)), kind)

    def test_staff_read_what_certbot_said(self) -> None:
        failure = self.failure(
            order, error(500, "Internal Error", "Some challenges have failed.", "DNS problem")
        )
        self.assertIn("DNS problem", failure.vendor)

    def test_how_long_to_wait_for_certbot_is_known(self) -> None:
        busy = self.failure(
            order, error(500, "Internal Error", "Another instance of Certbot is already running.")
        )
        self.assertLess(busy.retry_after, 61)
        limit = self.failure(order, certbot("too many certificates (5) already issued"))
        self.assertGreaterEqual(limit.retry_after, 3600)
        later = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d %H:%M:%S} UTC: see https://letsencrypt.org"
        limit = self.failure(order, certbot(f"too many failed authorizations (5), retry after {later}"))
        self.assertAlmostEqual(limit.retry_after, 2 * 86400, delta=60)

    def test_the_class_of_the_cause_is_known(self) -> None:
        acme = "There were too many requests of a given type"
        for lines, cause in (
            (["Some challenges have failed."], Cause.CHALLENGE),
            (["Some challenges have failed.", "  Type:   dns"], Cause.NAME),
            (
                ["  Detail: DNS problem: NXDOMAIN looking up A for a.example - check that it exists"],
                Cause.NAME,
            ),
            (["  Detail: no valid A records found for a.example; no valid AAAA records found"], Cause.NAME),
            (
                ["  Detail: 203.0.113.9: Fetching http://a.example/.well-known/x: Connection refused"],
                Cause.PORT,
            ),
            (["Detail: 203.0.113.9: Timeout during connect (likely firewall problem)"], Cause.PORT),
            (['Detail: 203.0.113.9: Invalid response from http://a.example/x: "CAA record"'], Cause.PORT),
            (["Type: caa", "Detail: CAA record for a.example prevents issuance"], Cause.CAA),
            (
                [
                    "An unexpected error occurred:",
                    "Error finalizing order :: While processing CAA for a.example: "
                    "CAA record for a.example prevents issuance",
                ],
                Cause.CAA,
            ),
            ([f"{acme} :: too many certificates (5) already issued for this exact set"], Cause.LIMIT),
            (["too many failed authorizations (5) for a.example in the last 1h0m0s"], Cause.LIMIT),
            (["An unexpected error occurred:", "The server experienced an internal error"], Cause.UNKNOWN),
            # What a stranger's server answers stands in the middle of a line, and decides nothing.
            (['Detail: 203.0.113.9: Invalid response from http://a: "too many certificates"'], Cause.PORT),
            (['Some challenges have failed: "too many certificates"'], Cause.CHALLENGE),
            (["x" * 1000 + " too many certificates"] * 1000, Cause.UNKNOWN),
        ):
            with self.subTest(lines[0][:90]):
                self.assertIs(self.failure(order, certbot(*lines)).cause, cause)

    def test_no_secret_is_in_an_error(self) -> None:
        for call, answer in (
            (get, lambda r: error(500, f"{r.headers['Authorization']} {r.path}")),
            (create, lambda r: (500, b"plain " + (r.headers["Authorization"] or "").encode())),
        ):
            with self.assertRaises(BadAnswer) as caught:
                call(self.client(FakeNpm(answer)))
            self.assertNotIn("eyJ", f"{caught.exception} {caught.exception!r}")
        with self.assertRaises(BadAnswer) as caught:
            get(self.client(lambda r: r.reply(500, r.body.encode())))
        self.assertIn("identity", caught.exception.vendor)
        self.assertNotIn("correct-horse", f"{caught.exception} {caught.exception!r}")

    def test_already_so_is_fine_only_for_what_was_asked(self) -> None:
        npm = self.client(FakeNpm(lambda r: error(400, "Host is already disabled")))
        npm.disable_proxy_host(7)
        with self.assertRaises(Conflict):
            npm.enable_proxy_host(7)

    def test_gone_is_deleted_but_a_missing_permission_is_not(self) -> None:
        self.client(FakeNpm(lambda r: error(404, "Not Found - 7"))).delete_proxy_host(7)
        npm = self.client(FakeNpm(lambda r: error(404, "Not Found - /nginx/proxy-hosts/7")))
        with self.assertRaises(Refused):
            npm.delete_proxy_host(7)


class TokenTests(Base):
    def test_one_login_serves_all_clients_and_threads(self) -> None:
        fake = FakeNpm()
        first = self.client(fake)
        second = Npm(self.server.url + "/api/", "a@nodepoint.eu", "correct-horse")
        threads = [threading.Thread(target=get, args=(npm,)) for npm in (first, second) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(fake.logins, 1)

    def test_a_token_is_renewed_when_less_than_an_hour_is_left(self) -> None:
        fake = FakeNpm()
        fake.lives = timedelta(minutes=59)
        npm = self.client(fake)
        get(npm)
        fake.lives = timedelta(days=1)
        get(npm)
        get(npm)
        self.assertEqual(fake.logins, 2)

    def test_a_refused_token_is_replaced_and_the_call_made_again(self) -> None:
        for refusal in (
            error(400, "Token has expired"),
            error(401, "Token has expired"),
            error(403, "Permission Denied"),
            error(404, "Not Found - /nginx/proxy-hosts"),
            error(500, "Internal Error"),
        ):
            fake = FakeNpm()
            fake.answer = lambda r, f=fake, no=refusal: no if f.token(r) == "one" else (200, HOST)
            fake.good = {"two"}
            with self.subTest(refusal=refusal):
                self.assertEqual(create(self.client(fake)).id, 7)
                self.assertEqual(fake.logins, 2)

    def test_a_new_token_is_tried_once_only(self) -> None:
        fake = FakeNpm(lambda r: error(400, "Token has expired"))
        with self.assertRaises(Refused):
            get(self.client(fake))
        self.assertEqual(fake.logins, 2)

    def test_a_failure_with_a_good_token_is_not_repeated(self) -> None:
        fake = FakeNpm(lambda r: error(500, "Internal Error"))
        with self.assertRaises(BadAnswer):
            create(self.client(fake))
        self.assertEqual(
            [line for line in self.server.seen if "proxy-hosts" in line], ["POST /api/nginx/proxy-hosts"]
        )

    def test_a_500_stays_one_when_the_token_cannot_be_checked(self) -> None:
        def answer(request: Request) -> None:
            if "users" in request.path:
                request.drop()
            else:
                FakeNpm(lambda r: error(500, "Internal Error"))(request)

        with self.assertRaises(BadAnswer):
            create(self.client(answer))

    def test_wrong_credentials_are_refused(self) -> None:
        fake = FakeNpm()
        fake.password = "another"
        with self.assertRaises(Refused) as caught:
            get(self.client(fake))
        self.assertIn("Invalid email or password", caught.exception.vendor)

    def test_two_factor_authentication_is_a_fault_of_the_setting(self) -> None:
        with self.assertRaises(Refused):
            get(self.client(lambda r: r.reply(200, {"requires_2fa": True, "challenge_token": "x"})))

    def test_a_login_without_a_token_is_a_bad_answer(self) -> None:
        for body in ({}, {"token": "x"}, {"token": "x", "expires": "soon"}, []):
            with self.subTest(body=body), self.assertRaises(BadAnswer):
                get(self.client(lambda r, b=body: r.reply(200, b)))

    def test_a_login_that_hangs_ends_in_time_for_all_who_wait_for_it(self) -> None:
        npm = self.client(lambda r: r.server.over.wait(), timeout=0.4)
        found: list[type] = []

        def call() -> None:
            try:
                get(npm)
            except ClientError as error:
                found.append(type(error))

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2)
        self.assertEqual(len(found), 3)
        self.assertLessEqual(set(found), {TimedOut, Unreachable})


class ContradictionTests(Base):
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


class VersionTests(Base):
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

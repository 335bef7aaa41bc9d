"""What Nginx Proxy Manager says, by a double: its statuses mislead, so each is asked for its meaning."""

from datetime import UTC, datetime, timedelta

from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    Conflict,
    NotFound,
    Refused,
)
from sites.clients.npm import Cause, NoCertificate
from tests.clients.npm_case import FakeNpm, NpmCase, certbot, create, error, get, order


class MappingTests(NpmCase):
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

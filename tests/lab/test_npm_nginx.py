"""What reaches NPM's nginx: it tests all files as a whole, so one host's fault is everybody's."""

import threading
import time

from django.test import SimpleTestCase

from lab.npm.directives import parse
from lab.npm.nginx import away_of, flaw_of
from tests.base import on_one_database
from tests.lab.npm_case import NpmCase


class BrokenHostTests(NpmCase):
    def served(self, name: str) -> bool:
        return self.lab.npm.state.nginx.route(name) is not None

    def test_a_host_that_nginx_refuses_is_created_all_the_same(self) -> None:
        for name, fields, trouble in (
            ("directive.example.net", {"advanced_config": "this is not nginx;"}, 'unknown directive "this"'),
            ("quote.example.net", {"forward_host": 'not a host"; bad'}, "unexpected"),
            ("brace.example.net", {"advanced_config": "location /x {"}, "unexpected end of file"),
            ("semicolon.example.net", {"advanced_config": "client_max_body_size 9m"}, "not terminated"),
        ):
            with self.subTest(name=name):
                id = self.host(name, **fields)

                meta = self.get(id)["meta"]
                self.assertIs(meta["nginx_online"], False)
                self.assertIn(trouble, meta["nginx_err"])
                self.assertIn(f"/data/nginx/proxy_host/{id}.conf", meta["nginx_err"])
                self.assertFalse(self.served(name))
        self.assertEqual(self.create("healthy.example.net").status_code, 201)

    def test_a_corrected_host_goes_online(self) -> None:
        id = self.host("corrected.example.net", advanced_config="oops;")

        body = self.call(
            "PUT", f"/nginx/proxy-hosts/{id}", {"advanced_config": "client_max_body_size 256m;\n# fine"}
        ).json()

        self.assertEqual((body["meta"]["nginx_online"], body["meta"]["nginx_err"]), (True, None))
        self.assertTrue(self.served("corrected.example.net"))

    def test_put_disabled_keeps_it_served_and_disable_then_refuses(self) -> None:
        id = self.host("served.example.net")
        path = f"/nginx/proxy-hosts/{id}"

        self.assertIs(self.call("PUT", path, {"enabled": False}).json()["enabled"], False)
        self.assertTrue(self.served("served.example.net"))
        self.assert_error(self.call("POST", f"{path}/disable"), 400, "Host is already disabled")
        self.call("POST", f"{path}/enable")
        self.call("POST", f"{path}/disable")
        self.assertFalse(self.served("served.example.net"))
        self.call("PUT", path, {"enabled": True})
        self.assertTrue(self.served("served.example.net"))

    def test_a_host_made_disabled_is_online_and_not_served(self) -> None:
        id = self.host("asleep.example.net", enabled=False)

        self.assertIs(self.get(id)["meta"]["nginx_online"], True)
        self.assertFalse(self.served("asleep.example.net"))


@on_one_database
class DirectiveTests(SimpleTestCase):
    """The words of nginx's language; the flaws are what nginx 1.22 said to the same texts."""

    def test_quoted_words_hold_what_elsewhere_has_a_meaning(self) -> None:
        text = """set $a "{ } ; # \\"x\\" \\\\"; # a comment }
        set $b 'p { color: #222 }'; location @x { return 503 "$a${b}"; }"""
        found = parse(text)
        self.assertEqual([one.words[-1] for one in found[:2]], ['{ } ; # "x" \\', "p { color: #222 }"])
        self.assertEqual(found[2].block[0].words, ["return", "503", "$a${b}"])

    def test_flaws(self) -> None:
        for text, said in (
            ("location /x { gzip on }", 'unexpected "}"'),
            ("gzip on; }", 'unexpected "}"'),
            ("location /x {", 'unexpected end of file, expecting "}"'),
            ('set $a "x', 'unexpected end of file, expecting ";" or "}"'),
            (f'set $a "{"x" * 4096}";', 'too long parameter "xxxxxxxxxx..." started'),
            ("location /x { oops; }", 'unknown directive "oops"'),
        ):
            with self.subTest(text[:30]):
                self.assertEqual(flaw_of("192.168.1.100", text), said)
        self.assertIsNone(flaw_of("192.168.1.100", f'set $a "{"x" * 4095}";'))

    def test_what_is_answered_for_an_upstream_that_is_away(self) -> None:
        location = 'location @a { add_header Retry-After 9 always; set $x "b"; return 500 "a$x"; }'
        page = f"error_page 502 504 =503 @a; {location}"
        self.assertEqual(away_of(page), {"status": 503, "body": "ab", "headers": {"Retry-After": "9"}})
        for text in ("", "gzip on;", "error_page 404 /x;", "error_page 502 @nowhere;", "oops {"):
            self.assertIsNone(away_of(text))


class DeletedCertificateTests(NpmCase):
    """Deleting a certificate that is in use breaks every later write, until its hosts are off."""

    def test_the_way_into_the_trouble_and_out_of_it(self) -> None:
        users = [self.host(f"{name}.nodepoint.eu", certificate_id=1) for name in ("a", "b")]
        self.assertIs(self.call("DELETE", "/nginx/certificates/1").json(), True)
        row = self.get(users[0], "?expand=certificate")
        self.assertEqual((row["certificate_id"], row["certificate"]), (1, None))

        self.assert_error(self.create("innocent.example.net"), 500, "Internal Error")
        left = self.call("GET", "/nginx/proxy-hosts?query=innocent").json()[0]
        self.assertEqual(left["meta"], {})
        put = self.call("PUT", f"/nginx/proxy-hosts/{users[0]}", {"certificate_id": 0})
        self.assert_error(put, 500, "Internal Error")
        self.assertEqual(self.get(users[0])["certificate_id"], 0)
        delete = self.call("DELETE", f"/nginx/proxy-hosts/{left['id']}")
        self.assert_error(delete, 500, "Internal Error")
        self.assert_error(
            self.call("GET", f"/nginx/proxy-hosts/{left['id']}"), 404, f"Not Found - {left['id']}"
        )

        first = self.call("POST", f"/nginx/proxy-hosts/{users[0]}/disable")
        self.assert_error(first, 500, "Internal Error")
        self.assertIs(self.get(users[0])["enabled"], False)
        self.assertIs(self.call("POST", f"/nginx/proxy-hosts/{users[1]}/disable").json(), True)
        self.assertEqual(self.create("innocent.example.net").status_code, 201)


class OverlappingWritesTests(NpmCase):
    """Writes that run side by side see one another's half-done files."""

    def setUp(self) -> None:
        self.lab.clock.factor = (
            2.0  # the second write begins before the first has ended, on a busy machine too
        )
        self.addCleanup(setattr, self.lab.clock, "factor", 0.0)

    def test_a_broken_host_harms_the_innocent_one_beside_it(self) -> None:
        names = {"good.example.net": "", "bad.example.net": "broken;"}
        statuses: dict[str, int] = {}

        def make(name: str, advanced_config: str) -> None:
            statuses[name] = self.create(name, advanced_config=advanced_config).status_code

        threads = [threading.Thread(target=make, args=item) for item in names.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        good = self.call("GET", "/nginx/proxy-hosts?query=good.example.net").json()[0]
        # Whoever writes first decides how: refused at once, or tested together and taken off.
        self.assertIn(statuses["good.example.net"], (201, 500))
        self.assertIsNot(good["meta"].get("nginx_online"), True)
        self.assertIsNone(self.lab.npm.state.nginx.route("good.example.net"))

    def test_parallel_creates_of_one_name_make_one_row(self) -> None:
        self.lab.clock.factor = 0.0
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(self.create("race.example.net").status_code))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(sorted(statuses), [201, 400, 400, 400, 400, 400])
        self.assertEqual(len(self.call("GET", "/nginx/proxy-hosts?query=race.example.net").json()), 1)

    def test_a_host_write_takes_its_time(self) -> None:
        began = time.monotonic()
        self.host("timed.example.net")

        self.assertGreater(time.monotonic() - began, 0.19)

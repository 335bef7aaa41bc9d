"""The proxy's own ports: what a visitor gets from NPM's nginx and the container behind it."""

import socket
import ssl
import threading
import time

import requests

from tests.lab.containers import INSTALL, make_container
from tests.lab.npm_case import NpmCase
from tests.visitor import visit

IP = "192.168.1.100"


class FrontTests(NpmCase):
    """Container 900 holds 192.168.1.100 and serves WordPress; nobody holds 192.168.1.101."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        make_container(cls.lab, 900, start=True)
        script = INSTALL.encode()
        code, out, err = cls.lab.guest_exec("node1", 900, ["bash", "-s", "install"], script)
        assert code == 0, (out, err)

    def visit(
        self, host: str, path: str = "/", *, https: bool = False, **options: object
    ) -> requests.Response:
        npm = self.lab.npm
        scheme, port = ("https", npm.https_port) if https else ("http", npm.http_port)
        verify = str(self.lab.keys.authority_file)
        return visit(f"127.0.0.1:{port}", f"{scheme}://{host}{path}", verify=verify)

    def assert_no_tls(self, name: str | None) -> None:
        """The handshake ends with the alert `unrecognized_name` (112)."""
        context = ssl.create_default_context(cafile=str(self.lab.keys.authority_file))
        context.check_hostname = False
        address = ("127.0.0.1", self.lab.npm.https_port)
        with socket.create_connection(address, 5) as plain, self.assertRaises(ssl.SSLError) as caught:
            context.wrap_socket(plain, server_hostname=name)
        self.assertEqual(caught.exception.reason, "TLSV1_UNRECOGNIZED_NAME")

    def test_the_check_address_is_the_https_port(self) -> None:
        self.assertEqual(self.lab.settings["PROXY_CHECK_ADDRESS"], f"127.0.0.1:{self.lab.npm.https_port}")

    def test_plain_http_reaches_the_container(self) -> None:
        self.host("plain.example.net", forward_host=IP)

        answer = self.visit("PLAIN.example.net")

        self.assertEqual(answer.status_code, 200)
        self.assertIn("<title>", answer.text)

    def test_https_reaches_the_container_and_tells_it_so(self) -> None:
        self.host("tls.nodepoint.eu", forward_host=IP, certificate_id=1)
        seen: list[str] = []
        site_answer = self.lab.world.site_answer

        def watched(ip: str, host: str, path: str, headers: dict[str, str], **more: object) -> object:
            seen.append(headers["x-forwarded-proto"])
            return site_answer(ip, host, path, headers, **more)

        self.lab.world.site_answer = watched
        self.addCleanup(setattr, self.lab.world, "site_answer", site_answer)
        statuses = [self.visit("tls.nodepoint.eu", https=https).status_code for https in (True, False)]

        self.assertEqual((statuses, seen), ([200, 200], ["https", "http"]))

    def test_forced_ssl_redirects_with_path_and_query(self) -> None:
        self.host("forced.nodepoint.eu", forward_host=IP, certificate_id=1, ssl_forced=True)

        answer = self.visit("forced.nodepoint.eu", "/wp-login.php?action=rp&key=a%20b")

        self.assertEqual(answer.status_code, 301)
        self.assertEqual(
            answer.headers["Location"], "https://forced.nodepoint.eu/wp-login.php?action=rp&key=a+b"
        )
        self.assertEqual(self.visit("forced.nodepoint.eu", https=True).status_code, 200)

    def test_an_unknown_or_disabled_name_falls_to_the_default_site(self) -> None:
        id = self.host("off.nodepoint.eu", forward_host=IP, certificate_id=1)
        self.call("POST", f"/nginx/proxy-hosts/{id}/disable")
        for name in ("off.nodepoint.eu", "never-heard.example"):
            with self.subTest(name=name):
                answer = self.visit(name)
                self.assertEqual(answer.status_code, 200)
                self.assertIn("Congratulations", answer.text)
                self.assert_no_tls(name)

    def test_a_handshake_without_a_name_is_refused(self) -> None:
        self.host("named.nodepoint.eu", forward_host=IP, certificate_id=1)
        self.assert_no_tls(None)
        self.assert_no_tls("127.0.0.1")

    def test_each_host_shows_its_own_certificate(self) -> None:
        self.host("elsewhere.example", forward_host=IP, certificate_id=1)
        with self.assertRaisesRegex(requests.exceptions.SSLError, "doesn't match"):
            self.visit("elsewhere.example", https=True)

    def test_the_name_of_the_handshake_opens_no_other_door(self) -> None:
        self.host("door.nodepoint.eu", forward_host=IP, certificate_id=1)
        address = f"127.0.0.1:{self.lab.npm.https_port}"
        verify = str(self.lab.keys.authority_file)
        with self.assertRaises(requests.ConnectionError):
            visit(address, "https://door.nodepoint.eu/", headers={"Host": "other.example"}, verify=verify)

    def test_enabled_false_by_put_leaves_it_served(self) -> None:
        id = self.host("rowoff.nodepoint.eu", forward_host=IP, certificate_id=1)
        self.assertFalse(self.call("PUT", f"/nginx/proxy-hosts/{id}", {"enabled": False}).json()["enabled"])

        self.assertEqual(self.visit("rowoff.nodepoint.eu", https=True).status_code, 200)
        self.assert_error(
            self.call("POST", f"/nginx/proxy-hosts/{id}/disable"), 400, "Host is already disabled"
        )
        self.call("POST", f"/nginx/proxy-hosts/{id}/enable")
        self.call("POST", f"/nginx/proxy-hosts/{id}/disable")
        self.assert_no_tls("rowoff.nodepoint.eu")

    def test_a_head_that_is_too_large_is_a_bad_gateway_until_the_buffer_is_raised(self) -> None:
        id = self.host("heads.nodepoint.eu", forward_host=IP, certificate_id=1)
        site_answer = self.lab.world.site_answer

        def long_headed(*args: object, **more: object) -> object:
            answer = site_answer(*args, **more)
            answer.headers["Set-Cookie"] = "x" * 30_000
            return answer

        self.lab.world.site_answer = long_headed
        self.addCleanup(setattr, self.lab.world, "site_answer", site_answer)

        self.assertEqual(self.visit("heads.nodepoint.eu", https=True).status_code, 502)
        buffers = "proxy_buffer_size 64k;\nproxy_buffers 4 64k;\nproxy_busy_buffers_size 128k;"
        self.call("PUT", f"/nginx/proxy-hosts/{id}", {"advanced_config": buffers})
        self.assertEqual(self.visit("heads.nodepoint.eu", https=True).status_code, 200)

    def test_a_host_without_certificate_has_no_https(self) -> None:
        self.host("nocert.example.net", forward_host=IP)
        self.host("ghostcert.example.net", forward_host=IP, certificate_id=9999, ssl_forced=True)

        self.assertEqual(self.visit("nocert.example.net").status_code, 200)
        self.assertEqual(self.visit("ghostcert.example.net").status_code, 200)
        self.assert_no_tls("nocert.example.net")
        self.assert_no_tls("ghostcert.example.net")

    def test_nothing_behind_it_is_a_bad_gateway(self) -> None:
        for name, fields in (
            ("nobody.example.net", {"forward_host": "192.168.1.101"}),
            ("wrong-port.example.net", {"forward_host": IP, "forward_port": 8080}),
            ("no-address.example.net", {"forward_host": "not-a-host"}),
        ):
            with self.subTest(name=name):
                self.host(name, **fields)
                self.assertEqual(self.visit(name).status_code, 502)

    def test_a_wildcard_host_serves_names_without_one_of_their_own(self) -> None:
        self.host("*.many.example.net", forward_host=IP)
        self.host("own.many.example.net", forward_host="192.168.1.101")

        self.assertEqual(self.visit("any.many.example.net").status_code, 200)
        self.assertEqual(self.visit("own.many.example.net").status_code, 502)

    def test_during_http01_issuance_the_site_answers_404(self) -> None:
        self.host("issuing.example", forward_host=IP)
        self.point_here("issuing.example")
        self.lab.clock.factor = 0.1
        self.addCleanup(setattr, self.lab.clock, "factor", 0.0)
        thread = threading.Thread(target=self.order, args=("issuing.example",))
        thread.start()
        self.addCleanup(thread.join)
        deadline = time.monotonic() + 2
        while not self.call("GET", "/nginx/certificates?query=issuing.example").json():
            self.assertLess(time.monotonic(), deadline)

        self.assertEqual(self.visit("issuing.example").status_code, 404)
        self.assert_no_tls("issuing.example")
        thread.join()
        # Its file is back, but nginx has not been told: that comes with the next write of anything.
        self.assertIn("Congratulations", self.visit("issuing.example").text)
        self.host("next-write.example", forward_host=IP)
        self.assertEqual(self.visit("issuing.example").status_code, 200)

    def test_visits_are_no_calls_to_npm(self) -> None:
        before = self.lab.requests["npm"]
        self.lab.faults.add("npm", "error")
        self.addCleanup(self.lab.faults.clear)
        self.visit("never-heard.example")

        self.assertEqual(self.lab.requests["npm"], before)

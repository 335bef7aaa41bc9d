"""Kindnesses that a double of NPM is tempted to have: each would be noticed by a fact of the real one.

Each fact was seen on NPM 2.15.1 (its own backend, nginx.conf and templates, nginx 1.22) or recorded; it must
hold of the lab, and must not hold of a lab that is kinder.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from tests.lab.containers import INSTALL, make_container
from tests.lab.npm_case import NpmCase
from tests.visitor import visit

IP = "192.168.1.100"


class KindnessTests(NpmCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        make_container(cls.lab, 900, start=True)
        assert cls.lab.guest_exec("node1", 900, ["bash", "-s", "install"], INSTALL.encode())[0] == 0
        cls.state, cls.nginx = cls.lab.npm.state, cls.lab.npm.state.nginx
        cls.numbers = iter(range(1000))

    def assert_noticed(self, fact: Callable[[], None], kindness: Any) -> None:
        """The fact holds, and does not hold of a kinder lab."""
        fact()
        with kindness, self.assertRaises(AssertionError):
            fact()

    def name(self) -> str:
        """A name that nobody has used."""
        return f"k{next(self.numbers)}.nodepoint.eu"

    def served(self, name: str) -> int:
        """The status with which a visitor of HTTPS is answered; 0: no handshake for the name."""
        address = ("127.0.0.1", self.lab.npm.https_port)
        context = ssl.create_default_context(cafile=str(self.lab.keys.authority_file))
        context.check_hostname = False
        with socket.create_connection(address, 5) as plain:
            try:
                context.wrap_socket(plain, server_hostname=name).close()
            except ssl.SSLError as error:
                self.assertEqual(error.reason, "TLSV1_UNRECOGNIZED_NAME")
                return 0
        verify = str(self.lab.keys.authority_file)
        return visit(f"127.0.0.1:{address[1]}", f"https://{name}/", verify=verify).status_code

    def order_and(self, name: str, meanwhile: Callable[[], object]) -> None:
        """Order a certificate; do something while certbot runs."""
        self.lab.dns.set(name, "A", [self.lab.settings["PROXY_IP"]])
        self.lab.clock.factor = 0.05
        try:
            thread = threading.Thread(target=self.order, args=(name,))
            thread.start()
            while not self.call("GET", f"/nginx/certificates?query={name}").json():
                time.sleep(0.01)
            meanwhile()
            thread.join()
        finally:
            self.lab.clock.factor = 0.0

    def test_any_name_in_the_handshake(self) -> None:
        self.host(self.name(), forward_host=IP, certificate_id=1)

        def unknown_names_are_refused() -> None:
            self.assertEqual(self.served(self.name()), 0)

        first = next(config for config in self.nginx.running.values() if config.get("certificate"))
        self.assert_noticed(
            unknown_names_are_refused,
            mock.patch.object(self.nginx, "route", lambda host, tls=False: first),
        )

    def test_enabled_false_by_put_takes_it_off(self) -> None:
        def it_stays_served() -> None:
            name = self.name()
            id = self.host(name, forward_host=IP, certificate_id=1)
            self.call("PUT", f"/nginx/proxy-hosts/{id}", {"enabled": False})
            self.assertEqual(self.served(name), 200)

        update = self.state.update

        def kinder(id: int, data: Any) -> Any:
            answer = update(id, data)
            if not answer["enabled"]:
                self.nginx.remove(f"proxy_host/{id}.conf")
                self.nginx.reload()
            return answer

        self.assert_noticed(it_stays_served, mock.patch.object(self.state, "update", kinder))

    def test_hosts_keep_their_certificate_through_an_order(self) -> None:
        def it_comes_back_without_tls() -> None:
            name = self.name()
            self.host(name, forward_host=IP, certificate_id=1)
            self.order_and(name, lambda: None)
            self.host(self.name())
            self.assertEqual(self.served(name), 0)
            self.assertIsNotNone(self.nginx.route(name))

        certificates = self.state.certificates
        self.assert_noticed(
            it_comes_back_without_tls,
            mock.patch.object(certificates, "_write_host", self.state._write_config),
        )

    def test_a_host_that_was_deleted_during_an_order_stays_away(self) -> None:
        def its_file_comes_back() -> None:
            name = self.name()
            id = self.host(name, forward_host=IP)
            self.order_and(name, lambda: self.call("DELETE", f"/nginx/proxy-hosts/{id}"))
            self.host(self.name())
            self.assertIsNotNone(self.nginx.route(name))

        write = self.state.certificates._write_host

        def kinder(row: Any) -> None:
            if row["id"] in self.state._rows:
                write(row)

        self.assert_noticed(
            its_file_comes_back, mock.patch.object(self.state.certificates, "_write_host", kinder)
        )

    def test_nginx_is_told_at_the_end_of_an_order(self) -> None:
        def not_after_a_success() -> None:
            name = self.name()
            self.host(name, forward_host=IP)
            self.order_and(name, lambda: None)
            self.assertIsNone(self.nginx.route(name))

        give_back = self.state.certificates._give_the_way_back

        def kinder(run: Any, failed: bool) -> None:
            give_back(run, failed)
            self.nginx.reload()

        self.assert_noticed(
            not_after_a_success, mock.patch.object(self.state.certificates, "_give_the_way_back", kinder)
        )

    def test_heads_of_any_size(self) -> None:
        site_answer = self.lab.world.site_answer

        def long_headed(*args: Any, **more: Any) -> Any:
            answer = site_answer(*args, **more)
            answer.headers["Set-Cookie"] = "x" * 8_000
            return answer

        def more_than_a_page_is_a_bad_gateway() -> None:
            name = self.name()
            self.host(name, forward_host=IP, certificate_id=1)
            with mock.patch.object(self.lab.world, "site_answer", long_headed):
                self.assertEqual(self.served(name), 502)

        self.assert_noticed(
            more_than_a_page_is_a_bad_gateway,
            mock.patch("lab.npm.state.head_limit", lambda advanced_config: 10**9),
        )

    def test_a_host_that_is_off_frees_its_name(self) -> None:
        def it_keeps_it() -> None:
            name = self.name()
            id = self.host(name)
            self.call("POST", f"/nginx/proxy-hosts/{id}/disable")
            self.assertEqual(self.create(name.upper()).status_code, 400)

        self.assert_noticed(it_keeps_it, mock.patch.object(self.state, "_refuse_taken", mock.Mock()))

    def test_fields_of_other_releases(self) -> None:
        def they_are_refused() -> None:
            self.assertEqual(self.create(self.name(), letsencrypt_agree=True).status_code, 400)

        def kinder(data: Any, schema: Any) -> Any:
            return {name: value for name, value in data.items() if name in schema["properties"]}

        self.assert_noticed(they_are_refused, mock.patch("lab.npm.state.validated", kinder))

    def test_two_certbots_at_once(self) -> None:
        def the_second_is_refused() -> None:
            name, answers = self.name(), []
            self.order_and(name, lambda: answers.append(self.order(f"x{name}").json()))
            self.assertIn("Another instance of Certbot", str(answers))

        certificates = self.state.certificates
        start = certificates._start_run

        def kinder(*args: Any) -> Any:
            others = dict(certificates._runs)
            certificates._runs.clear()
            try:
                return start(*args)
            finally:
                certificates._runs.update(others)

        self.assert_noticed(the_second_is_refused, mock.patch.object(certificates, "_start_run", kinder))

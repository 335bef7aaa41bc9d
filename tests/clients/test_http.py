"""The HTTP transport: every call ends in time, and its error tells whether it was delivered."""

import gzip
import json
import logging
import multiprocessing
import os
import ssl
import tempfile
import threading
import time
import unittest
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from nodepoint.clients import errors, line
from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import BadAnswer, Refused, TimedOut, Unreachable, keep_secret
from nodepoint.clients.http import JsonApi, PerThread
from nodepoint.clients.line import Line
from tests.clients.double import Request, certificate, double, unused_address


class DeliveryTests(unittest.TestCase):
    def test_an_answer_comes_with_status_body_and_headers(self) -> None:
        with double(lambda r: r.reply(418, {"a": [1]}, X_Left="7")) as server:
            answer = JsonApi("npm", server.url, 5).call("GET", "x")
        self.assertEqual((answer.status, answer.body, answer.ok), (418, {"a": [1]}, False))
        self.assertEqual(answer.headers["x-left"], "7")

    def test_nobody_listening_is_unreachable(self) -> None:
        with self.assertRaises(Unreachable):
            JsonApi("npm", f"http://{unused_address()}", 5).call("POST", "x", body={})

    def test_a_write_whose_answer_is_lost_is_unknown_and_not_repeated(self) -> None:
        with double(Request.drop) as server:
            with self.assertRaises(TimedOut):
                JsonApi("npm", server.url, 5).call("POST", "x", body={})
            self.assertEqual(server.seen, ["POST /x"])

    def test_a_read_is_tried_three_times_at_most(self) -> None:
        with double(Request.drop) as server:
            with self.assertRaises(TimedOut):
                JsonApi("npm", server.url, 5).call("GET", "x")
            self.assertEqual(len(server.seen), 3)

    def test_a_read_succeeds_at_its_second_try(self) -> None:
        with double(lambda r: r.drop() if len(r.server.seen) < 2 else r.reply(200, [1])) as server:
            self.assertEqual(JsonApi("npm", server.url, 5).call("GET", "x").body, [1])

    def test_an_answer_that_breaks_off_is_unknown(self) -> None:
        def half(request: Request) -> None:
            request.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            request.drop()

        with double(half) as server, self.assertRaises(TimedOut):
            JsonApi("npm", server.url, 5).call("POST", "x")

    def test_a_redirect_is_not_followed(self) -> None:
        for method in ("GET", "POST"):
            with double(lambda r: r.reply(302, Location="/elsewhere")) as server:
                with self.assertRaises(BadAnswer):
                    JsonApi("npm", server.url, 5).call(method, "x")
                self.assertEqual(server.seen, [f"{method} /x"])

    def test_an_endless_answer_is_a_bad_one(self) -> None:
        with (
            mock.patch.object(line, "MOST_BYTES", 1000),
            double(lambda r: r.reply(200, b"x" * 1001)) as server,
            self.assertRaises(BadAnswer),
        ):
            JsonApi("npm", server.url, 5).call("GET", "x")

    def test_a_packed_answer_is_unpacked(self) -> None:
        with double(lambda r: r.reply(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")) as server:
            self.assertEqual(JsonApi("npm", server.url, 5).call("GET").body, {"a": 1})

    def test_what_is_not_packed_as_it_says_is_a_bad_answer(self) -> None:
        packed = gzip.compress(b'{"a": 1}')
        for encoding, content in {"gzip": packed[:-5], "x-gzip": b"no gzip", "br": packed}.items():
            with (
                self.subTest(encoding),
                double(lambda r, c=content, e=encoding: r.reply(200, c, Content_Encoding=e)) as server,
                self.assertRaises(BadAnswer),
            ):
                JsonApi("npm", server.url, 5).call("POST")

    def test_what_grows_endless_when_it_is_unpacked_is_a_bad_answer(self) -> None:
        bomb = gzip.compress(b" " * 1001)
        with (
            mock.patch.object(line, "MOST_BYTES", 1000),
            double(lambda r: r.reply(200, bomb, Content_Encoding="gzip")) as server,
            self.assertRaises(BadAnswer),
        ):
            JsonApi("npm", server.url, 5).call("GET")

    def test_an_answer_in_pieces_is_put_together(self) -> None:
        def pieces(request: Request) -> None:
            request.connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            request.connection.sendall(b'3\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n')

        with double(pieces) as server:
            api = JsonApi("npm", server.url, 5)
            self.assertEqual([api.call("POST").body for _ in range(2)], [{"a": 1}] * 2)
            self.assertEqual(server.connections, 1)

    def test_path_segments_are_escaped(self) -> None:
        with double(lambda r: r.reply()) as server:
            JsonApi("npm", server.url + "/base/", 5).call("GET", "a/../b?c", 7, params={"q": '"x"'})
            self.assertEqual(server.seen, ["GET /base/a%2F..%2Fb%3Fc/7?q=%22x%22"])

    def test_the_environment_adds_neither_a_proxy_nor_credentials(self) -> None:
        with tempfile.TemporaryDirectory() as home, double(lambda r: r.reply(200, dict(r.headers))) as server:
            Path(home, "netrc").write_text("default login a password b\n")
            strange = {"HTTP_PROXY": f"http://{unused_address()}", "NETRC": f"{home}/netrc"}
            with mock.patch.dict(os.environ, strange):
                headers = {"Authorization": "Bearer mine"}
                answer = JsonApi("npm", server.url, 5).call("GET", headers=headers)
            self.assertEqual(answer.body["Authorization"], "Bearer mine")

    def test_nothing_of_an_answer_goes_into_the_next_call(self) -> None:
        with double(lambda r: r.reply(200, dict(r.headers), Set_Cookie="a=b; Path=/")) as server:
            api = JsonApi("npm", server.url, 5)
            first, second = (api.call("POST", "x", body={}, headers={"X-Own": "1"}) for _ in range(2))
        self.assertEqual(first.body, second.body)
        self.assertNotIn("Cookie", second.body)
        self.assertEqual((first.body["X-Own"], first.body["Accept"]), ("1", "application/json"))

    def test_no_header_makes_two_of_a_request(self) -> None:
        with double(lambda r: r.reply()) as server:
            with self.assertRaises(ValueError):
                JsonApi("npm", server.url, 5).call("GET", headers={"X": "1\r\nHost: other"})
            Line("npm", 5).request("GET", f"{server.url}/a b\u00fc?c\r\nd")
            self.assertEqual(
                server.seen, ["GET /a%20b%C3%BC?cd"]
            )  # line ends go, as everywhere in an address

    def test_credentials_in_an_address_are_sent(self) -> None:
        with double(lambda r: r.reply(200, dict(r.headers))) as server:
            address = server.url.replace("//", "//me:p%40ss@")
            answer = json.loads(Line("webhook", 5).request("GET", address).content)
        self.assertEqual(answer["Authorization"], f"Basic {b64encode(b'me:p@ss').decode()}")
        self.assertEqual(answer["Host"], server.address)


class DeadlineTests(unittest.TestCase):
    @contextmanager
    def assert_over_in_time(self, kind: type[Exception], seconds: float):
        begun = time.monotonic()
        with self.assertRaises(kind):
            yield
        self.assertLess(time.monotonic() - begun, seconds + 1.0)

    def test_a_silent_server_is_given_up_in_time_and_not_asked_again(self) -> None:
        with double(lambda r: r.server.over.wait()) as server:
            with self.assert_over_in_time(TimedOut, 0.3):
                JsonApi("npm", server.url, 0.3).call("GET", "x")
            self.assertEqual(len(server.seen), 1)

    def test_a_trickling_head_does_not_pass_the_deadline(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000
        with (
            double(lambda r: r.trickle(head, 0.05)) as server,
            self.assert_over_in_time(TimedOut, 0.4),
        ):
            JsonApi("npm", server.url, 0.4).call("GET")

    def test_a_trickling_body_does_not_pass_the_deadline(self) -> None:
        body = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

        def answer(request: Request) -> None:
            request.connection.sendall(body)
            request.trickle(b"x" * 1000, 0.05)

        with double(answer) as server, self.assert_over_in_time(TimedOut, 0.4):
            JsonApi("npm", server.url, 0.4).call("GET")

    def test_a_silent_tls_partner_is_unreachable_in_time(self) -> None:
        with (
            double(lambda r: r.server.over.wait()) as server,
            mock.patch.object(server, "get_request", side_effect=server.socket.accept),
        ):
            # accepted, but nobody answers the client's greeting
            server.process_request = lambda sock, peer: self.addCleanup(sock.close)  # type: ignore[method-assign]
            with self.assert_over_in_time(Unreachable, 0.3):
                JsonApi("npm", f"https://{server.address}", 0.3).call("GET")

    def test_a_block_shortens_the_calls_in_it_all_together(self) -> None:
        with double(lambda r: r.server.over.wait(0.2) or r.reply()) as server:
            api = JsonApi("npm", server.url, 30)
            with self.assert_over_in_time(TimedOut, 0.5), deadline(0.5), deadline(20):
                for _ in range(10):
                    api.call("GET")
            api.call("GET")

    def test_after_the_deadline_nothing_is_sent(self) -> None:
        with double(lambda r: r.reply()) as server:
            with deadline(-1), self.assertRaises(Unreachable):
                JsonApi("npm", server.url, 30).call("POST")
            self.assertEqual(server.seen, [])


class TrustTests(unittest.TestCase):
    def test_a_certificate_is_trusted_by_its_file_only(self) -> None:
        with certificate() as files, double(lambda r: r.reply(200, 1), tls=files) as server:
            self.assertEqual(JsonApi("npm", server.url, 5, verify=str(files[0])).call("GET").body, 1)
            self.assertEqual(JsonApi("npm", server.url, 5, verify=False).call("GET").body, 1)
            with self.assertRaises(Refused) as caught:
                JsonApi("npm", server.url, 5).call("GET")
        self.assertIn("CERTIFICATE_VERIFY_FAILED", caught.exception.vendor)
        self.assertEqual(len(server.seen), 2)

    def test_a_file_of_authorities_that_changes_is_read_again(self) -> None:
        with certificate() as old, certificate() as new, double(lambda r: r.reply(200, 1), tls=new) as server:
            api = JsonApi("npm", server.url, 5, verify=str(old[0]))
            with self.assertRaises(Refused):
                api.call("POST")
            old[0].write_bytes(new[0].read_bytes())
            self.assertEqual(api.call("POST").body, 1)

    def test_where_no_certificate_is_verified_no_authorities_are_read(self) -> None:
        with (
            certificate() as files,
            double(lambda r: r.reply(200, 1), tls=files) as server,
            mock.patch.object(ssl.SSLContext, "load_default_certs") as read,
        ):
            self.assertEqual(JsonApi("npm", server.url, 5, verify=False).call("GET").body, 1)
        read.assert_not_called()

    def test_no_secret_gets_into_an_error_or_the_log(self) -> None:
        self.addCleanup(errors._secrets.intersection_update, set(errors._secrets))
        keep_secret("s3cr3t-token")
        with (
            double(lambda r: r.reply(302, Location="/?key=s3cr3t-token")) as server,
            self.assertLogs("nodepoint.clients.line", logging.DEBUG) as logged,
            self.assertRaises(BadAnswer) as caught,
        ):
            JsonApi("npm", server.url, 5).call("GET", "s3cr3t-token", headers={"A": "Bearer s3cr3t-token"})
        self.assertNotIn("s3cr3t", f"{caught.exception} {caught.exception!r}")
        self.assertNotIn("s3cr3t", " ".join(logged.output))


class SessionTests(unittest.TestCase):
    def test_a_thread_keeps_its_connection(self) -> None:
        with double(lambda r: r.reply()) as server:
            api = JsonApi("npm", server.url, 5)
            for _ in range(5):
                api.call("POST", body={"a": 1})
            self.assertEqual(server.connections, 1)

    def test_a_write_goes_over_a_new_connection_where_the_server_has_ended_the_kept_one(self) -> None:
        def once(request: Request) -> None:
            request.reply()
            request.drop()

        with double(once) as server:
            api = JsonApi("npm", server.url, 5)
            for _ in range(3):
                api.call("POST")
                time.sleep(0.02)  # until its end has come
            self.assertEqual((server.connections, len(server.seen)), (3, 3))

    def test_each_thread_has_its_own(self) -> None:
        made = PerThread(object)
        found = []
        threads = [threading.Thread(target=lambda: found.append((made.get(), made.get()))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (first, again), (second, _) = found
        self.assertIs(first, again)
        self.assertIsNot(first, second)

    def test_a_forked_child_makes_its_own(self) -> None:
        made = PerThread(lambda: os.getpid())
        made.get()
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        child = context.Process(target=lambda: queue.put(made.get()))
        child.start()
        child.join(10)
        self.assertEqual(queue.get(), child.pid)

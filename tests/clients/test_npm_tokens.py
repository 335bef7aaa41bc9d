"""Logging in to Nginx Proxy Manager: one token for all, renewed in time, replaced when it is refused."""

import threading
from datetime import timedelta

from nodepoint.clients.errors import (
    BadAnswer,
    ClientError,
    Refused,
    TimedOut,
    Unreachable,
)
from sites.clients.npm import Npm
from tests.clients.double import Request
from tests.clients.npm_case import HOST, FakeNpm, NpmCase, create, error, get


class TokenTests(NpmCase):
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

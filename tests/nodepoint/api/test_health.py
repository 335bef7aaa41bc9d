"""Whether we work, and whether what we drive can be used."""

import threading
import time
from unittest import mock

from django.db import OperationalError
from django.utils.dateparse import parse_datetime

from nodepoint.api import health
from nodepoint.clients.errors import Unreachable
from tests.nodepoint.api.base import ApiTestCase


class HealthTests(ApiTestCase):
    def test_it_needs_no_token_and_one_query(self) -> None:
        with self.assertNumQueries(1):
            response = self.call("/health", token=None)
        body = response.json()
        self.assertEqual((response.status_code, body["success"], body["status"]), (200, True, "ok"))
        self.assertIsNotNone(parse_datetime(body["timestamp"]))
        self.assertEqual(set(body), {"success", "status", "timestamp"})

    def test_it_does_not_look_at_a_token(self) -> None:
        self.assertEqual(self.call("/health", token="np_wrong").status_code, 200)

    def test_it_answers_head_and_the_slash(self) -> None:
        self.assertEqual(self.call("/health/", method="HEAD", token=None).status_code, 200)

    def test_a_database_that_is_gone_is_503(self) -> None:
        cursor = mock.patch.object(
            health.connection, "cursor", side_effect=OperationalError("gone at 10.0.0.1")
        )
        with cursor, self.assertLogs("nodepoint.api", "ERROR"):
            response = self.call("/health", token=None)
        self.assert_error(response, 503, "unavailable")
        self.assertNotIn(b"10.0.0.1", response.content)


class DeepTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.probes = self.enterContext(mock.patch.dict(health._probes, clear=True))

    def test_it_needs_a_token_of_any_scope(self) -> None:
        for token in (None, "np_wrong"):
            response = self.call("/health?deep=1", token=token)
            self.assert_error(response, 401, "unauthorized")
            self.assertEqual(response["WWW-Authenticate"], "Bearer")
        self.assertEqual(self.call("/health?deep=1", token=self.make_token("metrics")).status_code, 200)
        self.assertEqual(self.call("/health?deep=0", token=None).status_code, 200)

    def test_it_tells_of_database_queue_and_systems(self) -> None:
        health.register("cloudflare", lambda: None)
        health.register("npm", mock.Mock(side_effect=Unreachable("npm", "10.0.0.1 refused")))
        body = self.call("/health?deep=1").json()
        self.assertEqual(body["database"]["ok"], True)
        broker = {"ok": True, "error": None}
        self.assertEqual(body["queue"], {"oldest_due_seconds": 0.0, "workers": 0, "broker": broker})
        self.assertEqual(
            (body["systems"]["cloudflare"]["ok"], body["systems"]["cloudflare"]["error"]), (True, None)
        )
        self.assertIsInstance(body["systems"]["cloudflare"]["latency_ms"], float)
        self.assertEqual(body["systems"]["npm"]["error"], "Nginx Proxy Manager could not be reached.")
        self.assertIs(body["systems"]["npm"]["ok"], False)

    def test_a_broken_probe_does_not_hide_the_others(self) -> None:
        health.register("ssh", mock.Mock(side_effect=ValueError("secret")))
        health.register("npm", lambda: None)
        with self.assertLogs("nodepoint.health", "ERROR"):
            response = self.call("/health?deep=1")
        self.assertNotIn(b"secret", response.content)
        systems = response.json()["systems"]
        self.assertEqual((systems["ssh"]["ok"], systems["npm"]["ok"]), (False, True))

    def test_systems_are_asked_at_the_same_time_and_not_waited_for_longer_than_agreed(self) -> None:
        together, release = threading.Barrier(2, timeout=2), threading.Event()
        self.addCleanup(release.set)
        health.register("npm", together.wait)
        health.register("cloudflare", together.wait)
        health.register("ssh", lambda: release.wait(5))
        begun = time.monotonic()
        found = health.systems(seconds=0.3)
        self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(
            {name: one["ok"] for name, one in found.items()}, {"npm": True, "cloudflare": True, "ssh": False}
        )
        self.assertIn("No answer within 0.3 seconds", found["ssh"]["error"])

"""GET /health?deep=1 and ISPConfig."""

from tests.dns.base import DnsTestCase


class HealthTests(DnsTestCase):
    def probe(self) -> dict:
        body = self.get("/health?deep=1").json()
        return next(found for name, found in _flat(body) if name == "ispconfig")

    def test_it_is_asked(self) -> None:
        self.assertTrue(self.probe()["ok"])
        self.fault("ispconfig", "error", match="dns_zone_get", count=3)
        self.assertFalse(self.probe()["ok"])


def _flat(body: dict) -> list[tuple[str, object]]:
    """All names in an object, at whatever depth."""
    found = list(body.items())
    return found + [pair for _, value in body.items() if isinstance(value, dict) for pair in _flat(value)]

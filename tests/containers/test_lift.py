"""A lift in a real container: the script runs once more with everything to be told anew, and visitors hardly
notice."""

import threading
import time

import requests

from tests.containers import base, sites

LONGEST = 5.0  # seconds that a site may be away
PAUSE = 0.05


def setUpModule() -> None:
    base.required()


class LiftTests(base.ContainerTestCase):
    def test_options_take_effect_and_the_site_is_not_away_for_long(self) -> None:
        made = sites.plain().container
        site = base.order(made.vmid)
        site.xmlrpc, site.upload_mb, site.php_memory_mb, site.page_cache = True, 300, 320, False
        changed = base.Container(made.vmid, site)
        with Probes(made) as probes:
            lines = changed.install()
        self.addCleanup(made.install)
        self.assertEqual(lines[-1], "done 0", lines)
        self.assertGreater(probes.answered, 10)
        self.assertLess(probes.longest, LONGEST, f"away for {probes.longest:.2f} s of {probes.whole:.1f}")


class Probes(threading.Thread):
    """Visits the front page again and again while the block is worked on. `longest`: seconds from one good
    answer to the next."""

    def __init__(self, container: base.Container) -> None:
        super().__init__(daemon=True)
        self._container, self._over = container, threading.Event()
        self.answered, self.longest, self.whole = 0, 0.0, 0.0

    def __enter__(self) -> "Probes":
        self.whole = time.monotonic()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self.whole = time.monotonic() - self.whole

    def run(self) -> None:
        last = time.monotonic()
        while not self._over.wait(PAUSE):
            try:
                good = self._container.visit(timeout=2).status_code == 200
            except requests.RequestException:
                good = False
            if good:
                now = time.monotonic()
                self.answered, self.longest, last = self.answered + 1, max(self.longest, now - last), now
        self.longest = max(self.longest, time.monotonic() - last)

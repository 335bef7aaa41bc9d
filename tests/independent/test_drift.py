"""What people change by hand is seen by `reconcile`, and put right by `--fix`."""

import io
from contextlib import suppress

from django.core.management import CommandError, call_command

from tests.independent.base import IndependentCase


class DriftTests(IndependentCase):
    """Of a live site."""

    plan = "basic"

    def test_a_changed_host_name_and_a_lost_pool_are_differences_like_any_other(self):
        guest = self.guest(self.site)
        for name, act, is_right in (
            (
                "host name",
                lambda: guest.config.update(hostname="renamed"),
                lambda: guest.config["hostname"] == "janedoe",
            ),
            ("pool", self.cluster.pools.clear, lambda: self.cluster.pools == {guest.vmid: "nodepoint"}),
            ("tags", lambda: guest.config.update(tags="people"), lambda: "nodepoint" in guest.config["tags"]),
            ("memory", lambda: guest.config.update(memory="1024"), lambda: guest.config["memory"] == "2048"),
        ):
            with self.subTest(name):
                act()
                self.assertIn(f"container {guest.vmid}", self.differences())
                self.fix()
                self.assertTrue(is_right(), (guest.config, self.cluster.pools))
                self.assert_no_difference()

    def fix(self) -> None:
        with suppress(CommandError):  # its exit code where something is left, which the tests look for
            call_command("reconcile", fix=True, yes=True, force=True, stdout=io.StringIO())
        self.run_jobs()

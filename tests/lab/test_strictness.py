"""No kindness of the lab goes unnoticed: made kind in one way, it fails the test of the fact that it
hides."""

import unittest

from tests.lab.kindnesses import Kindness, cloudflare, ispconfig, proxmox

KINDNESSES = (*proxmox.KINDNESSES, *cloudflare.KINDNESSES, *ispconfig.KINDNESSES)


class StrictnessTests(unittest.TestCase):
    def test_each_kindness_is_caught_by_its_fact(self) -> None:
        for kindness in KINDNESSES:
            with self.subTest(kindness.what):
                self.assertTrue(_outcome(kindness).failures, f"nobody notices that {kindness.what}")

    def test_there_are_enough_of_them_and_each_is_another(self) -> None:
        self.assertGreaterEqual(len(KINDNESSES), 10)
        self.assertEqual(len(KINDNESSES), len({kindness.what for kindness in KINDNESSES}))


def _outcome(kindness: Kindness) -> unittest.TestResult:
    """What the test of the fact says while the lab is kind; it passes otherwise, as the whole suite shows."""
    (suite,) = [unittest.defaultTestLoader.loadTestsFromName(f"tests.lab.{kindness.fact}")]
    result = unittest.TestResult()
    with kindness.patch():
        suite.run(result)
    return result

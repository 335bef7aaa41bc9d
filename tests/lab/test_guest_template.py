"""The base of all sites, sealing it, and what containers made from its archive hold."""

import unittest

from lab.install import Plan, phases
from tests.lab.test_guest import FULL, GuestCase

SEAL = b"#!/bin/bash\n# lab: seal\nBUILD_ID=ab12\nmain() { :; }\n"
BASE = b"#!/bin/bash\n# lab: install status=/root/install.status\nPART=base\nmain() { :; }\n"
ALL = BASE.replace(b"PART=base", b"PART=all")
FACTS = "/etc/nodepoint-template"


class SealTests(GuestCase):
    def setUp(self) -> None:
        super().setUp()
        self.create(start=True)

    def seal(self) -> tuple[int, bytes, bytes]:
        return self.run_in("bash", "-s", "seal", stdin=SEAL)

    def test_it_needs_the_base(self) -> None:
        self.assertEqual((66, b""), self.seal()[:2])

    def test_the_base_is_no_site(self) -> None:
        self.run_in("bash", "-s", "install", stdin=BASE)
        self.assertEqual(["packages", "wordpress", "system"], self.phases())
        self.assertFalse(self.lab.world.reaches_site("192.168.1.100")[0])
        code, out, _ = self.seal()
        self.assertEqual((0, b"sealed"), (code, out.splitlines()[-1]))
        self.assertIn("build ab12\n", self.run_in("cat", FACTS)[1].decode())
        self.assertEqual([], self.status(), "the traces of the script are gone")
        self.assertEqual(0, self.seal()[0], "it may be done again")

    def test_it_refuses_what_holds_a_site_and_what_is_being_installed(self) -> None:
        self.lab.clock.factor = 1
        self.run_in("bash", "-s", "install", stdin=BASE)
        self.assertEqual((75, b""), self.seal()[:2])
        self.lab.clock.factor = 0
        self.done(self.ct().status.stop.post())
        self.done(self.ct().status.start.post())
        self.run_in("bash", "-s", "install", stdin=ALL)
        self.assertEqual((73, b""), self.seal()[:2])


class SpareTests(GuestCase):
    SPARE = b"#!/bin/bash\n# lab: spare\nBUILD_ID=ab12\nmain() { :; }\n"
    CLAIM = ALL.replace(b"PART=all", b"PART=claim\nSTAY=12\nSITE_HOSTNAME=a.example")

    def setUp(self) -> None:
        super().setUp()
        self.create(start=True)

    def spare(self) -> int:
        return self.run_in("bash", "-s", "spare", stdin=self.SPARE)[0]

    def test_only_a_new_site_can_wait_and_only_what_waits_is_claimed(self) -> None:
        self.assertEqual((66, 69), (self.spare(), self.run_in("bash", "-s", "install", stdin=self.CLAIM)[0]))
        self.run_in("bash", "-s", "install", stdin=ALL)
        self.assertEqual(69, self.run_in("bash", "-s", "install", stdin=self.CLAIM)[0])
        self.assertTrue(self.lab.world.reaches_site("192.168.1.100")[0])
        self.assertEqual((0, 0), (self.spare(), self.spare()))
        self.assertFalse(self.lab.world.reaches_site("192.168.1.100")[0])
        code, out, _ = self.run_in("bash", "-s", "install", stdin=self.CLAIM)
        self.assertEqual((0, "started", "done 0"), (code, *(out.decode().splitlines()[at] for at in (0, -1))))
        self.assertTrue(self.lab.world.reaches_site("192.168.1.100")[0])
        self.assertEqual(66, self.spare(), "somebody has had it")
        self.assertEqual(0, self.run_in("bash", "-s", "install", stdin=self.CLAIM)[0], "it may be done again")


class PlanTests(unittest.TestCase):
    def test_the_phases_are_those_that_the_script_names(self) -> None:
        plan = Plan.read("BASE=(apt unpack)\nSITE=(data tune)\nPART=all\nNAME='a b'\nfor x in y; do\n")
        self.assertEqual((("apt", "unpack"), ("data", "tune")), (plan.base, plan.site))
        self.assertEqual(("all", "a b"), (plan.parameters["PART"], plan.parameters["NAME"]))
        self.assertEqual([("apt", 1), ("unpack", 1), ("data", 1), ("tune", 1)], phases(plan, False, 4))
        self.assertEqual([("apt", 0), ("unpack", 0), ("data", 2), ("tune", 2)], phases(plan, True, 4))

    def test_a_script_that_names_none_has_the_usual_ones(self) -> None:
        plan = Plan.read("# nothing\nBROKEN='over\nseveral lines'\n")
        self.assertEqual(FULL, [*plan.base, *plan.site])
        self.assertFalse(plan.base_only)
        self.assertAlmostEqual(75, sum(seconds for _, seconds in phases(plan, False, 75)))
        self.assertEqual(3, len(phases(Plan.read("PART=base\n"), False, 66)))
